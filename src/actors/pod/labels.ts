/**
 * Labels and annotations by which kubelet, crictl and other tools know a pod's sandboxes and containers
 * (`pkg/kubelet/kuberuntime/labels.go`, `pkg/kubelet/types`).
 */
import type { Labels } from "../../adapters/cri/port.ts"
import { containerHash, goJson } from "./plan/spec-hash.ts"
import type { PolicyContainer, PolicyPod } from "./spec-extension.ts"

export const podNameLabel = "io.kubernetes.pod.name"
export const podNamespaceLabel = "io.kubernetes.pod.namespace"
export const podUidLabel = "io.kubernetes.pod.uid"
export const containerNameLabel = "io.kubernetes.container.name"

export const containerHashAnnotation = "io.kubernetes.container.hash"
export const restartCountAnnotation = "io.kubernetes.container.restartCount"
const terminationMessagePathAnnotation = "io.kubernetes.container.terminationMessagePath"
const terminationMessagePolicyAnnotation = "io.kubernetes.container.terminationMessagePolicy"
const preStopHandlerAnnotation = "io.kubernetes.container.preStopHandler"
const portsAnnotation = "io.kubernetes.container.ports"
const podDeletionGraceAnnotation = "io.kubernetes.pod.deletionGracePeriod"
const podTerminationGraceAnnotation = "io.kubernetes.pod.terminationGracePeriod"

export const configSourceAnnotation = "kubernetes.io/config.source"
export const configSeenAnnotation = "kubernetes.io/config.seen"
export const configHashAnnotation = "kubernetes.io/config.hash"

/** Where a pod's definition came from: a manifest directory is kubelet's `file`. */
export interface ConfigOrigin {
  readonly source: "file" | "api" | "http"
  /** When it was first seen, RFC 3339. */
  readonly seenAt: string
}

const podIdentity = ({ metadata }: PolicyPod): Labels => ({
  [podNameLabel]: metadata.name,
  [podNamespaceLabel]: metadata.namespace,
  [podUidLabel]: metadata.uid
})

/** The pod's own labels, and its identity over them. */
export const sandboxLabels = (pod: PolicyPod): Labels => ({ ...pod.metadata.labels, ...podIdentity(pod) })

/** The pod's own annotations and where it came from; a pod from a file is known by the hash that its uid is. */
export const sandboxAnnotations = (pod: PolicyPod, origin?: ConfigOrigin): Labels => ({
  ...pod.metadata.annotations,
  ...(origin === undefined
    ? {}
    : {
        [configSourceAnnotation]: origin.source,
        [configSeenAnnotation]: origin.seenAt,
        ...(origin.source === "api" ? {} : { [configHashAnnotation]: pod.metadata.uid })
      })
})

export const containerLabels = (pod: PolicyPod, container: Pick<PolicyContainer, "name">): Labels => ({
  ...podIdentity(pod),
  [containerNameLabel]: container.name
})

/** Ports in the API's field order, empty fields left out, as Go marshals them. */
const portsJson = (ports: NonNullable<PolicyContainer["ports"]>): string =>
  goJson(
    ports.map(({ name, hostPort, containerPort, protocol, hostIP }) => ({
      name: name || undefined,
      hostPort: hostPort || undefined,
      containerPort,
      protocol: protocol || undefined,
      hostIP: hostIP || undefined
    }))
  )

/** `restartCount`: the attempt. */
export const containerAnnotations = (pod: PolicyPod, container: PolicyContainer, restartCount: number): Labels => {
  const { deletionGracePeriodSeconds } = pod.metadata
  const { terminationGracePeriodSeconds } = pod.spec
  const preStop = container.lifecycle?.preStop
  const ports = container.ports ?? []
  return {
    [containerHashAnnotation]: containerHash(container).toString(16),
    [restartCountAnnotation]: String(restartCount),
    [terminationMessagePathAnnotation]: container.terminationMessagePath ?? "",
    [terminationMessagePolicyAnnotation]: container.terminationMessagePolicy ?? "",
    ...(deletionGracePeriodSeconds === undefined
      ? {}
      : { [podDeletionGraceAnnotation]: String(deletionGracePeriodSeconds) }),
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [podTerminationGraceAnnotation]: String(terminationGracePeriodSeconds) }),
    ...(preStop === undefined ? {} : { [preStopHandlerAnnotation]: goJson(preStop) }),
    ...(ports.length === 0 ? {} : { [portsAnnotation]: portsJson(ports) })
  }
}
