/** The pod's actor, live: what each of its events sets going, and what is taken up again after a restart. */
import { Clock, Effect } from "effect"
import type { ContainerRuntime } from "../../adapters/cri/port.ts"
import type { Host } from "../../adapters/host/port.ts"
import type { Manifests } from "../../adapters/manifests/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { ProbeType } from "../../events/kinds/probe.ts"
import type { Container } from "../../events/pod-spec.ts"
import type { Behavior, Outgoing, Reaction } from "../kernel/behavior.ts"
import type { PodCommand } from "./commands.ts"
import { ensureContainer, removeDeadContainers, stopContainer } from "./container-effects.ts"
import { podDecider } from "./decider.ts"
import type { PodEvent } from "./evolve.ts"
import { cleanUp, ensureSandbox, stopSandbox } from "./sandbox-effects.ts"
import type { PodSettings } from "./settings.ts"
import { type ContainerInState, containerIn, containerSpec, type PodState } from "./state.ts"

export type PodNeeds = ContainerRuntime | Host | Manifests | PodSettings

const probeTypes = ["liveness", "readiness", "startup"] as const

const probeSpec = (container: Container, probe: ProbeType) =>
  probe === "liveness"
    ? container.livenessProbe
    : probe === "readiness"
      ? container.readinessProbe
      : container.startupProbe

// --- who else is told ------------------------------------------------------------------------------------------------

const imageActor = (image: string): ActorId => actorId("image", "", image)
const volumeActor = (id: ActorId, volume: string): ActorId => actorId("volume", id.namespace, `${id.name}.${volume}`)
const probeActor = (id: ActorId, container: string, probe: ProbeType): ActorId =>
  actorId("probe", id.namespace, `${id.name}.${container}.${probe}`)

const to = (id: ActorId, command: object): Outgoing => ({ to: id, command: command as Outgoing["command"] })

/** Images that containers still wait for, each asked for once. */
const requestImages = (state: PodState, at: number): ReadonlyArray<Outgoing> => {
  const wanted = new Map<string, Container>()
  for (const c of state.containers) {
    const written = state.definition === null ? undefined : containerSpec(state.definition.pod, c.name)
    if (c.imageId === "" && written !== undefined && !wanted.has(written.image)) wanted.set(written.image, written)
  }
  return [...wanted.values()].map((c) =>
    to(imageActor(c.image), {
      _tag: "RequestImage",
      at,
      image: c.image,
      pod: state.name,
      policy: c.imagePullPolicy ?? "IfNotPresent"
    })
  )
}

const releaseImages = (state: PodState, at: number): ReadonlyArray<Outgoing> => {
  const images = new Set(
    [...(state.definition?.pod.spec.initContainers ?? []), ...(state.definition?.pod.spec.containers ?? [])].map(
      (c) => c.image
    )
  )
  return [...images].map((image) => to(imageActor(image), { _tag: "ReleaseImage", at, pod: state.name }))
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

const unmountVolumes = (state: PodState, id: ActorId, at: number): ReadonlyArray<Outgoing> =>
  state.volumes
    .filter((v) => v.status === "released")
    .map((v) =>
      to(volumeActor(id, v.name), { _tag: "UnmountVolume", at, podUid: state.definition?.pod.metadata.uid ?? "" })
    )

/** The probes of a container that runs. Liveness and readiness wait for the startup probe. */
const startProbes = (state: PodState, id: ActorId, c: ContainerInState, at: number): ReadonlyArray<Outgoing> => {
  const pod = state.definition?.pod
  const written = pod === undefined ? undefined : containerSpec(pod, c.name)
  if (pod === undefined || written === undefined || c.init) return []
  const isGated = written.startupProbe !== undefined && c.probes.startup?.result !== "success"
  return probeTypes.flatMap((probe) => {
    const spec = probeSpec(written, probe)
    if (spec === undefined || (isGated && probe !== "startup")) return []
    if (!isGated && probe === "startup") return []
    const ports = Object.fromEntries(
      (written.ports ?? []).flatMap((p) => (p.name === undefined ? [] : [[p.name, p.containerPort]]))
    )
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

// --- reactions -------------------------------------------------------------------------------------------------------

const toSelf =
  (id: ActorId) =>
  (commands: ReadonlyArray<PodCommand>): ReadonlyArray<Outgoing> =>
    commands.map((command) => ({ to: id, command }))

const react = (recorded: RecordedEvent<PodEvent>, state: PodState, id: ActorId): Reaction<PodNeeds> => {
  const { event } = recorded
  const tell = (make: (at: number) => ReadonlyArray<Outgoing>) => Effect.map(Clock.currentTimeMillis, make)
  const self = Effect.map(toSelf(id))
  const one = Effect.map((command: PodCommand) => toSelf(id)([command]))
  const pod = state.definition?.pod
  switch (event._tag) {
    case "PodAdmitted":
      return tell((at) => [...mountVolumes(state, id, at), ...requestImages(state, at)])
    case "SandboxRequested":
      return pod === undefined ? nothing : one(ensureSandbox(pod, event.attempt, state.startTime, false))
    case "ContainerStartRequested":
      return self(ensureContainer(state, event.container, false))
    case "ContainerStarted": {
      const c = containerIn(state, event.container)
      if (c === undefined) return nothing
      const isCurrent = c.containerId === event.containerId && c.status === "running"
      return [tell((at) => (isCurrent ? startProbes(state, id, c, at) : [])), self(removeDeadContainers(c))]
    }
    case "ContainerProbeReported": {
      const c = containerIn(state, event.container)
      if (event.probe !== "startup" || event.result !== "success" || c?.status !== "running") return nothing
      return tell((at) => [
        ...stopProbes(state, id, c.name, ["startup"], "it has passed", at),
        ...startProbes(state, id, c, at)
      ])
    }
    case "ContainerStartFailed": {
      const c = containerIn(state, event.container)
      return [
        tell((at) => (event.imageMissing === true ? requestImages(state, at) : [])),
        ...(c === undefined ? [] : [self(removeDeadContainers(c))])
      ]
    }
    case "ContainerKillRequested": {
      const c = containerIn(state, event.container)
      if (c === undefined || c.status !== "killing") return nothing
      return [
        // Readiness goes on being asked while the container ends, as kubelet does (worker.go).
        tell((at) => stopProbes(state, id, c.name, ["liveness", "startup"], "its container is being stopped", at)),
        self(stopContainer(c))
      ]
    }
    case "ContainerExited":
      return tell((at) => stopProbes(state, id, event.container, probeTypes, "its container has ended", at))
    case "SandboxStopRequested":
      return one(stopSandbox(event.sandboxId))
    case "PodTerminationRequested":
      return tell((at) => releaseImages(state, at))
    case "PodVolumesReleased":
      return tell((at) => unmountVolumes(state, id, at))
    case "PodCleanupRequested":
      return pod === undefined ? nothing : one(cleanUp(pod))
    default:
      return nothing
  }
}

const nothing: Effect.Effect<ReadonlyArray<Outgoing>> = Effect.succeed([])

/**
 * After a restart of the agent or of the actor: what was decided and has no outcome yet is looked for in the runtime and
 * finished, and others are told again what they may have missed.
 */
const resume = (state: PodState, id: ActorId): Reaction<PodNeeds> => {
  const pod = state.definition?.pod
  if (pod === undefined) return []
  const one = Effect.map((command: PodCommand) => toSelf(id)([command]))
  const self = Effect.map(toSelf(id))
  return [
    Effect.map(Clock.currentTimeMillis, (at) => [
      ...mountVolumes(state, id, at),
      ...unmountVolumes(state, id, at),
      ...(state.termination === null ? requestImages(state, at) : []),
      ...state.containers.filter((c) => c.status === "running").flatMap((c) => startProbes(state, id, c, at))
    ]),
    ...(state.sandbox?.status === "requested"
      ? [one(ensureSandbox(pod, state.sandbox.attempt, state.startTime, true))]
      : []),
    ...(state.sandbox?.status === "stopping" ? [one(stopSandbox(state.sandbox.sandboxId))] : []),
    ...(state.cleanup === null ? [] : [one(cleanUp(pod))]),
    ...state.containers.filter((c) => c.status === "starting").map((c) => self(ensureContainer(state, c.name, true))),
    ...state.containers.filter((c) => c.status === "killing").map((c) => self(stopContainer(c)))
  ]
}

export const podBehavior: Behavior<PodState, PodCommand, PodEvent, PodNeeds> = { ...podDecider, react, resume }
