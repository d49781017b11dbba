/**
 * What the API server would fill in (`pkg/apis/core/v1/defaults.go` of Kubernetes 1.36), for the fields that Chronode has.
 * Explicit values stay as they are, but for zeros where upstream takes zero for "not given".
 */
import type { Container, LifecycleHandler, Pod, Probe, Volume } from "../../events/pod-spec.ts"
import { systemPriorities } from "../../events/system-priorities.ts"
import { podResourceDefaults } from "./default-resources.ts"
import type { UnidentifiedPod } from "./identity.ts"

export const defaultNamespace = "default"

/** Tag of an image reference; `latest` where there is neither tag nor digest (`pkg/util/parsers` ParseImageName). */
export const tagOf = (image: string): string => {
  const [name = "", digest] = image.split("@", 2)
  const last = name.slice(name.lastIndexOf("/") + 1)
  const colon = last.indexOf(":")
  return colon >= 0 ? last.slice(colon + 1) : digest === undefined ? "latest" : ""
}

const pullPolicyOf = (image: string): "Always" | "IfNotPresent" =>
  tagOf(image) === "latest" ? "Always" : "IfNotPresent"

const orDefault = (value: number | undefined, otherwise: number): number =>
  value === undefined || value === 0 ? otherwise : value

const httpGetDefaults = (action: NonNullable<Probe["httpGet"]>): NonNullable<Probe["httpGet"]> => ({
  ...action,
  path: action.path === undefined || action.path === "" ? "/" : action.path,
  scheme: action.scheme ?? "HTTP"
})

const probeDefaults = (probe: Probe): Probe => ({
  ...probe,
  ...(probe.httpGet === undefined ? {} : { httpGet: httpGetDefaults(probe.httpGet) }),
  ...(probe.grpc === undefined ? {} : { grpc: { ...probe.grpc, service: probe.grpc.service ?? "" } }),
  initialDelaySeconds: probe.initialDelaySeconds ?? 0,
  timeoutSeconds: orDefault(probe.timeoutSeconds, 1),
  periodSeconds: orDefault(probe.periodSeconds, 10),
  successThreshold: orDefault(probe.successThreshold, 1),
  failureThreshold: orDefault(probe.failureThreshold, 3)
})

const hookDefaults = (handler: LifecycleHandler): LifecycleHandler =>
  handler.httpGet === undefined ? handler : { ...handler, httpGet: httpGetDefaults(handler.httpGet) }

const lifecycleDefaults = ({ postStart, preStop, ...rest }: NonNullable<Container["lifecycle"]>) => ({
  ...rest,
  ...(postStart === undefined ? {} : { postStart: hookDefaults(postStart) }),
  ...(preStop === undefined ? {} : { preStop: hookDefaults(preStop) })
})

const containerDefaults = (container: Container, hostNetwork: boolean): Container => {
  const { ports, resources, livenessProbe, readinessProbe, startupProbe, lifecycle, ...rest } = container
  return {
    ...rest,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image),
    ...(ports === undefined
      ? {}
      : {
          ports: ports.map((port) => ({
            ...port,
            // A container on the host's network listens on the host.
            ...(hostNetwork && (port.hostPort ?? 0) === 0 ? { hostPort: port.containerPort } : {}),
            protocol: port.protocol ?? "TCP"
          }))
        }),
    // A limit without a request asks for as much as the limit.
    ...(resources === undefined
      ? {}
      : {
          resources:
            resources.limits === undefined
              ? resources
              : { ...resources, requests: { ...resources.limits, ...resources.requests } }
        }),
    ...(livenessProbe === undefined ? {} : { livenessProbe: probeDefaults(livenessProbe) }),
    ...(readinessProbe === undefined ? {} : { readinessProbe: probeDefaults(readinessProbe) }),
    ...(startupProbe === undefined ? {} : { startupProbe: probeDefaults(startupProbe) }),
    ...(lifecycle === undefined ? {} : { lifecycle: lifecycleDefaults(lifecycle) }),
    terminationMessagePath: container.terminationMessagePath ?? "/dev/termination-log",
    terminationMessagePolicy: container.terminationMessagePolicy ?? "File"
  }
}

/** Of files that are made of objects (`ConfigMapVolumeSourceDefaultMode` and its like). */
const fileMode = 0o644
const withMode = <A extends { readonly defaultMode?: number }>(source: A): A & { readonly defaultMode: number } => ({
  ...source,
  defaultMode: source.defaultMode ?? fileMode
})

/** A volume that names no source is an emptyDir. */
const volumeDefaults = (volume: Volume): Volume => {
  const { hostPath, configMap, secret, downwardAPI, projected, image } = volume
  if (hostPath !== undefined) return { ...volume, hostPath: { ...hostPath, type: hostPath.type ?? "" } }
  if (configMap !== undefined) return { ...volume, configMap: withMode(configMap) }
  if (secret !== undefined) return { ...volume, secret: withMode(secret) }
  if (downwardAPI !== undefined) return { ...volume, downwardAPI: withMode(downwardAPI) }
  if (image !== undefined) {
    return { ...volume, image: { ...image, pullPolicy: image.pullPolicy ?? pullPolicyOf(image.reference) } }
  }
  if (projected !== undefined) return { ...volume, projected: withMode(projected) }
  return { ...volume, emptyDir: volume.emptyDir ?? {} }
}

/** The value of a system class; others are objects of an API server. */
const priorityOf = ({ priority, priorityClassName }: Pick<Pod["spec"], "priority" | "priorityClassName">) => {
  const value = priority ?? systemPriorities.get(priorityClassName ?? "")
  return value === undefined ? {} : { priority: value }
}

/** Applied to a pod that passed validation. */
export const applyDefaults = (
  pod: Pick<UnidentifiedPod, "spec"> & { metadata: Partial<Pod["metadata"]> & { name: string } }
): UnidentifiedPod => {
  const { uid: _, ...metadata } = pod.metadata
  const { containers, initContainers, ephemeralContainers, volumes, serviceAccount, ...spec } = pod.spec
  const serviceAccountName = spec.serviceAccountName || serviceAccount
  const hostNetwork = spec.hostNetwork === true
  return {
    metadata: {
      ...metadata,
      namespace: metadata.namespace === undefined || metadata.namespace === "" ? defaultNamespace : metadata.namespace
    },
    spec: {
      ...spec,
      ...(serviceAccountName ? { serviceAccountName } : {}),
      ...(volumes === undefined ? {} : { volumes: volumes.map(volumeDefaults) }),
      ...(initContainers === undefined
        ? {}
        : { initContainers: initContainers.map((c) => containerDefaults(c, hostNetwork)) }),
      ...(ephemeralContainers === undefined
        ? {}
        : { ephemeralContainers: ephemeralContainers.map((c) => containerDefaults(c, hostNetwork)) }),
      containers: containers.map((c) => containerDefaults(c, hostNetwork)),
      restartPolicy: spec.restartPolicy ?? "Always",
      terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
      dnsPolicy: spec.dnsPolicy ?? "ClusterFirst",
      enableServiceLinks: spec.enableServiceLinks ?? true,
      ...priorityOf(spec),
      ...podResourceDefaults(spec.resources, containers, initContainers ?? [])
    }
  }
}
