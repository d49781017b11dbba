/** What `logs`, `exec`, `attach` and `port-forward` need to know of a pod: its state as this node's journal has it. */
import { Effect, type Scope } from "effect"
import type { NodeState } from "../actors/node/state.ts"
import type { ContainerInState, Definition, PodState } from "../actors/pod/state.ts"
import { containerStatuses } from "../actors/pod/status/container-statuses.ts"
import type { ContainerStatus } from "../actors/pod/status/status.ts"
import type { RuntimeState } from "../actors/runtime/state.ts"
import type { Pod } from "../events/pod-spec.ts"
import { foldLines } from "./event-log/fold-log.ts"
import { openJournalLog } from "./event-log/journal-log.ts"
import { journalPath } from "./event-log/journal-path.ts"
import type { ChainedLog } from "./event-log/log.ts"
import { CommandFailed } from "./exit.ts"
import { type PodName, podText } from "./filter/pods.ts"
import { parsePodName } from "./filter.ts"
import { nearest } from "./text.ts"

export interface PodTarget {
  readonly name: PodName
  readonly pod: Pod
  readonly state: PodState
  /** Of all its containers. */
  readonly statuses: ReadonlyArray<ContainerStatus>
  /** What the agent was told last; undefined where an older one did not write it down. */
  readonly podLogsDir: string | undefined
  readonly endpoint: string | undefined
  readonly log: ChainedLog
}

/** kubectl's annotation: which container is meant where none is named. */
const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container"

const maxHints = 3

const didYouMean = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`

/** Pods of like names in the namespace, and those of the very name in others. */
const nearPods = (wanted: PodName, there: ReadonlyArray<PodName>): ReadonlyArray<string> => {
  const own = there.filter(({ namespace }) => namespace === wanted.namespace).map(({ name }) => name)
  const near = nearest(wanted.name, own).map((name) => podText({ namespace: wanted.namespace, name }))
  const elsewhere = there.filter(({ namespace, name }) => name === wanted.name && namespace !== wanted.namespace)
  return [...near, ...elsewhere.map(podText)].slice(0, maxHints)
}

/** @param text `NAMESPACE/NAME` as typed @throws UsageError */
export const findPod = (text: string, dataDir: string): Effect.Effect<PodTarget, CommandFailed, Scope.Scope> => {
  const name = parsePodName(text.replace(/^pods?\//u, ""))
  return Effect.gen(function* () {
    const log = yield* openJournalLog(journalPath(dataDir))
    const { fold } = yield* foldLines(log.read({}, false))
    const actors = [...fold.actors.values()]
    const stateOf = (kind: string): unknown => actors.find(({ id }) => id.kind === kind)?.state
    const pods = actors.filter(({ id }) => id.kind === "pod")
    const found = pods.find(({ id }) => id.namespace === name.namespace && id.name === name.name)
    const state = found?.state as PodState | undefined
    if (state === undefined || state.definition === null) {
      const there = pods.filter((p) => (p.state as PodState).definition !== null).map(({ id }) => id)
      const hints = nearPods(name, there)
      const why = state?.rejected == null ? "is not on this node" : `was refused: ${state.rejected.message}`
      return yield* Effect.fail(
        new CommandFailed(
          `pod ${podText(name)} ${why}${didYouMean(hints)}`,
          hints.length > 0 ? undefined : "chronode get pods lists them; a removed pod's logs go with it"
        )
      )
    }
    return {
      name,
      pod: (state.definition satisfies Definition).pod,
      state,
      statuses: containerStatuses(state),
      podLogsDir: (stateOf("node") as NodeState | undefined)?.started?.podLogsDir,
      endpoint: (stateOf("runtime") as RuntimeState | undefined)?.endpoint || undefined,
      log
    }
  })
}

/** The container that is named, or the pod's default one. `note`: told where one of several was chosen. */
export const chooseContainer = (
  { name, pod, state }: Pick<PodTarget, "name" | "pod" | "state">,
  wanted: string | undefined,
  note: (line: string) => void
): Effect.Effect<ContainerInState, CommandFailed> => {
  const names = state.containers.map((c) => c.name)
  const find = (container: string) => state.containers.find((c) => c.name === container)
  if (wanted !== undefined) {
    const found = find(wanted)
    if (found !== undefined) return Effect.succeed(found)
    const message = `pod ${podText(name)} has no container ${wanted}${didYouMean(nearest(wanted, names))}`
    return Effect.fail(new CommandFailed(message, `its containers: ${names.join(", ")}`))
  }
  const annotated = pod.metadata.annotations?.[defaultContainerAnnotation]
  const chosen = find(annotated ?? "") ?? find(pod.spec.containers[0]?.name ?? "")
  if (chosen === undefined) return Effect.fail(new CommandFailed(`pod ${podText(name)} has no containers yet`))
  if (annotated === undefined && names.length > 1)
    note(`chronode: container ${chosen.name} of: ${names.join(", ")} (-c names another)`)
  return Effect.succeed(chosen)
}
