/** The gRPC probe against a real gRPC server on loopback. */
import assert from "node:assert/strict"
import { createServer } from "node:net"
import { describe, it } from "node:test"
import { Effect, Fiber, type Scope } from "effect"
import { askGrpc } from "../../../src/adapters/probing/grpc.ts"
import { healthServer } from "./health-server.ts"

const run = <A>(test: Effect.Effect<A, never, Scope.Scope>): Promise<A> => Effect.runPromise(Effect.scoped(test))
const ask = (port: number, service = "", timeoutSeconds = 2) =>
  askGrpc({ kind: "grpc", host: "127.0.0.1", port, service, timeoutSeconds })

describe("a gRPC probe", () => {
  it("asks for the service's health as kubelet, and takes SERVING alone for well", () =>
    run(
      Effect.gen(function* () {
        const { port, asked } = yield* healthServer()
        assert.deepEqual(yield* ask(port), { result: "success", output: "service healthy", timedOut: false })
        assert.match(asked[0]?.userAgent ?? "", /^kube-probe\/1\.36 /u)
        for (const [service, words] of [
          ["resting", 'service unhealthy (responded with "NOT_SERVING")'],
          ["unknown", 'service unhealthy (responded with "UNKNOWN")'],
          ["42", 'service unhealthy (responded with "42")'],
          ["users", "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"]
        ] as const) {
          assert.deepEqual(yield* ask(port, service), { result: "failure", output: words, timedOut: false })
        }
        assert.deepEqual(
          asked.map(({ service }) => service),
          ["", "resting", "unknown", "42", "users"]
        )
      })
    ))
  it("fails on an answer that is no message, and on a server without the protocol", () =>
    run(
      Effect.gen(function* () {
        const garbled = yield* ask((yield* healthServer()).port, "garbled")
        assert.equal(garbled.result, "failure")
        assert.match(garbled.output, /^error: health rpc probe failed: .*cannot be read/u)
        const bare = yield* ask((yield* healthServer({ isImplemented: false })).port)
        assert.equal(bare.result, "failure")
        assert.match(bare.output, /^error: this server does not implement the grpc health protocol/u)
      })
    ))
  it(
    "keeps its time: with a server that does not answer, that speaks no HTTP/2, and that is not there",
    { timeout: 60_000 },
    () =>
      run(
        Effect.gen(function* () {
          const begun = Date.now()
          assert.deepEqual(yield* ask((yield* healthServer()).port, "silent", 1), {
            result: "failure",
            output: "timeout: health rpc did not complete within 1s",
            timedOut: true
          })
          const mute = createServer(() => {})
          const port = yield* Effect.acquireRelease(
            Effect.callback<number>((resume) => {
              mute.listen(0, "127.0.0.1", () => resume(Effect.succeed((mute.address() as { port: number }).port)))
            }),
            () => Effect.sync(() => mute.close())
          )
          const { output, timedOut } = yield* ask(port, "", 1)
          assert.equal(timedOut, true)
          assert.match(output, /^timeout: /u)
          assert.deepEqual(yield* ask(1, "", 1), {
            result: "failure",
            output: 'timeout: failed to connect service "127.0.0.1:1" within 1s: context deadline exceeded',
            timedOut: true
          })
          assert.ok(Date.now() - begun < 10_000)
        })
      )
  )
  it("takes a server that comes up within the time, as dialling goes on until then", { timeout: 60_000 }, () =>
    run(
      Effect.gen(function* () {
        const { port } = yield* Effect.scoped(healthServer())
        const asking = yield* Effect.forkChild(ask(port, "", 10), { startImmediately: true })
        yield* Effect.sleep(300)
        yield* healthServer({ port })
        assert.equal((yield* Fiber.join(asking)).result, "success")
      })
    )
  )
})
