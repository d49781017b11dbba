import { Context, Effect } from "effect"
import { make, ProberControl } from "../../../src/adapters/probing/memory.ts"
import { Prober, type Question } from "../../../src/adapters/probing/port.ts"
import { proberContract } from "./prober-contract.ts"

const questions = (host: string): ReadonlyArray<Question> => [
  { kind: "httpGet", scheme: "HTTP", host, port: 80, path: "/", headers: [], timeoutSeconds: 1 },
  { kind: "tcpSocket", host, port: 80, timeoutSeconds: 1 },
  { kind: "grpc", host, port: 80, service: "", timeoutSeconds: 1 },
  { kind: "exec", containerId: host, command: ["true"], timeoutSeconds: 1 }
]
const at = (host: string) => (q: Question) => (q.kind === "exec" ? q.containerId : q.host) === host

proberContract(
  "the prober in memory",
  Effect.gen(function* () {
    const services = yield* make
    const control = Context.get(services, ProberControl)
    yield* control.answer(at("bad"), { result: "failure", output: "no" })
    yield* control.answer(at("silent"), { result: "success", afterMillis: 3_600_000 })
    yield* control.answer(at("unaskable"), { result: "error", output: "?" })
    yield* control.answer(at("talkative"), { result: "success", output: "é".repeat(2000) })
    return {
      prober: Context.get(services, Prober),
      good: questions("good"),
      bad: questions("bad"),
      silent: questions("silent"),
      unaskable: questions("unaskable"),
      talkative: questions("talkative")
    }
  })
)
