/** gRPC statuses as errors of the port: their reasons, and words without grpc-js's own working. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Metadata, type ServiceError, status } from "@grpc/grpc-js"
import { criError } from "../../../src/adapters/cri/failure.ts"

const told = (code: number, details: string, pastDeadline = false) => {
  const error: ServiceError = Object.assign(new Error(`${code} ${details}`), {
    code,
    details,
    metadata: new Metadata()
  })
  const { reason, message } = criError("Version", error, pastDeadline)
  return [reason, message]
}

describe("an error of the runtime", () => {
  it("tells the cause alone", () => {
    const missing =
      "No connection established. Last error: Error: connect ENOENT /run/containerd/containerd.sock. Resolution note: "
    assert.deepEqual(told(status.UNAVAILABLE, missing), [
      "Unavailable",
      "connect ENOENT /run/containerd/containerd.sock"
    ])
    const late = "Deadline exceeded after 9.999s,LB pick: 0.001s,remote_addr=/run/containerd/containerd.sock"
    assert.deepEqual(told(status.DEADLINE_EXCEEDED, late), ["DeadlineExceeded", "Deadline exceeded after 9.999s"])
  })

  it("is left as the runtime words it", () => {
    const words = "failed to pull: Last error: Error: 500. Resolution note: none"
    assert.deepEqual(told(status.UNKNOWN, words), ["Failed", words])
    assert.deepEqual(told(status.CANCELLED, "Call cancelled", true), ["DeadlineExceeded", "Call cancelled"])
  })
})
