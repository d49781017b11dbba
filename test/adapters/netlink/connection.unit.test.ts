import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { ask, askMany, connect, dump, maxDumpAttempts, type Request } from "../../../src/adapters/netlink/connection.ts"
import { EBUSY, EINVAL, ENOBUFS, ENOENT } from "../../../src/adapters/netlink/errno.ts"
import {
  acknowledgement,
  acknowledging,
  datagram,
  endOfListing,
  joined,
  scriptedKernel
} from "../../../src/adapters/netlink/memory.ts"
import { sendBatch } from "../../../src/adapters/netlink/nfnetlink.ts"
import { Attributes, flags, type Message } from "../../../src/adapters/netlink/reader.ts"
import { failure } from "./failure.ts"

const request: Request = { type: 20, write: (writer) => writer.attributeU32(1, 7) }
const numbered = (sequence: number, value: number, more = 0) =>
  datagram({ type: 20, flags: flags.multi | more, sequence }, (writer) => writer.attributeU32(1, value))
const value = (message: Message): number | undefined => {
  const attributes = Attributes.of(message, 0)
  return attributes.next() ? attributes.u32 : undefined
}
describe("a request", () => {
  it("is done when the kernel acknowledges it, and gives what came before that", () => {
    const kernel = scriptedKernel(([sent]) => [numbered(sent!.sequence, 5), acknowledgement(sent!)])
    assert.deepEqual(ask(connect(kernel.transport), "ask", request, value), [5])
    assert.equal(kernel.sends[0]![0]!.flags, flags.request | flags.ack)
  })

  it("passes over what answers another request", () => {
    const kernel = scriptedKernel(([sent]) => [
      joined(numbered(sent!.sequence + 100, 1), numbered(sent!.sequence, 2)),
      acknowledgement({ ...sent!, sequence: 0 }, EINVAL),
      acknowledgement(sent!)
    ])
    assert.deepEqual(ask(connect(kernel.transport), "ask", request, value), [2])
  })

  it("fails with the kernel's number, name, words and place", () => {
    const kernel = scriptedKernel(([sent]) => [acknowledgement(sent!, ENOENT, { text: "no such set", offset: 20 })])
    const error = failure(() => ask(connect(kernel.transport), "add an element", request))
    assert.deepEqual(
      [error.reason, error.errno, error.errnoName, error.offset, error.message],
      ["Refused", ENOENT, "ENOENT", 20, "cannot add an element: no such set (ENOENT)"]
    )
  })

  it("reads an acknowledgement that repeats the whole request", () => {
    const kernel = scriptedKernel(([sent]) => [
      datagram({ type: 2, flags: flags.extendedAck, sequence: sent!.sequence }, (writer) => {
        writer.i32(-EINVAL)
        writer.raw(sent!.bytes)
        writer.attributeString(1, "words")
      })
    ])
    assert.match(failure(() => ask(connect(kernel.transport), "ask", request)).message, /words \(EINVAL\)/u)
  })

  it("does not believe an acknowledgement of a request that is larger than the answer", () => {
    for (const length of [21, 0x7fff_ffff, 0xffff_ffff]) {
      const kernel = scriptedKernel(([sent]) => [
        datagram({ type: 2, flags: flags.extendedAck, sequence: sent!.sequence }, (writer) => {
          writer.i32(-EINVAL)
          writer.u32(length)
          writer.zeros(12)
        })
      ])
      assert.equal(failure(() => ask(connect(kernel.transport), "ask", request)).reason, "Malformed", `${length}`)
    }
  })

  it("ends when the kernel stays silent", () => {
    const kernel = scriptedKernel(() => [])
    assert.equal(failure(() => ask(connect(kernel.transport), "ask", request)).reason, "Timeout")
  })
})

describe("a listing", () => {
  it("goes over several datagrams up to its end", () => {
    const kernel = scriptedKernel(([sent]) => [
      joined(numbered(sent!.sequence, 1), numbered(sent!.sequence, 2)),
      numbered(sent!.sequence, 3),
      endOfListing(sent!.sequence)
    ])
    assert.deepEqual(dump(connect(kernel.transport), "list", request, value), [1, 2, 3])
  })

  it("is taken anew when it changed meanwhile, and gives up after a few times", () => {
    const changing = (times: number) =>
      scriptedKernel(([sent], send) => [
        numbered(sent!.sequence, send, send < times ? flags.dumpInterrupted : 0),
        endOfListing(sent!.sequence)
      ])
    assert.deepEqual(dump(connect(changing(2).transport), "list", request, value), [2])
    const kernel = changing(1000)
    assert.equal(failure(() => dump(connect(kernel.transport), "list", request, value)).reason, "Interrupted")
    assert.equal(kernel.sends.length, maxDumpAttempts)
  })

  it("tells the error at its end", () => {
    const kernel = scriptedKernel(([sent]) => [numbered(sent!.sequence, 1), endOfListing(sent!.sequence, ENOENT)])
    assert.equal(failure(() => dump(connect(kernel.transport), "list", request, value)).errno, ENOENT)
  })

  it("is read to its end even if a part of it cannot be", () => {
    const kernel = scriptedKernel(([sent]) => [
      datagram({ type: 20, sequence: sent!.sequence }, (writer) => writer.u16(3)),
      endOfListing(sent!.sequence)
    ])
    const connection = connect(kernel.transport)
    assert.equal(failure(() => dump(connection, "list", request, value)).reason, "Malformed")
    assert.equal(kernel.transport.receive("look", 0), undefined)
  })
})

describe("many requests", () => {
  const requests = Array.from({ length: 3000 }, () => request)

  it("go in few sends, of which only the last request asks for an answer", () => {
    const kernel = scriptedKernel(acknowledging())
    assert.equal(askMany(connect(kernel.transport), "add", requests).size, 0)
    assert.equal(kernel.sends.flat().length, 3000)
    assert.equal(kernel.sends.length, 3)
    for (const send of kernel.sends) {
      assert.equal(send.filter((each) => (each.flags & flags.ack) !== 0).length, 1)
    }
  })

  it("fail one by one", () => {
    const kernel = scriptedKernel(acknowledging(({ sequence }) => (sequence % 1000 === 0 ? EBUSY : 0)))
    const failures = askMany(connect(kernel.transport), "add", requests)
    assert.deepEqual([...failures.keys()], [999, 1999, 2999])
    assert.deepEqual([failures.get(999)?.reason, failures.get(999)?.index], ["Busy", 999])
  })

  it("are in doubt when answers were lost", () => {
    const kernel = scriptedKernel((sent) => ["overrun", ...acknowledging()(sent)])
    assert.equal(failure(() => askMany(connect(kernel.transport), "add", requests)).reason, "Overrun")
  })
})

describe("a batch", () => {
  const requests = [request, request, request, request]

  it("stands between its begin and its end, in one send", () => {
    const kernel = scriptedKernel(acknowledging())
    sendBatch(connect(kernel.transport), "change", requests)
    assert.deepEqual(
      kernel.sends.map((send) => send.map(({ type }) => type)),
      [[16, 20, 20, 20, 20, 17]]
    )
  })

  it("names the first message that failed, by whatever the kernel says of the others", () => {
    for (const errno of [EBUSY, EINVAL, ENOBUFS]) {
      const kernel = scriptedKernel(acknowledging((_, position) => (position >= 3 ? errno : 0)))
      const error = failure(() => sendBatch(connect(kernel.transport), "change", requests))
      assert.deepEqual([error.index, error.errno], [2, errno])
    }
  })

  it("fails as a whole when its beginning does, and does not wait for more", () => {
    const kernel = scriptedKernel(([begin]) => [acknowledgement(begin!, EBUSY)])
    const error = failure(() => sendBatch(connect(kernel.transport), "change", requests))
    assert.deepEqual([error.reason, error.index], ["Busy", undefined])
  })

  it("says what failed even if answers were lost", () => {
    const kernel = scriptedKernel((sent) => ["overrun", acknowledgement(sent[2]!, EINVAL)])
    const error = failure(() => sendBatch(connect(kernel.transport), "change", requests))
    assert.deepEqual([error.errno, error.index], [EINVAL, 1])
    const lost = scriptedKernel(() => ["overrun"])
    assert.equal(failure(() => sendBatch(connect(lost.transport), "change", requests)).reason, "Overrun")
  })

  it("that is too large for one send is refused, and nothing of it was sent", () => {
    const kernel = scriptedKernel(acknowledging(), { maxSendBytes: 100 })
    assert.equal(failure(() => sendBatch(connect(kernel.transport), "change", requests)).reason, "TooLarge")
    assert.equal(kernel.sends.length, 0)
  })
})
