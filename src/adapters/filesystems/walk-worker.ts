/** The thread of large walks: a directory of 200,000 names, or a disk that answers slowly, holds up nobody else. */
import { parentPort, workerData } from "node:worker_threads"
import { makePace, type WalkLimits, walk } from "./walk.ts"
import type { WalkAnswer, WalkRequest } from "./walker.ts"

const port = parentPort
if (port === null) throw new Error("walk-worker.ts is a worker's entry")

const { entriesPerSecond, maxEntries } = workerData as WalkLimits
const pace = makePace(entriesPerSecond, () => performance.now())

port.on("message", ({ walk: number, path, at }: WalkRequest) => {
  const send = (answer: WalkAnswer): void => port.postMessage(answer)
  walk(path, pace, { maxEntries }, at).then(
    (usage) => send({ walk: number, usage }),
    (error: unknown) => {
      const { code = "", message = String(error) } = error as { readonly code?: string; readonly message?: string }
      send({ walk: number, failure: { code, message } })
    }
  )
})
