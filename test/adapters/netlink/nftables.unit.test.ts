import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { connect, maxDumpAttempts } from "../../../src/adapters/netlink/connection.ts"
import { EBUSY, EINVAL, ENOBUFS } from "../../../src/adapters/netlink/errno.ts"
import {
  type Answer,
  acknowledgement,
  acknowledging,
  datagram,
  endOfListing,
  type SentMessage,
  scriptedKernel
} from "../../../src/adapters/netlink/memory.ts"
import { nfHeaderBytes, nfType, subsystems, writeNfHeader } from "../../../src/adapters/netlink/nfnetlink.ts"
import { elementsIn, listElements, transaction } from "../../../src/adapters/netlink/nftables.ts"
import {
  concatenate,
  type SetElement,
  separate,
  type Verdict
} from "../../../src/adapters/netlink/nftables-elements.ts"
import { nftMessages, requestsOf, type TableOperation } from "../../../src/adapters/netlink/nftables-messages.ts"
import { Attributes, forEachMessage } from "../../../src/adapters/netlink/reader.ts"
import { maxAttributeBytes, Writer } from "../../../src/adapters/netlink/writer.ts"
import { roundsOr, seededRandom } from "../../support/random.ts"
import { failure } from "./failure.ts"

const random = seededRandom("nf_tables")
const name = { family: "ip", table: "chronode", set: "services" } as const
const bytes = (low: number, high: number): Uint8Array =>
  Uint8Array.from({ length: random.int(low, high) }, () => random.int(0, 255))

const verdict = (): Verdict => {
  const kind = random.pick(["accept", "drop", "continue", "break", "return", "jump", "goto"] as const)
  return kind === "jump" || kind === "goto"
    ? { verdict: kind, chain: `chain-${"x".repeat(random.int(0, 60))}` }
    : { verdict: kind }
}

const element = (): SetElement => ({
  key: bytes(1, 64),
  ...(random.chance(0.2) ? { keyEnd: bytes(1, 64) } : {}),
  ...(random.chance(0.7) ? { data: random.chance(0.5) ? bytes(1, 64) : verdict() } : {}),
  ...(random.chance(0.2) ? { flags: random.int(0, 3) } : {}),
  ...(random.chance(0.2) ? { timeoutMillis: random.int(1, 2 ** 40) } : {}),
  ...(random.chance(0.2) ? { expiresMillis: random.int(1, 2 ** 40) } : {})
})

describe("elements", () => {
  it("are read as they were written, in as many messages as need be", () => {
    for (let round = 0; round < roundsOr(20); round++) {
      const elements = Array.from({ length: random.int(1, 3000) }, element)
      const read: Array<SetElement> = []
      for (const request of requestsOf({ ...name, op: "add", elements })) {
        const writer = new Writer()
        const at = writer.beginMessage(request.type, 0, 1)
        request.write(writer)
        writer.endMessage(at)
        forEachMessage(writer.written, (message) => {
          const each = Attributes.of(message, nfHeaderBytes)
          while (each.next()) assert.ok(each.length < maxAttributeBytes)
          const found = elementsIn(message)
          assert.equal(found.length, request.elements)
          read.push(...found)
        })
      }
      assert.deepEqual(read, elements)
    }
  })

  it("have keys whose parts begin at multiples of four bytes", () => {
    for (let round = 0; round < roundsOr(200); round++) {
      const parts = Array.from({ length: random.int(1, 5) }, () => bytes(1, 16))
      const key = concatenate(...parts)
      assert.equal(key.length % 4, 0)
      assert.deepEqual(
        separate(
          key,
          parts.map(({ length }) => length)
        ).map((part) => [...part]),
        parts.map((part) => [...part])
      )
    }
    assert.equal(failure(() => separate(new Uint8Array(8), [4, 1, 2])).reason, "Malformed")
  })
})

describe("a transaction", () => {
  const steps: ReadonlyArray<TableOperation> = [
    { family: "ip", table: "chronode", op: "addChain", chain: "c" },
    { ...name, op: "delete", elements: [{ key: Uint8Array.of(1, 2, 3, 4) }] },
    { ...name, op: "add", elements: [{ key: Uint8Array.of(1, 2, 3, 4), data: { verdict: "goto", chain: "c" } }] }
  ]

  it("is one send, and says which step failed half-way", () => {
    for (const [errno, reason] of [
      [ENOBUFS, "Busy"],
      [EBUSY, "Busy"],
      [EINVAL, "Refused"]
    ] as const) {
      const kernel = scriptedKernel(acknowledging((_, position) => (position === 2 ? errno : 0)))
      const error = failure(() => transaction(connect(kernel.transport), steps))
      assert.equal(kernel.sends.length, 1)
      assert.deepEqual([error.reason, error.errno, error.index], [reason, errno, 1])
      assert.match(error.message, /^cannot change nf_tables in 3 steps: delete 1 elements of chronode\/services: /u)
    }
  })

  it("names the element at the place that the kernel names, also in a later message of the step", () => {
    const elements = Array.from({ length: 5000 }, (_, k) => ({ key: Uint8Array.of(10, 0, k >> 8, k & 255) }))
    const step: TableOperation = { ...name, op: "add", elements }
    const first = requestsOf(step)[0]!.elements!
    assert.ok(first < 5000)
    // Header, family, table (4 + 9, padded), set (4 + 9, padded), list: 56 bytes; an element: 4 + 4 + 4 + 4.
    const place = 56 + 4 + 16 * 7
    const kernel = scriptedKernel((sent) => [
      acknowledgement(sent[2]!, EINVAL, { offset: place }),
      acknowledgement(sent.at(-2)!)
    ])
    const error = failure(() => transaction(connect(kernel.transport), [step]))
    assert.deepEqual([error.index, error.element], [0, first + 7])
  })

  it("of nothing is nothing", () => {
    const kernel = scriptedKernel(acknowledging())
    transaction(connect(kernel.transport), [])
    transaction(connect(kernel.transport), [{ ...name, op: "add", elements: [] }])
    assert.equal(kernel.sends.length, 0)
  })
})

describe("a listing of elements", () => {
  /** Answers with a generation that goes up with each of the first questions for it. */
  const changing = (times: number) => {
    let asked = 0
    const generationOf = () =>
      datagramOf(nftMessages.newGeneration, (writer) => writer.attributeU32BE(1, Math.min(asked++, times)))
    const datagramOf = (command: number, write: (writer: Writer) => void) => (sent: SentMessage) =>
      datagram({ type: nfType(subsystems.nftables, command), sequence: sent.sequence }, (writer) => {
        writeNfHeader(writer, 2)
        write(writer)
      })
    return scriptedKernel(
      ([sent]): ReadonlyArray<Answer> =>
        (sent!.type & 0xff) === nftMessages.getGeneration
          ? [generationOf()(sent!), acknowledgement(sent!)]
          : [endOfListing(sent!.sequence)]
    )
  }

  it("is made anew when anything changed meanwhile, which the kernel does not say of elements", () => {
    const kernel = changing(3)
    assert.deepEqual(listElements(connect(kernel.transport), name), [])
    assert.equal(kernel.sends.flat().filter(({ type }) => (type & 0xff) === nftMessages.getElements).length, 4)
    const never = changing(1000)
    assert.equal(failure(() => listElements(connect(never.transport), name)).reason, "Interrupted")
    assert.equal(
      never.sends.flat().filter(({ type }) => (type & 0xff) === nftMessages.getElements).length,
      maxDumpAttempts
    )
  })
})
