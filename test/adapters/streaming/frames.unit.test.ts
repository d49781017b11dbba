/** The frames of SPDY/3.1 as other programs read and write them, and what the end of a process is told in. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { createInflate } from "node:zlib"
import { Effect, Result } from "effect"
import { dataFrame, FrameReader, pingFrame, StreamOpener } from "../../../src/adapters/streaming/frames.ts"
import { exitCodeOf } from "../../../src/adapters/streaming/process.ts"
import { parsePorts } from "../../../src/cli/port-forward.ts"

/** What another implementation's inflater makes of the header blocks of several frames, which are one zlib stream. */
const inflated = async (frames: ReadonlyArray<Buffer>): Promise<ReadonlyArray<Buffer>> => {
  const inflate = createInflate()
  const blocks: Array<Buffer> = []
  for (const frame of frames) {
    const parts: Array<Buffer> = []
    const onData = (bytes: Buffer) => parts.push(bytes)
    inflate.on("data", onData)
    await new Promise((done) => inflate.write(frame.subarray(18), done))
    inflate.off("data", onData)
    blocks.push(Buffer.concat(parts))
  }
  inflate.destroy()
  return blocks
}

const pairsOf = (block: Buffer): Readonly<Record<string, string>> => {
  let at = 4
  const text = (): string => {
    const length = block.readUInt32BE(at)
    at += 4 + length
    return block.toString("utf8", at - length, at)
  }
  return Object.fromEntries(Array.from({ length: block.readUInt32BE(0) }, () => [text(), text()]))
}

describe("the frames of SPDY", () => {
  it("open streams with headers that any inflater reads, one after another", async () => {
    const opener = new StreamOpener()
    const headers = [
      { streamType: "error" },
      { streamType: "data", port: "8080", requestID: "0" },
      { note: "é".repeat(500) }
    ]
    const frames = headers.map((each, i) => opener.open(i * 2 + 1, each))
    for (const [i, frame] of frames.entries()) {
      assert.equal(frame.readUInt32BE(0), 0x80030001)
      assert.equal(frame.readUInt32BE(4), frame.length - 8)
      assert.equal(frame.readUInt32BE(8), i * 2 + 1)
    }
    const lowerCase = headers.map((each) =>
      Object.fromEntries(Object.entries(each).map(([name, value]) => [name.toLowerCase(), value]))
    )
    assert.deepEqual((await inflated(frames)).map(pairsOf), lowerCase)
  })

  it("are read from pieces of any size", () => {
    const reply = Buffer.from([0x80, 3, 0, 2, 1, 0, 0, 4, 0, 0, 0, 5])
    const reset = Buffer.from([0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0, 5])
    const goAway = Buffer.from([0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0, 0])
    const settings = Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0])
    const all = Buffer.concat([reply, dataFrame(3, Buffer.from("hello"), true), pingFrame(2), reset, settings, goAway])
    for (const size of [1, 3, 8, 1000]) {
      const reader = new FrameReader()
      const frames = []
      for (let at = 0; at < all.length; at += size) frames.push(...reader.push(all.subarray(at, at + size)))
      assert.deepEqual(
        frames.map((frame) => (frame.type === "data" ? { ...frame, bytes: frame.bytes.toString() } : frame)),
        [
          { type: "reply", stream: 5, fin: true },
          { type: "data", stream: 3, bytes: "hello", fin: true },
          { type: "ping", id: 2 },
          { type: "reset", stream: 7, status: 5 },
          { type: "other" },
          { type: "goAway" }
        ]
      )
    }
    assert.throws(() => new FrameReader().push(Buffer.from("HTTP/1.1\xff\xff")), RangeError)
  })
})

describe("the end of a process", () => {
  const read = (status: unknown) =>
    Effect.runSync(Effect.result(exitCodeOf(typeof status === "string" ? status : JSON.stringify(status))))

  it("is its exit code, or why it did not come to one", () => {
    assert.deepEqual(read({ status: "Success" }), Result.succeed(0))
    assert.deepEqual(read(""), Result.succeed(0))
    const causes = [{ reason: "ExitCode", message: "42" }]
    assert.deepEqual(read({ status: "Failure", reason: "NonZeroExitCode", details: { causes } }), Result.succeed(42))
    const failures = [
      [{ status: "Failure", reason: "InternalError", message: "no such command" }, "no such command"],
      [{ status: "Failure", reason: "NonZeroExitCode", message: "without a code" }, "without a code"],
      ["plain words\n", "plain words"]
    ] as const
    for (const [status, message] of failures) {
      const failed = read(status)
      assert.equal(Result.isFailure(failed) && failed.failure.message, message)
    }
  })
})

describe("ports that are forwarded", () => {
  it("are written as with kubectl", () => {
    assert.deepEqual(parsePorts("8080:80"), { local: 8080, remote: 80 })
    assert.deepEqual(parsePorts("80"), { local: 80, remote: 80 })
    assert.deepEqual(parsePorts(":80"), { local: 0, remote: 80 })
    for (const wrong of ["", ":", "80:", "0", "70000", "1:70000", "http", "1:2:3", "-1"])
      assert.throws(() => parsePorts(wrong), /are no ports; write 8080:80/u)
  })
})
