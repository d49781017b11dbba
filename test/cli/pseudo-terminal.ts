/**
 * A program on a real pseudo-terminal (script(1) of util-linux makes it), and what a terminal would show: enough of one
 * for what our program writes.
 */
import { spawn } from "node:child_process"

/** What is on the screen, from what a program wrote: cursor positions, clearing, styles (left out), alternate screen. */
export class Emulator {
  lines: Array<string> = []
  alternate = false
  cursorHidden = false
  private row = 0
  private column = 0

  write(text: string): void {
    for (const [, csi, plain] of text.matchAll(/\u001b\[([?0-9;]*[A-Za-z])|([^\u001b])/gu))
      if (csi !== undefined) this.control(csi)
      else this.put(plain as string)
  }

  private control(sequence: string): void {
    const position = /^(\d+);(\d+)H$/u.exec(sequence)
    if (position !== null) {
      this.row = Number(position[1]) - 1
      this.column = Number(position[2]) - 1
    } else if (sequence === "K") this.lines[this.row] = [...(this.lines[this.row] ?? "")].slice(0, this.column).join("")
    else if (sequence === "2J") this.lines = []
    else if (sequence === "?1049h" || sequence === "?1049l") this.alternate = sequence.endsWith("h")
    else if (sequence === "?25l" || sequence === "?25h") this.cursorHidden = sequence.endsWith("l")
  }

  private put(character: string): void {
    if (!this.alternate || character < " ") return
    const line = [...(this.lines[this.row] ?? "")]
    while (line.length < this.column) line.push(" ")
    line[this.column] = character
    this.lines[this.row] = line.join("")
    this.column += 1
  }
}

export interface PseudoTerminal {
  readonly screen: Emulator
  /** All that was written. */
  readonly written: () => string
  readonly type: (text: string) => void
  /** Waits until the screen is so. */
  readonly shows: (test: (lines: ReadonlyArray<string>) => boolean, what: string) => Promise<void>
  /** Waits until this was written. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>
  readonly finished: Promise<number | null>
  readonly kill: () => void
}

/** A bound for a test that hangs, no claim about speed, milliseconds. */
const limit = 40_000

/** Runs a line of sh on a terminal of this size. */
export const onTerminal = (
  line: string,
  size: { readonly columns: number; readonly rows: number },
  environment: Readonly<Record<string, string>> = {}
): PseudoTerminal => {
  const { NO_COLOR: _, CHRONODE_DATA_DIR: __, ...inherited } = process.env
  const child = spawn("script", ["-qfec", `stty rows ${size.rows} cols ${size.columns}; ${line}`, "/dev/null"], {
    env: { ...inherited, TERM: "xterm-256color", SHELL: "/bin/sh", ...environment },
    stdio: ["pipe", "pipe", "pipe"]
  })
  const screen = new Emulator()
  let written = ""
  let waiting: Array<() => boolean> = []
  const look = (): void => {
    waiting = waiting.filter((isDone) => !isDone())
  }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written += text
    screen.write(text)
    look()
  })
  const until = <A>(found: () => A | undefined, what: string): Promise<A> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} did not come:\n${screen.lines.join("\n")}`)), limit)
      waiting.push(() => {
        const value = found()
        if (value === undefined) return false
        clearTimeout(timer)
        resolve(value)
        return true
      })
      look()
    })
  return {
    screen,
    written: () => written,
    type: (text) => void child.stdin.write(text),
    shows: async (test, what) => void (await until(() => (test(screen.lines) ? true : undefined), what)),
    says: (pattern) => until(() => pattern.exec(written) ?? undefined, String(pattern)),
    finished: new Promise((resolve, reject) => {
      child.on("error", reject)
      child.on("close", resolve)
    }),
    kill: () => void child.kill("SIGKILL")
  }
}
