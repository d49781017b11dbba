/** Questions that nobody answers, many at a time, hold up no other: on real sockets. */
import assert from "node:assert/strict"
import * as http from "node:http"
import { type AddressInfo, createServer, type Server } from "node:net"
import { describe, it } from "node:test"
import { Duration, Effect, Fiber } from "effect"
import { ContainerRuntime } from "../../../src/adapters/cri/port.ts"
import { make } from "../../../src/adapters/probing/live.ts"
import type { Question } from "../../../src/adapters/probing/port.ts"

const hanging = 20
/** Seconds. */
const timeout = 3
/** Milliseconds for an answer on loopback, on a machine that is busy with other tests. */
const soon = 1500

const listening = (server: Server | http.Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.sync(() => {
        if ("closeAllConnections" in server) server.closeAllConnections()
        server.close()
      })
  )

const runtime = {
  execSync: () => Effect.never,
  version: Effect.succeed({})
} as unknown as (typeof ContainerRuntime)["Service"]

describe("a healthy answer", () => {
  it("comes as soon as ever beside twenty questions of each kind that hang", { timeout: 60_000 }, () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const prober = yield* Effect.provideService(make, ContainerRuntime, runtime)
          const sockets = new Set<{ readonly destroy: () => void }>()
          yield* Effect.addFinalizer(() =>
            Effect.sync(() => {
              for (const socket of sockets) socket.destroy()
            })
          )
          const mute = yield* listening(createServer((socket) => sockets.add(socket.on("error", () => {}))))
          const well = yield* listening(http.createServer((_, response) => response.end("well")))
          const address = { host: "127.0.0.1", port: mute, timeoutSeconds: timeout }
          const questions: ReadonlyArray<Question> = [
            { kind: "httpGet", scheme: "HTTP", path: "/", headers: [], ...address },
            { kind: "httpGet", scheme: "HTTPS", path: "/", headers: [], ...address },
            { kind: "grpc", service: "", ...address },
            { kind: "exec", containerId: "c", command: ["hang"], timeoutSeconds: timeout }
          ]
          const asking = yield* Effect.forkChild(
            Effect.forEach(
              questions.flatMap((question) => Array.from({ length: hanging }, () => question)),
              (question) => prober.ask(question),
              { concurrency: "unbounded" }
            ),
            { startImmediately: true }
          )
          yield* Effect.sleep(Duration.millis(200))
          for (let i = 0; i < 10; i++) {
            const question = {
              kind: "httpGet",
              scheme: "HTTP",
              path: "/",
              headers: [],
              ...address,
              port: well
            } as const
            const answer = yield* prober.ask(question)
            assert.equal(answer.result, "success")
            assert.ok(answer.durationMillis < soon, `${answer.durationMillis} ms`)
            yield* Effect.sleep(Duration.millis(50))
          }
          const begun = Date.now()
          const answers = yield* Fiber.join(asking)
          assert.equal(answers.length, hanging * questions.length)
          assert.ok(answers.every(({ result, timedOut }) => result === "failure" && timedOut))
          assert.ok(Date.now() - begun < (timeout + 5) * 1000)
        })
      )
    )
  )
})
