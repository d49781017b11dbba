/**
 * Running lifecycle hooks (`pkg/kubelet/lifecycle/handlers.go`): a command in the container, or a request to it. Unlike a
 * probe, any answer over HTTP is good. Delivery is at least once: after a crash of the agent a hook whose outcome is not
 * known runs again.
 */
import { Clock, Effect } from "effect"
import { Manifests } from "../../../adapters/manifests/port.ts"
import { type Answer, Prober, type Question } from "../../../adapters/probing/port.ts"
import type { HttpHeader, LifecycleHandler } from "../../../events/pod-spec.ts"
import type { PodCommand } from "../commands.ts"
import { hookTarget } from "../plan/plan-hooks.ts"
import { type ContainerInState, containerSpec, type HookType, holdUntil, type PodState } from "../state.ts"

/** Seconds. kubelet lets a postStart hook run for ever; a container that it holds up for a day is not worth waiting for. */
const maxPostStartSeconds = 24 * 60 * 60
/** As kubelet's requests say it; access logs know hooks by it. */
const userAgent = "kube-lifecycle/1.36"

const handlerOf = (pod: PodState["definition"], container: string, hook: HookType): LifecycleHandler | undefined => {
  const lifecycle = pod === null ? undefined : containerSpec(pod.pod, container)?.lifecycle
  return hook === "PostStart" ? lifecycle?.postStart : lifecycle?.preStop
}

/** Seconds that the hook may take: a preStop hook what is left of the grace period. */
const timeLeft = (c: ContainerInState, hook: HookType, now: number): number =>
  hook === "PostStart" || c.kill === null
    ? maxPostStartSeconds
    : Math.max(1, Math.ceil((holdUntil(c.kill) - now) / 1000))

const failed = (output: string): Answer => ({ result: "failure", output, timedOut: false, durationMillis: 0 })

/** Headers as the manifest has them: the log knows hashes of their values only. */
const headersOf = (state: PodState, container: string, hook: HookType) =>
  Effect.gen(function* () {
    const manifests = yield* Manifests
    const pod = yield* manifests.secretsOf(state.definition?.pod.metadata.uid ?? "")
    const lifecycle = containerSpec(pod, container)?.lifecycle
    const given = (hook === "PostStart" ? lifecycle?.postStart : lifecycle?.preStop)?.httpGet?.httpHeaders ?? []
    return hookHeaders(given)
  })

/** What is sent beside the defaults of every request. */
export const hookHeaders = (given: ReadonlyArray<typeof HttpHeader.Type>) => {
  const headers = given.map(({ name, value }) => ({ name, value: value ?? "" }))
  return headers.some(({ name }) => name.toLowerCase() === "user-agent")
    ? headers
    : [...headers, { name: "User-Agent", value: userAgent }]
}

const questionOf = (state: PodState, c: ContainerInState, hook: HookType, handler: LifecycleHandler, seconds: number) =>
  Effect.gen(function* () {
    const target = hookTarget(state, c.name, handler)
    const timed = { timeoutSeconds: seconds }
    switch (target.kind) {
      case "exec":
        return { ...target, ...timed, containerId: c.containerId } satisfies Question
      case "httpGet":
        return {
          ...target,
          ...timed,
          anyStatus: true,
          headers: yield* headersOf(state, c.name, hook)
        } satisfies Question
      case "tcpSocket":
      case "grpc":
        return { ...target, ...timed } satisfies Question
      case "none":
        return target.message
    }
  })

/** Runs what the container's state says is running; nothing for a sleep, which the clock ends. */
export const runHook = (
  state: PodState,
  c: ContainerInState,
  hook: HookType
): Effect.Effect<ReadonlyArray<PodCommand>, never, Manifests | Prober> => {
  const handler = handlerOf(state.definition, c.name, hook)
  if (handler === undefined || handler.sleep !== undefined || c.hooks?.[hook]?.status !== "running") {
    return Effect.succeed([])
  }
  return Effect.gen(function* () {
    const prober = yield* Prober
    const seconds = timeLeft(c, hook, yield* Clock.currentTimeMillis)
    const question = yield* questionOf(state, c, hook, handler, seconds)
    return typeof question === "string" ? failed(question) : yield* prober.ask(question)
  }).pipe(
    Effect.catchTag("PodNotDeclared", (error) => Effect.succeed(failed(error.message))),
    Effect.flatMap(({ result, output, timedOut, durationMillis }) =>
      Effect.map(Clock.currentTimeMillis, (at) => [
        {
          _tag: "ReportHook" as const,
          at,
          container: c.name,
          containerId: c.containerId,
          hook,
          outcome: result === "success" ? ("succeeded" as const) : ("failed" as const),
          output: result === "success" ? "" : output,
          timedOut,
          duration: durationMillis
        }
      ])
    )
  )
}
