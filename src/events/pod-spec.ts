/**
 * A pod as it is desired: the fields of `v1.Pod` that Chronode acts on, under their Kubernetes names, defaults applied.
 *
 * The same shape serves a manifest and the log, with one difference (law 9): in the log no environment variable has a
 * `value` and no HTTP header has one; a `valueHash` stands there instead, so that a change can be seen but not the value.
 * A reference (`valueFrom`, `envFrom`) is recorded as it is written: it holds names, and what they stand for is looked up
 * when a container is made.
 * Quantities stay text, as written (`100m`, `64Mi`).
 */
import { Schema } from "effect"

const opt = Schema.optionalKey
const text = Schema.String
const list = Schema.Array
const int = Schema.Int
const textMap = Schema.Record(Schema.String, Schema.String)
/** A port by number or by the name of one of the container's ports. */
export const IntOrString = Schema.Union([Schema.Int, Schema.String])

/** A field of the pod, by its path: `metadata.name`, `metadata.labels['app']`. */
export const ObjectFieldSelector = Schema.Struct({ apiVersion: opt(text), fieldPath: text })
/** A request or limit of a container: `limits.memory`, in units of `divisor`, rounded up. */
export const ResourceFieldSelector = Schema.Struct({ containerName: opt(text), resource: text, divisor: opt(text) })
export type ResourceFieldSelector = typeof ResourceFieldSelector.Type

const KeySelector = Schema.Struct({ name: text, key: text, optional: opt(Schema.Boolean) })

/** Where the value of a variable comes from; exactly one is given. */
export const EnvVarSource = Schema.Struct({
  fieldRef: opt(ObjectFieldSelector),
  resourceFieldRef: opt(ResourceFieldSelector),
  configMapKeyRef: opt(KeySelector),
  secretKeyRef: opt(KeySelector),
  /** KEP-3721: a file of variables in one of the pod's volumes. */
  fileKeyRef: opt(Schema.Struct({ volumeName: text, path: text, key: text, optional: opt(Schema.Boolean) }))
})
export type EnvVarSource = typeof EnvVarSource.Type

export const EnvVar = Schema.Struct({
  name: text,
  value: opt(text),
  valueFrom: opt(EnvVarSource),
  /** In the log only: first 16 hex digits of SHA-256 over pod uid, name and value. Absent where there was no value. */
  valueHash: opt(text)
})
export type EnvVar = typeof EnvVar.Type

const ObjectReference = Schema.Struct({ name: text, optional: opt(Schema.Boolean) })
/** All keys of one object as variables; exactly one reference is given. */
export const EnvFromSource = Schema.Struct({
  prefix: opt(text),
  configMapRef: opt(ObjectReference),
  secretRef: opt(ObjectReference)
})
export type EnvFromSource = typeof EnvFromSource.Type

export const HttpHeader = Schema.Struct({ name: text, value: opt(text), valueHash: opt(text) })
export const HttpGetAction = Schema.Struct({
  path: opt(text),
  port: IntOrString,
  host: opt(text),
  scheme: opt(Schema.Literals(["HTTP", "HTTPS"])),
  httpHeaders: opt(list(HttpHeader))
})
export const TcpSocketAction = Schema.Struct({ port: IntOrString, host: opt(text) })
export const ExecAction = Schema.Struct({ command: opt(list(text)) })
/** Asked on the pod's address; ports have no names here. */
export const GrpcAction = Schema.Struct({ port: int, service: opt(text) })

/** All timing fields are whole seconds; defaults: `pkg/apis/core/v1/defaults.go` SetDefaults_Probe. */
export const Probe = Schema.Struct({
  exec: opt(ExecAction),
  httpGet: opt(HttpGetAction),
  tcpSocket: opt(TcpSocketAction),
  grpc: opt(GrpcAction),
  initialDelaySeconds: opt(int),
  timeoutSeconds: opt(int),
  periodSeconds: opt(int),
  successThreshold: opt(int),
  failureThreshold: opt(int),
  terminationGracePeriodSeconds: opt(int)
})
export type Probe = typeof Probe.Type

/** What a container does right after its start or before its stop; exactly one is given. */
export const LifecycleHandler = Schema.Struct({
  exec: opt(ExecAction),
  httpGet: opt(HttpGetAction),
  /** Whole seconds. */
  sleep: opt(Schema.Struct({ seconds: int }))
})
export type LifecycleHandler = typeof LifecycleHandler.Type

export const Lifecycle = Schema.Struct({
  postStart: opt(LifecycleHandler),
  preStop: opt(LifecycleHandler),
  /** One of signals.ts (KEP-4960). */
  stopSignal: opt(text)
})

/** KEP-5307, container restart rules; `RestartAllContainers` is KEP-5532. */
export const RestartRule = Schema.Struct({
  action: Schema.Literals(["Restart", "RestartAllContainers"]),
  exitCodes: opt(Schema.Struct({ operator: Schema.Literals(["In", "NotIn"]), values: opt(list(int)) }))
})
export type RestartRule = typeof RestartRule.Type

export const ContainerPort = Schema.Struct({
  name: opt(text),
  containerPort: int,
  hostPort: opt(int),
  hostIP: opt(text),
  protocol: opt(Schema.Literals(["TCP", "UDP", "SCTP"]))
})

export const VolumeMount = Schema.Struct({
  name: text,
  mountPath: text,
  readOnly: opt(Schema.Boolean),
  /** KEP-3857: whether what is mounted below is read-only too. */
  recursiveReadOnly: opt(Schema.Literals(["Disabled", "IfPossible", "Enabled"])),
  /** Path in the volume, instead of its root. */
  subPath: opt(text),
  /** The same with `$(NAME)` references to the container's environment. */
  subPathExpr: opt(text),
  mountPropagation: opt(Schema.Literals(["None", "HostToContainer", "Bidirectional"]))
})

export type VolumeMount = typeof VolumeMount.Type

export const ResourceRequirements = Schema.Struct({ requests: opt(textMap), limits: opt(textMap) })
export type ResourceRequirements = typeof ResourceRequirements.Type

export const SeccompProfile = Schema.Struct({
  type: Schema.Literals(["RuntimeDefault", "Unconfined", "Localhost"]),
  /** Relative to the directory of seccomp profiles. */
  localhostProfile: opt(text)
})
export type SeccompProfile = typeof SeccompProfile.Type

export const AppArmorProfile = Schema.Struct({
  type: Schema.Literals(["RuntimeDefault", "Unconfined", "Localhost"]),
  /** The name of a profile that is loaded on the node. */
  localhostProfile: opt(text)
})
export type AppArmorProfile = typeof AppArmorProfile.Type

export const SELinuxOptions = Schema.Struct({ user: opt(text), role: opt(text), type: opt(text), level: opt(text) })
export type SELinuxOptions = typeof SELinuxOptions.Type

/** Read, so that a Linux pod that has them is told so; nothing here acts on them. */
export const WindowsOptions = Schema.Struct({
  gmsaCredentialSpecName: opt(text),
  gmsaCredentialSpec: opt(text),
  runAsUserName: opt(text),
  hostProcess: opt(Schema.Boolean)
})

/** Whether a resize of one resource restarts the container (KEP-1287); absent: it does not. */
export const ContainerResizePolicy = Schema.Struct({
  resourceName: Schema.Literals(["cpu", "memory"]),
  restartPolicy: Schema.Literals(["NotRequired", "RestartContainer"])
})
export type ContainerResizePolicy = typeof ContainerResizePolicy.Type

export const SecurityContext = Schema.Struct({
  privileged: opt(Schema.Boolean),
  runAsUser: opt(int),
  runAsGroup: opt(int),
  runAsNonRoot: opt(Schema.Boolean),
  readOnlyRootFilesystem: opt(Schema.Boolean),
  allowPrivilegeEscalation: opt(Schema.Boolean),
  capabilities: opt(Schema.Struct({ add: opt(list(text)), drop: opt(list(text)) })),
  procMount: opt(Schema.Literals(["Default", "Unmasked"])),
  seccompProfile: opt(SeccompProfile),
  appArmorProfile: opt(AppArmorProfile),
  seLinuxOptions: opt(SELinuxOptions),
  windowsOptions: opt(WindowsOptions)
})
export type SecurityContext = typeof SecurityContext.Type

export const Container = Schema.Struct({
  name: text,
  image: text,
  imagePullPolicy: opt(Schema.Literals(["Always", "IfNotPresent", "Never"])),
  command: opt(list(text)),
  args: opt(list(text)),
  workingDir: opt(text),
  env: opt(list(EnvVar)),
  /** In the log only, in place of `env` where that has too many variables to be recorded: their number, and a hash. */
  envDigest: opt(Schema.Struct({ count: int, hash: text })),
  envFrom: opt(list(EnvFromSource)),
  ports: opt(list(ContainerPort)),
  resources: opt(ResourceRequirements),
  resizePolicy: opt(list(ContainerResizePolicy)),
  volumeMounts: opt(list(VolumeMount)),
  livenessProbe: opt(Probe),
  readinessProbe: opt(Probe),
  startupProbe: opt(Probe),
  lifecycle: opt(Lifecycle),
  /** On an init container, `Always` makes it a sidecar (KEP-753). Absent: the pod's. */
  restartPolicy: opt(Schema.Literals(["Always", "OnFailure", "Never"])),
  restartPolicyRules: opt(list(RestartRule)),
  securityContext: opt(SecurityContext),
  terminationMessagePath: opt(text),
  terminationMessagePolicy: opt(Schema.Literals(["File", "FallbackToLogsOnError"])),
  stdin: opt(Schema.Boolean),
  stdinOnce: opt(Schema.Boolean),
  tty: opt(Schema.Boolean)
})
export type Container = typeof Container.Type

const {
  ports: _ports,
  resources: _resources,
  resizePolicy: _resizePolicy,
  livenessProbe: _liveness,
  readinessProbe: _readiness,
  startupProbe: _startup,
  lifecycle: _lifecycle,
  restartPolicy: _restartPolicy,
  restartPolicyRules: _restartPolicyRules,
  ...debuggable
} = Container.fields

/** A container that is put into a pod to look at it: started once, never restarted, and nothing depends on it. */
export const EphemeralContainer = Schema.Struct({
  ...debuggable,
  /** The container whose processes it sees. */
  targetContainerName: opt(text)
})
export type EphemeralContainer = typeof EphemeralContainer.Type

/** One key of an object as a file; `path` is relative to the volume, `mode` the file's permission bits. */
export const KeyToPath = Schema.Struct({ key: text, path: text, mode: opt(int) })

export const ConfigMapVolumeSource = Schema.Struct({
  name: text,
  /** Absent or empty: all keys. */
  items: opt(list(KeyToPath)),
  defaultMode: opt(int),
  optional: opt(Schema.Boolean)
})
export const SecretVolumeSource = Schema.Struct({
  secretName: text,
  items: opt(list(KeyToPath)),
  defaultMode: opt(int),
  optional: opt(Schema.Boolean)
})

/** A field, or a request or limit, of the pod as a file; exactly one of the references is given. */
export const DownwardAPIVolumeFile = Schema.Struct({
  path: text,
  fieldRef: opt(ObjectFieldSelector),
  resourceFieldRef: opt(ResourceFieldSelector),
  mode: opt(int)
})
export type DownwardAPIVolumeFile = typeof DownwardAPIVolumeFile.Type

const ObjectProjection = Schema.Struct({ name: text, items: opt(list(KeyToPath)), optional: opt(Schema.Boolean) })
/** Exactly one is given. */
export const VolumeProjection = Schema.Struct({
  configMap: opt(ObjectProjection),
  secret: opt(ObjectProjection),
  downwardAPI: opt(Schema.Struct({ items: opt(list(DownwardAPIVolumeFile)) }))
})

/** Exactly one source is given. */
export const Volume = Schema.Struct({
  name: text,
  emptyDir: opt(Schema.Struct({ medium: opt(text), sizeLimit: opt(text) })),
  hostPath: opt(Schema.Struct({ path: text, type: opt(text) })),
  configMap: opt(ConfigMapVolumeSource),
  secret: opt(SecretVolumeSource),
  downwardAPI: opt(Schema.Struct({ items: opt(list(DownwardAPIVolumeFile)), defaultMode: opt(int) })),
  /** KEP-4639 */
  image: opt(Schema.Struct({ reference: text, pullPolicy: opt(Schema.Literals(["Always", "IfNotPresent", "Never"])) })),
  projected: opt(Schema.Struct({ sources: opt(list(VolumeProjection)), defaultMode: opt(int) }))
})
export type Volume = typeof Volume.Type

export const PodSecurityContext = Schema.Struct({
  runAsUser: opt(int),
  runAsGroup: opt(int),
  runAsNonRoot: opt(Schema.Boolean),
  fsGroup: opt(int),
  /** Only for volumes that outlive a pod: none of those that there are, as under kubelet. */
  fsGroupChangePolicy: opt(Schema.Literals(["Always", "OnRootMismatch"])),
  supplementalGroups: opt(list(int)),
  supplementalGroupsPolicy: opt(Schema.Literals(["Merge", "Strict"])),
  sysctls: opt(list(Schema.Struct({ name: text, value: text }))),
  seccompProfile: opt(SeccompProfile),
  appArmorProfile: opt(AppArmorProfile),
  seLinuxOptions: opt(SELinuxOptions),
  windowsOptions: opt(WindowsOptions)
})
export type PodSecurityContext = typeof PodSecurityContext.Type

export const NodeSelectorRequirement = Schema.Struct({
  key: text,
  operator: Schema.Literals(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
  values: opt(list(text))
})
export type NodeSelectorRequirement = typeof NodeSelectorRequirement.Type

/** All of its parts are met; `metadata.name` is the one field. */
export const NodeSelectorTerm = Schema.Struct({
  matchExpressions: opt(list(NodeSelectorRequirement)),
  matchFields: opt(list(NodeSelectorRequirement))
})
export type NodeSelectorTerm = typeof NodeSelectorTerm.Type

/** What is required of the node; one of the terms is met. */
export const NodeAffinity = Schema.Struct({
  requiredDuringSchedulingIgnoredDuringExecution: opt(Schema.Struct({ nodeSelectorTerms: list(NodeSelectorTerm) }))
})

export const PodSpec = Schema.Struct({
  containers: list(Container),
  initContainers: opt(list(Container)),
  /** May grow while the pod runs, and is no part of what the pod is: see the uid of static pods. */
  ephemeralContainers: opt(list(EphemeralContainer)),
  volumes: opt(list(Volume)),
  /** Secrets with credentials of registries, in the pod's namespace. */
  imagePullSecrets: opt(list(Schema.Struct({ name: opt(text) }))),
  /** KEP-2837: what the pod asks for as a whole. */
  resources: opt(ResourceRequirements),
  /** KEP-688: what the pod takes beside its containers, as its RuntimeClass says. */
  overhead: opt(textMap),
  restartPolicy: opt(Schema.Literals(["Always", "OnFailure", "Never"])),
  terminationGracePeriodSeconds: opt(int),
  activeDeadlineSeconds: opt(int),
  dnsPolicy: opt(Schema.Literals(["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])),
  dnsConfig: opt(
    Schema.Struct({
      nameservers: opt(list(text)),
      searches: opt(list(text)),
      options: opt(list(Schema.Struct({ name: text, value: opt(text) })))
    })
  ),
  hostname: opt(text),
  /** KEP-4762: the whole host name, whatever the other fields say. */
  hostnameOverride: opt(text),
  subdomain: opt(text),
  setHostnameAsFQDN: opt(Schema.Boolean),
  hostAliases: opt(list(Schema.Struct({ ip: text, hostnames: opt(list(text)) }))),
  hostNetwork: opt(Schema.Boolean),
  hostPID: opt(Schema.Boolean),
  hostIPC: opt(Schema.Boolean),
  /** False: the pod gets a user namespace of its own (KEP-127). */
  hostUsers: opt(Schema.Boolean),
  shareProcessNamespace: opt(Schema.Boolean),
  enableServiceLinks: opt(Schema.Boolean),
  automountServiceAccountToken: opt(Schema.Boolean),
  serviceAccountName: opt(text),
  /** The old name of `serviceAccountName`, which wins; not in the log. */
  serviceAccount: opt(text),
  nodeName: opt(text),
  os: opt(Schema.Struct({ name: text })),
  nodeSelector: opt(textMap),
  affinity: opt(Schema.Struct({ nodeAffinity: opt(NodeAffinity) })),
  priority: opt(int),
  priorityClassName: opt(text),
  runtimeClassName: opt(text),
  /** Conditions that others set and that have to be true before the pod is ready (KEP-580). */
  readinessGates: opt(list(Schema.Struct({ conditionType: text }))),
  securityContext: opt(PodSecurityContext),
  tolerations: opt(
    list(
      Schema.Struct({
        key: opt(text),
        operator: opt(text),
        value: opt(text),
        effect: opt(text),
        tolerationSeconds: opt(int)
      })
    )
  )
})
export type PodSpec = typeof PodSpec.Type

export const PodMetadata = Schema.Struct({
  name: text,
  namespace: text,
  /** Static pods: 128-bit FNV-1a hex of the pod, the host and the source, as kubelet derives it. */
  uid: text,
  labels: opt(textMap),
  annotations: opt(textMap)
})

export const Pod = Schema.Struct({ metadata: PodMetadata, spec: PodSpec }).annotate({ identifier: "Pod" })
export type Pod = typeof Pod.Type
