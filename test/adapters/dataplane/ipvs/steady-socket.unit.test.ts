/** ENOBUFS half-way through a batch, or silence: the next request is not disturbed by what comes late. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { steadySocket } from "../../../../src/adapters/dataplane/ipvs/steady-socket.ts"
import { connect } from "../../../../src/adapters/netlink/connection.ts"
import { NetlinkError } from "../../../../src/adapters/netlink/error.ts"
import { type IpvsChange, openIpvs } from "../../../../src/adapters/netlink/ipvs-calls.ts"
import { acknowledging, datagram, scriptedKernel } from "../../../../src/adapters/netlink/memory.ts"

/** The answer to the question which number the family has. */
const familyAnswer = (sequence: number) =>
  datagram({ type: 16, sequence }, (writer) => {
    writer.u32(0)
    writer.attributeU16(1, 32)
    writer.attributeString(2, "IPVS")
    writer.attributeU32(3, 1)
  })

const changes: ReadonlyArray<IpvsChange> = ["10.96.0.1", "10.96.0.2"].map((address) => ({
  do: "deleteService",
  service: { family: "IPv4", protocol: "TCP", address, port: 80 }
}))

describe("a socket of the dataplane", () => {
  for (const trouble of ["overrun", "silence"] as const) {
    it(`is opened anew after ${trouble}`, () => {
      let opened = 0
      const open = () => {
        const number = ++opened
        return scriptedKernel((messages) => {
          const [first] = messages
          if (first!.type === 16) return [familyAnswer(first!.sequence), ...acknowledging()(messages)]
          if (number > 1) return acknowledging((_message, position) => (position === 0 ? 3 : 0))(messages)
          return trouble === "overrun" ? ["overrun"] : []
        }).transport
      }
      const ipvs = openIpvs(connect(steadySocket("generic", open), { answerMillis: 5 }))
      assert.throws(
        () => ipvs.change(changes),
        (error) => error instanceof NetlinkError && error.reason === (trouble === "overrun" ? "Overrun" : "Timeout")
      )
      assert.deepEqual(
        [...ipvs.change(changes)].map(([index, { errnoName }]) => [index, errnoName]),
        [[0, "ESRCH"]]
      )
      assert.equal(opened, 2)
      ipvs.close()
    })
  }
})
