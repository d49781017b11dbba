/**
 * Making, stopping and sweeping away a pod's sandbox. Everything is keyed by (uid, attempt): what an earlier life of the
 * agent began is found in the runtime and taken over, never made twice (law 1).
 */
import { Clock, Duration, Effect, Result } from "effect"
import type { CgroupError, Cgroups } from "../../../adapters/cgroupfs/port.ts"
import { ContainerRuntime, CriError, type SandboxConfig } from "../../../adapters/cri/port.ts"
import { Host, type HostError } from "../../../adapters/host/port.ts"
import { ContainerLogs, type LogError } from "../../../adapters/logs/port.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import { type RuntimeView, runtimeFeatures } from "../../runtime/features.ts"
import { strictUnsupported } from "../admission/admission.ts"
import type { PodCommand } from "../commands.ts"
import { podUidLabel } from "../labels.ts"
import { podDns } from "../network/dns.ts"
import { toldHostIps } from "../network/pod-ips.ts"
import { podDirectory, podLogDirectory } from "../node-facts.ts"
import { isStrict } from "../security/security.ts"
import { hasUserNamespace, userNamespaceOf } from "../security/user-namespace.ts"
import { PodSettings } from "../settings.ts"
import type { Definition } from "../state.ts"
import { type CgroupReport, ensureFailed, ensurePodCgroup, failedToCreate, removePodCgroup } from "./cgroup-effects.ts"
import { isRefusal } from "./container-start.ts"
import { sandboxConfig } from "./sandbox-config.ts"

/** When a pod from a manifest was first seen is when its actor admitted it. */
const origin = (admittedAt: string) => ({ source: "file" as const, seenAt: admittedAt })

export const sandboxConfigOf = (
  { pod, userNamespace }: Pick<Definition, "pod" | "userNamespace">,
  attempt: number,
  admittedAt: string
) =>
  Effect.gen(function* () {
    const { facts } = yield* PodSettings
    const config = sandboxConfig(pod, facts, attempt, origin(admittedAt), userNamespace)
    if (Result.isSuccess(config)) return config.success
    return yield* new CriError({ reason: "InvalidArgument", call: "RunPodSandbox", message: config.failure.message })
  })

/** Answers the id of the sandbox of this attempt: made now, or found. */
const obtain = (config: SandboxConfig, handler: string, checkFirst: boolean) =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const existing = Effect.gen(function* () {
      const { uid, attempt } = config.metadata
      const all = yield* runtime.listPodSandboxes({ [podUidLabel]: uid })
      const ours = all.filter((s) => s.metadata.attempt === attempt)
      const ready = ours.find((s) => s.state === "SANDBOX_READY")
      if (ready !== undefined) return ready.id
      // Half made by an attempt that failed or died: it holds the name.
      for (const { id } of ours) {
        yield* runtime.stopPodSandbox(id)
        yield* runtime.removePodSandbox(id)
      }
      return undefined
    })
    const found = checkFirst ? yield* existing : undefined
    if (found !== undefined) return found
    return yield* runtime.runPodSandbox(config, handler).pipe(
      Effect.catchIf(
        (error) => error.reason === "AlreadyExists",
        () =>
          Effect.flatMap(existing, (id) =>
            id === undefined ? runtime.runPodSandbox(config, handler) : Effect.succeed(id)
          )
      )
    )
  })

/** A pod is not run with less isolation than it asks for: what the runtime cannot keep is refused before it is asked. */
const checkIsolation = ({ pod, userNamespace }: Definition, handler: string) =>
  Effect.gen(function* () {
    if (!hasUserNamespace(pod.spec) && !isStrict(pod)) return
    const features = yield* runtimeFeatures
    const { userNamespaces } = yield* PodSettings
    const refuse = (message: string) => new CriError({ reason: "InvalidArgument", call: "RunPodSandbox", message })
    const ids = userNamespaceOf(pod.spec, features.handlers, handler, userNamespace)
    if (Result.isFailure(ids)) return yield* refuse(ids.failure)
    if (hasUserNamespace(pod.spec) && typeof userNamespaces === "string") return yield* refuse(userNamespaces)
    if (isStrict(pod) && !features.supplementalGroupsPolicy) return yield* refuse(strictUnsupported)
  })

/** `checkFirst`: after a crash the sandbox may be there already. */
export const ensureSandbox = (
  definition: Definition,
  attempt: number,
  admittedAt: string,
  checkFirst: boolean
): Effect.Effect<PodCommand, never, Cgroups | ContainerRuntime | Host | PodSettings | RuntimeView> =>
  Effect.gen(function* () {
    const cgroup = yield* ensurePodCgroup(definition.pod)
    return yield* ensureInCgroup(definition, attempt, admittedAt, checkFirst, cgroup)
  }).pipe(
    Effect.catch(({ cgroup: { path }, error }) =>
      Effect.map(Clock.currentTimeMillis, (at) => ({
        _tag: "ReportSandbox" as const,
        at,
        attempt,
        outcome: "failed" as const,
        reason: failedToCreate,
        message: ensureFailed(path, error)
      }))
    )
  )

const ensureInCgroup = (
  definition: Definition,
  attempt: number,
  admittedAt: string,
  checkFirst: boolean,
  cgroup: CgroupReport | undefined
): Effect.Effect<PodCommand, never, ContainerRuntime | Host | PodSettings | RuntimeView> =>
  Effect.gen(function* () {
    const { pod } = definition
    const runtime = yield* ContainerRuntime
    const host = yield* Host
    const { facts, runtimeHandler: ownHandler } = yield* PodSettings
    const runtimeHandler = definition.runtimeHandler ?? ownHandler
    yield* checkIsolation(definition, runtimeHandler)
    const config = yield* sandboxConfigOf(definition, attempt, admittedAt)
    yield* host.makeDirectory(podDirectory(facts, pod.metadata.uid), 0o750)
    yield* host.makeDirectory(config.logDirectory, 0o755)
    const sandboxId = yield* obtain(config, runtimeHandler, checkFirst)
    const status = yield* runtime.podSandboxStatus(sandboxId)
    const dnsWarnings = podDns(pod, facts).warnings
    const hostIps = toldHostIps(facts.nodeIps)
    const at = yield* Clock.currentTimeMillis
    return {
      _tag: "ReportSandbox" as const,
      at,
      attempt,
      outcome: "created" as const,
      sandboxId,
      ips: status.ips,
      ...(hostIps.length === 0 ? {} : { hostIps }),
      createdAt: status.createdAt,
      ...(dnsWarnings.length === 0 ? {} : { dnsWarnings }),
      ...(cgroup === undefined ? {} : { cgroup })
    }
  }).pipe(
    Effect.catch((error: CriError | HostError) =>
      Effect.map(Clock.currentTimeMillis, (at) => ({
        _tag: "ReportSandbox" as const,
        at,
        attempt,
        outcome: "failed" as const,
        message: error.message,
        ...(cgroup === undefined ? {} : { cgroup })
      }))
    )
  )

export const stopSandbox = (sandboxId: string): Effect.Effect<PodCommand, never, ContainerRuntime> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const result = yield* Effect.result(
      runtime.stopPodSandbox(sandboxId).pipe(
        Effect.catchIf(
          (e) => e.reason === "NotFound",
          () => Effect.void
        )
      )
    )
    const at = yield* Clock.currentTimeMillis
    return Result.isSuccess(result)
      ? { _tag: "ReportSandboxStop", at, sandboxId, outcome: "stopped" }
      : { _tag: "ReportSandboxStop", at, sandboxId, outcome: "failed", message: result.failure.message }
  })

/** Everything that the runtime has of a pod goes: sandboxes with their containers, and containers without one. */
export const sweepRuntime = (uid: string): Effect.Effect<void, CriError, ContainerRuntime> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    for (const { id } of yield* runtime.listPodSandboxes({ [podUidLabel]: uid })) {
      yield* runtime.stopPodSandbox(id)
      yield* runtime.removePodSandbox(id)
    }
    for (const { id } of yield* runtime.listContainers({ [podUidLabel]: uid })) yield* runtime.removeContainer(id)
  })

/** Attempts to remove what the runtime has of a pod before what is dead is left to it, and the pause between them. */
const sweepAttempts = 3
const sweepPause = Duration.millis(500)

/**
 * A runtime that refuses to remove what is dead (containerd, of a container whose start was cut off, until it is
 * restarted) does not hold up the end of the pod: nothing of it runs, and what is left is an orphan that is tried again.
 */
const sweepOrLeave = (pod: Pod) =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const { uid } = pod.metadata
    for (let attempt = 1; ; attempt++) {
      const swept = yield* Effect.result(sweepRuntime(uid))
      if (Result.isSuccess(swept)) return
      if (!isRefusal(swept.failure)) return yield* Effect.fail(swept.failure)
      // A process that the runtime lost sight of goes with the cgroup.
      yield* removePodCgroup(pod)
      const sandboxes = yield* runtime.listPodSandboxes({ [podUidLabel]: uid })
      const containers = yield* runtime.listContainers({ [podUidLabel]: uid })
      const isDead =
        sandboxes.every((s) => s.state !== "SANDBOX_READY") && containers.every((c) => c.state === "CONTAINER_EXITED")
      if (attempt >= sweepAttempts) {
        if (!isDead) return yield* Effect.fail(swept.failure)
        yield* Effect.logWarning(`the runtime keeps what is dead of pod ${uid}: ${swept.failure.message}`)
        return
      }
      yield* Effect.sleep(sweepPause)
    }
  })

/** Removes what is left of a pod: in the runtime, its directory, its logs and its cgroup. */
export const cleanUp = (
  pod: Pod
): Effect.Effect<PodCommand, never, Cgroups | ContainerLogs | ContainerRuntime | Host | PodSettings> =>
  Effect.gen(function* () {
    const host = yield* Host
    const logs = yield* ContainerLogs
    const { facts } = yield* PodSettings
    yield* sweepOrLeave(pod)
    yield* host.removeTree(podDirectory(facts, pod.metadata.uid))
    const logDirectory = podLogDirectory(facts, pod)
    if (facts.containerLogsDir !== undefined) yield* logs.unlink(facts.containerLogsDir, logDirectory)
    yield* host.removeTree(logDirectory)
    // containerd leaves the parent cgroup behind.
    yield* removePodCgroup(pod)
    return { _tag: "ReportCleanup" as const, at: yield* Clock.currentTimeMillis, outcome: "done" as const }
  }).pipe(
    Effect.catch((error: CgroupError | CriError | HostError | LogError) =>
      Effect.map(Clock.currentTimeMillis, (at) => ({
        _tag: "ReportCleanup" as const,
        at,
        outcome: "failed" as const,
        message: error.message
      }))
    )
  )
