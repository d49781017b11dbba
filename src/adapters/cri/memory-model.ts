/** What the in-memory runtime knows of sandboxes and containers, and how it tells of them. Pure. */
import { type Deferred, Effect } from "effect"
import type {
  Container,
  ContainerConfig,
  ContainerStatus,
  ContainerUsage,
  CriError,
  Labels,
  Sandbox,
  SandboxConfig
} from "./port.ts"

/** What a container's process does, and what commands in it answer. Times in milliseconds. */
export interface Program {
  /** It ends by itself. Absent: it runs until it is stopped. */
  readonly exits?: { readonly after: number; readonly code: number; readonly oomKilled?: boolean }
  /** What SIGTERM does. Default: it ends at once with 143 (128 + 15). */
  readonly onTerm?: { readonly after: number; readonly code: number } | "ignore"
  /** It cannot be started: the runtime's words. */
  readonly startError?: string
  /** `error`: the command could not be run at all. Default: ends at once with 0. */
  readonly exec?: (command: ReadonlyArray<string>) => {
    readonly exitCode?: number
    readonly stdout?: string
    readonly stderr?: string
    readonly after?: number
    readonly error?: string
  }
}

export interface Exit {
  readonly code: number
  readonly oomKilled?: boolean
}

export interface MemorySandbox {
  readonly id: string
  readonly config: SandboxConfig
  readonly createdAt: number
  readonly ips: ReadonlyArray<string>
  /** The process that holds the namespaces. */
  running: boolean
  /** The network is up until the sandbox is stopped. */
  networked: boolean
}

export interface MemoryContainer {
  readonly id: string
  readonly sandboxId: string
  config: ContainerConfig
  readonly program: Program
  readonly imageId: string
  readonly logPath: string
  readonly createdAt: number
  readonly ended: Deferred.Deferred<void>
  startedAt: number | undefined
  finishedAt: number | undefined
  exitCode: number
  reason: string
  message: string
}

/** An error before it is known which call it is of. */
export interface Failure {
  readonly reason: CriError["reason"]
  readonly message: string
}
export type Answer<A> = Effect.Effect<A, Failure>

export const fail = (reason: CriError["reason"], message: string): Answer<never> => Effect.fail({ reason, message })

export const killed = 128 + 9
export const terminated = 128 + 15
/** containerd's code for a container that never started (errorStartExitCode). */
export const startErrorCode = 128
export const millisecondsPerSecond = 1_000

export const time = (at: number): string => new Date(at).toISOString()
const optionalTime = (at: number | undefined) => (at === undefined ? undefined : time(at))
export const bytes = (text: string | undefined): Uint8Array => new TextEncoder().encode(text ?? "")
export const hasLabels = (labels: Labels, wanted: Labels): boolean =>
  isEmpty(wanted) || Object.entries(wanted).every(([key, value]) => labels[key] === value)
const isEmpty = (labels: Labels): boolean => {
  for (const _ in labels) return false
  return true
}

export const stateOf = (container: MemoryContainer): Container["state"] =>
  container.finishedAt !== undefined
    ? "CONTAINER_EXITED"
    : container.startedAt !== undefined
      ? "CONTAINER_RUNNING"
      : "CONTAINER_CREATED"

export const sandboxName = ({ name, namespace, uid, attempt }: SandboxConfig["metadata"]): string =>
  [name, namespace, uid, attempt].join("_")
export const containerName = (config: ContainerConfig, pod: SandboxConfig["metadata"]): string =>
  [config.metadata.name, pod.name, pod.namespace, pod.uid, config.metadata.attempt].join("_")

/** Listed every second, changed seldom: as each was last described. */
const described = new WeakMap<object, Sandbox | Container>()
const describedOnce = <T extends Sandbox | Container>(it: object, state: T["state"], describe: () => T): T => {
  const known = described.get(it) as T | undefined
  if (known?.state === state) return known
  const made = describe()
  described.set(it, made)
  return made
}

export const describeSandbox = (sandbox: MemorySandbox): Sandbox =>
  describedOnce<Sandbox>(sandbox, sandbox.running ? "SANDBOX_READY" : "SANDBOX_NOTREADY", () => sandboxOf(sandbox))

const sandboxOf = (sandbox: MemorySandbox): Sandbox => ({
  id: sandbox.id,
  metadata: sandbox.config.metadata,
  state: sandbox.running ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
  createdAt: time(sandbox.createdAt),
  labels: sandbox.config.labels,
  annotations: sandbox.config.annotations
})

export const describeContainer = (container: MemoryContainer): Container =>
  describedOnce<Container>(container, stateOf(container), () => containerOf(container))

const containerOf = (container: MemoryContainer): Container => ({
  id: container.id,
  podSandboxId: container.sandboxId,
  metadata: container.config.metadata,
  image: container.config.image.image,
  imageRef: container.imageId,
  state: stateOf(container),
  createdAt: time(container.createdAt),
  labels: container.config.labels,
  annotations: container.config.annotations
})

/** What of it is told: a process of the memory runtime uses what every one does. Its CPU grows with the time that it runs. */
export const usageOf = (container: MemoryContainer, now: number): ContainerUsage => ({
  id: container.id,
  name: container.config.metadata.name,
  ...(stateOf(container) === "CONTAINER_RUNNING"
    ? {
        cpu: { at: now, usage: (now - (container.startedAt ?? now)) * 10_000 },
        memory: { at: now, workingSet: 1_000_000, usage: 1_500_000, rss: 500_000 }
      }
    : {}),
  writableLayer: { at: now, mountpoint: "/memory/layers", usedBytes: 8_192, inodesUsed: 3 }
})

/** `image`: as the store of images names it now. */
export const describeStatus = (container: MemoryContainer, image: string): ContainerStatus => ({
  id: container.id,
  metadata: container.config.metadata,
  state: stateOf(container),
  createdAt: time(container.createdAt),
  startedAt: optionalTime(container.startedAt),
  finishedAt: optionalTime(container.finishedAt),
  exitCode: container.exitCode,
  image,
  imageRef: container.imageId,
  reason: container.reason,
  message: container.message,
  labels: container.config.labels,
  annotations: container.config.annotations,
  mounts: container.config.mounts,
  logPath: container.logPath,
  ...(container.config.stopSignal === undefined ? {} : { stopSignal: container.config.stopSignal })
})
