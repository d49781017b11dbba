/** Messages in the body of a call, and how it ends. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { FrameReader, frame } from "../../../src/adapters/grpc/frames.ts"
import {
  grpcCode,
  http2Code,
  httpFailure,
  resetFailure,
  statusIn,
  timeoutHeader
} from "../../../src/adapters/grpc/status.ts"

const message = (size: number, of: number): Buffer => Buffer.alloc(size, of)

describe("messages in a body", () => {
  it("are read as they were written, in whatever pieces they come", () => {
    const messages = [message(0, 0), message(1, 1), message(300, 2), message(70_000, 3)]
    const body = Buffer.concat(messages.map(frame))
    for (const size of [1, 2, 4, 5, 6, 7, 299, 4_096, 16_384, body.length]) {
      const reader = new FrameReader(100_000)
      const read: Array<Buffer> = []
      for (let at = 0; at < body.length; at += size) {
        const whole = reader.push(body.subarray(at, at + size))
        assert.ok(!("code" in whole))
        read.push(...whole)
      }
      assert.deepEqual(read, messages, `in pieces of ${size} bytes`)
      assert.equal(reader.isAmidMessage, false)
    }
  })

  it("are known to be cut off", () => {
    const reader = new FrameReader(100)
    assert.deepEqual(reader.push(frame(message(9, 1)).subarray(0, 8)), [])
    assert.equal(reader.isAmidMessage, true)
  })

  it("are refused where they are too large, before they are here, or compressed", () => {
    const large = new FrameReader(100).push(frame(message(101, 1)).subarray(0, 5))
    assert.equal("code" in large && large.code, grpcCode.RESOURCE_EXHAUSTED)
    const compressed = frame(message(3, 1))
    compressed[0] = 1
    const refused = new FrameReader(100).push(compressed)
    assert.equal("code" in refused && refused.code, grpcCode.INTERNAL)
  })
})

describe("how a call ends", () => {
  it("stands in its trailers", () => {
    assert.equal(statusIn({}), undefined)
    assert.equal(statusIn({ "grpc-status": "0" }), "ok")
    const encoded = { "grpc-status": "5", "grpc-message": "no such pod: %C3%A4%25" }
    assert.deepEqual(statusIn(encoded), { code: grpcCode.NOT_FOUND, details: "no such pod: ä%" })
    assert.deepEqual(statusIn({ "grpc-status": "5", "grpc-message": "100%" }), {
      code: grpcCode.NOT_FOUND,
      details: "100%"
    })
    assert.deepEqual(statusIn({ "grpc-status": "x" }), { code: grpcCode.UNKNOWN, details: "" })
  })

  it("follows from HTTP where there are none", () => {
    assert.equal(httpFailure(404).code, grpcCode.UNIMPLEMENTED)
    assert.equal(httpFailure(503).code, grpcCode.UNAVAILABLE)
    assert.equal(httpFailure(418).code, grpcCode.UNKNOWN)
    assert.equal(resetFailure(http2Code.REFUSED_STREAM, undefined).code, grpcCode.UNAVAILABLE)
    assert.equal(resetFailure(http2Code.CANCEL, undefined).code, grpcCode.CANCELLED)
    assert.equal(resetFailure(http2Code.ENHANCE_YOUR_CALM, undefined).code, grpcCode.RESOURCE_EXHAUSTED)
    assert.deepEqual(resetFailure(http2Code.NO_ERROR, "gone"), { code: grpcCode.INTERNAL, details: "gone" })
  })

  it("is by a time that is told in at most eight digits", () => {
    assert.equal(timeoutHeader(0), "1m")
    assert.equal(timeoutHeader(1_500), "1500m")
    assert.equal(timeoutHeader(99_999_999), "99999999m")
    assert.equal(timeoutHeader(100_000_000), "100000S")
    assert.equal(timeoutHeader(1e12), "16666667M")
    assert.equal(timeoutHeader(1e15), "99999999H")
  })
})
