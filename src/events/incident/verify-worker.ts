/** The thread that verifies a large incident file beside its reader. Gets the path, answers once. */
import { parentPort, workerData } from "node:worker_threads"
import { IncidentError } from "./format.ts"
import { scanIncident, type VerifyAnswer } from "./verify.ts"

const port = parentPort
if (port === null) throw new Error("verify-worker.ts is a worker's entry")
const answer = (value: VerifyAnswer): void => port.postMessage(value)

try {
  answer({ _tag: "Report", report: await scanIncident(workerData as string) })
} catch (error) {
  if (!(error instanceof IncidentError)) throw error
  const { reason, path, line, message } = error
  answer({ _tag: "Refused", error: { reason, path, line, message } })
}
