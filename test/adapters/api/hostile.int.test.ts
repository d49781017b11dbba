/**
 * Clients that mean no good, and broken ones: whatever they send, the API neither falls over nor keeps anything of them, and
 * everybody else is served meanwhile. CHRONODE_SEED repeats the random part.
 */
import assert from "node:assert/strict"
import { readdirSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { describe } from "node:test"
import { connect as connectSecurely } from "node:tls"
import { Effect, type Scope } from "effect"
import { headTimeout, maxConnectionsOfOne, maxPipelined } from "../../../src/adapters/api/bounds.ts"
import { type Route, refusal, type StreamingRoute } from "../../../src/adapters/api/port.ts"
import { liveTest } from "../../support/effect.ts"
import { seededRandom } from "../../support/random.ts"
import { ask } from "./clients.ts"
import { type Running, startServer } from "./running.ts"

const token = "Authorization: Bearer secret"
const crlf = "\r\n"

interface Seen {
  /** Calls of a route that only a smuggled request would reach. */
  smuggled: number
  targets: number
}

const routes = (seen: Seen): ReadonlyArray<Route> => [
  { methods: ["GET"], path: "/healthz", answer: () => Effect.succeed({ status: 200, body: "ok" }) },
  {
    methods: ["POST"],
    path: "/echo",
    answer: ({ body }) => Effect.map(body, (bytes) => ({ status: 200, body: bytes }))
  },
  {
    methods: ["GET", "POST"],
    path: "/smuggled",
    answer: () =>
      Effect.sync(() => {
        seen.smuggled += 1
        return { status: 200, body: "smuggled" }
      })
  }
]

const streams = (seen: Seen): ReadonlyArray<StreamingRoute> => [
  {
    path: "/exec/{namespace}/{pod}/{container}",
    target: () =>
      Effect.suspend(() => {
        seen.targets += 1
        return Effect.fail(refusal(404, "pod does not exist"))
      }),
    ended: () => Effect.void
  }
]

interface Target extends Running {
  readonly seen: Seen
}

const tokensIn = (directory: string): string => {
  const path = join(directory, "tokens.csv")
  writeFileSync(path, 'secret,ann,1,"system:masters"\n', { mode: 0o600 })
  return path
}

const start: Effect.Effect<Target, never, Scope.Scope> = Effect.gen(function* () {
  const seen = { smuggled: 0, targets: 0 }
  const running = yield* startServer(
    { routes: routes(seen), streaming: streams(seen) },
    {
      tls: (directory) => ({
        tokenFile: tokensIn(directory),
        alwaysAllow: true
      })
    }
  )
  return { ...running, seen }
})

/** What comes back for raw bytes, until the server ends the connection or `within` milliseconds have passed. */
const exchange = (socket: Socket, ready: string, bytes: ReadonlyArray<string | Buffer>, within = 700) =>
  new Promise<string>((resolve) => {
    let answer = ""
    const late = setTimeout(() => socket.destroy(), within)
    socket.on("error", () => socket.destroy())
    socket.on("data", (part) => {
      answer += part.toString("latin1")
    })
    socket.once("end", () => socket.end())
    socket.once("close", () => {
      clearTimeout(late)
      resolve(answer)
    })
    socket.once(ready, () => {
      for (const part of bytes) socket.write(part as string, "latin1")
    })
  })

const plainly = (port: number, ...bytes: ReadonlyArray<string | Buffer>) =>
  exchange(connect({ host: "127.0.0.1", port }), "connect", bytes)
const securely = (port: number, ...bytes: ReadonlyArray<string | Buffer>) =>
  exchange(connectSecurely({ host: "127.0.0.1", port, rejectUnauthorized: false }), "secureConnect", bytes)

const head = (line: string, ...headers: ReadonlyArray<string>): string =>
  [line, "Host: n", token, ...headers, "", ""].join(crlf)
const statuses = (answer: string): ReadonlyArray<number> =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /gu)].map(([, status]) => Number(status))

/** It serves, by TLS and by the local socket. */
const serves = ({ port, socket }: Target) =>
  Effect.promise(async () => {
    const headers = { authorization: "Bearer secret" }
    const secure = await ask({ host: "127.0.0.1", port, path: "/healthz", headers }, { rejectUnauthorized: false })
    const local = await ask({ socketPath: socket, path: "/healthz" })
    assert.deepEqual([secure.status, secure.body, local.status, local.body], [200, "ok", 200, "ok"])
  })

const descriptors = (): number => readdirSync("/proc/self/fd").length

/** All that was opened meanwhile is closed again. */
const leavesNothing = <A>(test: Effect.Effect<A>) =>
  Effect.gen(function* () {
    const before = descriptors()
    yield* test
    yield* Effect.promise(async () => {
      for (let waited = 0; descriptors() > before + 2; waited += 50) {
        assert.ok(waited < 10_000, `${descriptors()} descriptors are open, ${before} were before`)
        await new Promise((done) => setTimeout(done, 50))
      }
    })
  })

const each = <A>(rows: ReadonlyArray<A>, test: (row: A) => Promise<void>) =>
  Effect.promise(async () => {
    for (const row of rows) await test(row)
  })

describe("the API, of clients that mean no good", () => {
  liveTest(
    "bears what is no TLS, and TLS that is broken",
    Effect.gen(function* () {
      const server = yield* start
      yield* serves(server)
      const hello = Buffer.from("16030100c8010000c40303", "hex")
      const rows: ReadonlyArray<Buffer> = [
        Buffer.from("GET /healthz HTTP/1.1\r\nHost: n\r\n\r\n"),
        Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Buffer.alloc(100_000),
        Buffer.alloc(100_000, 0xff),
        Buffer.concat([Buffer.from("1603ffffff", "hex"), Buffer.alloc(70_000)]),
        Buffer.from("1603010000", "hex"),
        Buffer.from("15030100020228", "hex"),
        Buffer.from("802e0100020015", "hex"),
        Buffer.concat([hello, Buffer.alloc(197)])
      ]
      yield* leavesNothing(
        each(rows, async (bytes) => {
          const answer = await plainly(server.port, bytes)
          assert.doesNotMatch(answer, /ok/u)
        })
      )
      yield* serves(server)
    })
  )

  liveTest(
    "answers requests that are none with 400 or the end, and lets nothing be smuggled behind them",
    Effect.gen(function* () {
      const server = yield* start
      const post = (...headers: ReadonlyArray<string>) => head("POST /echo HTTP/1.1", ...headers)
      const second = head("GET /smuggled HTTP/1.1")
      /** What is sent, and the statuses that are good for it. */
      const rows: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
        [head("GET /healthz HTTP/1.1", `X: ${"a".repeat(20_000)}`), [431, 400]],
        [head("GET /healthz HTTP/1.1", ...Array.from({ length: 3_000 }, (_, i) => `X${i}: y`)), [431, 400]],
        [head(`GET /${"a".repeat(12_000)} HTTP/1.1`), [404]],
        [head(`GET /${"a".repeat(100_000)} HTTP/1.1`), [431, 400, 414]],
        [head("GET /healthz HTTP/1.1", "no colon"), [400]],
        [head("GET /healthz HTTP/1.1", "Nul: a\u0000b"), [400]],
        [head("GET /healthz HTTP/9.9"), [400, 505]],
        [head("GET http://elsewhere.example/healthz HTTP/1.1"), [400, 404]],
        [head("GET * HTTP/1.1"), [400, 404]],
        [head("CONNECT elsewhere.example:443 HTTP/1.1"), [400, 404, 405]],
        [head("GET /a/../smuggled HTTP/1.1"), [400, 404]],
        [head("GET /a/%2e%2e/smuggled HTTP/1.1"), [400, 404]],
        [head("GET /a/%252e%252e/smuggled HTTP/1.1"), [400, 404]],
        [head("GET //smuggled HTTP/1.1"), [400, 404]],
        [head("GET /smuggled%00 HTTP/1.1"), [400, 404]],
        [head("GET /%ff HTTP/1.1"), [400, 404]],
        [head("GET /smuggled\\..\\healthz HTTP/1.1"), [400, 404]],
        [`${post("Content-Length: 3", "Content-Length: 4")}abcd${second}`, [400]],
        [`${post("Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${second}`, [400]],
        [`${post("Transfer-Encoding: chunked", "Transfer-Encoding: identity")}0\r\n\r\n${second}`, [400, 501]],
        [`${post("Transfer-Encoding: xchunked")}0\r\n\r\n${second}`, [400, 501]],
        [`${post("Content-Length: -1")}${second}`, [400]],
        [`${post("Content-Length: 0x10")}${second}`, [400]],
        [`${post("Content-Length: 99999999999999999999")}${second}`, [400, 413]],
        [`${post("Transfer-Encoding: chunked")}zz\r\nabc\r\n0\r\n\r\n${second}`, [400]],
        [`${post("Transfer-Encoding: chunked")}ffffffffffffffffff\r\n${second}`, [400, 413]],
        [`${post("Transfer-Encoding : chunked")}0\r\n\r\n${second}`, [400]]
      ]
      yield* leavesNothing(
        each(rows, async ([bytes, good]) => {
          const answer = await securely(server.port, bytes)
          const got = statuses(answer)
          assert.ok(got.length <= 1, `${JSON.stringify(bytes.slice(0, 200))}: ${got.join()}`)
          for (const status of got)
            assert.ok(good.includes(status), `${JSON.stringify(bytes.slice(0, 200))}: ${status}`)
          assert.equal(server.seen.smuggled, 0, JSON.stringify(bytes.slice(0, 200)))
        })
      )
      yield* serves(server)
    })
  )

  liveTest(
    "upgrades nothing but streams, and those only as they are asked for rightly, by somebody who may",
    Effect.gen(function* () {
      const server = yield* start
      const exec = "/exec/default/web/app?command=true&output=1"
      const web = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
      const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
      const spdy = ["Connection: Upgrade", "Upgrade: SPDY/3.1"]
      const rows: ReadonlyArray<readonly [string, number, number]> = [
        [head(`POST ${exec} HTTP/1.1`, ...spdy), 404, 1],
        [head(`GET ${exec} HTTP/1.1`, ...web, key), 404, 1],
        [head(`GET ${exec} HTTP/1.1`, ...web), 400, 0],
        [head(`GET ${exec} HTTP/1.1`, ...web, key, key), 400, 0],
        [head(`GET ${exec} HTTP/1.1`, ...web, key, "Origin: https://elsewhere.example"), 403, 0],
        [head(`POST ${exec} HTTP/1.1`, "Connection: Upgrade", "Upgrade: h2c"), 400, 0],
        [head(`POST ${exec} HTTP/1.1`, "Connection: Upgrade", `Upgrade: ${"x".repeat(5_000)}`), 400, 0],
        [`${head(`POST ${exec} HTTP/1.1`, ...spdy, "Content-Length: 5")}hello`, 400, 0],
        [`${head(`POST ${exec} HTTP/1.1`, ...spdy, "Transfer-Encoding: chunked")}0\r\n\r\n`, 400, 0],
        [head("GET /healthz HTTP/1.1", ...spdy), 404, 0],
        [head("GET /exec/default/%2e%2e/app HTTP/1.1", ...spdy), 400, 0],
        [head(`POST ${exec} HTTP/1.1`, ...spdy).replace(token, "Authorization: Bearer wrong"), 401, 0],
        [head(`POST ${exec} HTTP/1.1`), 400, 0]
      ]
      yield* leavesNothing(
        each(rows, async ([bytes, status, targets]) => {
          const before = server.seen.targets
          const answer = await securely(server.port, bytes)
          assert.deepEqual(statuses(answer), [status], JSON.stringify(bytes.slice(0, 200)))
          assert.equal(server.seen.targets - before, targets, JSON.stringify(bytes.slice(0, 200)))
        })
      )
      yield* serves(server)
    })
  )

  liveTest(
    "bears clients that break off, ask for too much at once, or open too many connections",
    Effect.gen(function* () {
      const server = yield* start
      const { port } = server
      yield* leavesNothing(
        Effect.promise(async () => {
          // Uploads that end in the middle.
          const upload = `${head("POST /echo HTTP/1.1", "Content-Length: 900000")}${"x".repeat(100_000)}`
          await Promise.all(
            Array.from({ length: 20 }, () =>
              exchange(
                connectSecurely({ host: "127.0.0.1", port, rejectUnauthorized: false }),
                "secureConnect",
                [upload],
                100
              )
            )
          )
          const pipelined = await securely(port, head("GET /healthz HTTP/1.1").repeat(200))
          assert.ok(statuses(pipelined).length <= 200)
          assert.ok(maxPipelined < 200)
          // Half-open: the client says it has ended, and waits.
          const half = connectSecurely({ host: "127.0.0.1", port, rejectUnauthorized: false })
          const answer = exchange(half, "secureConnect", [])
          half.once("secureConnect", () => half.end(head("GET /healthz HTTP/1.1")))
          assert.ok(statuses(await answer).length <= 1)
          // One address does not get all connections.
          const crowd = Array.from({ length: maxConnectionsOfOne + 40 }, () => connect({ host: "127.0.0.1", port }))
          let gone = 0
          for (const socket of crowd) {
            socket.on("error", () => {})
            socket.resume()
            socket.once("close", () => {
              gone += 1
            })
          }
          for (let waited = 0; gone < 40 && waited < 5_000; waited += 20)
            await new Promise((done) => setTimeout(done, 20))
          assert.ok(gone >= 40, `${gone} of ${crowd.length} were closed`)
          const local = await ask({ socketPath: server.socket, path: "/healthz" })
          assert.equal(local.status, 200)
          for (const socket of crowd) socket.destroy()
        })
      )
      yield* serves(server)
    })
  )

  liveTest(
    "lets go of those that are too slow: in the handshake, in the head, and byte by byte",
    Effect.gen(function* () {
      const server = yield* start
      const { port, socket } = server
      const patience = headTimeout + 5_000
      yield* leavesNothing(
        Effect.promise(async () => {
          const started = performance.now()
          const drip = connect({ path: socket })
          const dripping = setInterval(() => drip.writable && drip.write("X"), 200)
          const slow = [
            exchange(connect({ host: "127.0.0.1", port }), "connect", [], patience),
            exchange(connect({ host: "127.0.0.1", port }), "connect", [Buffer.from("160301", "hex")], patience),
            exchange(
              connectSecurely({ host: "127.0.0.1", port, rejectUnauthorized: false }),
              "secureConnect",
              ["GET /healthz HTTP/1.1\r\nX: "],
              patience
            ),
            exchange(drip, "connect", ["GET /healthz HTTP/1.1\r\nX: "], patience)
          ]
          const meanwhile = setInterval(() => {
            void ask({ socketPath: socket, path: "/healthz" }).then(({ status }) => assert.equal(status, 200))
          }, 500)
          for (const answer of await Promise.all(slow)) assert.doesNotMatch(answer, /ok/u)
          clearInterval(meanwhile)
          clearInterval(dripping)
          const took = performance.now() - started
          assert.ok(took < patience - 1_000, `they were held for ${took} ms`)
        })
      )
      yield* serves(server)
    })
  )

  liveTest(
    "bears a thousand requests that were damaged at random, and its memory does not grow with them",
    Effect.gen(function* () {
      const server = yield* start
      const random = seededRandom("hostile requests")
      const good = [
        head("GET /healthz HTTP/1.1"),
        `${head("POST /echo HTTP/1.1", "Content-Length: 5")}hello`,
        `${head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`,
        head("POST /exec/default/web/app?command=a&output=1 HTTP/1.1", "Connection: Upgrade", "Upgrade: SPDY/3.1")
      ]
      const damaged = (): Buffer => {
        const bytes = Buffer.from(random.pick(good), "latin1")
        for (let n = random.int(1, 6); n > 0; n--) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255)
        const cut = random.chance(0.3) ? bytes.subarray(0, random.int(0, bytes.length)) : bytes
        return random.chance(0.2) ? Buffer.concat([cut, cut]) : cut
      }
      const round = Effect.promise(async () => {
        for (let n = 0; n < 25; n++) {
          await Promise.all(
            Array.from({ length: 10 }, () =>
              exchange(connect({ path: server.socket }), "connect", [damaged()], random.int(20, 120))
            )
          )
        }
      })
      yield* leavesNothing(round)
      const before = process.memoryUsage().rss
      yield* leavesNothing(Effect.andThen(round, Effect.andThen(round, round)))
      const grown = (process.memoryUsage().rss - before) / 2 ** 20
      assert.ok(grown < 64, `${grown.toFixed(0)} MiB more after 750 requests`)
      yield* serves(server)
    })
  )
})
