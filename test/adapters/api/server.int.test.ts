/** The API's server on real sockets: the command line's, the read-only port, and health. */
import assert from "node:assert/strict"
import { existsSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "node:test"
import { Effect, type Scope } from "effect"
import { freePort } from "../../../scripts/lab/free-port.ts"
import { type ApiAnswer, maxBodyBytes, type Route, refusal } from "../../../src/adapters/api/port.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { ask, type Got, send } from "./clients.ts"
import { type More, type Running, startServer, until } from "./running.ts"

const ok = (body: ApiAnswer["body"]): Effect.Effect<ApiAnswer> => Effect.succeed({ status: 200, body })

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (const word of ["one ", "two ", "three"]) yield Buffer.from(word)
}

const routes = (seen: { ends: number }): ReadonlyArray<Route> => [
  { methods: ["GET"], path: "/healthz", readOnly: true, answer: () => ok("ok") },
  { methods: ["GET"], path: "/pods", readOnly: true, answer: () => ok("pods") },
  { methods: ["GET"], path: "/things/{name}", answer: (_, { name }) => ok(`thing ${name}`) },
  { methods: ["GET"], path: "/files/{path*}", answer: (_, { path }) => ok(`file ${path}`) },
  { methods: ["POST"], path: "/local", localOnly: true, answer: ({ body }) => Effect.flatMap(body, ok) },
  { methods: ["GET"], path: "/pieces", answer: () => ok(pieces()) },
  { methods: ["GET"], path: "/large", answer: () => ok("x".repeat(8 * 1024 * 1024)) },
  { methods: ["GET"], path: "/query", answer: ({ query }) => ok(JSON.stringify([...query])) },
  { methods: ["GET"], path: "/broken", answer: () => Effect.die(new Error("oh")) },
  { methods: ["GET"], path: "/gone", answer: () => Effect.fail(refusal(404, "no such pod")) },
  {
    methods: ["GET"],
    path: "/waits",
    answer: ({ signal }) =>
      Effect.callback((_resume) => {
        signal.addEventListener("abort", () => {
          seen.ends += 1
        })
      })
  }
]

interface Started extends Running {
  readonly seen: { ends: number }
  readonly get: (path: string, method?: string, body?: string) => Promise<Got>
}

const start = (more: More = {}): Effect.Effect<Started, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen = { ends: 0 }
    const running = yield* startServer({ routes: routes(seen) }, more)
    const get: Started["get"] = (path, method = "GET", body) =>
      ask({ socketPath: running.socket, path, method }, undefined, body)
    return { ...running, seen, get }
  })

describe("the local socket", () => {
  liveTest(
    "is its owner's alone, replaces what an agent that died left, and goes with the agent",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const socket = join(directory, "api.sock")
      writeFileSync(socket, "left behind")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* start({ socket })
          yield* until(() => statSync(socket).isSocket())
          assert.equal(statSync(socket).mode & 0o777, 0o600)
          const { status, body } = yield* Effect.promise(() => ask({ socketPath: socket, path: "/healthz" }))
          assert.deepEqual([status, body], [200, "ok"])
        })
      )
      assert.ok(!existsSync(socket))
    })
  )

  liveTest(
    "answers all routes, also those that are for it alone",
    Effect.gen(function* () {
      const { get } = yield* start()
      const got = (path: string, method?: string, body?: string) =>
        Effect.map(
          Effect.promise(() => get(path, method, body)),
          (answer) => [answer.status, answer.body]
        )
      assert.deepEqual(yield* got("/things/a%20b"), [200, "thing a b"])
      assert.deepEqual(yield* got("/files/"), [200, "file "])
      assert.deepEqual(yield* got("/files/a/b.log"), [200, "file a/b.log"])
      assert.deepEqual(yield* got("/pieces"), [200, "one two three"])
      assert.deepEqual(yield* got("/local", "POST", "hello"), [200, "hello"])
      assert.deepEqual(yield* got("/query?a=1&a=2&b"), [200, '[["a","1"],["a","2"],["b",""]]'])
      assert.deepEqual(yield* got("/gone"), [404, "no such pod"])
      assert.deepEqual(yield* got("/broken"), [500, "Internal Server Error"])
      assert.deepEqual(yield* got("/nothing"), [404, "404: Page Not Found"])
      const refused = yield* Effect.promise(() => get("/pods", "DELETE"))
      assert.deepEqual([refused.status, refused.headers.allow, refused.body], [405, "GET", "Method Not Allowed"])
      const large = yield* Effect.promise(() => get("/large"))
      assert.equal(large.body.length, 8 * 1024 * 1024)
      const tooLarge = yield* Effect.promise(() => get("/local", "POST", "x".repeat(maxBodyBytes + 1)))
      assert.equal(tooLarge.status, 413)
    })
  )

  liveTest(
    "takes no path that goes up or that is none, however it is written",
    Effect.gen(function* () {
      const { socket } = yield* start()
      const statusOf = (target: string) =>
        Effect.map(
          Effect.promise(() =>
            send({ path: socket }, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
          ),
          (answer) => answer.split(" ")[1]
        )
      for (const target of [
        "/files/../pods",
        "/files/%2e%2e/pods",
        "/files/..%2fpods",
        "/files//pods",
        "//pods",
        "/files/a%00b",
        "/files/a%5c..%5cb",
        "/files/%zz",
        "/files/./a",
        "*"
      ])
        assert.equal(yield* statusOf(target), "400", target)
      assert.equal(yield* statusOf("/pods/"), "200")
    })
  )

  liveTest(
    "bears a client that sends nonsense, and closes its connection",
    Effect.gen(function* () {
      const { socket, get } = yield* start()
      const answer = (bytes: string) => Effect.promise(() => send({ path: socket }, bytes))
      assert.match(yield* answer("nonsense\r\n\r\n"), /^(HTTP\/1\.1 400|$)/u)
      assert.match(
        yield* answer(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(40_000)}\r\n\r\n`),
        /^(HTTP\/1\.1 431|$)/u
      )
      const many = "GET /waits HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50)
      assert.equal(yield* answer(many), "")
      assert.equal((yield* Effect.promise(() => get("/pods"))).body, "pods")
    })
  )

  liveTest(
    "tells a route when its client has gone",
    Effect.gen(function* () {
      const { socket, seen } = yield* start()
      yield* Effect.promise(() => send({ path: socket }, "GET /waits HTTP/1.1\r\nHost: x\r\n\r\n", 100))
      yield* until(() => seen.ends === 1)
    })
  )
})

describe("the ports without TLS", () => {
  liveTest(
    "answer what they are for, and nothing else",
    Effect.gen(function* () {
      const [first, second] = yield* Effect.promise(async () => [await freePort(), await freePort()] as const)
      const host = "127.0.0.1"
      const { events } = yield* start({ readOnly: { host, port: first }, healthz: { host, port: second } })
      yield* until(() => events.length >= 2)
      const status = (port: number, path: string, method = "GET") =>
        Effect.map(
          Effect.promise(() => ask({ host, port, path, method })),
          (got) => got.status
        )
      assert.equal(yield* status(first, "/pods"), 200)
      assert.equal(yield* status(first, "/healthz"), 200)
      assert.equal(yield* status(first, "/things/a"), 404)
      assert.equal(yield* status(first, "/local", "POST"), 404)
      assert.equal(yield* status(second, "/healthz"), 200)
      assert.equal(yield* status(second, "/pods"), 404)
    })
  )

  liveTest(
    "that another has are told of once",
    Effect.gen(function* () {
      const port = yield* Effect.promise(freePort)
      const at = { host: "127.0.0.1", port }
      const first = yield* start({ healthz: at })
      yield* until(() => first.events.length === 1)
      const second = yield* start({ healthz: at })
      yield* until(() => second.events.length === 1)
      const [failed] = second.events
      assert.equal(failed?._tag, "ApiListenFailed")
      assert.match(failed?._tag === "ApiListenFailed" ? failed.message : "", /is in use by another program/u)
    })
  )
})
