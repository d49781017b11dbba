/** WebSocket as the server speaks it, and what is asked of a request for another protocol before anybody is bothered. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { exitCodeIn, watchSpdy, watchWebSocket } from "../../../src/adapters/streaming/exit-watch.ts"
import { dataFrame } from "../../../src/adapters/streaming/frames.ts"
import { forwardedRequest, upgradeProblem } from "../../../src/adapters/streaming/upgrade-request.ts"
import {
  acceptOf,
  MessageAssembler,
  serverFrame,
  WebSocketProblem,
  WebSocketReader
} from "../../../src/adapters/streaming/web-socket.ts"
import { clientFrame } from "./web-socket-client.ts"

const failure = JSON.stringify({
  status: "Failure",
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: "42" }] }
})

/** Small and good enough for damage: a seed gives the same bytes everywhere. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 0x1_0000_0000
}

describe("a WebSocket's frames", () => {
  it("are proven by the key (RFC 6455, 1.3)", () =>
    assert.equal(acceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))

  it("come back in whatever pieces they arrive, of any length", () => {
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 200_000]) {
      const payload = Buffer.alloc(size, "x")
      for (const [frame, isFromClient] of [
        [clientFrame(2, payload), true],
        [serverFrame(2, payload), false]
      ] as const) {
        const reader = new WebSocketReader(isFromClient)
        const cuts = [1, 3, 7, 11, 4_096]
        const frames = []
        for (let at = 0, n = 0; at < frame.length; n++) {
          const to = at + cuts[n % cuts.length]!
          frames.push(...reader.push(frame.subarray(at, to)))
          at = to
        }
        assert.equal(frames.length, 1)
        assert.ok(frames[0]?.payload.equals(payload))
      }
    }
  })

  it("make one message of several, and none that is too large or out of order", () => {
    const messages = new MessageAssembler()
    const part = (opcode: number, isLast: boolean, text: string) =>
      messages.add({ opcode, isLast, payload: Buffer.from(text) })?.toString()
    assert.equal(part(2, false, "a"), undefined)
    assert.equal(part(0, false, "b"), undefined)
    assert.equal(part(0, true, "c"), "abc")
    assert.throws(() => part(0, true, "d"), WebSocketProblem)
    const growing = new MessageAssembler()
    const big = Buffer.alloc(600_000)
    growing.add({ opcode: 2, isLast: false, payload: big })
    assert.throws(() => growing.add({ opcode: 0, isLast: true, payload: big }), WebSocketProblem)
  })

  it("that are none are a problem, and never anything worse", () => {
    assert.throws(() => new WebSocketReader(true).push(serverFrame(2, Buffer.from("unmasked"))), WebSocketProblem)
    for (let seed = 1; seed <= 3_000; seed++) {
      const next = random(seed)
      const bytes = Buffer.from(Array.from({ length: Math.floor(next() * 64) }, () => Math.floor(next() * 256)))
      const reader = new WebSocketReader(true)
      const messages = new MessageAssembler()
      try {
        for (const frame of reader.push(bytes)) if (frame.opcode < 8) messages.add(frame)
      } catch (error) {
        assert.ok(error instanceof WebSocketProblem, `seed ${seed}: ${String(error)}`)
      }
    }
  })
})

describe("an exit code that goes by", () => {
  it("is read from the error stream, however it is cut, and from no other", () => {
    assert.equal(exitCodeIn(failure), 42)
    assert.equal(exitCodeIn('{"status":"Success"}'), 0)
    for (const text of ["", "no such file", "null", "[1]", '{"status":"Failure"}', "{"])
      assert.equal(exitCodeIn(text), undefined, text)
    const spdy = Buffer.concat([
      dataFrame(5, Buffer.from('{"status":"Success"}'), true),
      dataFrame(1, Buffer.from(failure.slice(0, 9)), false),
      dataFrame(3, Buffer.alloc(70_000), false),
      dataFrame(1, Buffer.from(failure.slice(9)), true)
    ])
    const web = Buffer.concat([
      serverFrame(2, Buffer.of(1), Buffer.from('{"status":"Success"}')),
      serverFrame(2, Buffer.of(3), Buffer.from(failure))
    ])
    const base64 = serverFrame(1, Buffer.from(`3${Buffer.from(failure).toString("base64")}`))
    for (const [make, bytes] of [
      [watchSpdy, spdy],
      [watchWebSocket, web],
      [watchWebSocket, base64]
    ] as const) {
      for (const step of [1, 5, 1_000, bytes.length]) {
        const watch = make()
        for (let at = 0; at < bytes.length; at += step) watch.push(bytes.subarray(at, at + step))
        assert.equal(watch.exitCode(), 42)
      }
    }
    const lost = watchWebSocket()
    lost.push(Buffer.alloc(100, 0xff))
    lost.push(web)
    assert.equal(lost.exitCode(), undefined)
  })
})

describe("a request for another protocol", () => {
  const web = [
    ...["Host", "node:10250", "Connection", "keep-alive, Upgrade", "Upgrade", "websocket"],
    ...["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13"]
  ]
  const spdy = ["Connection", "Upgrade", "Upgrade", "SPDY/3.1"]

  it("is taken where somebody speaks it", () => {
    assert.equal(upgradeProblem("GET", web), undefined)
    assert.equal(upgradeProblem("GET", [...web, "Origin", "https://node:10250"]), undefined)
    assert.equal(upgradeProblem("POST", [...spdy, "Content-Length", "0"]), undefined)
  })

  it("is refused before the runtime is asked where nobody does, or where it has a body", () => {
    const rows: ReadonlyArray<readonly [string, ReadonlyArray<string>, number, RegExp]> = [
      ["POST", ["Host", "x"], 400, /^Upgrade request required$/u],
      ["POST", ["Upgrade", "SPDY/3.1"], 400, /^Upgrade request required$/u],
      ["DELETE", spdy, 405, /Not Allowed/u],
      ["POST", ["Connection", "Upgrade", "Upgrade", "h2c"], 400, /only SPDY\/3.1 and websocket/u],
      ["POST", ["Connection", "Upgrade"], 400, /no protocol is named/u],
      ["POST", [...spdy, "Content-Length", "5"], 400, /body/u],
      ["POST", [...spdy, "Content-Length", "0", "Content-Length", "5"], 400, /body/u],
      ["POST", [...spdy, "Transfer-Encoding", "chunked"], 400, /body/u],
      ["POST", web, 400, /with GET/u],
      ["GET", web.slice(0, 6), 400, /Sec-WebSocket-Key/u],
      ["GET", [...web.slice(0, 8), "Sec-WebSocket-Version", "8"], 400, /Version/u],
      ["GET", [...web, "Origin", "https://evil.example"], 403, /another site/u],
      ["GET", [...web, "Origin", "null"], 403, /another site/u]
    ]
    for (const [method, headers, status, message] of rows) {
      const problem = upgradeProblem(method, headers)
      assert.equal(problem?.status, status, JSON.stringify(headers))
      assert.match(problem?.message ?? "", message)
    }
  })

  it("reaches the runtime without what is no business of it", () => {
    const asked = [
      ...spdy,
      "Authorization",
      "Bearer s3cret",
      "Cookie",
      "a=b",
      "X-Stream-Protocol-Version",
      "v4",
      "X",
      "y"
    ]
    const lines = forwardedRequest("POST", asked, new URL("http://127.0.0.1:4000/exec/abc?x=1"), "10.0.0.9")
    assert.deepEqual(lines, [
      "POST /exec/abc?x=1 HTTP/1.1",
      "Host: 127.0.0.1:4000",
      "Connection: Upgrade",
      "Upgrade: SPDY/3.1",
      "X-Stream-Protocol-Version: v4",
      "X-Forwarded-For: 10.0.0.9",
      "Content-Length: 0"
    ])
  })
})
