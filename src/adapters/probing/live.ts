/** `Prober` over real sockets and the container runtime. */
import { Clock, Effect, Layer } from "effect"
import { ContainerRuntime } from "../cri/port.ts"
import { askExec } from "./exec.ts"
import { askHttp } from "./http.ts"
import { clip, type Outcome } from "./outcome.ts"
import { type Answer, Prober, type Question } from "./port.ts"
import { askTcp } from "./tcp.ts"

/** gRPC's client for any server takes 20 MB: it is loaded with the first such question. */
const loadGrpc = Effect.promise(() => import("./grpc.ts"))

export const make = Effect.gen(function* () {
  const runtime = yield* ContainerRuntime

  const outcomeOf = (question: Question): Effect.Effect<Outcome> => {
    switch (question.kind) {
      case "httpGet":
        return askHttp(question)
      case "tcpSocket":
        return askTcp(question)
      case "grpc":
        return Effect.flatMap(loadGrpc, ({ askGrpc }) => askGrpc(question))
      case "exec":
        return askExec(runtime, question)
    }
  }

  return Prober.of({
    ask: (question) =>
      Effect.gen(function* () {
        const begun = yield* Clock.currentTimeMillis
        const { result, output, timedOut } = yield* outcomeOf(question)
        const durationMillis = Math.max(0, Math.round((yield* Clock.currentTimeMillis) - begun))
        const answer: Answer = {
          result: result === "warning" ? "success" : result,
          output: clip(output),
          timedOut,
          durationMillis
        }
        return answer
      })
  })
})

export const layer: Layer.Layer<Prober, never, ContainerRuntime> = Layer.effect(Prober, make)
