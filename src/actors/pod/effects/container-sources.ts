/**
 * What a container's definition refers to, as it is at the moment when the container is made: objects beside the pods, files
 * and paths in its volumes. Live; values go to the runtime and nowhere else (law 9).
 */
import { Effect, Result } from "effect"
import { type ConfigMap, Manifests, type ObjectsUnknown, type Secret } from "../../../adapters/manifests/port.ts"
import { Volumes } from "../../../adapters/volumes/port.ts"
import {
  type EnvironmentEntry,
  type EnvironmentUnsatisfied,
  environment,
  filesOf,
  objectsOf,
  type Values
} from "../environment/environment.ts"
import { serviceVariables, visibleServices } from "../environment/service-variables.ts"
import { sortedPodIps, toldHostIps } from "../network/pod-ips.ts"
import { PodSettings } from "../settings.ts"
import type { PolicyContainer, PolicyPod } from "../spec-extension.ts"
import { type MountedVolume, MountUnsatisfied, subPathRequests } from "./mounts.ts"

type Volumes_ = ReadonlyMap<string, MountedVolume>

/** Each object that the container names, once. */
const objects = <A>(
  names: ReadonlyArray<string>,
  get: (name: string) => Effect.Effect<A | undefined, ObjectsUnknown>,
  values: (object: A) => Values
) =>
  Effect.map(
    Effect.forEach(names, (name) => Effect.map(get(name), (object) => [name, object] as const)),
    (found) => {
      const byName = new Map(found.flatMap(([name, o]) => (o === undefined ? [] : [[name, values(o)] as const])))
      return (name: string) => byName.get(name)
    }
  )

const configMapValues = ({ data }: ConfigMap): Values => new Map(Object.entries(data))
const secretValues = ({ data }: Secret): Values => new Map(Object.entries(data))

const services = (pod: PolicyPod) =>
  Effect.gen(function* () {
    const store = (yield* Manifests).objects
    const { namespace } = pod.metadata
    const own = yield* store.services(namespace)
    const masters = namespace === "default" ? [] : yield* store.services("default")
    const seen = visibleServices([...masters, ...own], namespace, pod.spec.enableServiceLinks !== false)
    return new Map(serviceVariables(seen).map(({ key, value }) => [key, value]))
  })

/** Files of variables; what cannot be read is said in kubelet's words, and to the agent's own log in full. */
const files = (pod: PolicyPod, container: PolicyContainer, volumes: Volumes_) =>
  Effect.gen(function* () {
    const port = yield* Volumes
    const texts = new Map<string, string>()
    for (const { volume, path } of filesOf(container)) {
      const { hostPath } = volumes.get(volume) ?? {}
      if (hostPath === undefined) continue
      const text = yield* Effect.result(port.readFile(pod.metadata.uid, volume, hostPath, path))
      if (Result.isSuccess(text)) texts.set(`${volume}\0${path}`, text.success)
      else yield* Effect.logWarning(`cannot read ${path} of volume ${volume}: ${text.failure.message}`)
    }
    return (volume: string, path: string): Result.Result<string, string> => {
      if (!volumes.has(volume)) return Result.fail(`cannot find the volume "${volume}" referenced by FileKeyRef`)
      const text = texts.get(`${volume}\0${path}`)
      return text === undefined ? Result.fail("couldn't parse env file") : Result.succeed(text)
    }
  })

/** The environment of a container that is made now. `sandboxIps`: as the runtime tells them. */
export const currentEnvironment = (
  pod: PolicyPod,
  container: PolicyContainer,
  volumes: Volumes_,
  sandboxIps: ReadonlyArray<string>
): Effect.Effect<
  ReadonlyArray<EnvironmentEntry>,
  EnvironmentUnsatisfied | ObjectsUnknown,
  Manifests | PodSettings | Volumes
> =>
  Effect.gen(function* () {
    const store = (yield* Manifests).objects
    const { facts, offer } = yield* PodSettings
    const { namespace } = pod.metadata
    const named = objectsOf(container)
    const hostIps = toldHostIps(facts.nodeIps)
    const result = environment(pod, container, {
      place: {
        nodeName: facts.nodeName,
        hostIps,
        podIps: pod.spec.hostNetwork === true ? hostIps : sortedPodIps(sandboxIps, hostIps[0])
      },
      allocatable: offer?.allocatable ?? {},
      configMap: yield* objects(named.configMaps, (name) => store.configMap(namespace, name), configMapValues),
      secret: yield* objects(named.secrets, (name) => store.secret(namespace, name), secretValues),
      file: yield* files(pod, container, volumes),
      services: yield* services(pod)
    })
    return yield* Effect.fromResult(result)
  })

/** Makes the sub paths of the container's mounts reachable; answers where, by the index of the mount. */
export const reachSubPaths = (
  pod: PolicyPod,
  container: PolicyContainer,
  volumes: Volumes_,
  env: ReadonlyArray<EnvironmentEntry>
): Effect.Effect<ReadonlyMap<number, string>, MountUnsatisfied, Volumes> =>
  Effect.gen(function* () {
    const port = yield* Volumes
    const paths = new Map<number, string>()
    for (const request of yield* Effect.fromResult(subPathRequests(container, { volumes, env }))) {
      const { index, volume } = request
      const path = yield* Effect.result(
        port.mountSubPath({ ...request, podUid: pod.metadata.uid, container: container.name })
      )
      if (Result.isSuccess(path)) {
        paths.set(index, path.success)
        continue
      }
      // What went wrong would tell the pod of the host's files.
      const { step, message } = path.failure
      yield* Effect.logWarning(`sub path of volume ${volume} for container ${container.name}: ${message}`)
      const what = step === "create" ? "create subPath directory" : "prepare subPath"
      return yield* new MountUnsatisfied({
        message: `failed to ${what} for volumeMount "${volume}" of container "${container.name}"`
      })
    }
    return paths
  })
