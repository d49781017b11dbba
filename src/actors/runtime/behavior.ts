/** The runtime's actor, live: it watches the runtime and removes sandboxes that belong to no pod any more. */
import { Clock, Effect, Schedule } from "effect"
import { Cgroups } from "../../adapters/cgroupfs/port.ts"
import { ContainerRuntime } from "../../adapters/cri/port.ts"
import { Host } from "../../adapters/host/port.ts"
import { ContainerLogs } from "../../adapters/logs/port.ts"
import { Volumes } from "../../adapters/volumes/port.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import { observeLogs } from "../log/observer.ts"
import type { LogRotation } from "../log/settings.ts"
import { type NodeFacts, podDirectory, podsCgroup } from "../pod/node-facts.ts"
import { Pods } from "../pod/pods.ts"
import { cgroupPath } from "../pod/resources/cgroup.ts"
import { PodSettings } from "../pod/settings.ts"
import { uidOf } from "../pod/state.ts"
import { observeGarbage, removeGarbage } from "./collector.ts"
import type { RuntimeCommand } from "./commands.ts"
import { runtimeDecider } from "./decider.ts"
import { runtimeActor } from "./identity.ts"
import { type ImageGc, observeImages } from "./image-survey.ts"
import { observeRuntime } from "./observer.ts"
import type { OomWitness } from "./oom-witness.ts"
import { type RuntimeReach, whenReached } from "./reach.ts"
import type { Garbage, Orphan, RuntimeEvent, RuntimeState } from "./state.ts"

export type RuntimeNeeds =
  | Cgroups
  | ContainerLogs
  | ContainerRuntime
  | Host
  | ImageGc
  | LogRotation
  | OomWitness
  | PodSettings
  | Pods
  | RuntimeReach
  | Volumes

/** Between attempts to remove an orphan: 1 s, doubling to a minute. */
const removalRetry = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")])

/** Cgroups that a pod may have had: its class is not known any more. */
const cgroupsOf = (uid: string, facts: NodeFacts): ReadonlyArray<string> =>
  facts.cgroupsPerQos === false
    ? []
    : [[], ["burstable"], ["besteffort"]].map((tier) =>
        cgroupPath([...podsCgroup(facts), ...tier, `pod${uid}`], facts.cgroupDriver)
      )

const removeOrphan = (orphan: Orphan): Effect.Effect<ReadonlyArray<Outgoing>, never, RuntimeNeeds> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const host = yield* Host
    const logs = yield* ContainerLogs
    const cgroups = yield* Cgroups
    const pods = yield* Pods
    const { facts } = yield* PodSettings
    yield* runtime.stopPodSandbox(orphan.sandboxId)
    yield* runtime.removePodSandbox(orphan.sandboxId)
    // A manifest that comes back unchanged brings the same uid: then the rest belongs to the new pod.
    if (!pods.all().some(({ state }) => uidOf(state) === orphan.uid)) {
      const volumes = yield* Volumes
      for (const { podUid, name } of yield* volumes.onNode) {
        if (podUid === orphan.uid) yield* volumes.unmount(podUid, name)
      }
      yield* host.removeTree(podDirectory(facts, orphan.uid))
      const logDirectory = `${facts.podLogsDir}/${orphan.namespace}_${orphan.name}_${orphan.uid}`
      if (facts.containerLogsDir !== undefined) yield* logs.unlink(facts.containerLogsDir, logDirectory)
      yield* host.removeTree(logDirectory)
      yield* Effect.forEach(cgroupsOf(orphan.uid, facts), cgroups.remove, { discard: true })
    }
    const command: RuntimeCommand = {
      _tag: "OrphanGone",
      at: yield* Clock.currentTimeMillis,
      sandboxId: orphan.sandboxId
    }
    return [{ to: runtimeActor, command }]
  }).pipe(
    whenReached,
    Effect.tapError((error) =>
      Effect.logWarning(`cannot remove orphaned sandbox ${orphan.sandboxId}: ${error.message}`)
    ),
    Effect.retry(removalRetry),
    Effect.orDie
  )

const collect = (garbage: Garbage): Effect.Effect<ReadonlyArray<Outgoing>, never, RuntimeNeeds> =>
  whenReached(removeGarbage(garbage)).pipe(
    Effect.tapError((error) => Effect.logWarning(`cannot remove ${garbage.what} ${garbage.id}: ${error.message}`)),
    Effect.retry(removalRetry),
    Effect.orDie
  )

export const runtimeBehavior: Behavior<RuntimeState, RuntimeCommand, RuntimeEvent, RuntimeNeeds> = {
  ...runtimeDecider,
  react: ({ event }) =>
    event._tag === "OrphanSandboxFound" ? removeOrphan(event) : event._tag === "GarbageFound" ? collect(event) : [],
  observe: () => [
    { key: "relist", run: observeRuntime },
    { key: "logs", run: observeLogs },
    { key: "garbage", run: observeGarbage },
    { key: "images", run: observeImages }
  ],
  resume: (state) => [...state.orphans.map(removeOrphan), ...(state.garbage ?? []).map(collect)]
}
