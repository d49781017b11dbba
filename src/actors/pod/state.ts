/**
 * The state of a pod's actor: plain JSON, a fold of the pod's events and of nothing else. One actor per pod name: when
 * the definition changes the new one waits in `replacement` until the running one is gone (static pods of one full name
 * exclude each other).
 */
import type { EventOf } from "../../events/catalogue.ts"
import type { CgroupValues } from "../../events/cgroup-values.ts"
import type { PodHold, PodPhase } from "../../events/kinds/pod.ts"
import type { ProbeResult, ProbeType } from "../../events/kinds/probe.ts"
import type { NodeRoom, PreemptedPod } from "../../events/node-room.ts"
import type { Container, EphemeralContainer, Pod } from "../../events/pod-spec.ts"
import type { UserNamespace } from "../../events/user-namespace.ts"
import { containerGcPolicy } from "../runtime/garbage.ts"
import { type BackOff, type BackOffPolicy, crashBackOffPolicy } from "./plan/backoff.ts"
import type { PodResources } from "./resources/pod-resources.ts"
import type { QosClass } from "./resources/qos.ts"

export interface Definition {
  readonly pod: Pod
  readonly source: string
  readonly qosClass: QosClass
  /** Longest crash back-off, seconds. */
  readonly maxRestartPeriodSeconds: number
  /** Ids of its own user namespace. */
  readonly userNamespace?: UserNamespace
  /** Handler of its RuntimeClass; absent: the node's default. */
  readonly runtimeHandler?: string
  /** Of one that waits: what the node had left when it was asked for, and why the node took no pods then. */
  readonly room?: NodeRoom
  readonly hold?: PodHold
  /** Id of the event that brought it. */
  readonly because: string
}

export interface Retry {
  readonly failures: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly because: string
}

/** What a step carries of the attempts at it that failed. */
export const failuresOf = ({ failures }: { readonly failures?: number }): { readonly failures?: number } =>
  failures === undefined ? {} : { failures }

export interface SandboxInState {
  /**
   * requested → ready → (lost →) stopping → stopped. `failed`: could not be made, tried again at `retry`.
   */
  readonly status: "requested" | "failed" | "ready" | "lost" | "stopping" | "stopped"
  readonly attempt: number
  readonly sandboxId: string
  readonly ips: ReadonlyArray<string>
  /** Addresses of the node when it was made, the primary one first. */
  readonly hostIps?: ReadonlyArray<string>
  readonly createdAt: string
  readonly retry: Retry | null
  /** Attempts to stop it that failed before the one that is under way. */
  readonly failures?: number
  /** Id of the event that put it into its status. */
  readonly because: string
}

export interface Exit {
  readonly containerId: string
  readonly attempt: number
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  readonly oomKilled: boolean
  /** Why the agent had stopped it; absent: it ended by itself (or before the flag RestartAfterOwnKill). */
  readonly killedFor?: KillReason
  readonly startedAt: string
  readonly finishedAt: string
}

export type KillReason = EventOf<"ContainerKillRequested">["reason"]

export type HookType = EventOf<"ContainerHookStarted">["hook"]

/** A lifecycle hook of the present life of a container. */
export interface HookInState {
  readonly status: "running" | "succeeded" | "failed"
  /** When it began (ms). */
  readonly at: number
  /** When a sleep is over (ms). */
  readonly until?: number
  readonly because: string
}

export interface KillInState {
  readonly reason: KillReason
  readonly message: string
  readonly gracePeriodSeconds: number
  readonly at: number
  readonly because: string
  readonly retry: Retry | null
  /** Attempts that failed before the one that is under way. */
  readonly failures?: number
  /** What the stop signal waits for, within the grace period: the preStop hook, the ends of other containers. */
  readonly preStop?: boolean
  readonly after?: ReadonlyArray<string>
  /** It waits no more: the signal is sent. */
  readonly signalled?: true
}

export interface ProbeInState {
  readonly result: ProbeResult
  readonly output: string
  readonly because: string
}

export interface ContainerInState {
  readonly name: string
  readonly init: boolean
  /** A restartable init container: it runs on beside the regular ones. Absent for others, as is all that follows from new fields. */
  readonly sidecar?: true
  /** It was put into the pod to look at it: started once, and nothing depends on it. */
  readonly ephemeral?: true
  /** waiting (never ran) → starting → running → (killing →) exited → starting … */
  readonly status: "waiting" | "starting" | "running" | "killing" | "exited"
  /** Attempt of the container that is starting, running or was last; -1: none yet. Also the restart count. */
  readonly attempt: number
  readonly containerId: string
  readonly sandboxId: string
  readonly imageId: string
  readonly startedAt: string
  /** What stops it, where the runtime tells. */
  readonly stopSignal?: string
  /** As whom it runs, where the runtime tells. */
  readonly user?: EventOf<"ContainerStarted">["user"]
  /** Id of the event that said that it runs. */
  readonly startedBecause: string
  readonly lastExit: Exit | null
  readonly previousExit: Exit | null
  /** Why it cannot start, for people: kubelet's waiting reason. */
  readonly waiting: { readonly reason: string; readonly message: string } | null
  readonly kill: KillInState | null
  /** It is not restarted before `until` (ms). */
  readonly backOff: { readonly delaySeconds: number; readonly until: number; readonly because: string } | null
  /** Its row of restarts, see backoff.ts. */
  readonly crashes: BackOff | null
  readonly startRetry: Retry | null
  readonly probes: Readonly<Partial<Record<ProbeType, ProbeInState>>>
  readonly hooks?: Readonly<Partial<Record<HookType, HookInState>>>
  /** It ended so that all containers start over: it is to run whatever its end was. */
  readonly again?: boolean
  readonly ready: boolean
  /** Ids of dead containers of this name that the runtime still has, newest last. */
  readonly dead: ReadonlyArray<string>
  /** Id of the event that last moved it on: what its next step is caused by. */
  readonly because: string
}

export interface VolumeInState {
  readonly name: string
  readonly status: "requested" | "ready" | "released" | "removed"
  readonly path: string
}

/** A volume that is an image: nothing of it is on the node but the image. */
export interface ImageVolumeInState {
  readonly name: string
  /** As the pod writes it. */
  readonly image: string
  /** Empty until it is there. */
  readonly imageId: string
}

export interface ConditionInState {
  readonly status: boolean
  readonly reason: string
  readonly message: string
  readonly since: string
}

/** What was told of wishes for ephemeral containers that a pod that runs cannot be given, by name. */
export type EphemeralDifference = Pick<EventOf<"EphemeralContainersDiffer">, "removed" | "changed" | "refused">

/** A resize in place. What the pod was admitted with stands in its definition. */
export interface ResizeInState {
  /** What is asked for and cannot be had; `reason` absent: it is being decided. */
  readonly pending?: {
    readonly to: PodResources
    readonly reason?: "Deferred" | "Infeasible"
    readonly message: string
    readonly because: string
  }
  /** What is in force of what runs, until it is what the definition says; absent: it is. */
  readonly actuated?: PodResources
  /** The pod's cgroup has not been set since. */
  readonly cgroupDue?: boolean
  readonly status?: "applying" | "failed"
  readonly message?: string
  readonly retry?: Retry | null
  readonly because: string
}

export interface FailureInState {
  readonly reason: string
  readonly message: string
  /** Seconds that its containers have at most to end; absent: their own grace periods. */
  readonly gracePeriodSeconds?: number
  /** It was evicted for the node's sake, and not for a limit of its own. */
  readonly disrupted?: boolean
  readonly because: string
}

export interface PodState {
  /** `namespace/name` */
  readonly name: string
  readonly definition: Definition | null
  readonly replacement: Definition | null
  readonly termination: {
    readonly reason: EventOf<"PodTerminationRequested">["reason"]
    readonly gracePeriodSeconds: number
    readonly at: number
    readonly because: string
  } | null
  /** The pods whose place `replacement` takes: it waits until nothing of them runs. */
  readonly preempting?: { readonly pods: ReadonlyArray<PreemptedPod>; readonly because: string }
  /** The node takes no pods: `replacement` waits for it to do so again. */
  readonly held?: PodHold & { readonly because: string }
  /** It failed as a whole (DeadlineExceeded, Preempting, Terminated, Evicted): nothing of it is started any more. */
  readonly failed?: FailureInState
  /** All its containers are being stopped to start over. */
  readonly restarting?: { readonly because: string } | null
  readonly volumes: ReadonlyArray<VolumeInState>
  /** Absent: the pod has none. */
  readonly imageVolumes?: ReadonlyArray<ImageVolumeInState>
  readonly sandbox: SandboxInState | null
  /** Other resources that were asked for while it runs; absent: there were none. */
  readonly resize?: ResizeInState
  /** What of its manifest cannot be changed while it runs. */
  readonly updateRefused?: { readonly field: string; readonly message: string }
  /** Its cgroup as the kernel was told it. */
  readonly cgroup?: { readonly path: string; readonly values: CgroupValues }
  readonly containers: ReadonlyArray<ContainerInState>
  /** A regular container has been started in this sandbox: init containers are behind us. */
  readonly initialized: boolean
  readonly phase: PodPhase
  readonly conditions: Readonly<Record<string, ConditionInState>>
  readonly startTime: string
  readonly cleanup: { readonly because: string; readonly retry: Retry | null; readonly failures?: number } | null
  /** Refused at admission, kept until the definition changes or goes. */
  readonly ephemeralDiffer?: EphemeralDifference
  readonly rejected: { readonly uid: string; readonly reason: string; readonly message: string } | null
  /** Id of the last event of the pod. */
  readonly because: string
}

export const emptyPod = (name: string): PodState => ({
  name,
  definition: null,
  replacement: null,
  termination: null,
  volumes: [],
  sandbox: null,
  containers: [],
  initialized: false,
  phase: "Pending",
  conditions: {},
  startTime: "",
  cleanup: null,
  rejected: null,
  because: ""
})

export const emptyContainer = (name: string, init: boolean, sidecar = false): ContainerInState => ({
  name,
  init,
  ...(sidecar ? { sidecar } : {}),
  status: "waiting",
  attempt: -1,
  containerId: "",
  sandboxId: "",
  imageId: "",
  startedAt: "",
  startedBecause: "",
  lastExit: null,
  previousExit: null,
  waiting: null,
  kill: null,
  backOff: null,
  crashes: null,
  startRetry: null,
  probes: {},
  ready: false,
  dead: [],
  because: ""
})

export const emptyEphemeral = (name: string): ContainerInState => ({ ...emptyContainer(name, false), ephemeral: true })

/** One of those that the pod is there for. */
export const isRegular = (c: ContainerInState): boolean => !c.init && c.ephemeral !== true

/** The crash back-off that holds for this pod's containers. */
export const crashPolicy = (state: PodState): BackOffPolicy =>
  crashBackOffPolicy(state.definition === null ? undefined : state.definition.maxRestartPeriodSeconds * 1000)

export const uidOf = (state: PodState): string =>
  state.definition?.pod.metadata.uid ??
  state.rejected?.uid ??
  (state.preempting === undefined && state.held === undefined ? undefined : state.replacement?.pod.metadata.uid) ??
  ""

export const containerIn = (state: PodState, name: string): ContainerInState | undefined =>
  state.containers.find((c) => c.name === name)

/** A container of any kind, as its pod's definition has it. */
export type ContainerSpec = Container & Pick<EphemeralContainer, "targetContainerName">

/** The container of a pod's definition: init, regular or ephemeral. */
export const containerSpec = (pod: Pod, name: string): ContainerSpec | undefined => {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec
  const is = (c: { readonly name: string }): boolean => c.name === name
  return containers.find(is) ?? initContainers.find(is) ?? ephemeralContainers.find(is)
}

/** The volumes that are images among those that a container mounts. */
export const imageVolumesOf = (state: PodState, container: string): ReadonlyArray<ImageVolumeInState> => {
  const { imageVolumes, definition } = state
  if (imageVolumes === undefined || definition === null) return []
  const mounts = containerSpec(definition.pod, container)?.volumeMounts ?? []
  return imageVolumes.filter(({ name }) => mounts.some((mount) => mount.name === name))
}

export const isAlive = (container: ContainerInState): boolean =>
  container.status === "starting" || container.status === "running" || container.status === "killing"

/** The agent stopped it for something that a new start is to mend, whatever the exit code of the stopped process was. */
export const isOwnKill = ({ killedFor }: Exit): boolean => killedFor !== undefined && ownKills.has(killedFor)
const ownKills: ReadonlySet<KillReason> = new Set(["LivenessProbe", "StartupProbe", "SandboxLost", "Resize", "Unknown"])

/** A container whose stop signal waits for its preStop hook or for the ends of others. */
export const isHeld = (c: ContainerInState): c is ContainerInState & { readonly kill: KillInState } =>
  c.status === "killing" &&
  c.kill !== null &&
  c.kill.signalled !== true &&
  (c.kill.preStop === true || c.kill.after !== undefined)

/** When such a stop waits no longer (ms): its grace period is over. */
export const holdUntil = (kill: KillInState): number => kill.at + kill.gracePeriodSeconds * 1000

/** Ids of the dead containers that are to be removed, oldest first. */
export const surplusDead = ({ dead }: ContainerInState): ReadonlyArray<string> =>
  dead.slice(0, Math.max(dead.length - containerGcPolicy.maxPerPodContainer, 0))
