/** Cordon, drain and uncordon of the node, for the command line on the local socket. Part of the agent's wiring. */
import { Clock, Effect, Schema } from "effect"
import { chooseDrained } from "../../actors/node/drain-choice.ts"
import { parseLabelSelector } from "../../actors/node/label-selector.ts"
import { nodeReport } from "../../actors/node/report.ts"
import type { NodeState } from "../../actors/node/state.ts"
import type { PodState } from "../../actors/pod/state.ts"
import { podViews } from "../../actors/views.ts"
import type { ApiAnswer, ApiRefusal, ApiRequest, Route } from "../../adapters/api/port.ts"
import { actorId } from "../../events/actor-id.ts"
import { type ApiWorld, json, type Routes, text } from "./route.ts"

/** What the actor's answer may take, milliseconds; an append is one fsync. */
const answerTimeout = 10_000
const lookPeriod = 20

const opt = Schema.optionalKey
const Asked = Schema.Struct({
  /** Who asks. */
  by: Schema.String.check(Schema.isMaxLength(256)),
  gracePeriodSeconds: opt(Schema.Int),
  timeoutSeconds: opt(Schema.Finite),
  podSelector: opt(Schema.String.check(Schema.isMaxLength(4096))),
  deleteEmptyDirData: opt(Schema.Boolean),
  dryRun: opt(Schema.Boolean)
})
type Asked = typeof Asked.Type

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Asked))
const refusal = (status: number, message: string): ApiRefusal => ({ _tag: "ApiRefusal", status, message })

const bodyOf = (request: ApiRequest): Effect.Effect<Asked, ApiRefusal> =>
  Effect.flatMap(request.body, (bytes) =>
    Effect.mapError(decode(new TextDecoder().decode(bytes)), (error) => refusal(400, String(error)))
  )

const makeAsk = ({ system, options }: ApiWorld) => {
  const node = actorId("node", "", options.nodeName)
  const state = () => system.state(node) as NodeState | undefined
  /** Answers when the actor has decided and that is on disk. */
  const ask = (command: Record<string, unknown> & { readonly _tag: string }, isDone: (state: NodeState) => boolean) =>
    Effect.gen(function* () {
      yield* system.tell(node, { ...command, at: yield* Clock.currentTimeMillis } as never)
      while (true) {
        const now = state()
        if (now !== undefined && isDone(now)) return
        yield* Effect.sleep(lookPeriod)
      }
    }).pipe(
      Effect.timeoutOrElse({
        duration: answerTimeout,
        orElse: () => Effect.fail(refusal(503, "the node's actor did not answer"))
      })
    )
  const report = (): ApiAnswer => json(nodeReport(options.nodeName, state(), podViews(system.actors("pod"))))
  return { state, ask, report }
}

const drain = (world: ApiWorld, asked: Asked): Effect.Effect<ApiAnswer, ApiRefusal> =>
  Effect.gen(function* () {
    const { state, ask } = makeAsk(world)
    const { by, gracePeriodSeconds, timeoutSeconds, podSelector, deleteEmptyDirData, dryRun } = asked
    const selector = podSelector === undefined ? undefined : parseLabelSelector(podSelector)
    if (typeof selector === "string") return yield* Effect.fail(refusal(400, `the pod selector: ${selector}`))
    if (state()?.shutdown !== undefined) return yield* Effect.fail(refusal(409, "the node is shutting down"))
    const pods = world.system.actors("pod").map((pod) => pod.state as PodState)
    const choice = chooseDrained(pods, selector)
    if (choice.losesData.length > 0 && deleteEmptyDirData !== true) {
      const names = choice.losesData.map(({ namespace, name }) => `${namespace}/${name}`).join(", ")
      const message = `cannot delete Pods with local storage (use --delete-emptydir-data to override): ${names}`
      return yield* Effect.fail(refusal(409, message))
    }
    if (dryRun === true) return json(choice)
    const before = state()?.drain?.because
    yield* ask(
      {
        _tag: "DrainNode",
        by,
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        ...(podSelector === undefined ? {} : { selector: podSelector }),
        pods: choice.ends.length
      },
      (now) => now.drain !== undefined && now.drain.because !== before
    )
    return json(choice)
  })

export const nodeRoutes: Routes = (world) => {
  const { ask, report } = makeAsk(world)
  const post = (path: string, answer: (asked: Asked) => Effect.Effect<ApiAnswer, ApiRefusal>): Route => ({
    methods: ["POST"],
    path,
    localOnly: true,
    answer: (request) =>
      world.options.manifests === undefined
        ? Effect.succeed(text("this agent runs no pods", 409))
        : Effect.flatMap(bodyOf(request), answer)
  })
  return [
    { methods: ["GET"], path: "/local/node", localOnly: true, answer: () => Effect.sync(report) },
    post("/local/node/cordon", ({ by }) =>
      Effect.map(
        ask({ _tag: "CordonNode", by }, ({ cordon }) => cordon !== undefined),
        report
      )
    ),
    post("/local/node/uncordon", ({ by }) =>
      Effect.map(
        ask({ _tag: "UncordonNode", by }, ({ cordon }) => cordon === undefined),
        report
      )
    ),
    post("/local/node/drain", (asked) => drain(world, asked))
  ]
}
