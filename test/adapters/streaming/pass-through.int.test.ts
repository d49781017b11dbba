/** Clients connected with a runtime's streaming server, over sockets of this machine: what goes through, what does not, and how it ends. */
import assert from "node:assert/strict"
import { createServer } from "node:http"
import { connect, type Socket } from "node:net"
import { describe, it } from "node:test"
import { Effect, Fiber } from "effect"
import { passThrough } from "../../../src/adapters/streaming/pass-through.ts"
import type { StreamEnd, StreamTarget } from "../../../src/adapters/streaming/port.ts"
import { serverFrame } from "../../../src/adapters/streaming/web-socket.ts"
import { type FakeRuntime, fakeRuntime, speakSpdy, switching } from "./fake-runtime.ts"
import { openWebSocket } from "./web-socket-client.ts"

const success = JSON.stringify({ status: "Success" })
const all = { stdin: true, stdout: true, stderr: true, tty: false }

interface Front {
  readonly port: number
  /** How each connection ended, in order. */
  readonly ends: Array<StreamEnd>
  readonly fibers: Array<Fiber.Fiber<StreamEnd>>
  readonly close: () => Promise<void>
}

/** A server whose every upgrade is passed through. */
const front = async (
  runtime: { readonly url: string },
  options: Partial<StreamTarget> & { readonly idleTimeout?: number } = {}
): Promise<Front> => {
  const ends: Array<StreamEnd> = []
  const fibers: Array<Fiber.Fiber<StreamEnd>> = []
  const server = createServer()
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {})
    const { idleTimeout = 0, ...rest } = options
    const target: StreamTarget = { url: runtime.url, protocol: "remotecommand", streams: all, ...rest }
    const { method = "", rawHeaders } = request
    const client = { method, rawHeaders, socket, head, address: "10.0.0.9" }
    fibers.push(
      Effect.runFork(
        Effect.tap(passThrough(client, target, { idleTimeout }), (end) => Effect.sync(() => void ends.push(end)))
      )
    )
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: (server.address() as { port: number }).port,
    ends,
    fibers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const until = async (what: string, isThere: () => boolean): Promise<void> => {
  for (let waited = 0; !isThere(); waited += 10) {
    assert.ok(waited < 5_000, `waited for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const spdyClient = async (port: number, headers: ReadonlyArray<string> = [], behind = ""): Promise<Socket> => {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true })
  socket.on("error", () => {})
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()))
  const lines = ["POST /exec HTTP/1.1", "Host: n", "Connection: Upgrade", "Upgrade: SPDY/3.1", ...headers]
  socket.write(`${[...lines, "Content-Length: 0"].join("\r\n")}\r\n\r\n${behind}`)
  return socket
}

const collected = (socket: Socket): { text: string; isEnded: boolean } => {
  const seen = { text: "", isEnded: false }
  socket.on("data", (bytes: Buffer) => {
    seen.text += bytes.toString("latin1")
  })
  socket.once("end", () => {
    seen.isEnded = true
  })
  return seen
}

const between = async (
  runtime: FakeRuntime,
  options: Parameters<typeof front>[1],
  test: (server: Front) => Promise<void>
): Promise<void> => {
  const server = await front(runtime, options)
  try {
    await test(server)
    await until("the runtime's connections to be closed", () => runtime.open() === 0)
  } finally {
    await server.close()
    await runtime.close()
  }
}

describe("a client that is passed through", () => {
  it("sends and gets every byte, also those behind the heads, and ends its half alone", async () => {
    const runtime = await fakeRuntime(
      () => `${switching("SPDY/3.1")}HELLO`,
      (socket, rest) => {
        let got = rest.toString("latin1")
        socket.on("data", (bytes) => {
          got += bytes.toString("latin1")
        })
        socket.once("end", () => socket.end(`GOT ${got}`))
      }
    )
    await between(runtime, {}, async (server) => {
      const client = await spdyClient(server.port, ["Authorization: Bearer s3cret", "Cookie: a=b"], "EARLY ")
      const seen = collected(client)
      await until("the answer", () => seen.text.includes("HELLO"))
      client.write("late")
      client.end()
      await until("the end", () => seen.isEnded && server.ends.length === 1)
      assert.match(seen.text, /^HTTP\/1\.1 101 /u)
      assert.match(seen.text, /HELLOGOT EARLY late$/u)
      assert.deepEqual(server.ends, [{ outcome: "completed", bytesIn: 10, bytesOut: 19 }])
      assert.doesNotMatch(runtime.heads[0] ?? "", /s3cret|cookie/iu)
      assert.match(runtime.heads[0] ?? "", /^POST \/exec\/token HTTP\/1\.1\r\nHost: 127/u)
      assert.match(runtime.heads[0] ?? "", /X-Forwarded-For: 10\.0\.0\.9/u)
    })
  })

  it("that is slow makes the runtime wait, and gets all in the end", async () => {
    const total = 64 * 1024 * 1024
    let written = 0
    const runtime = await fakeRuntime(
      () => switching("SPDY/3.1"),
      (socket) => {
        const piece = Buffer.alloc(64 * 1024)
        const more = (): void => {
          while (written < total) {
            written += piece.length
            if (!socket.write(piece)) {
              socket.once("drain", more)
              return
            }
          }
          socket.end()
        }
        more()
      }
    )
    await between(runtime, { protocol: "portforward" }, async (server) => {
      const client = await spdyClient(server.port)
      client.pause()
      let before = -1
      await until("the runtime to wait", () => {
        const isStill = written === before && written > 0
        before = written
        return isStill
      })
      assert.ok(written < total / 2, `${written} bytes were taken of a runtime whose client takes none`)
      let got = 0
      client.on("data", (bytes: Buffer) => {
        got += bytes.length
      })
      client.once("end", () => client.end())
      client.resume()
      await until("all bytes", () => got >= total && server.ends.length === 1)
      assert.equal(server.ends[0]?.bytesOut, total)
    })
  })

  it("is told what the runtime says where it refuses, and that nobody is there where nobody is", async () => {
    const runtime = await fakeRuntime(
      () => "HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\nno, not you\n",
      () => {}
    )
    await between(runtime, {}, async (server) => {
      const client = await spdyClient(server.port)
      const seen = collected(client)
      await until("the end", () => seen.isEnded)
      client.destroy()
      assert.match(seen.text, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*\r\n\r\nno, not you\n$/u)
      assert.deepEqual(server.ends, [{ outcome: "failed", message: "no, not you", bytesIn: 0, bytesOut: 0 }])
    })
    const gone = await front({ url: "http://127.0.0.1:1/exec/x" })
    const client = await spdyClient(gone.port)
    const seen = collected(client)
    await until("the end", () => seen.isEnded)
    client.destroy()
    assert.match(seen.text, /^HTTP\/1\.1 500 [\s\S]*127\.0\.0\.1:1/u)
    assert.equal(gone.ends[0]?.outcome, "failed")
    await gone.close()
  })

  it("that says nothing for too long is let go, and one that goes is not waited for", async () => {
    const runtime = await fakeRuntime(
      () => switching("SPDY/3.1"),
      (socket) => void socket.resume()
    )
    await between(runtime, { idleTimeout: 300 }, async (server) => {
      const client = await spdyClient(server.port)
      const seen = collected(client)
      const started = performance.now()
      await until("the end", () => server.ends.length === 1)
      const took = performance.now() - started
      assert.ok(took > 250 && took < 3_000, `${took} ms`)
      assert.equal(server.ends[0]?.outcome, "idle")
      client.destroy()
      const second = await spdyClient(server.port)
      collected(second)
      await until("the second", () => runtime.open() === 1)
      second.destroy()
      await until("the second end", () => server.ends.length === 2)
      assert.equal(server.ends[1]?.outcome, "completed")
      assert.ok(seen.text.startsWith("HTTP/1.1 101"))
    })
  })

  it("loses its connection when the server stops", async () => {
    const runtime = await fakeRuntime(
      () => switching("SPDY/3.1"),
      (socket) => void socket.resume()
    )
    await between(runtime, {}, async (server) => {
      const client = await spdyClient(server.port)
      const seen = collected(client)
      await until("the answer", () => seen.text !== "")
      await Effect.runPromise(Fiber.interrupt(server.fibers[0]!))
      await until("the end", () => client.destroyed || seen.isEnded)
      client.destroy()
    })
  })

  it("over WebSocket speaks the runtime's protocol itself, and its exit code is seen", async () => {
    const runtime = await fakeRuntime(
      () => switching("websocket"),
      (socket) => {
        socket.write(serverFrame(2, Buffer.of(1), Buffer.from("out")))
        socket.write(serverFrame(2, Buffer.of(3), Buffer.from(success)))
        socket.end(serverFrame(8, Buffer.from([3, 232])))
      }
    )
    await between(runtime, {}, async (server) => {
      const client = await openWebSocket({ port: server.port }, "/exec", ["v4.channel.k8s.io"])
      assert.equal(await client.closed, 1000)
      assert.equal(client.received.get(1), "out")
      await until("the end", () => server.ends.length === 1)
      assert.equal(server.ends[0]?.exitCode, 0)
    })
  })
})

describe("a client whose WebSocket protocol only kubelet knows", () => {
  it("has each channel translated to a stream, can close stdin, and gets the exit code (v5.channel.k8s.io)", async () => {
    const sent: Record<string, string> = {}
    const runtime = await fakeRuntime(
      () => switching("SPDY/3.1"),
      (socket, rest) => {
        const writers = new Map<string, (bytes: Uint8Array, isLast?: boolean) => void>()
        speakSpdy(socket, rest, {
          opened: (type, send) => void writers.set(type, send),
          data: (type, bytes, isLast) => {
            sent[type] = (sent[type] ?? "") + bytes.toString("utf8")
            if (type !== "stdin" || !isLast) return
            writers.get("stdout")?.(Buffer.from(`got ${sent.stdin}`), true)
            writers.get("stderr")?.(Buffer.from("oops"), true)
            const status = { status: "Failure", reason: "NonZeroExitCode" }
            const causes = [{ reason: "ExitCode", message: "7" }]
            writers.get("error")?.(Buffer.from(JSON.stringify({ ...status, details: { causes } })), true)
          }
        })
      }
    )
    await between(runtime, {}, async (server) => {
      const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
      const client = await openWebSocket({ port: server.port }, "/exec", protocols)
      assert.match(client.head, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/u)
      assert.match(client.head, /Sec-WebSocket-Protocol: v5\.channel\.k8s\.io/u)
      client.send(0, "one ")
      client.send(0, "two")
      client.send(255, "\u0000")
      assert.equal(await client.closed, 1000)
      assert.equal(client.received.get(1), "got one two")
      assert.equal(client.received.get(2), "oops")
      assert.match(client.received.get(3) ?? "", /"message":"7"/u)
      await until("the end", () => server.ends.length === 1)
      assert.equal(server.ends[0]?.outcome, "completed")
      assert.equal(server.ends[0]?.exitCode, 7)
      assert.match(runtime.heads[0] ?? "", /Upgrade: SPDY\/3\.1\r\nX-Stream-Protocol-Version: v4\.channel\.k8s\.io/u)
    })
  })

  it("is refused in HTTP where the runtime refuses, and cut off where it breaks the rules", async () => {
    const refusing = await fakeRuntime(
      () => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      () => {}
    )
    await between(refusing, {}, async (server) => {
      const client = await openWebSocket({ port: server.port }, "/exec", ["v5.channel.k8s.io"])
      await client.closed
      assert.match(client.head, /^HTTP\/1\.1 500 /u)
      assert.match(client.received.get(-1) ?? "", /404 Not Found/u)
    })
    const runtime = await fakeRuntime(
      () => switching("SPDY/3.1"),
      (socket, rest) => speakSpdy(socket, rest, { opened: () => {}, data: () => {} })
    )
    await between(runtime, {}, async (server) => {
      const client = await openWebSocket({ port: server.port }, "/exec", ["v5.channel.k8s.io"])
      client.socket.write(serverFrame(2, Buffer.from("not masked")))
      assert.equal(await client.closed, 1002)
      await until("the end", () => server.ends.length === 1)
    })
  })

  it("has forwarded ports in a tunnel of messages, byte by byte (SPDY/3.1+portforward.k8s.io)", async () => {
    const runtime = await fakeRuntime(
      () => `${switching("SPDY/3.1")}\u0001first`,
      (socket) => socket.on("data", (bytes) => socket.write(bytes))
    )
    await between(runtime, { protocol: "portforward" }, async (server) => {
      const client = await openWebSocket({ port: server.port }, "/portForward", ["SPDY/3.1+portforward.k8s.io"])
      await client.until(() => client.received.get(1) === "first")
      client.send(7, "there and back")
      await client.until(() => client.received.get(7) === "there and back")
      client.socket.end()
      await until("the end", () => server.ends.length === 1)
      assert.equal(server.ends[0]?.outcome, "completed")
    })
  })
})
