/** What a container needs before it is made: its configs, and the files of its own on the host. */
import { Effect, Result } from "effect"
import type { Cgroups } from "../../../adapters/cgroupfs/port.ts"
import { type ContainerConfig, ContainerRuntime, CriError, type SandboxConfig } from "../../../adapters/cri/port.ts"
import { Host, type HostError } from "../../../adapters/host/port.ts"
import type { ContainerLogs } from "../../../adapters/logs/port.ts"
import { Manifests, type ObjectsUnknown, PodNotDeclared } from "../../../adapters/manifests/port.ts"
import type { Volumes } from "../../../adapters/volumes/port.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import {
  featuresOfHandler,
  type RuntimeView,
  runtimeFeatures,
  runtimeVersion,
  whyNoImageMounts
} from "../../runtime/features.ts"
import { isOfFiles } from "../../volume/content.ts"
import { type EnvironmentUnsatisfied, withoutExpanded } from "../environment/environment.ts"
import { podHostname } from "../network/hostname.ts"
import { hostNetworkHostsFile, podHostsFile } from "../network/hosts-file.ts"
import { hostsFilePath, podLogDirectory, terminationLogPath } from "../node-facts.ts"
import { madeWhole } from "../recorded-pod.ts"
import { resourcesOf, withResources } from "../resources/pod-resources.ts"
import { PodSettings } from "../settings.ts"
import type { PolicyContainer } from "../spec-extension.ts"
import { type ContainerInState, type ContainerSpec, containerIn, containerSpec, type PodState } from "../state.ts"
import { type ContainerInstance, containerConfig } from "./container-config.ts"
import { currentEnvironment, reachSubPaths } from "./container-sources.ts"
import { userOfImage } from "./image-users.ts"
import type { MountedVolume, MountUnsatisfied } from "./mounts.ts"
import { sandboxConfigOf } from "./sandbox-effects.ts"

export type ContainerNeeds =
  | Cgroups
  | ContainerLogs
  | ContainerRuntime
  | Host
  | Manifests
  | PodSettings
  | RuntimeView
  | Volumes

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
export const prepareContainer = (
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
  ContainerNeeds
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
    const user = yield* userOfImage(runtime, container.imageId)
    const volumes = mountedVolumes(state, pod)
    const env = yield* currentEnvironment(pod, written, volumes, state.sandbox?.ips ?? [])
    const config = containerConfig(pod, written, facts, {
      attempt: container.attempt,
      imageId: container.imageId,
      imageUser: user,
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
