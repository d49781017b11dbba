/** The source's actor, live: it watches the manifest directory and tells pods that they are desired, or not any more. */
import { Clock, Effect } from "effect"
import type { ContainerRuntime } from "../../adapters/cri/port.ts"
import { Manifests } from "../../adapters/manifests/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { EventOf } from "../../events/catalogue.ts"
import type { Pod } from "../../events/pod-spec.ts"
import type { Behavior, Outgoing, Reaction } from "../kernel/behavior.ts"
import { Admission } from "../node/admission.ts"
import { Reopening } from "../node/reopening.ts"
import { NodeLook } from "../node/settings.ts"
import { holdFor } from "../node/status/holds.ts"
import type { DesirePod, UndesirePod } from "../pod/commands.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import type { RuntimeView } from "../runtime/features.ts"
import { observeServices, type ServicesNeeds } from "../service/observer.ts"
import type { RefreshVolume } from "../volume/commands.ts"
import { referencesOf } from "../volume/content.ts"
import type { SourceCommand } from "./commands.ts"
import { sourceDecider } from "./decider.ts"
import { hostFeatures } from "./host-features.ts"
import { SourceLook } from "./look.ts"
import { observeManifests } from "./observer.ts"
import { Placements } from "./placements.ts"
import type { DeclaredPod, SourceEvent, SourceState } from "./state.ts"

type Emit = (outgoing: Outgoing) => Effect.Effect<void>

export type SourceNeeds =
  | ServicesNeeds
  | Manifests
  | Admission
  | ContainerRuntime
  | Placements
  | PodSettings
  | Pods
  | Reopening
  | RuntimeView

/** The directory of pods. */
export const manifestSource: ActorId = actorId("source", "", "manifests")
/** The directory of Services. */
export const serviceSource: ActorId = actorId("source", "", "services")

const podActor = ({ namespace, name }: Pick<DeclaredPod, "namespace" | "name">): ActorId =>
  actorId("pod", namespace, name)

/**
 * The runtime's handler for a pod: that of its RuntimeClass. A class that has no object beside the pods is taken for the
 * handler itself, which the runtime refuses where it does not know it (kubelet without an API server ignores the field).
 */
const handlerOf = (pod: Pod, manifests: Manifests["Service"]): Effect.Effect<string | undefined> => {
  const name = pod.spec.runtimeClassName ?? ""
  if (name === "") return Effect.succeed(undefined)
  // What was declared has been scanned: there is no waiting here.
  return manifests.objects.runtimeClass(name).pipe(
    Effect.map((found) => found?.handler ?? name),
    Effect.catch(() => Effect.succeed(name))
  )
}

/** A pod that the directory does not declare in this form any more is left out: the next look tells what is there now. */
const desire = (
  pods: ReadonlyArray<DeclaredPod>,
  source: string
): Effect.Effect<ReadonlyArray<Outgoing>, never, SourceNeeds> =>
  Effect.gen(function* () {
    const manifests = yield* Manifests
    const admission = yield* Admission
    const placements = yield* Placements
    const node = yield* NodeLook
    const { maxContainerRestartPeriodSeconds: maxRestartPeriodSeconds } = yield* PodSettings
    // Closed while the journal's disk is full; what is declared is asked for afterwards.
    yield* admission.passed
    const at = yield* Clock.currentTimeMillis
    const outgoing: Array<Outgoing> = []
    for (const declared of pods) {
      const pod = yield* manifests.declared(declared.uid)
      if (pod === undefined) continue
      const hold = holdFor(node.state(), pod)
      // One that waits takes nobody's place.
      const room = hold === undefined ? placements.roomFor(pod, yield* hostFeatures(pod)) : undefined
      const userNamespace = placements.userNamespaceFor(pod)
      const runtimeHandler = yield* handlerOf(pod, manifests)
      const command: typeof DesirePod.Type = {
        _tag: "DesirePod",
        at,
        pod,
        source,
        maxRestartPeriodSeconds,
        ...(userNamespace === undefined ? {} : { userNamespace }),
        ...(runtimeHandler === undefined ? {} : { runtimeHandler }),
        ...(room === undefined ? {} : { room }),
        ...(hold === undefined ? {} : { hold })
      }
      outgoing.push({ to: podActor(declared), command })
    }
    return outgoing
  })

const undesire = (pods: ReadonlyArray<DeclaredPod>): Effect.Effect<ReadonlyArray<Outgoing>, never, Placements> =>
  Effect.zipWith(Placements, Clock.currentTimeMillis, (placements, at) =>
    pods.map((pod) => {
      placements.forget(`${pod.namespace}/${pod.name}`)
      const command: typeof UndesirePod.Type = { _tag: "UndesirePod", at, uid: pod.uid, reason: "ManifestRemoved" }
      return { to: podActor(pod), command }
    })
  )

/** Volumes that take files from an object are told that it is another one now, or gone. */
const refreshVolumes = ({
  kind,
  namespace,
  name
}: Pick<EventOf<"ObjectRemoved">, "kind" | "namespace" | "name">): Effect.Effect<
  ReadonlyArray<Outgoing>,
  never,
  Pods
> =>
  Effect.zipWith(Pods, Clock.currentTimeMillis, (pods, at) =>
    pods.all().flatMap(({ id, state }) => {
      const pod = state.definition?.pod
      if (pod === undefined || pod.metadata.namespace !== namespace) return []
      const inUse = new Set(
        state.volumes.filter((v) => v.status === "requested" || v.status === "ready").map((v) => v.name)
      )
      return (pod.spec.volumes ?? [])
        .filter((volume) => inUse.has(volume.name))
        .filter((volume) => referencesOf(volume).some((r) => r.kind === kind && r.name === name))
        .map((volume) => {
          const command: RefreshVolume = { _tag: "RefreshVolume", at, podUid: pod.metadata.uid }
          return { to: actorId("volume", id.namespace, `${id.name}.${volume.name}`), command }
        })
    })
  )

const removedPods = (removed: SourceState["removed"]): ReadonlyArray<DeclaredPod> =>
  Object.entries(removed).map(([name, uid]) => {
    const slash = name.indexOf("/")
    return { namespace: name.slice(0, slash), name: name.slice(slash + 1), uid }
  })

const desireAll = (files: SourceState["files"]): Effect.Effect<ReadonlyArray<Outgoing>, never, SourceNeeds> =>
  Effect.map(
    Effect.forEach(Object.entries(files), ([file, { pods }]) => desire(pods, file)),
    (outgoing) => outgoing.flat()
  )

const takePods = (state: SourceState): Reaction<SourceNeeds> => [
  // The pods' definitions come from the directory: it has to be read first.
  Effect.flatMap(Manifests, (manifests) => Effect.andThen(manifests.scan, desireAll(state.files))),
  undesire(removedPods(state.removed))
]

/** The node takes pods again: all that are declared now are asked for. Runs until interrupted. */
const observeReopening = (emit: Emit): Effect.Effect<never, never, SourceNeeds> =>
  Effect.gen(function* () {
    const reopening = yield* Reopening
    const source = yield* SourceLook
    while (true) {
      const cause = yield* reopening.rung
      for (const outgoing of yield* desireAll(source.files())) yield* emit({ ...outgoing, cause })
    }
  })

const isSame = (a: ActorId, b: ActorId): boolean => a.namespace === b.namespace && a.name === b.name

/** `sources`: those that are looked at. What an earlier life of the agent knew of others stays as it is. */
export const makeSourceBehavior = (
  sources: ReadonlyArray<ActorId>
): Behavior<SourceState, SourceCommand, SourceEvent, SourceNeeds> => {
  const looksAt = (id: ActorId, source: ActorId): boolean =>
    isSame(id, source) && sources.some((one) => isSame(one, source))
  return {
    ...sourceDecider,
    react: ({ event }, _, id) => {
      if (!isSame(id, manifestSource)) return []
      switch (event._tag) {
        case "ManifestRead":
          return [desire(event.pods, event.file), undesire(event.dropped ?? [])]
        case "ManifestRemoved":
          return undesire(event.pods)
        case "ObjectDeclared":
        case "ObjectChanged":
        case "ObjectRemoved":
          return refreshVolumes(event)
        default:
          return []
      }
    },
    observe: (state, id) => [
      ...(looksAt(id, manifestSource)
        ? [
            { key: "reopening", run: observeReopening },
            {
              key: "manifests",
              run: (emit: Emit) =>
                observeManifests(id, Object.keys(state.files), Object.keys(state.objects ?? {}), emit)
            }
          ]
        : []),
      ...(looksAt(id, serviceSource)
        ? [{ key: "services", run: (emit: Emit) => observeServices(id, Object.keys(state.files), emit) }]
        : [])
    ],
    resume: (state, id) => (looksAt(id, manifestSource) ? takePods(state) : [])
  }
}
