/** Stop signals on the wire: every name of the API is one of the CRI's, and comes back as it went. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import { decodeContainerStatus } from "../../../src/adapters/cri/decode.ts"
import { encodeContainerConfig } from "../../../src/adapters/cri/encode.ts"
import { ContainerConfigSchema, ContainerStatusSchema, Signal } from "../../../src/adapters/cri/generated/api_pb.js"
import { stopSignals } from "../../../src/events/signals.ts"
import { containerConfig } from "./configs.ts"

const sent = (stopSignal?: string): Signal => {
  const config = { ...containerConfig("app", ["true"]), ...(stopSignal === undefined ? {} : { stopSignal }) }
  const bytes = toBinary(ContainerConfigSchema, create(ContainerConfigSchema, encodeContainerConfig(config)))
  return fromBinary(ContainerConfigSchema, bytes).stopSignal
}
const told = (stopSignal: Signal) => {
  const status = { id: "c", metadata: { name: "app", attempt: 0 }, createdAt: 1n, stopSignal }
  return decodeContainerStatus(create(ContainerStatusSchema, status)).stopSignal
}

describe("a stop signal in the CRI", () => {
  it("has the API's names in the protocol's order, and comes back by the same name", () => {
    for (const [i, name] of stopSignals.entries()) {
      assert.equal(sent(name), i + 1, name)
      assert.equal(told(sent(name)), name)
    }
    assert.equal(Signal.SIGRTMAX, stopSignals.length)
  })
  it("is the runtime's own where none is given, and none where the runtime tells none or a new one", () => {
    assert.equal(sent(), Signal.RUNTIME_DEFAULT)
    assert.equal(told(Signal.RUNTIME_DEFAULT), undefined)
    assert.equal(told(200 as Signal), undefined)
  })
  it("is refused before it is sent where the protocol has no such name", () => {
    assert.throws(() => sent("SIGWHAT"), RangeError)
  })
})
