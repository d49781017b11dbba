/**
 * Bringing a resize into force (`kuberuntime_manager.go` doPodResizeAction): memory first, then cpu; what grows in the
 * pod's cgroup before its containers, what shrinks after them.
 */
import { Clock, Duration, Effect, Result, Schema } from "effect"
import { type CgroupError, Cgroups } from "../../../adapters/cgroupfs/port.ts"
import { ContainerRuntime, type CriError, type LinuxContainerResources } from "../../../adapters/cri/port.ts"
import type { CgroupValues } from "../../../events/cgroup-values.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import { Placements } from "../../source/placements.ts"
import { isLack, roomRefusals } from "../admission/node-room.ts"
import type { PodCommand } from "../commands.ts"
import { runsIn } from "../plan/plan-resize.ts"
import { type ContainerUpdate, memoryProblem, type ResizeActions, resizeActions } from "../plan/resize-actions.ts"
import { podCgroup } from "../resources/pod-cgroup.ts"
import { withResources } from "../resources/pod-resources.ts"
import { containerResources } from "../resources/resources.ts"
import { PodSettings } from "../settings.ts"
import { containerIn, containerSpec, type PodState } from "../state.ts"
import { cgroupNames } from "./container-start.ts"

type Needs = Cgroups | ContainerRuntime | PodSettings

/** The memory limits cannot be set now. */
class ResizeRefused extends Schema.TaggedError<ResizeRefused>()("ResizeRefused", { message: Schema.String }) {}

const memoryFields = ["memoryLimitInBytes", "memorySwapLimitInBytes"] as const
const cpuFields = ["cpuShares", "cpuQuota", "cpuPeriod"] as const

const only = (
  resources: LinuxContainerResources,
  fields: ReadonlyArray<keyof LinuxContainerResources>
): LinuxContainerResources =>
  Object.fromEntries(fields.flatMap((f) => (resources[f] === undefined ? [] : [[f, resources[f]]])))

type Field = "memoryLimit" | "cpuShares" | "cpuQuota"

/** No limit is the largest one. */
const size = (field: Field, amount: number | undefined): number =>
  amount === undefined || (field !== "cpuShares" && amount <= 0) ? Number.POSITIVE_INFINITY : amount

/** What of the pod's cgroup is set before its containers, and what after them. */
const inOrder = (from: CgroupValues, to: CgroupValues, fields: ReadonlyArray<Field>) => {
  const pick = (grows: boolean): CgroupValues => {
    const chosen = fields.filter(
      (f) => to[f] !== undefined && from[f] !== to[f] && size(f, to[f]) > size(f, from[f]) === grows
    )
    const period = chosen.includes("cpuQuota") && to.cpuPeriod !== undefined ? { cpuPeriod: to.cpuPeriod } : {}
    return { ...Object.fromEntries(chosen.map((f) => [f, to[f]])), ...period }
  }
  return { before: pick(true), after: pick(false) }
}

/** Bytes that a container uses, by its own cgroup below the pod's. */
const usageOf = (podPath: string, containerId: string) =>
  Effect.gen(function* () {
    const cgroups = yield* Cgroups
    for (const name of cgroupNames(containerId)) {
      const usage = yield* Effect.result(cgroups.memoryUsage(`${podPath}/${name}`))
      if (Result.isSuccess(usage) && usage.success !== undefined) return usage.success
    }
    return undefined
  })

/** kubelet does not take memory away that is in use: the kernel would kill. */
const checkMemory = (
  state: PodState,
  updates: ReadonlyArray<ContainerUpdate>,
  from: CgroupValues,
  to: CgroupValues,
  path: string
) =>
  Effect.gen(function* () {
    const cgroups = yield* Cgroups
    const used = new Map<string, number | undefined>()
    for (const { container } of updates) {
      used.set(container, yield* usageOf(path, containerIn(state, container)?.containerId ?? ""))
    }
    const pod = yield* Effect.result(cgroups.memoryUsage(path))
    const problem = memoryProblem(
      updates,
      { from: from.memoryLimit, to: to.memoryLimit },
      { pod: Result.isSuccess(pod) ? pod.success : undefined, container: (name) => used.get(name) }
    )
    if (problem !== undefined) return yield* new ResizeRefused({ message: problem })
  })

const actuate = (state: PodState, pod: Pod, actions: ResizeActions) =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const cgroups = yield* Cgroups
    const { facts } = yield* PodSettings
    const wanted = podCgroup(pod, facts)
    const from = state.cgroup?.values ?? {}
    const to = wanted?.values ?? {}
    const setPod = (values: CgroupValues): Effect.Effect<void, CgroupError> =>
      wanted === undefined || Object.keys(values).length === 0 ? Effect.void : cgroups.update(wanted.path, values)
    const setContainers = (
      updates: ReadonlyArray<ContainerUpdate>,
      fields: ReadonlyArray<keyof LinuxContainerResources>
    ) =>
      Effect.forEach(
        updates,
        ({ container }) => {
          const written = containerSpec(pod, container)
          const id = containerIn(state, container)?.containerId
          if (written === undefined || id === undefined || id === "") return Effect.void
          return runtime.updateContainerResources(id, only(containerResources(pod, written, facts), fields))
        },
        { discard: true }
      )
    if (wanted !== undefined) yield* checkMemory(state, actions.memory, from, to, wanted.path)
    for (const [updates, podFields, fields] of [
      [actions.memory, ["memoryLimit"], memoryFields],
      [actions.cpu, ["cpuQuota", "cpuShares"], cpuFields]
    ] as const) {
      const { before, after } = inOrder(from, to, podFields)
      yield* setPod(before)
      yield* setContainers(updates, fields)
      yield* setPod(after)
    }
    const isSame = JSON.stringify(from) === JSON.stringify(to)
    return wanted === undefined || isSame ? {} : { cgroup: { path: wanted.path, from, to } }
  })

/** `state`: after the decision to start it. */
export const applyResize = (state: PodState): Effect.Effect<ReadonlyArray<PodCommand>, never, Needs> => {
  const pod = state.definition?.pod
  const actuated = state.resize?.actuated
  if (pod === undefined || actuated === undefined) return Effect.succeed([])
  const actions = resizeActions(pod, actuated, runsIn(state))
  const containers = [...new Set([...actions.memory, ...actions.cpu].map(({ container }) => container))]
  return actuate(state, pod, actions).pipe(
    Effect.flatMap((done) =>
      Effect.map(
        Clock.currentTimeMillis,
        (at): ReadonlyArray<PodCommand> => [{ _tag: "ReportResize", at, outcome: "done", containers, ...done }]
      )
    ),
    Effect.catch((error: CgroupError | CriError | ResizeRefused) =>
      Effect.map(
        Clock.currentTimeMillis,
        (at): ReadonlyArray<PodCommand> => [{ _tag: "ReportResize", at, outcome: "failed", message: error.message }]
      )
    )
  )
}

/** Looks whether there is room for a resize that was deferred. */
const retryPeriod = Duration.seconds(5)

/** `pending`: the resources that wait. Says so when they fit. */
export const observeDeferred = (
  state: PodState,
  emit: (command: PodCommand) => Effect.Effect<void>
): Effect.Effect<void, never, Placements> =>
  Effect.gen(function* () {
    const placements = yield* Placements
    const pod = state.definition?.pod
    const pending = state.resize?.pending
    if (pod === undefined || pending === undefined) return yield* Effect.never
    const target = withResources(pod, pending.to)
    for (;;) {
      yield* Effect.sleep(retryPeriod)
      const room = placements.roomFor(target, {})
      if (room === undefined || roomRefusals(target.spec, room).some(isLack)) continue
      yield* emit({ _tag: "RetryResize", at: yield* Clock.currentTimeMillis, room })
    }
  })
