/** Starting, stopping and removing containers. Keyed by (sandbox, name, attempt): what is there already is taken over. */
import { Clock, Effect, Result } from "effect"
import type { Cgroups } from "../../../adapters/cgroupfs/port.ts"
import { type ContainerConfig, ContainerRuntime, CriError, type SandboxConfig } from "../../../adapters/cri/port.ts"
import { Host, type HostError } from "../../../adapters/host/port.ts"
import { ContainerLogs } from "../../../adapters/logs/port.ts"
import { Manifests, type ObjectsUnknown, PodNotDeclared } from "../../../adapters/manifests/port.ts"
import type { Volumes } from "../../../adapters/volumes/port.ts"
import { timestamp } from "../../../events/definition.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import { observeContainer } from "../../runtime/exit-status.ts"
import {
  featuresOfHandler,
  type RuntimeView,
  runtimeFeatures,
  runtimeVersion,
  whyNoImageMounts
} from "../../runtime/features.ts"
import { isOfFiles } from "../../volume/content.ts"
import type { PodCommand } from "../commands.ts"
import { type EnvironmentUnsatisfied, withoutExpanded } from "../environment/environment.ts"
import { podHostname } from "../network/hostname.ts"
import { hostNetworkHostsFile, podHostsFile } from "../network/hosts-file.ts"
import {
  containerLogLink,
  containerLogPath,
  hostsFilePath,
  podLogDirectory,
  terminationLogPath
} from "../node-facts.ts"
import { minimumGracePeriod } from "../plan/grace.ts"
import { madeWhole } from "../recorded-pod.ts"
import { resourcesOf, withResources } from "../resources/pod-resources.ts"
import { imageUser } from "../security/security.ts"
import { PodSettings } from "../settings.ts"
import type { PolicyContainer } from "../spec-extension.ts"
import {
  type ContainerInState,
  type ContainerSpec,
  containerIn,
  containerSpec,
  type PodState,
  surplusDead
} from "../state.ts"
import { type ContainerInstance, containerConfig } from "./container-config.ts"
import { currentEnvironment, reachSubPaths } from "./container-sources.ts"
import { obtainContainer, StartRefused, startUnlessStarted } from "./container-start.ts"
import type { MountedVolume, MountUnsatisfied } from "./mounts.ts"
import { sandboxConfigOf } from "./sandbox-effects.ts"

/** kubelet's words for what keeps a container from starting, with the step at which it failed. */
interface StartFailure {
  readonly reason: "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError"
  readonly message: string
  readonly imageMissing: boolean
  /** The container that the runtime made and could not start. */
  readonly deadContainer?: string
}

type Needs = Cgroups | ContainerLogs | ContainerRuntime | Host | Manifests | PodSettings | RuntimeView | Volumes

const failure =
  (reason: StartFailure["reason"], shown: (message: string) => string = (message) => message) =>
  (error: { readonly message: string }): StartFailure => ({
    reason,
    message: shown(error.message),
    imageMissing: error instanceof CriError && error.reason === "NotFound" && /image/iu.test(error.message),
    ...(error instanceof StartRefused ? { deadContainer: error.containerId } : {})
  })

/** `checkFirst`: after a crash the container may be there already. */
export const ensureContainer = (
  state: PodState,
  name: string,
  checkFirst: boolean
): Effect.Effect<ReadonlyArray<PodCommand>, never, Needs> => {
  const container = state.containers.find((c) => c.name === name)
  const definition = state.definition
  const sandbox = state.sandbox
  if (container === undefined || definition === null || sandbox === null) return Effect.succeed([])
  const { attempt } = container
  const created = (at: number, containerId: string) => ({
    _tag: "ReportContainerCreated" as const,
    ...{ at, container: name, attempt, containerId }
  })
  return Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const prepared = yield* Effect.mapError(
      prepare(state, definition.pod, container),
      failure("CreateContainerConfigError")
    )
    const launch = Effect.gen(function* () {
      const id = yield* Effect.mapError(
        obtainContainer(sandbox.sandboxId, prepared.container, prepared.sandbox, checkFirst),
        failure("CreateContainerError", prepared.shown)
      )
      yield* Effect.mapError(startUnlessStarted(id, checkFirst), failure("RunContainerError", prepared.shown))
      return id
    })
    // A start that an earlier life did not live to see may be given up by the runtime: then it is made anew, once.
    const containerId = yield* checkFirst ? Effect.catch(launch, () => launch) : launch
    const status = yield* Effect.mapError(runtime.containerStatus(containerId), failure("RunContainerError"))
    yield* linkLog(definition.pod, name, attempt, containerId)
    const at = yield* Clock.currentTimeMillis
    return [
      created(at, containerId),
      {
        _tag: "ReportContainerStart" as const,
        at,
        container: name,
        attempt,
        outcome: "started" as const,
        containerId,
        startedAt: status.startedAt ?? timestamp(at),
        ...(status.stopSignal === undefined ? {} : { stopSignal: status.stopSignal }),
        ...(status.user === undefined ? {} : { user: status.user })
      }
    ]
  }).pipe(
    Effect.catch(({ reason, message, imageMissing, deadContainer }: StartFailure) =>
      Effect.map(Clock.currentTimeMillis, (at) => [
        // The next attempt is another one, and this one is to be removed. Where it is not known what became of it, the
        // next try is of the same attempt, and takes over what there is.
        ...(deadContainer === undefined ? [] : [created(at, deadContainer)]),
        {
          _tag: "ReportContainerStart" as const,
          at,
          container: name,
          attempt,
          outcome: "failed" as const,
          reason,
          message,
          ...(imageMissing ? { imageMissing } : {})
        }
      ])
    )
  )
}

/** The link to its log in the directory of all containers' logs. What goes wrong with it keeps no container from running. */
const linkLog = (pod: Pod, container: string, attempt: number, containerId: string) =>
  Effect.gen(function* () {
    const logs = yield* ContainerLogs
    const { facts } = yield* PodSettings
    const link = containerLogLink(facts, pod, container, containerId)
    if (link === undefined) return
    yield* logs.link(link, `${podLogDirectory(facts, pod)}/${containerLogPath(container, attempt)}`)
  }).pipe(Effect.catch((error) => Effect.logWarning(`no link to the log of ${container}: ${error.message}`)))

/**
 * What is asked for and cannot be had is not what it starts with: resources that wait for room, and nothing at all of a
 * manifest that was refused.
 */
const asAdmitted = (state: PodState, recorded: Pod, declared: Pod): Effect.Effect<Pod, PodNotDeclared> => {
  if (state.updateRefused === undefined) return Effect.succeed(withResources(declared, resourcesOf(recorded)))
  const whole = madeWhole(recorded, declared)
  if (!("variable" in whole)) return Effect.succeed(whole)
  const message = `the manifest, which was refused, does not give the value of ${whole.variable} of ${whole.container} any more`
  return new PodNotDeclared({ uid: recorded.metadata.uid, message })
}

/** The configs, and the files that the container needs on the host. */
const prepare = (
  state: PodState,
  recorded: Pod,
  container: ContainerInState
): Effect.Effect<
  {
    readonly container: ContainerConfig
    readonly sandbox: SandboxConfig
    /** A message about the container, without the values of its environment. */
    readonly shown: (message: string) => string
  },
  CriError | EnvironmentUnsatisfied | HostError | MountUnsatisfied | ObjectsUnknown | PodNotDeclared,
  Needs
> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const host = yield* Host
    const manifests = yield* Manifests
    const { facts } = yield* PodSettings
    const declared = yield* manifests.secretsOf(recorded.metadata.uid)
    const pod = yield* asAdmitted(state, recorded, declared)
    const written = containerSpec(pod, container.name)
    const userNamespace = state.definition?.userNamespace
    const own = userNamespace === undefined ? { pod } : { pod, userNamespace }
    const sandbox = yield* sandboxConfigOf(own, state.sandbox?.attempt ?? 0, state.startTime)
    if (written === undefined) {
      return yield* new PodNotDeclared({
        uid: pod.metadata.uid,
        message: `the manifest has no container ${container.name}`
      })
    }
    const { uid } = pod.metadata
    yield* writeHostsFile(pod, state.sandbox?.ips ?? [])
    yield* host.makeDirectory(`${podLogDirectory(facts, pod)}/${container.name}`, 0o755)
    // World writable, since any user of the container may write its last words (`kuberuntime_container.go`).
    yield* host.writeFile(terminationLogPath(facts, uid, container.name, container.attempt), "", 0o666)
    const targetId = yield* targetOf(state, written)
    const image = yield* runtime.imageStatus(container.imageId)
    const volumes = mountedVolumes(state, pod)
    const env = yield* currentEnvironment(pod, written, volumes, state.sandbox?.ips ?? [])
    const config = containerConfig(pod, written, facts, {
      attempt: container.attempt,
      imageId: container.imageId,
      imageUser: imageUser(image ?? { uid: undefined, username: "" }),
      volumes,
      env,
      subPaths: yield* reachSubPaths(pod, written, volumes, env),
      recursiveReadOnly: yield* canRecursiveReadOnly(state, written),
      hostsFile: true,
      ...(targetId === undefined ? {} : { targetId }),
      ...(userNamespace === undefined ? {} : { userNamespace })
    })
    if (Result.isSuccess(config)) {
      yield* checkImageMounts(config.success)
      return { container: config.success, sandbox, shown: (text: string) => withoutExpanded(written, env, text) }
    }
    return yield* new CriError({ reason: "InvalidArgument", call: "CreateContainer", message: config.failure.message })
  })

/** The id of the container whose processes an ephemeral one is to see (`kuberuntime_manager.go` getTargetID). */
const targetOf = (state: PodState, { name, targetContainerName = "" }: ContainerSpec) => {
  if (targetContainerName === "") return Effect.succeed(undefined)
  const { containerId = "" } = containerIn(state, targetContainerName) ?? {}
  if (containerId !== "") return Effect.succeed(containerId)
  const message = `container ${name} is to see the processes of ${targetContainerName}, which has not been started`
  return new CriError({ reason: "InvalidArgument", call: "CreateContainer", message })
}

/** Volumes of files and images can only be read (their mounters' ReadOnly). */
const mountedVolumes = (state: PodState, pod: Pod): ContainerInstance["volumes"] => {
  const readOnly = new Set(pod.spec.volumes?.filter(isOfFiles).map(({ name }) => name))
  return new Map<string, MountedVolume>([
    ...state.volumes.map(
      ({ name, path }) => [name, { hostPath: path, ...(readOnly.has(name) ? { readOnly: true } : {}) }] as const
    ),
    ...(state.imageVolumes ?? []).map(
      ({ name, image, imageId }) =>
        [name, { hostPath: "", readOnly: true, image: { image: imageId, userSpecifiedImage: image } }] as const
    )
  ])
}

/** Fails where a mount is an image and the runtime would take it for nothing. */
const checkImageMounts = ({ mounts }: ContainerConfig) =>
  Effect.gen(function* () {
    if (mounts.every(({ image }) => image === undefined)) return
    const problem = whyNoImageMounts(yield* runtimeVersion, mounts)
    if (problem !== undefined)
      return yield* new CriError({ reason: "InvalidArgument", call: "CreateContainer", message: problem })
  })

/** Asked only where a mount wants it. */
const canRecursiveReadOnly = (state: PodState, { volumeMounts = [] }: PolicyContainer) =>
  Effect.gen(function* () {
    if (volumeMounts.every(({ recursiveReadOnly = "Disabled" }) => recursiveReadOnly === "Disabled")) return false
    const { runtimeHandler } = yield* PodSettings
    const handler = state.definition?.runtimeHandler ?? runtimeHandler
    return featuresOfHandler(yield* runtimeFeatures, handler).recursiveReadOnlyMounts
  })

const writeHostsFile = (pod: Pod, ips: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const host = yield* Host
    const { facts } = yield* PodSettings
    const names = podHostname(pod, facts.clusterDomain)
    const { hostname, domain } = Result.isSuccess(names) ? names.success : { hostname: pod.metadata.name, domain: "" }
    const content =
      pod.spec.hostNetwork === true
        ? hostNetworkHostsFile(yield* host.readText("/etc/hosts"), pod.spec.hostAliases)
        : podHostsFile(ips, { hostname, domain }, pod.spec.hostAliases)
    yield* host.writeFile(hostsFilePath(facts, pod.metadata.uid), content, 0o644)
  })

/**
 * Stop signal, then SIGKILL after what is left of the grace period; answers how it ended. However late it is (the agent
 * was away, or an attempt failed), the container gets the minimum: it may never have seen the signal.
 */
export const stopContainer = (
  container: ContainerInState
): Effect.Effect<ReadonlyArray<PodCommand>, never, ContainerRuntime | Host> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const started = yield* Clock.currentTimeMillis
    const { containerId, kill, name } = container
    const elapsed = kill === null ? 0 : Math.floor((started - kill.at) / 1000)
    const grace = Math.max((kill?.gracePeriodSeconds ?? 0) - Math.max(elapsed, 0), minimumGracePeriod)
    const result = yield* Effect.result(
      Effect.gen(function* () {
        yield* runtime.stopContainer(containerId, grace).pipe(
          Effect.catchIf(
            (error) => error.reason === "NotFound",
            () => Effect.void
          )
        )
        return yield* observeContainer(containerId)
      })
    )
    const at = yield* Clock.currentTimeMillis
    if (Result.isFailure(result)) {
      const { message } = result.failure
      return [
        { _tag: "ReportContainerStop" as const, at, container: name, containerId, outcome: "failed" as const, message }
      ]
    }
    if (result.success.state === "running") {
      const message = "the runtime says that it stopped, and it runs"
      return [
        { _tag: "ReportContainerStop" as const, at, container: name, containerId, outcome: "failed" as const, message }
      ]
    }
    const observed = result.success.state === "missing" ? {} : { observed: result.success }
    return [
      {
        _tag: "ReportContainerStop" as const,
        at,
        container: name,
        containerId,
        outcome: "stopped" as const,
        ...observed
      }
    ]
  })

/** The log of a dead container goes with it, with what rotation has set aside and the link to it. */
const removeLog = (path: string) =>
  Effect.gen(function* () {
    const logs = yield* ContainerLogs
    const { facts } = yield* PodSettings
    if (facts.containerLogsDir !== undefined) yield* logs.unlink(facts.containerLogsDir, path)
    yield* logs.remove(path)
  }).pipe(Effect.catch((error) => Effect.logWarning(`cannot remove the log ${path}: ${error.message}`)))

/** A container that has ended goes, with its log; one that the runtime does not know is gone already. */
export const removeDeadContainer = (
  id: string
): Effect.Effect<void, CriError, ContainerLogs | ContainerRuntime | PodSettings> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const status = yield* Effect.result(runtime.containerStatus(id))
    yield* runtime.removeContainer(id).pipe(
      Effect.catchIf(
        (error) => error.reason === "NotFound",
        () => Effect.void
      )
    )
    if (Result.isSuccess(status) && status.success.logPath !== "") yield* removeLog(status.success.logPath)
  })

/** Removes the older dead containers of one name. What cannot be removed now goes with the next one, or with the pod. */
export const removeDeadContainers = (
  container: ContainerInState
): Effect.Effect<ReadonlyArray<PodCommand>, never, ContainerLogs | ContainerRuntime | PodSettings> =>
  Effect.gen(function* () {
    const surplus = surplusDead(container)
    const removed: Array<string> = []
    for (const id of surplus) {
      const result = yield* Effect.result(removeDeadContainer(id))
      if (Result.isSuccess(result)) removed.push(id)
      else yield* Effect.logWarning(`cannot remove dead container ${id}: ${result.failure.message}`)
    }
    if (removed.length === 0) return []
    const at = yield* Clock.currentTimeMillis
    return [{ _tag: "ReportContainersRemoved" as const, at, container: container.name, containerIds: removed }]
  })
