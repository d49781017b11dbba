/** Asking a container again and again, in the rhythm of its probe. */
import { Clock, Effect } from "effect"
import { Manifests } from "../../adapters/manifests/port.ts"
import { Meters } from "../../adapters/metrics/port.ts"
import { type Answer, Prober, type Question } from "../../adapters/probing/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { ProbeType } from "../../events/kinds/probe.ts"
import type { Container, Probe } from "../../events/pod-spec.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { expand, lookupIn } from "../pod/environment/expansion.ts"
import { containerSpec } from "../pod/state.ts"
import type { ProbeObserved } from "./commands.ts"
import { type AskedContainer, podNameOf, timing } from "./state.ts"
import { targetOf } from "./target.ts"

/** Tries at once while a container cannot be asked (`maxProbeRetries`). */
const maxTries = 3

const probeIn = (container: Container, probe: ProbeType): Probe | undefined =>
  probe === "liveness"
    ? container.livenessProbe
    : probe === "readiness"
      ? container.readinessProbe
      : container.startupProbe

const mentionsVariables = (command: ReadonlyArray<string> | undefined): boolean =>
  (command ?? []).some((word) => word.includes("$"))

const noValues = { headers: [], command: undefined }

/** Values that the log does not have: of headers, and of variables that a command mentions. */
const secretValues = (asked: AskedContainer) =>
  Effect.gen(function* () {
    const { exec, httpGet } = asked.spec
    if ((httpGet?.httpHeaders ?? []).length === 0 && !mentionsVariables(exec?.command)) return noValues
    const manifests = yield* Manifests
    const pod = yield* manifests.secretsOf(asked.podUid)
    const container = containerSpec(pod, asked.container)
    const spec = container === undefined ? undefined : probeIn(container, asked.probe)
    // As written, not expanded: kubelet's ExpandContainerCommandOnlyStatic.
    const variables = new Map((container?.env ?? []).map(({ name, value }) => [name, value ?? ""]))
    return {
      headers: (spec?.httpGet?.httpHeaders ?? []).map(({ name, value }) => ({ name, value: value ?? "" })),
      command: exec?.command?.map((word) => expand(word, lookupIn(variables)))
    }
  })

const failed = (output: string): Answer => ({ result: "error", output, timedOut: false, durationMillis: 0 })

const questionOf = (asked: AskedContainer) =>
  Effect.map(secretValues(asked), ({ headers, command }): Question | string => {
    const target = targetOf(asked.spec, asked.host)
    const { timeoutSeconds } = timing(asked.spec)
    switch (target.kind) {
      case "none":
        return target.message
      case "httpGet":
        return { ...target, headers, timeoutSeconds }
      case "tcpSocket":
      case "grpc":
        return { ...target, timeoutSeconds }
      case "exec":
        return { kind: "exec", containerId: asked.containerId, command: command ?? target.command, timeoutSeconds }
    }
  })

const askOnce = (asked: AskedContainer): Effect.Effect<Answer, never, Prober | Manifests> =>
  Effect.gen(function* () {
    const prober = yield* Prober
    const question = yield* questionOf(asked)
    return typeof question === "string" ? failed(question) : yield* prober.ask(question)
  }).pipe(Effect.catchTag("PodNotDeclared", (error) => Effect.succeed(failed(error.message))))

const ask = (asked: AskedContainer): Effect.Effect<Answer, never, Prober | Manifests> =>
  Effect.gen(function* () {
    let answer = yield* askOnce(asked)
    for (let tries = 1; tries < maxTries && answer.result === "error"; tries++) answer = yield* askOnce(asked)
    return answer
  })

/**
 * When a container is first asked by whom begins at `begun`: its initial delay counts from its start. One that was asked by
 * an earlier life of the agent goes on in its own rhythm, so that a start of the agent does not ask all at one moment
 * (kubelet's worker waits for a random part of the period then). Milliseconds.
 */
export const firstAsking = (
  { spec, startedAt, last }: Pick<AskedContainer, "spec" | "startedAt" | "last">,
  begun: number
): number => {
  const { initialDelay, period } = timing(spec)
  const first = Date.parse(startedAt) + initialDelay
  if (last !== null && begun > first) return first + Math.ceil((begun - first) / period) * period
  // Bounded, since the clock may be set back meanwhile.
  return begun + Math.min(initialDelay, Math.max(0, first - begun))
}

/**
 * Asks first when the initial delay is over, then every period, and tells the probe's actor each answer. Periods that
 * were missed are left out. Runs until interrupted.
 */
export const askEveryPeriod = (
  asked: AskedContainer,
  id: ActorId,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, Prober | Manifests> =>
  Effect.gen(function* () {
    const { initialDelay, period } = timing(asked.spec)
    const { podUid, container, probe } = asked
    const meter = yield* Meters
    const begun = yield* Clock.currentTimeMillis
    let next = firstAsking(asked, begun)
    while (true) {
      const before = yield* Clock.currentTimeMillis
      next = Math.min(next, before + Math.max(period, initialDelay))
      if (next > before) yield* Effect.sleep(next - before)
      const { result, output, timedOut, durationMillis } = yield* ask(asked)
      const at = yield* Clock.currentTimeMillis
      const of = { namespace: id.namespace, pod: podNameOf(id), podUid, container, probe }
      meter.probed({ ...of, result, milliseconds: durationMillis })
      const command: ProbeObserved = {
        _tag: "ProbeObserved",
        at,
        containerId: asked.containerId,
        result,
        output,
        timedOut,
        duration: durationMillis
      }
      yield* emit({ to: id, command })
      next += period * Math.max(1, Math.ceil((at - next) / period))
    }
  })
