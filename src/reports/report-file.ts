/** A report's file: it gets its name when it is whole, replaces nothing unasked, and is its owner's only, as the log is. */
import { existsSync } from "node:fs"
import { open, rename, rm } from "node:fs/promises"
import { Effect, Schema } from "effect"

const privateFile = 0o600

export class ReportError extends Schema.TaggedError<ReportError>()("ReportError", {
  reason: Schema.Literals(["Exists", "InputOutput"]),
  path: Schema.String,
  /** Names the file and what to do. */
  message: Schema.String
}) {}

/** Fails where a file of this name is there and must not be replaced. Ask before long work. */
export const mayWrite = (path: string, overwrite: boolean): Effect.Effect<void, ReportError> =>
  overwrite || !existsSync(path)
    ? Effect.void
    : Effect.fail(new ReportError({ reason: "Exists", path, message: `${path} exists already. Name another file.` }))

const writeFailed = (path: string, error: unknown): ReportError =>
  new ReportError({
    reason: "InputOutput",
    path,
    message: `writing ${path} failed: ${error instanceof Error ? error.message : String(error)}. Choose a place with room where you may write.`
  })

/** Writes the pieces, and answers how many bytes they were. What fails leaves nothing. */
export const writeReport = (
  path: string,
  pieces: Iterable<string> | AsyncIterable<string>,
  overwrite: boolean
): Effect.Effect<number, ReportError> => {
  const part = `${path}.part`
  const attempt = <A>(body: () => Promise<A>): Effect.Effect<A, ReportError> =>
    Effect.tryPromise({ try: body, catch: (error) => writeFailed(path, error) })
  return Effect.acquireUseRelease(
    // One that was left behind may have other rights: it is not reused.
    attempt(() => rm(part, { force: true }).then(() => open(part, "wx", privateFile))),
    (file) =>
      Effect.gen(function* () {
        const bytes = yield* attempt(async () => {
          let written = 0
          for await (const piece of pieces) {
            const data = Buffer.from(piece)
            for (let at = 0; at < data.length; ) at += (await file.write(data, at, data.length - at)).bytesWritten
            written += data.length
          }
          await file.sync()
          return written
        })
        yield* mayWrite(path, overwrite)
        yield* attempt(() => rename(part, path))
        return bytes
      }),
    // After success there is no such file any more.
    (file) => Effect.promise(() => file.close().then(() => rm(part, { force: true })))
  )
}
