/** One step at a time by the user's hand: a key on a terminal, a line where stdin is something else. */
import process from "node:process"
import { Effect, type Scope } from "effect"

export interface Steps {
  /** Waits for the next step; false: the user wants no more, or stdin has ended. */
  readonly next: Effect.Effect<boolean>
}

const ctrlC = "\u0003"
const ctrlD = "\u0004"
const escapeKey = "\u001b"
const isEnd = (key: string): boolean => key === "q" || key === "Q" || key === ctrlC || key === ctrlD

/** One chunk of a terminal in raw mode: its keys. An arrow or function key comes as one escape sequence. */
export const keysOf = (chunk: string): ReadonlyArray<string> => (chunk.startsWith(escapeKey) ? [chunk] : [...chunk])

/** Keys, each as it is pressed. Nothing is read ahead of what is asked for but the chunk at hand. */
async function* keys(input: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const chunk of input) yield* keysOf(chunk)
}

/** A line that goes on for longer ends here, characters. */
const longestLine = 64 * 1024

/** Lines without their line feeds; the last one may lack it. */
export async function* lines(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ""
  for await (const chunk of input) {
    const parts = (rest + chunk).split("\n")
    rest = parts.pop()?.slice(0, longestLine) ?? ""
    for (const line of parts) yield line.trim()
  }
  if (rest !== "") yield rest.trim()
}

/** Takes stdin until the scope closes. `note` hears which keys there are. */
export const openSteps = (note: (text: string) => void): Effect.Effect<Steps, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { stdin } = process
      const terminal = stdin.isTTY === true
      if (terminal) stdin.setRawMode(true)
      note(
        terminal
          ? "chronode: Enter, space or any other key: the next event; q: end"
          : "chronode: each line of stdin is one step; q: end"
      )
      stdin.setEncoding("utf8")
      const input = stdin as AsyncIterable<unknown> as AsyncIterable<string>
      const steps = terminal ? keys(input) : lines(input)
      return { stdin, steps, terminal }
    }),
    ({ stdin, terminal }) =>
      Effect.sync(() => {
        if (terminal) stdin.setRawMode(false)
        stdin.pause()
      })
  ).pipe(
    Effect.map(({ steps }) => ({
      next: Effect.promise(async () => {
        const step = await steps.next()
        return step.done !== true && !isEnd(step.value)
      })
    }))
  )
