import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { addressText } from "../../../src/adapters/netlink/addresses.ts"
import { connect } from "../../../src/adapters/netlink/connection.ts"
import { deleteFlows, readFlow, type TrackedFlow } from "../../../src/adapters/netlink/conntrack.ts"
import { EBUSY, EEXIST, ENOENT } from "../../../src/adapters/netlink/errno.ts"
import { findFamily } from "../../../src/adapters/netlink/generic.ts"
import { acknowledgement, acknowledging, datagram, scriptedKernel } from "../../../src/adapters/netlink/memory.ts"
import { nfType, subsystems } from "../../../src/adapters/netlink/nfnetlink.ts"
import { forEachMessage, type Message } from "../../../src/adapters/netlink/reader.ts"
import { addAddresses, readAddress } from "../../../src/adapters/netlink/route.ts"
import { roundsOr, seededRandom } from "../../support/random.ts"

const random = seededRandom("netlink requests")
const address = (family: "IPv4" | "IPv6") =>
  addressText(Uint8Array.from({ length: family === "IPv4" ? 4 : 16 }, () => random.pick([0, 0, 1, random.int(0, 255)])))
/** IPv4 within IPv6 is IPv4 to all that reads addresses here, and no Service has such an address. */
const isPlain = (text: string) => !text.startsWith("::ffff:")
const plainAddress = (family: "IPv4" | "IPv6"): string => {
  for (;;) {
    const text = address(family)
    if (isPlain(text)) return text
  }
}
const only = (bytes: Uint8Array): Message => {
  const messages: Array<Message> = []
  forEachMessage(bytes, (message) => messages.push(message))
  assert.equal(messages.length, 1)
  return messages[0]!
}

describe("addresses that are given to a device", () => {
  it("are what was asked for, in the kernel's own words", () => {
    for (let round = 0; round < roundsOr(100); round++) {
      const family = random.pick(["IPv4", "IPv6"] as const)
      const wanted = { address: plainAddress(family), prefixLength: random.int(0, family === "IPv4" ? 32 : 128) }
      const kernel = scriptedKernel(acknowledging())
      addAddresses(connect(kernel.transport), 7, [wanted])
      const { isUsable: _, ...read } = readAddress(only(kernel.sends[0]![0]!.bytes))!
      assert.deepEqual(read, { index: 7, family, scope: 0, ...wanted })
    }
  })

  it("that are there already are no failure; others are, each by its number", () => {
    const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((text) => ({ address: text }))
    const kernel = scriptedKernel(acknowledging((_, position) => [EEXIST, EBUSY, 0][position]!))
    const failures = addAddresses(connect(kernel.transport), 7, addresses)
    assert.deepEqual([...failures.keys()], [1])
    assert.equal(failures.get(1)?.reason, "Busy")
  })
})

describe("connections that are deleted", () => {
  const flow = (): TrackedFlow => {
    const family = random.pick(["IPv4", "IPv6"] as const)
    const original = {
      source: plainAddress(family),
      destination: plainAddress(family),
      sourcePort: random.int(0, 65_535),
      destinationPort: random.int(0, 65_535)
    }
    return { family, protocol: random.pick(["TCP", "UDP", "SCTP"] as const), original, reply: original }
  }

  it("are named by how they began", () => {
    for (let round = 0; round < roundsOr(100); round++) {
      const wanted = flow()
      const kernel = scriptedKernel(acknowledging())
      deleteFlows(connect(kernel.transport), [wanted])
      // The same tuple as the kernel tells it of a flow: in a message of a flow, once for each direction.
      const { bytes } = kernel.sends[0]![0]!
      const tuple = bytes.subarray(20)
      const told = only(
        datagram({ type: nfType(subsystems.conntrack, 0), sequence: 1 }, (writer) => {
          writer.raw(bytes.subarray(16, 20))
          writer.raw(tuple)
          writer.u16(tuple.length)
          writer.u16(2)
          writer.raw(tuple.subarray(4))
        })
      )
      assert.deepEqual(readFlow(told, wanted.family, wanted.protocol), wanted)
      const other = wanted.protocol === "TCP" ? "UDP" : "TCP"
      assert.equal(readFlow(told, wanted.family, other), undefined)
      assert.equal(readFlow(told, wanted.family === "IPv4" ? "IPv6" : "IPv4", wanted.protocol), undefined)
    }
  })

  it("count as deleted when they are gone, and not when the kernel refuses", () => {
    const flows = Array.from({ length: 4 }, flow)
    const kernel = scriptedKernel(acknowledging((_, position) => [0, ENOENT, EBUSY, 0][position]!))
    const { deleted, failure } = deleteFlows(connect(kernel.transport), flows)
    assert.deepEqual([deleted, failure?.errno], [3, EBUSY])
  })
})

describe("a family of generic netlink", () => {
  it("without a number is no family", () => {
    const kernel = scriptedKernel(([sent]) => [
      datagram({ type: 16, sequence: sent!.sequence }, (writer) => {
        writer.u32(0)
        writer.attributeString(2, "IPVS")
      }),
      acknowledgement(sent!)
    ])
    assert.throws(() => findFamily(connect(kernel.transport), "IPVS"), { _tag: "NetlinkError", reason: "Malformed" })
  })
})
