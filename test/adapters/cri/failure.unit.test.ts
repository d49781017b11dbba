/** gRPC statuses as errors of the port: their reasons, in the runtime's words. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { criError } from "../../../src/adapters/cri/failure.ts"
import { grpcCode } from "../../../src/adapters/grpc/status.ts"

const told = (code: number, details: string, pastDeadline = false) => {
  const { reason, message } = criError("Version", { code, details }, pastDeadline)
  return [reason, message]
}

describe("an error of the runtime", () => {
  it("is left as the runtime words it", () => {
    const words = "failed to pull: Last error: Error: 500. Resolution note: none"
    assert.deepEqual(told(grpcCode.UNKNOWN, words), ["Failed", words])
    assert.deepEqual(told(grpcCode.CANCELLED, "Call cancelled", true), ["DeadlineExceeded", "Call cancelled"])
  })

  it("has its code where there are no words", () => assert.deepEqual(told(99, ""), ["Failed", "gRPC code 99"]))
})
