/**
 * What is otherwise in a what-if run: parts laid over pods, and settings of the node. It is applied to the commands that
 * carried them (and to states that a log begins with), and to nothing else.
 */
import type { ActorId } from "../../events/actor-id.ts"
import type { Pod } from "../../events/pod-spec.ts"
import type { Command } from "../kernel/behavior.ts"
import type { DesirePod } from "../pod/commands.ts"
import { everyContainer } from "../pod/spec-extension.ts"
import type { Definition, PodState } from "../pod/state.ts"
import type { StartProbe } from "../probe/commands.ts"
import { type ProbeState, podNameOf } from "../probe/state.ts"
import type { EvictionChange } from "./eviction-course.ts"
import { type Difference, differencesOf, strategicMerge } from "./merge.ts"

export interface PodPart {
  /** Absent: of every namespace. */
  readonly namespace?: string
  /** Absent: every pod. */
  readonly name?: string
  /** A part of a pod: `metadata` and `spec` as far as they are otherwise. */
  readonly part: { readonly metadata?: object; readonly spec?: object }
}

export interface Change {
  readonly pods: ReadonlyArray<PodPart>
  /** kubelet's `crashLoopBackOff.maxContainerRestartPeriod`, seconds. */
  readonly maxRestartPeriodSeconds?: number
  /** Settings of eviction. */
  readonly eviction?: EvictionChange
}

interface PodName {
  readonly namespace: string
  readonly name: string
}

const concerns = (pod: PodName, part: PodPart): boolean =>
  (part.namespace === undefined || part.namespace === pod.namespace) &&
  (part.name === undefined || part.name === pod.name)

/** Whether anything could be otherwise for this pod. */
export const touches = (change: Change, pod: PodName): boolean =>
  change.maxRestartPeriodSeconds !== undefined || change.pods.some((part) => concerns(pod, part))

/** The pod as it would have been. Its uid stays: it is the same pod in both courses. */
export const changedPod = (change: Change, pod: Pod): Pod =>
  change.pods
    .filter((part) => concerns(pod.metadata, part))
    .reduce((whole, { part }) => {
      const merged = strategicMerge(whole, part)
      return { ...merged, metadata: { ...merged.metadata, ...identity(pod) } }
    }, pod)

const identity = ({ metadata: { name, namespace, uid } }: Pod) => ({ name, namespace, uid })

/** What differs, for people: of the pod, and of the node. */
export const differencesFor = (
  change: Change,
  pod: Pod,
  maxRestartPeriodSeconds: number
): ReadonlyArray<Difference> => [
  ...differencesOf(pod, changedPod(change, pod)),
  ...(change.maxRestartPeriodSeconds === undefined || change.maxRestartPeriodSeconds === maxRestartPeriodSeconds
    ? []
    : [
        {
          field: "crashLoopBackOff.maxContainerRestartPeriod",
          from: `${maxRestartPeriodSeconds}s`,
          to: `${change.maxRestartPeriodSeconds}s`
        }
      ])
]

const probeFields = { liveness: "livenessProbe", readiness: "readinessProbe", startup: "startupProbe" } as const

/** A probe's spec as it would have been. Ports that have names are numbers already where the log says so. */
const changedProbe = <A extends StartProbe["spec"]>(
  change: Change,
  pod: PodName,
  container: string,
  probe: StartProbe["probe"],
  spec: A
): A =>
  change.pods
    .filter((part) => concerns(pod, part))
    .reduce((whole, { part }) => {
      const { containers = [] } = (part.spec ?? {}) as {
        readonly containers?: ReadonlyArray<{ readonly name: string }>
      }
      const changed = (containers.find(({ name }) => name === container) as Record<string, unknown> | undefined)?.[
        probeFields[probe]
      ]
      return changed === undefined || changed === null ? whole : strategicMerge(whole, changed)
    }, spec)

/** The command as it would have been. */
export const changedCommand = (change: Change, actor: ActorId, command: Command): Command => {
  if (command._tag === "DesirePod") {
    const { pod, maxRestartPeriodSeconds } = command as typeof DesirePod.Type
    const period = change.maxRestartPeriodSeconds ?? maxRestartPeriodSeconds
    const desired = { ...command, pod: changedPod(change, pod) }
    return period === undefined ? desired : ({ ...desired, maxRestartPeriodSeconds: period } as Command)
  }
  if (command._tag === "StartProbe" && actor.kind === "probe") {
    const { container, probe, spec } = command as StartProbe
    const pod = { namespace: actor.namespace, name: podNameOf(actor) }
    return { ...command, spec: changedProbe(change, pod, container, probe, spec) } as Command
  }
  return command
}

const changedDefinition = (change: Change, definition: Definition | null): Definition | null =>
  definition === null
    ? null
    : {
        ...definition,
        pod: changedPod(change, definition.pod),
        maxRestartPeriodSeconds: change.maxRestartPeriodSeconds ?? definition.maxRestartPeriodSeconds
      }

/** The state as it would have been where a log begins in the middle of an actor's life. */
export const changedState = (change: Change, actor: ActorId, state: unknown): unknown => {
  if (actor.kind === "pod") {
    const pod = state as PodState
    return {
      ...pod,
      definition: changedDefinition(change, pod.definition),
      replacement: changedDefinition(change, pod.replacement)
    }
  }
  if (actor.kind === "probe") {
    const { asked } = state as ProbeState
    if (asked === null) return state
    const pod = { namespace: actor.namespace, name: podNameOf(actor) }
    return { asked: { ...asked, spec: changedProbe(change, pod, asked.container, asked.probe, asked.spec) } }
  }
  return state
}

type ShapeOfPod = ReadonlyArray<readonly [container: string, image: string, ...probes: ReadonlyArray<unknown>]>

const rhythm = (probe: StartProbe["spec"] | undefined) =>
  probe === undefined ? null : [probe.initialDelaySeconds ?? 0, probe.periodSeconds ?? 10, probe.timeoutSeconds ?? 1]

const shapeOf = ({ spec }: Pod) => ({
  containers: everyContainer(spec).map((c): ShapeOfPod[number] => [
    c.name,
    c.image,
    rhythm(c.livenessProbe),
    rhythm(c.readinessProbe),
    rhythm(c.startupProbe)
  ]),
  volumes: (spec.volumes ?? []).map(({ name }) => name),
  deadline: spec.activeDeadlineSeconds ?? null
})

/**
 * Whether what the log heard of this pod cannot be heard in the changed one: other containers, images, volumes or probes, or
 * probes in another rhythm, or a deadline at another time. Then the courses part where the pod is admitted.
 */
export const hearsOtherwise = (change: Change, pod: Pod): boolean =>
  JSON.stringify(shapeOf(pod)) !== JSON.stringify(shapeOf(changedPod(change, pod)))

/** Fields of a container on which the behaviour of its program may depend. */
const programFields = ["image", "command", "args", "workingDir", "env", "resources", "securityContext", "volumeMounts"]
const quietPodFields = new Set([
  "restartPolicy",
  "terminationGracePeriodSeconds",
  "containers",
  "initContainers",
  "activeDeadlineSeconds"
])

/** The changed fields that may make a program behave otherwise, which no log can tell. */
export const programChanges = (differences: ReadonlyArray<Difference>): ReadonlyArray<string> =>
  differences
    .map(({ field }) => field)
    .filter((field) => {
      const container = /^spec\.(?:initContainers|containers|ephemeralContainers)\[[^\]]*\](?:\.([A-Za-z]+))?/u.exec(
        field
      )
      if (container !== null) return container[1] === undefined || programFields.includes(container[1])
      const top = /^spec\.([A-Za-z]+)/u.exec(field)?.[1]
      return top !== undefined && !quietPodFields.has(top)
    })

/** The changed probe fields that ask something else than was asked. */
export const questionChanges = (differences: ReadonlyArray<Difference>): ReadonlyArray<string> =>
  differences
    .filter(({ to }) => to !== undefined)
    .map(({ field }) => field)
    .filter((field) => /Probe(?:\.(?:httpGet|tcpSocket|grpc|exec|timeoutSeconds).*)?$/u.test(field))
