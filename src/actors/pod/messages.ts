/**
 * What a pod tells other actors on each of its events, and again after a restart: which images and volumes it needs, which
 * probes are to ask and which to stop. Pure, so that a what-if run sends the same messages as a node.
 */
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { ProbeType } from "../../events/kinds/probe.ts"
import type { Container, Pod } from "../../events/pod-spec.ts"
import { imageActor } from "../image/identity.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { showsMetadata } from "../volume/content.ts"
import type { PodEvent } from "./evolve.ts"
import { portsOf } from "./plan/plan-hooks.ts"
import { everyContainer } from "./spec-extension.ts"
import { type ContainerInState, containerIn, containerSpec, type PodState } from "./state.ts"

const probeTypes = ["liveness", "readiness", "startup"] as const

const probeSpec = (container: Container, probe: ProbeType) =>
  probe === "liveness"
    ? container.livenessProbe
    : probe === "readiness"
      ? container.readinessProbe
      : container.startupProbe

/** Names are validated nowhere, and may be empty. */
const secretsOf = (pod: Pod): ReadonlyArray<string> =>
  (pod.spec.imagePullSecrets ?? []).flatMap(({ name = "" }) => (name === "" ? [] : [name]))

/** The one that has the pod's image pulled with the pod's own credentials. */
const imageOf = (pod: Pod, image: string): ActorId => imageActor(image, pod.metadata.namespace, secretsOf(pod))
const volumeActor = (id: ActorId, volume: string): ActorId => actorId("volume", id.namespace, `${id.name}.${volume}`)
const probeActor = (id: ActorId, container: string, probe: ProbeType): ActorId =>
  actorId("probe", id.namespace, `${id.name}.${container}.${probe}`)

const to = (id: ActorId, command: object): Outgoing => ({ to: id, command: command as Outgoing["command"] })

/** Images that containers still wait for, each asked for once. */
const requestImages = (
  state: PodState,
  at: number,
  containers: ReadonlyArray<ContainerInState> = state.containers
): ReadonlyArray<Outgoing> => {
  const pod = state.definition?.pod
  if (pod === undefined) return []
  const wanted = new Map<string, Container>()
  for (const c of containers) {
    const written = containerSpec(pod, c.name)
    if (c.imageId === "" && written !== undefined && !wanted.has(written.image)) wanted.set(written.image, written)
  }
  const secrets = secretsOf(pod)
  const request = (image: string, policy: Container["imagePullPolicy"] = "IfNotPresent") =>
    to(imageOf(pod, image), {
      ...{ _tag: "RequestImage", at, image, pod: state.name, policy },
      ...(secrets.length === 0 ? {} : { secrets })
    })
  const volumes = (state.imageVolumes ?? []).filter(({ imageId }) => imageId === "")
  return [
    ...[...wanted.values()].map((c) => request(c.image, c.imagePullPolicy)),
    ...volumes.map(({ name, image }) =>
      request(image, pod.spec.volumes?.find((volume) => volume.name === name)?.image?.pullPolicy)
    )
  ]
}

const releaseImages = (state: PodState, at: number): ReadonlyArray<Outgoing> => {
  const pod = state.definition?.pod
  if (pod === undefined) return []
  const images = new Set([
    ...everyContainer(pod.spec).map((c) => c.image),
    ...(state.imageVolumes ?? []).map(({ image }) => image)
  ])
  return [...images].map((image) => to(imageOf(pod, image), { _tag: "ReleaseImage", at, pod: state.name }))
}

const mountVolumes = (state: PodState, id: ActorId, at: number): ReadonlyArray<Outgoing> => {
  const pod = state.definition?.pod
  if (pod === undefined) return []
  const fsGroup = pod.spec.securityContext?.fsGroup
  return state.volumes.flatMap((v) => {
    const volume = pod.spec.volumes?.find((candidate) => candidate.name === v.name)
    if (v.status !== "requested" || volume === undefined) return []
    return [
      to(volumeActor(id, v.name), {
        _tag: "MountVolume",
        at,
        podUid: pod.metadata.uid,
        podPath: state.name,
        volume,
        ...(fsGroup === undefined ? {} : { fsGroup })
      })
    ]
  })
}

/** Volumes that show what has changed of the pod. */
const refreshVolumes = (state: PodState, id: ActorId, at: number): ReadonlyArray<Outgoing> => {
  const pod = state.definition?.pod
  const inUse = new Set(
    state.volumes.filter((v) => v.status === "requested" || v.status === "ready").map((v) => v.name)
  )
  return (pod?.spec.volumes ?? [])
    .filter((volume) => inUse.has(volume.name) && showsMetadata(volume))
    .map(({ name }) => to(volumeActor(id, name), { _tag: "RefreshVolume", at, podUid: pod!.metadata.uid }))
}

const unmountVolumes = (state: PodState, id: ActorId, at: number): ReadonlyArray<Outgoing> =>
  state.volumes
    .filter((v) => v.status === "released")
    .map((v) =>
      to(volumeActor(id, v.name), { _tag: "UnmountVolume", at, podUid: state.definition?.pod.metadata.uid ?? "" })
    )

/** Whoever has to go for this pod. */
const preemptOthers = ({ preempting, replacement }: PodState, id: ActorId, at: number): ReadonlyArray<Outgoing> => {
  const byUid = replacement?.pod.metadata.uid
  if (preempting === undefined || byUid === undefined) return []
  const by = `${id.namespace}/${id.name}`
  return preempting.pods.map(({ namespace, name, uid }) =>
    to(actorId("pod", namespace, name), { _tag: "PreemptPod", at, uid, by, byUid })
  )
}

/** The probes of a container that runs. Liveness and readiness wait for the startup probe. */
const startProbes = (state: PodState, id: ActorId, c: ContainerInState, at: number): ReadonlyArray<Outgoing> => {
  const pod = state.definition?.pod
  const written = pod === undefined ? undefined : containerSpec(pod, c.name)
  if (pod === undefined || written === undefined || (c.init && c.sidecar !== true)) return []
  // kubelet tells of a container, and so asks it, when its postStart hook is through.
  if (written.lifecycle?.postStart !== undefined && c.hooks?.PostStart?.status !== "succeeded") return []
  const isGated = written.startupProbe !== undefined && c.probes.startup?.result !== "success"
  return probeTypes.flatMap((probe) => {
    const spec = probeSpec(written, probe)
    if (spec === undefined || (isGated && probe !== "startup")) return []
    if (!isGated && probe === "startup") return []
    const ports = portsOf(pod, c.name)
    return [
      to(probeActor(id, c.name, probe), {
        _tag: "StartProbe",
        at,
        podUid: pod.metadata.uid,
        pod: state.name,
        container: c.name,
        containerId: c.containerId,
        probe,
        spec,
        host: state.sandbox?.ips[0] ?? "127.0.0.1",
        ports,
        startedAt: c.startedAt
      })
    ]
  })
}

const stopProbes = (
  state: PodState,
  id: ActorId,
  container: string,
  probes: ReadonlyArray<ProbeType>,
  reason: string,
  at: number
): ReadonlyArray<Outgoing> => {
  const written = state.definition === null ? undefined : containerSpec(state.definition.pod, container)
  return probes.flatMap((probe) =>
    written === undefined || probeSpec(written, probe) === undefined
      ? []
      : [to(probeActor(id, container, probe), { _tag: "StopProbe", at, reason })]
  )
}

/** Messages on an event. `state`: after the whole decision; `at`: milliseconds since the epoch. */
export const podMessages = (event: PodEvent, state: PodState, id: ActorId, at: number): ReadonlyArray<Outgoing> => {
  switch (event._tag) {
    case "PodPreemptionDecided":
      return preemptOthers(state, id, at)
    case "PodAdmitted":
      return [...mountVolumes(state, id, at), ...requestImages(state, at)]
    case "PodUpdated":
      return event.labels === undefined && event.annotations === undefined ? [] : refreshVolumes(state, id, at)
    case "EphemeralContainersAdded":
      return requestImages(
        state,
        at,
        event.containers.flatMap(({ name }) => containerIn(state, name) ?? [])
      )
    case "ContainerStarted": {
      const c = containerIn(state, event.container)
      return c?.containerId === event.containerId && c.status === "running" ? startProbes(state, id, c, at) : []
    }
    case "ContainerHookEnded": {
      const c = containerIn(state, event.container)
      const isStart = event.hook === "PostStart" && event.outcome === "succeeded"
      return isStart && c?.containerId === event.containerId && c.status === "running"
        ? startProbes(state, id, c, at)
        : []
    }
    case "ContainerProbeReported": {
      const c = containerIn(state, event.container)
      if (event.probe !== "startup" || event.result !== "success" || c?.status !== "running") return []
      return [...stopProbes(state, id, c.name, ["startup"], "it has passed", at), ...startProbes(state, id, c, at)]
    }
    case "ContainerStartFailed":
      return event.imageMissing === true ? requestImages(state, at) : []
    case "ContainerKillRequested": {
      const c = containerIn(state, event.container)
      if (c?.status !== "killing") return []
      // Readiness goes on being asked while the container ends, as kubelet does (worker.go).
      return stopProbes(state, id, c.name, ["liveness", "startup"], "its container is being stopped", at)
    }
    case "ContainerExited":
      return stopProbes(state, id, event.container, probeTypes, "its container has ended", at)
    case "PodTerminationRequested":
      return releaseImages(state, at)
    case "PodVolumesReleased":
      return unmountVolumes(state, id, at)
    default:
      return []
  }
}

/** Events on which a pod may have something to tell. */
export const podTells: ReadonlySet<PodEvent["_tag"]> = new Set([
  "PodPreemptionDecided",
  "PodAdmitted",
  "PodUpdated",
  "EphemeralContainersAdded",
  "ContainerStarted",
  "ContainerHookEnded",
  "ContainerProbeReported",
  "ContainerStartFailed",
  "ContainerKillRequested",
  "ContainerExited",
  "PodTerminationRequested",
  "PodVolumesReleased"
])

/** Told again after a restart: what others may have missed. */
export const podReminders = (state: PodState, id: ActorId, at: number): ReadonlyArray<Outgoing> => [
  ...preemptOthers(state, id, at),
  ...mountVolumes(state, id, at),
  ...unmountVolumes(state, id, at),
  ...(state.termination === null ? requestImages(state, at) : []),
  ...state.containers.filter((c) => c.status === "running").flatMap((c) => startProbes(state, id, c, at))
]
