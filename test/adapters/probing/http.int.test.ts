/** HTTP probes and hooks against servers that misbehave: see live.int.test.ts for the rows of upstream. */
import assert from "node:assert/strict"
import * as http from "node:http"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import process from "node:process"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import { askHttp } from "../../../src/adapters/probing/http.ts"
import type { HttpQuestion } from "../../../src/adapters/probing/port.ts"

const run = <A>(test: Effect.Effect<A, never, Scope.Scope>): Promise<A> => Effect.runPromise(Effect.scoped(test))
const within = { timeout: 60_000 }

/** A server that does what it likes with each connection. */
const speaking = (answer: (socket: Socket, request: string) => void, host = "127.0.0.1") =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let connections = 0
    const server = createServer((socket) => {
      connections += 1
      sockets.add(socket)
      socket.on("error", () => {})
      socket.once("data", (bytes: Buffer) => answer(socket, bytes.toString("latin1")))
    })
    const port = yield* listen(server, host)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      })
    )
    return { port, connections: () => connections }
  })
const listen = (server: Server | http.Server, host: string) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, host, () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => void server.close())
  )
const ask = (port: number, more: Partial<HttpQuestion> = {}) =>
  askHttp({
    kind: "httpGet",
    scheme: "HTTP",
    host: "127.0.0.1",
    port,
    path: "/",
    headers: [],
    timeoutSeconds: 1,
    ...more
  })
const head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

describe("an HTTP probe", () => {
  it("throws away an answer that breaks off or does not come whole in time, as kubelet does", within, () =>
    run(
      Effect.gen(function* () {
        const { port: half } = yield* speaking((socket) => socket.end(`${head}half`))
        const broken = yield* ask(half)
        assert.deepEqual([broken.result, broken.timedOut], ["error", false])
        assert.match(broken.output, /middle of the answer/u)
        const { port: slow } = yield* speaking((socket) => void socket.write(`${head}half`))
        const begun = Date.now()
        assert.deepEqual(yield* ask(slow), {
          result: "error",
          output: "the answer did not come whole within 1 s",
          timedOut: true
        })
        assert.ok(Date.now() - begun < 5000)
      })
    )
  )
  it("fails where the connection is reset or closed before an answer, and says so", within, () =>
    run(
      Effect.gen(function* () {
        const { port: reset } = yield* speaking((socket) => socket.resetAndDestroy())
        const { port: closed } = yield* speaking((socket) => socket.end())
        for (const port of [reset, closed]) {
          const { result, output, timedOut } = yield* ask(port)
          assert.deepEqual([result, timedOut], ["failure", false])
          assert.match(output, new RegExp(`^GET http://127.0.0.1:${port}/: .+`, "u"))
        }
      })
    )
  )
  it("fails on what is no HTTP", within, () =>
    run(
      Effect.gen(function* () {
        const { port } = yield* speaking((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"))
        assert.equal((yield* ask(port)).result, "failure")
      })
    )
  )
  it("opens a connection for each request and asks that it be closed", within, () =>
    run(
      Effect.gen(function* () {
        const requests: Array<string> = []
        const { port, connections } = yield* speaking((socket, request) => {
          requests.push(request)
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
        })
        for (let i = 0; i < 3; i++) assert.equal((yield* ask(port)).output, "ok")
        assert.equal(connections(), 3)
        for (const request of requests) assert.match(request, /\r\nConnection: close\r\n/iu)
      })
    )
  )
  it("asks no proxy, whatever the environment says", within, () =>
    run(
      Effect.gen(function* () {
        const { port: proxy, connections } = yield* speaking((socket) => socket.end("HTTP/1.1 502 no\r\n\r\n"))
        const { port } = yield* speaking((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        const names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        const before = names.map((name) => process.env[name])
        for (const name of names) process.env[name] = `http://127.0.0.1:${proxy}`
        const { result } = yield* ask(port).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              for (const [i, name] of names.entries()) {
                if (before[i] === undefined) delete process.env[name]
                else process.env[name] = before[i]
              }
            })
          )
        )
        assert.deepEqual([result, connections()], ["success", 0])
      })
    )
  )
  it("reaches IPv6 addresses, with brackets around them in Host", within, (test) =>
    run(
      Effect.gen(function* () {
        const server = http.createServer((request, response) => response.end(request.headers.host))
        const port = yield* listen(server, "::1").pipe(Effect.timeout("2 seconds"), Effect.option)
        if (port._tag === "None") return test.skip("needs ::1")
        const { result, output } = yield* ask(port.value, { host: "::1" })
        assert.deepEqual([result, output], ["success", `[::1]:${port.value}`])
      })
    )
  )
})

describe("the HTTP request of a hook", () => {
  const hook = { anyStatus: true, scheme: "HTTPS", timeoutSeconds: 5 } as const
  it("is well whatever the status, also where the answer breaks off", within, () =>
    run(
      Effect.gen(function* () {
        for (const answer of ["HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n", `${head}half`]) {
          const { port } = yield* speaking((socket) => socket.end(answer))
          assert.equal((yield* ask(port, { ...hook, scheme: "HTTP" })).result, "success")
        }
      })
    )
  )
  it("over TLS falls back to plain text where the server speaks that, without its authorization", within, () =>
    run(
      Effect.gen(function* () {
        const seen: Array<http.IncomingHttpHeaders> = []
        const server = http.createServer((request, response) => {
          seen.push(request.headers)
          response.end("plain")
        })
        const port = yield* listen(server, "127.0.0.1")
        const headers = [
          { name: "Authorization", value: "s3cret" },
          { name: "X-Kept", value: "yes" }
        ]
        const { result, output } = yield* ask(port, { ...hook, headers })
        assert.deepEqual([result, output], ["success", "plain"])
        assert.deepEqual([seen[0]?.authorization, seen[0]?.["x-kept"]], [undefined, "yes"])
        assert.equal((yield* ask(port, { scheme: "HTTPS", timeoutSeconds: 5 })).result, "failure", "a probe does not")
      })
    )
  )
})
