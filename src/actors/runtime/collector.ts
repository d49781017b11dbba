/** Looks for garbage once a minute, tells of it, and removes it. What is garbage is said by garbage.ts. */
import { Clock, Duration, Effect } from "effect"
import { type Container, ContainerRuntime, type CriError, type Sandbox } from "../../adapters/cri/port.ts"
import { Host, type HostError } from "../../adapters/host/port.ts"
import { ContainerLogs, type LogError } from "../../adapters/logs/port.ts"
import { type VolumeError, Volumes } from "../../adapters/volumes/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { PodCommand } from "../pod/commands.ts"
import { removeDeadContainer } from "../pod/effects/container-end.ts"
import { containerNameLabel, podNameLabel, podNamespaceLabel } from "../pod/labels.ts"
import { type NodeFacts, podDirectory } from "../pod/node-facts.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import { isAlive, type PodState, uidOf } from "../pod/state.ts"
import { isTerminalPhase } from "../pod/status/phase.ts"
import type { RuntimeCommand } from "./commands.ts"
import { podUidLabel } from "./compare.ts"
import {
  containerGarbage,
  containerGcPolicy,
  logDirectoryGarbage,
  type PodFates,
  sandboxGarbage,
  uidOfLogDirectory
} from "./garbage.ts"
import { runtimeActor } from "./identity.ts"
import { removeImage } from "./image-survey.ts"
import { RuntimeReach } from "./reach.ts"
import type { Garbage } from "./state.ts"

/** kubelet's ContainerGCPeriod. */
export const garbagePeriod = Duration.minutes(1)
/** Things that are removed after one look; the rest is found by the next. */
export const maxGarbage = 32
/** A container of unknown state may run: it is stopped first, seconds. */
const unknownGrace = 2

type Needs = ContainerLogs | ContainerRuntime | Host | PodSettings | Pods | Volumes
type Failure = CriError | HostError | LogError | VolumeError
type Found = Garbage & { readonly reason: string }

export const observeGarbage = (
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, Needs | RuntimeReach> =>
  Effect.gen(function* () {
    const { reached } = yield* RuntimeReach
    while (true) {
      yield* Effect.sleep(garbagePeriod)
      yield* reached
      const found = yield* Effect.catch(lookForGarbage, (error) =>
        Effect.as(Effect.logWarning(`garbage: ${error.message}`), [])
      )
      if (found.length === 0) continue
      const command: RuntimeCommand = { _tag: "GarbageSeen", at: yield* Clock.currentTimeMillis, found }
      yield* emit({ to: runtimeActor, command })
    }
  })

type Known = ReadonlyMap<string, { readonly id: ActorId; readonly state: PodState }>

/**
 * The life of a container that its pod goes by is no garbage, whatever the runtime says of it. What ended before goes with
 * the next start, by the pod itself; here only where there will be none, or where that failed.
 */
const isCurrent = (known: Known, { id, labels, metadata }: Container): boolean => {
  const state = known.get(labels[podUidLabel] ?? "")?.state
  const c = state?.containers.find(({ name }) => name === labels[containerNameLabel])
  if (state === undefined || c === undefined) return false
  if (isAlive(c) && metadata.attempt >= c.attempt) return true
  return c.dead.includes(id) && c.status !== "running" && !isTerminalPhase(state.phase)
}

/** Whose it is, by its labels. */
const owner = ({ labels }: Pick<Container, "labels">) => ({
  namespace: labels[podNamespaceLabel] ?? "",
  name: labels[podNameLabel] ?? "",
  uid: labels[podUidLabel] ?? ""
})

/**
 * Only of pods that this node runs or ran: others may use the same runtime and the same directory of logs.
 * @param evictTerminated also what pods have left that have ended: the node is short of room
 */
export const garbageNow = (evictTerminated: boolean): Effect.Effect<ReadonlyArray<Found>, Failure, Needs> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const logs = yield* ContainerLogs
    const pods = yield* Pods
    const host = yield* Host
    const { facts } = yield* PodSettings
    // Before the pods are looked at: the directory of one that comes meanwhile is not taken for nobody's.
    const podDirectories = yield* host.directories(`${facts.rootDir}/pods`)
    const [sandboxes, containers, directories] = yield* Effect.all(
      [runtime.listPodSandboxes({}), runtime.listContainers({}), logs.directories(facts.podLogsDir)],
      { concurrency: 3 }
    )
    const known: Known = new Map(pods.all().map((pod) => [uidOf(pod.state), pod]))
    const deleted = new Set<string>()
    const uids = [...sandboxes, ...containers].map(({ labels }) => labels[podUidLabel] ?? "")
    for (const uid of new Set([...uids, ...directories.map(uidOfLogDirectory)])) {
      if (uid !== "" && !known.has(uid) && (yield* pods.everRan(uid))) deleted.add(uid)
    }
    const isOurs = (uid: string | undefined): boolean => uid !== undefined && (known.has(uid) || deleted.has(uid))
    const fates: PodFates = {
      isDeleted: (uid) => deleted.has(uid),
      isTerminated: (uid) => isTerminalPhase(known.get(uid)?.state.phase ?? ""),
      evictTerminated
    }
    const dead = containers.filter((c) => isOurs(c.labels[podUidLabel]) && !isCurrent(known, c))
    const found = [
      ...foundContainers(dead, fates, yield* Clock.currentTimeMillis),
      // Sandboxes of pods that are gone are orphans, and go with all that they hold.
      ...foundSandboxes(
        sandboxes.filter((s) => known.has(s.labels[podUidLabel] ?? "")),
        containers,
        fates
      ),
      ...logDirectoryGarbage(directories, fates, true).map((directory): Found => {
        const [namespace = "", name = "", uid = ""] = directory.split("_")
        const reason = "its pod is gone"
        return { what: "LogDirectory", id: `${facts.podLogsDir}/${directory}`, namespace, name, uid, reason }
      })
    ]
    const users = new Set([...known.keys(), ...sandboxes.map(({ labels }) => labels[podUidLabel] ?? "")])
    const volumes = yield* lookForVolumes(users)
    const held = new Set([...users, ...volumes.map(({ uid }) => uid)])
    return [...found, ...volumes, ...foundPodDirectories(podDirectories, held, facts)].slice(0, maxGarbage)
  })

export const lookForGarbage = garbageNow(false)

/** Of pods that nobody knows and the runtime does not have, when their volumes are gone. They are in this node's own directory. */
const foundPodDirectories = (
  uids: ReadonlyArray<string>,
  held: ReadonlySet<string>,
  facts: NodeFacts
): ReadonlyArray<Found> =>
  uids
    .filter((uid) => !held.has(uid))
    .map((uid) => ({
      what: "PodDirectory",
      id: podDirectory(facts, uid),
      namespace: "",
      name: "",
      uid,
      reason: "its pod is gone"
    }))

/**
 * Volumes of pods that nobody knows and the runtime does not have: the agent died in the middle, and its journal is gone.
 * The directory is this node's own, so that they need not have run here.
 */
const lookForVolumes = (users: ReadonlySet<string>): Effect.Effect<ReadonlyArray<Found>, VolumeError, Volumes> =>
  Effect.gen(function* () {
    const volumes = yield* Volumes
    return (yield* volumes.onNode)
      .filter(({ podUid }) => !users.has(podUid))
      .map(({ podUid, name }) => ({
        what: "Volume",
        id: `${podUid}/${name}`,
        namespace: "",
        name: "",
        uid: podUid,
        reason: "its pod is gone"
      }))
  })

const foundContainers = (containers: ReadonlyArray<Container>, fates: PodFates, now: number): ReadonlyArray<Found> => {
  const seen = containers.map((c) => ({
    id: c.id,
    podUid: c.labels[podUidLabel] ?? "",
    name: c.labels[containerNameLabel] ?? c.metadata.name,
    attempt: c.metadata.attempt,
    createdAt: Date.parse(c.createdAt),
    state: c.state
  }))
  const byId = new Map(containers.map((c) => [c.id, c]))
  return containerGarbage(seen, containerGcPolicy, fates, true, now).map((id) => {
    const whose = owner(byId.get(id)!)
    return {
      what: "Container",
      id,
      ...whose,
      reason: fates.isDeleted(whose.uid)
        ? "its pod is gone"
        : fates.evictTerminated && fates.isTerminated(whose.uid)
          ? "its pod has ended, and the node is short of room"
          : "a newer one is dead too"
    }
  })
}

const foundSandboxes = (
  sandboxes: ReadonlyArray<Sandbox>,
  containers: ReadonlyArray<Container>,
  fates: PodFates
): ReadonlyArray<Found> => {
  const used = new Set(containers.map(({ podSandboxId }) => podSandboxId))
  const seen = sandboxes.map((s) => ({
    id: s.id,
    podUid: s.labels[podUidLabel] ?? "",
    attempt: s.metadata.attempt,
    createdAt: Date.parse(s.createdAt),
    state: s.state,
    hasContainers: used.has(s.id)
  }))
  const byId = new Map(sandboxes.map((s) => [s.id, s]))
  return sandboxGarbage(seen, fates).map((id) => ({
    what: "Sandbox",
    id,
    ...owner(byId.get(id)!),
    reason: "it is down and empty, and the pod has a newer one"
  }))
}

/** Its outcome, for the runtime's actor, and for the pod that may still count the container. */
export const removeGarbage = (garbage: Garbage): Effect.Effect<ReadonlyArray<Outgoing>, Failure, Needs> =>
  garbage.what === "Image" ? forgetImage(garbage) : removePodGarbage(garbage)

/** Tried once: an image that the runtime does not let go is met again by the next look. */
const forgetImage = ({ what, id }: Garbage): Effect.Effect<ReadonlyArray<Outgoing>, never, ContainerRuntime | Pods> =>
  Effect.gen(function* () {
    const stays = yield* Effect.catch(removeImage(id), ({ message }) => Effect.succeed(message))
    const at = yield* Clock.currentTimeMillis
    const command: RuntimeCommand =
      stays === undefined
        ? { _tag: "GarbageGone", at, what, id }
        : { _tag: "GarbageLeft", at, what, id, message: stays }
    return [{ to: runtimeActor, command }]
  })

const removePodGarbage = ({ what, id, uid }: Garbage): Effect.Effect<ReadonlyArray<Outgoing>, Failure, Needs> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const logs = yield* ContainerLogs
    const pods = yield* Pods
    const { facts } = yield* PodSettings
    const pod = pods.all().find(({ state }) => uidOf(state) === uid)
    if (what === "Container") {
      const state = (yield* runtime.listContainers({ [podUidLabel]: uid })).find((c) => c.id === id)?.state
      if (state === "CONTAINER_UNKNOWN") yield* runtime.stopContainer(id, unknownGrace)
      // One that runs by now is nobody's garbage.
      if (state !== undefined && state !== "CONTAINER_RUNNING") yield* removeDeadContainer(id)
    } else if (what === "Sandbox") {
      if ((yield* runtime.listPodSandboxes({ [podUidLabel]: uid })).some((s) => s.id === id)) {
        yield* runtime.stopPodSandbox(id)
        yield* runtime.removePodSandbox(id)
      }
    } else if (what === "Volume") {
      const volumes = yield* Volumes
      const inUse = (yield* runtime.listPodSandboxes({ [podUidLabel]: uid })).length > 0
      if (pod === undefined && !inUse) yield* volumes.unmount(uid, id.slice(uid.length + 1))
    } else if (what === "PodDirectory") {
      const inUse = (yield* runtime.listPodSandboxes({ [podUidLabel]: uid })).length > 0
      if (pod === undefined && !inUse) yield* (yield* Host).removeTree(id)
    } else if (pod === undefined) {
      // A manifest that came back unchanged brings the same uid: then the logs are the new pod's.
      if (facts.containerLogsDir !== undefined) yield* logs.unlink(facts.containerLogsDir, id)
      yield* logs.removeDirectory(id)
    }
    const at = yield* Clock.currentTimeMillis
    const gone: RuntimeCommand = { _tag: "GarbageGone", at, what, id }
    const holder = pod?.state.containers.find((c) => c.dead.includes(id))
    if (pod === undefined || holder === undefined) return [{ to: runtimeActor, command: gone }]
    const removed: PodCommand = { _tag: "ReportContainersRemoved", at, container: holder.name, containerIds: [id] }
    return [
      { to: runtimeActor, command: gone },
      { to: pod.id, command: removed }
    ]
  })
