/**
 * The terminal as a screen: raw keys in, whole frames out, of which only the lines that changed are written. Whatever
 * ends the program, the terminal is left as it was found.
 */
import process from "node:process"
import { Effect, type Scope } from "effect"
import type { Terminal } from "../terminal.ts"
import type { Size } from "./frame.ts"

// xterm's control sequences (ctlseqs): alternate screen, cursor, wrapping at the right edge.
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l"
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l"
const clear = "\u001b[2J"
const toRow = (row: number): string => `\u001b[${row + 1};1H`
const clearToEnd = "\u001b[K"
const plain = "\u001b[0m"

/** Where the terminal does not say: that of a VT100. */
const usualSize: Size = { columns: 80, rows: 24 }

export interface Screen {
  readonly size: () => Size
  /** Answers whether there was anything to write. */
  readonly draw: (lines: ReadonlyArray<string>) => boolean
}

export interface Typist {
  /** What was read at once. */
  readonly typed: (text: string) => void
  readonly resized: () => void
  /** The terminal is gone. */
  readonly closed: () => void
}

/** What has to be written so that a screen with `before` on it shows `lines`. */
export const changes = (before: ReadonlyArray<string>, lines: ReadonlyArray<string>): string => {
  let text = ""
  for (const [row, line] of lines.entries())
    if (line !== before[row]) text += `${toRow(row)}${line}${plain}${clearToEnd}`
  return text
}

/** Takes the terminal until the scope closes. */
export const openScreen = (terminal: Terminal, typist: Typist): Effect.Effect<Screen, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { stdin, stdout } = process
      let drawn: ReadonlyArray<string> = []
      let isOpen = true
      const restore = (): void => {
        if (!isOpen) return
        isOpen = false
        if (stdin.isTTY === true) stdin.setRawMode(false)
        terminal.out(leave)
        terminal.flush()
      }
      const resized = (): void => {
        drawn = []
        terminal.out(clear)
        typist.resized()
      }
      stdin.setRawMode(true)
      stdin.setEncoding("utf8")
      stdin.on("data", typist.typed)
      stdin.on("end", typist.closed)
      stdout.on("resize", resized)
      // For an end that no scope sees: process.exit, an error nobody caught.
      process.on("exit", restore)
      terminal.out(enter + clear)
      terminal.flush()
      const close = (): void => {
        stdin.off("data", typist.typed)
        stdin.off("end", typist.closed)
        stdin.pause()
        stdout.off("resize", resized)
        restore()
        process.off("exit", restore)
      }
      const screen: Screen = {
        size: () => ({ columns: stdout.columns ?? usualSize.columns, rows: stdout.rows ?? usualSize.rows }),
        draw: (lines) => {
          const text = changes(drawn, lines)
          drawn = lines
          if (text === "") return false
          terminal.out(text)
          terminal.flush()
          return true
        }
      }
      return { screen, close }
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ screen }) => screen))
