/**
 * The container runtime as actors see it: the CRI v1 calls that a node agent makes, in plain values. Names and meaning
 * are those of the CRI definition (runtime.v1); integers are numbers, enumerations are their names, times are RFC 3339.
 *
 * Every call has a deadline of its own (`deadlines`), fails with a `CriError`, and may be interrupted. What each
 * implementation must keep stands in test/adapters/cri/runtime-contract.ts.
 */
import { Context, type Effect, type Redacted, Schema, type Stream } from "effect"

/**
 * What went wrong, in words that a caller can act on. `Unavailable`: nobody answers (try again later); `DeadlineExceeded`:
 * the call took too long, and may or may not have happened; `Unimplemented`: this runtime has no such call;
 * `AlreadyExists`: the name is taken, e.g. by an earlier attempt of ours; `Protocol`: the answer makes no sense.
 */
export class CriError extends Schema.TaggedError<CriError>()("CriError", {
  reason: Schema.Literals([
    "Unavailable",
    "DeadlineExceeded",
    "Unimplemented",
    "NotFound",
    "AlreadyExists",
    "InvalidArgument",
    "ResourceExhausted",
    "Protocol",
    "Failed"
  ]),
  call: Schema.String,
  message: Schema.String
}) {}

export type NamespaceMode = "POD" | "CONTAINER" | "NODE" | "TARGET"
export type SandboxState = "SANDBOX_READY" | "SANDBOX_NOTREADY"
export type ContainerState = "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN"
export type Labels = Readonly<Record<string, string>>

export interface LinuxContainerResources {
  /** Microseconds. */
  readonly cpuPeriod?: number
  /** Microseconds; 0 or absent: no limit. */
  readonly cpuQuota?: number
  readonly cpuShares?: number
  readonly memoryLimitInBytes?: number
  readonly oomScoreAdj?: number
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  readonly hugepageLimits?: ReadonlyArray<{ readonly pageSize: string; readonly limit: number }>
  /** cgroup v2 files by name. */
  readonly unified?: Labels
  readonly memorySwapLimitInBytes?: number
}

/** A range of user or group ids: those of the container from `containerId` on are `hostId` and on outside of it. */
export interface IdMapping {
  readonly hostId: number
  readonly containerId: number
  readonly length: number
}
export interface IdMappings {
  readonly uids: ReadonlyArray<IdMapping>
  readonly gids: ReadonlyArray<IdMapping>
}

export interface NamespaceOptions {
  readonly network?: NamespaceMode
  readonly pid?: NamespaceMode
  readonly ipc?: NamespaceMode
  readonly targetId?: string
  /** User namespace: NODE means none of its own. */
  readonly usernsMode?: NamespaceMode
  /** Of a user namespace of its own. */
  readonly usernsMappings?: IdMappings
}

export interface SecurityProfile {
  readonly profileType: "RuntimeDefault" | "Unconfined" | "Localhost"
  readonly localhostRef?: string
}

export interface SelinuxOptions {
  readonly user?: string
  readonly role?: string
  readonly type?: string
  readonly level?: string
}

/** Whether groups that the image gives to the user (its /etc/group) count beside those that are asked for. */
export type SupplementalGroupsPolicy = "Merge" | "Strict"

export interface SandboxConfig {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly namespace: string
    readonly attempt: number
  }
  readonly hostname: string
  readonly logDirectory: string
  readonly dnsConfig?: {
    readonly servers: ReadonlyArray<string>
    readonly searches: ReadonlyArray<string>
    readonly options: ReadonlyArray<string>
  }
  readonly portMappings?: ReadonlyArray<{
    readonly protocol: "TCP" | "UDP" | "SCTP"
    readonly containerPort: number
    readonly hostPort: number
    readonly hostIp?: string
  }>
  readonly labels: Labels
  readonly annotations: Labels
  readonly linux: {
    readonly cgroupParent: string
    readonly securityContext: {
      readonly namespaceOptions: NamespaceOptions
      readonly selinuxOptions?: SelinuxOptions
      readonly runAsUser?: number
      readonly runAsGroup?: number
      readonly readonlyRootfs?: boolean
      readonly supplementalGroups?: ReadonlyArray<number>
      readonly supplementalGroupsPolicy?: SupplementalGroupsPolicy
      readonly privileged?: boolean
      readonly seccomp?: SecurityProfile
    }
    readonly sysctls?: Labels
    readonly overhead?: LinuxContainerResources
    readonly resources?: LinuxContainerResources
  }
}

export interface Mount {
  readonly containerPath: string
  /** Empty where an image is mounted. */
  readonly hostPath: string
  /** What is mounted in place of a path (KEP-4639), by its id; runtimes that do not know of it ignore it. */
  readonly image?: { readonly image: string; readonly userSpecifiedImage?: string }
  /** Directory of the image that is mounted; absent: all of it. */
  readonly imageSubPath?: string
  readonly readonly?: boolean
  readonly selinuxRelabel?: boolean
  readonly propagation?: "PROPAGATION_PRIVATE" | "PROPAGATION_HOST_TO_CONTAINER" | "PROPAGATION_BIDIRECTIONAL"
  /** Ids of the mount's files as the container sees them: an idmapped mount. Absent: as they are on the host. */
  readonly idMappings?: IdMappings
  /** Needs `readonly` and private propagation, and a handler that can (`HandlerFeatures`). */
  readonly recursiveReadOnly?: boolean
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number }
  /** `image`: what to run (an id); `userSpecifiedImage`: as the pod writes it. */
  readonly image: { readonly image: string; readonly userSpecifiedImage?: string }
  readonly command?: ReadonlyArray<string>
  readonly args?: ReadonlyArray<string>
  readonly workingDir?: string
  readonly envs: ReadonlyArray<{ readonly key: string; readonly value: string }>
  readonly mounts: ReadonlyArray<Mount>
  readonly labels: Labels
  readonly annotations: Labels
  /** Relative to the sandbox's log directory: `app/0.log`. */
  readonly logPath: string
  readonly stdin?: boolean
  readonly stdinOnce?: boolean
  readonly tty?: boolean
  /** What stops it, e.g. `SIGRTMIN+3`; absent: what the image says, else SIGTERM. Old runtimes do not read it. */
  readonly stopSignal?: string
  readonly linux: {
    readonly resources: LinuxContainerResources
    readonly securityContext: {
      readonly capabilities?: {
        readonly addCapabilities: ReadonlyArray<string>
        readonly dropCapabilities: ReadonlyArray<string>
      }
      readonly privileged?: boolean
      readonly namespaceOptions: NamespaceOptions
      readonly selinuxOptions?: SelinuxOptions
      readonly runAsUser?: number
      readonly runAsUsername?: string
      readonly runAsGroup?: number
      readonly readonlyRootfs?: boolean
      readonly supplementalGroups?: ReadonlyArray<number>
      readonly supplementalGroupsPolicy?: SupplementalGroupsPolicy
      readonly noNewPrivs?: boolean
      readonly maskedPaths?: ReadonlyArray<string>
      readonly readonlyPaths?: ReadonlyArray<string>
      readonly seccomp?: SecurityProfile
      readonly apparmor?: SecurityProfile
    }
  }
}

export interface RuntimeVersion {
  readonly runtimeName: string
  readonly runtimeVersion: string
  readonly runtimeApiVersion: string
}
export interface RuntimeCondition {
  /** `RuntimeReady`, `NetworkReady`. */
  readonly type: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
}

/** What one of the runtime's handlers can; "" is its default. */
export interface HandlerFeatures {
  readonly name: string
  readonly recursiveReadOnlyMounts: boolean
  readonly userNamespaces: boolean
}
export interface RuntimeStatus {
  readonly conditions: ReadonlyArray<RuntimeCondition>
  /** Empty where the runtime does not tell (containerd before 2.0). */
  readonly handlers: ReadonlyArray<HandlerFeatures>
  readonly supplementalGroupsPolicy: boolean
}

export interface Sandbox {
  readonly id: string
  readonly metadata: SandboxConfig["metadata"]
  readonly state: SandboxState
  readonly createdAt: string
  readonly labels: Labels
  readonly annotations: Labels
}
export interface SandboxStatus extends Sandbox {
  /** First the primary one. Empty for pods on the host network. */
  readonly ips: ReadonlyArray<string>
}

export interface Container {
  readonly id: string
  readonly podSandboxId: string
  readonly metadata: ContainerConfig["metadata"]
  readonly image: string
  readonly imageRef: string
  readonly state: ContainerState
  readonly createdAt: string
  readonly labels: Labels
  readonly annotations: Labels
}
export interface ContainerStatus {
  readonly id: string
  readonly metadata: ContainerConfig["metadata"]
  readonly state: ContainerState
  readonly createdAt: string
  readonly startedAt: string | undefined
  readonly finishedAt: string | undefined
  readonly exitCode: number
  readonly image: string
  readonly imageRef: string
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, … */
  readonly reason: string
  readonly message: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly mounts: ReadonlyArray<Mount>
  readonly logPath: string
  /** What stops it; absent where the runtime does not tell (containerd before 2.2). */
  readonly stopSignal?: string
  /** As whom its first process runs (KEP-3619); absent where the runtime does not tell (containerd before 2.0). */
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: ReadonlyArray<number> }
}

export interface Image {
  readonly id: string
  readonly repoTags: ReadonlyArray<string>
  readonly repoDigests: ReadonlyArray<string>
  readonly size: number
  readonly uid: number | undefined
  readonly username: string
  /** Never to be removed, says the runtime: its own image of sandboxes, and what its configuration pins (containerd from 1.7.3 on). */
  readonly pinned: boolean
}

/** Credentials of a registry. Never part of an error, an event or a log. */
export interface AuthConfig {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

/** How much of a file system something takes. A number that the runtime does not tell is absent. */
export interface FilesystemUsage {
  /** Milliseconds since the epoch; the runtime counts every few seconds (containerd: 10 s). */
  readonly at: number
  /** A directory of the runtime's on that file system; empty where it does not tell. */
  readonly mountpoint: string
  readonly usedBytes?: number
  readonly inodesUsed?: number
}

export interface ImageFilesystems {
  readonly images: ReadonlyArray<FilesystemUsage>
  /** Of the layers that containers write to; containerd before 2.0 (CRI before 1.29) tells none, they are then those of the images. */
  readonly containers: ReadonlyArray<FilesystemUsage>
}

/** What a container uses. What the runtime does not tell is absent: one that has ended has no CPU and no memory. */
export interface ContainerUsage {
  readonly id: string
  readonly name: string
  readonly cpu?: { readonly at: number /** Nanoseconds. */; readonly usage: number }
  readonly memory?: {
    readonly at: number
    readonly workingSet: number
    readonly usage?: number
    readonly rss?: number
  }
  /** The layer that it writes to. */
  readonly writableLayer?: FilesystemUsage
}

export interface ExecResult {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly exitCode: number
}

/** What of a process is streamed. With a terminal stdout and stderr are one, and there is no stderr. */
export interface StreamOptions {
  readonly stdin: boolean
  readonly tty: boolean
  /** Default true. */
  readonly stdout?: boolean
  /** Default true, without a terminal. */
  readonly stderr?: boolean
}

/** A hint that something happened to a container; what is true is asked for afterwards. */
export interface ContainerEvent {
  readonly containerId: string
  readonly type:
    | "CONTAINER_CREATED_EVENT"
    | "CONTAINER_STARTED_EVENT"
    | "CONTAINER_STOPPED_EVENT"
    | "CONTAINER_DELETED_EVENT"
  readonly createdAt: string
  /** The pod it belongs to, where the runtime says so. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string } | undefined
}

/** Deadlines in milliseconds; kubelet's runtimeRequestTimeout (2 min) bounds the slow ones. */
export const deadlines = {
  quick: 10_000,
  request: 120_000,
  /** Pulling has no progress in CRI v1; kubelet waits without a bound, we wait an hour. */
  pull: 3_600_000
} as const

/** Largest message in either direction, bytes. */
export const maxMessageBytes = 16 * 1024 * 1024

type Call<A> = Effect.Effect<A, CriError>

export class ContainerRuntime extends Context.Service<
  ContainerRuntime,
  {
    readonly endpoint: string
    readonly version: Call<RuntimeVersion>
    readonly status: Call<RuntimeStatus>
    /** `Unimplemented` before containerd 2.0. */
    readonly cgroupDriver: Call<"cgroupfs" | "systemd">

    /** Answers the sandbox's id. `AlreadyExists` where (name, namespace, uid, attempt) is taken. */
    readonly runPodSandbox: (config: SandboxConfig, runtimeHandler: string) => Call<string>
    /** Idempotent; stops the containers in it by force and takes the network down. */
    readonly stopPodSandbox: (sandboxId: string) => Call<void>
    /** Idempotent; removes its containers too. */
    readonly removePodSandbox: (sandboxId: string) => Call<void>
    /** `NotFound` where it is gone. */
    readonly podSandboxStatus: (sandboxId: string) => Call<SandboxStatus>
    readonly listPodSandboxes: (labels: Labels) => Call<ReadonlyArray<Sandbox>>

    /** Answers the container's id. `AlreadyExists` where (name, attempt) is taken in the sandbox. */
    readonly createContainer: (sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig) => Call<string>
    readonly startContainer: (containerId: string) => Call<void>
    /** Stop signal, then SIGKILL after `graceSeconds`. Idempotent; answers when the container has ended. */
    readonly stopContainer: (containerId: string, graceSeconds: number) => Call<void>
    /** Idempotent. */
    readonly removeContainer: (containerId: string) => Call<void>
    readonly containerStatus: (containerId: string) => Call<ContainerStatus>
    readonly listContainers: (labels: Labels) => Call<ReadonlyArray<Container>>
    /** `NotFound` where it is gone. */
    readonly containerStats: (containerId: string) => Call<ContainerUsage>
    /** Of those that run; containerd asks each of their shims. */
    readonly listContainerStats: (labels: Labels) => Call<ReadonlyArray<ContainerUsage>>
    /**
     * Sets the resources of a container that is created or runs, without a restart: what is absent (or 0) stays as it is.
     * `Failed` where the kernel refuses; containerd takes it of one that has ended, and it means nothing.
     */
    readonly updateContainerResources: (containerId: string, resources: LinuxContainerResources) => Call<void>
    /** The runtime goes on with a new log file at the container's log path, and makes it; `Failed` where it does not run. */
    readonly reopenContainerLog: (containerId: string) => Call<void>
    /** Runs a command in the container; output is capped at 16 MiB by the runtime. `DeadlineExceeded` after `timeoutSeconds`. */
    readonly execSync: (containerId: string, command: ReadonlyArray<string>, timeoutSeconds: number) => Call<ExecResult>

    /** Each answers a URL of the runtime's streaming server, good for one connection within a minute. */
    readonly exec: (containerId: string, command: ReadonlyArray<string>, streams: StreamOptions) => Call<string>
    readonly attach: (containerId: string, streams: StreamOptions) => Call<string>
    readonly portForward: (sandboxId: string, ports: ReadonlyArray<number>) => Call<string>
    /**
     * Memory and state of a container as a tar file, which the runtime makes with CRIU; the container runs on. `Unimplemented` before
     * containerd 2.0, `Failed` without CRIU. `timeoutSeconds` 0: as long as the runtime likes, at most `deadlines.request`.
     */
    readonly checkpointContainer: (containerId: string, location: string, timeoutSeconds: number) => Call<void>

    /** `undefined`: not on the node. */
    readonly imageStatus: (image: string) => Call<Image | undefined>
    readonly listImages: Call<ReadonlyArray<Image>>
    /** Name of the image that sandboxes are made of, as the runtime's configuration has it; undefined where it does not tell. */
    readonly sandboxImage: Call<string | undefined>
    /** Answers the image's id. `auth`: without it the registry is asked as nobody. */
    readonly pullImage: (image: string, sandbox: SandboxConfig | undefined, auth?: AuthConfig) => Call<string>
    readonly removeImage: (image: string) => Call<void>
    readonly imageFilesystems: Call<ImageFilesystems>

    /** Ends with an error: `Unimplemented` on runtimes without it, `Unavailable` when the connection breaks. */
    readonly containerEvents: Stream.Stream<ContainerEvent, CriError>
  }
>()("chronode/ContainerRuntime") {}
