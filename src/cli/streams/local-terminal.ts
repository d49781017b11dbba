/** This program's stdin and terminal as a remote process's: raw while it runs, and as it was afterwards whatever happens. */
import process from "node:process"
import { Effect, type Scope } from "effect"
import type { InputSource, ProcessStreams } from "../../adapters/streaming/port.ts"

/** What is told where the terminal does not say its size (a serial line). */
const plainSize = { columns: 80, rows: 24 }

/** Reads stdin from when it is started until the scope closes. */
export const openInput: Effect.Effect<InputSource, never, Scope.Scope> = Effect.gen(function* () {
  const { stdin } = process
  const stops: Array<() => void> = []
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const stop of stops) stop()
      stdin.pause()
    })
  )
  return {
    start: (data, end) => {
      const onData = (bytes: Uint8Array): void => {
        if (!data(bytes)) stdin.pause()
      }
      stdin.on("data", onData)
      stdin.once("end", end)
      stops.push(() => {
        stdin.off("data", onData)
        stdin.off("end", end)
      })
    },
    resume: () => void stdin.resume()
  }
})

/** Raw mode until the scope closes: every key goes to the process, Ctrl-C too. */
export const openTerminal: Effect.Effect<NonNullable<ProcessStreams["terminal"]>, never, Scope.Scope> = Effect.gen(
  function* () {
    const { stdin, stdout } = process
    yield* Effect.acquireRelease(
      Effect.sync(() => stdin.setRawMode(true)),
      () => Effect.sync(() => stdin.setRawMode(false))
    )
    return {
      size: () => ({ columns: stdout.columns || plainSize.columns, rows: stdout.rows || plainSize.rows }),
      onResize: (changed) => {
        stdout.on("resize", changed)
        return () => void stdout.off("resize", changed)
      }
    }
  }
)
