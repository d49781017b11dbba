/**
 * Fields of the Kubernetes API (1.36, `staging/src/k8s.io/api/core/v1/types.go`) that pod-spec.ts does not have yet. Most
 * are left out with a warning. Those whose absence would run something else than was asked for are refused.
 */

/** `spec.initContainers[3].readinessProbe` → `spec.containers[].probe`: fields are known by where they stand. */
export const placeOf = (path: string): string =>
  path
    .replace(/^items\[\d+\]\.?/u, "")
    .replace(/\[\d+\]/gu, "[]")
    .replace(/^spec\.(initContainers|ephemeralContainers)\[\]/u, "spec.containers[]")
    .replace(/\.(liveness|readiness|startup)Probe$/u, ".probe")
    .replace(/\.lifecycle\.(postStart|preStop)$/u, ".lifecycle.hook")

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/u))

const notActedOn: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["", words("status")],
  [
    "metadata",
    words(`creationTimestamp deletionGracePeriodSeconds finalizers generateName generation managedFields
      ownerReferences resourceVersion selfLink`)
  ],
  [
    "spec",
    words(`preemptionPolicy schedulerName schedulingGroup
      topologySpreadConstraints workloadRef`)
  ],
  // Where else it could run, and beside whom, is a scheduler's question.
  ["spec.affinity", words("podAffinity podAntiAffinity")],
  ["spec.affinity.nodeAffinity", words("preferredDuringSchedulingIgnoredDuringExecution")],
  ["spec.securityContext", words("seLinuxChangePolicy")]
])

const refused: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  // A pod that is being deleted, or that nobody may place yet, is not to run; devices that it claims are not there.
  ["metadata", words("deletionTimestamp")],
  ["spec", words("resourceClaims schedulingGates")],
  ["spec.containers[].resources", words("claims")],
  ["spec.containers[]", words("volumeDevices")],
  ["spec.containers[].lifecycle.hook", words("tcpSocket")],
  [
    "spec.volumes[]",
    words(`awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker
      gcePersistentDisk gitRepo glusterfs iscsi nfs photonPersistentDisk portworxVolume
      quobyte rbd scaleIO storageos vsphereVolume`)
  ]
])

/** Fields of a container that an ephemeral one may not have (`pkg/apis/core/validation` allowedEphemeralContainerFields). */
const notForEphemeral =
  words(`ports resources resizePolicy livenessProbe readinessProbe startupProbe lifecycle restartPolicy
  restartPolicyRules`)

/** `silent`: of an object that nothing but what is read here asks for: not worth a word. */
export type Known = "forbidden" | "refused" | "needsApiServer" | "notActedOn" | "unknown" | "silent"

/** Refused for good: what they stand for is made by an API server. */
const needsApiServer: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["spec.volumes[]", words("ephemeral persistentVolumeClaim")],
  ["spec.volumes[].projected.sources[]", words("clusterTrustBundle podCertificate serviceAccountToken")]
])

/** What to do with a field that the shape does not have. `path`: of the mapping that holds it. */
export const classify = (path: string, field: string): Known => {
  const place = placeOf(path)
  if (/(?:^|\.)spec\.ephemeralContainers\[\d+\]$/u.test(path) && notForEphemeral.has(field)) return "forbidden"
  if (refused.get(place)?.has(field) === true) return "refused"
  if (needsApiServer.get(place)?.has(field) === true) return "needsApiServer"
  return notActedOn.get(place)?.has(field) === true ? "notActedOn" : "unknown"
}

/** Fields of the objects beside pods that nothing here acts on. Others that the shape does not have are unknown. */
const objectFields: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["", words("status")],
  [
    "metadata",
    words(`annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers generateName generation
      labels managedFields ownerReferences resourceVersion selfLink uid`)
  ],
  [
    "spec",
    words(`allocateLoadBalancerNodePorts externalIPs externalName externalTrafficPolicy healthCheckNodePort
      internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP loadBalancerSourceRanges
      publishNotReadyAddresses selector sessionAffinity sessionAffinityConfig trafficDistribution`)
  ],
  ["spec.ports[]", words("appProtocol nodePort targetPort")]
])

/** As `classify`, for a ConfigMap, Secret, Service or RuntimeClass. */
export const classifyOfObject = (path: string, field: string): Known =>
  objectFields.get(placeOf(path))?.has(field) === true ? "silent" : "unknown"

/** Objects that people keep beside pods; a directory of static pods gives them no meaning. */
export const companionKinds = words(`Namespace ServiceAccount PersistentVolume PersistentVolumeClaim
  Endpoints EndpointSlice LimitRange ResourceQuota PodDisruptionBudget NetworkPolicy Ingress Role RoleBinding ClusterRole
  ClusterRoleBinding PriorityClass StorageClass HorizontalPodAutoscaler CustomResourceDefinition`)
