/** Directories of a test's own, gone when it ends. Names are short: a socket's path has 108 bytes (unix(7)). */
import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { Effect, type Scope } from "effect"

/** The test runner's directory, which it removes in the end whatever becomes of the test; else the system's. */
const parent = () => process.env.CHRONODE_TEST_DIR ?? tmpdir()

const make = async (): Promise<string> => realpath(await mkdtemp(join(parent(), "t-")))
const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 })

/** Removed with its contents when the scope closes. Unmount what you mount in it first. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(make),
  (path) => Effect.promise(() => remove(path))
)

/** The same for promises: the directory is there while `use` runs. */
export const withTemporaryDirectory = async <A>(use: (path: string) => Promise<A>): Promise<A> => {
  const path = await make()
  try {
    return await use(path)
  } finally {
    await remove(path)
  }
}
