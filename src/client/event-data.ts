/** Data of every type of event. Written by scripts/generate-client.ts from the catalogue: do not edit. */

export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly labels?: { readonly [name: string]: string }
    readonly annotations?: { readonly [name: string]: string }
  }
  readonly spec: {
    readonly containers: ReadonlyArray<{
      readonly name: string
      readonly image: string
      readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never"
      readonly command?: ReadonlyArray<string>
      readonly args?: ReadonlyArray<string>
      readonly workingDir?: string
      readonly env?: ReadonlyArray<{
        readonly name: string
        readonly value?: string
        readonly valueFrom?: {
          readonly fieldRef?: {
            readonly apiVersion?: string
            readonly fieldPath: string
          }
          readonly resourceFieldRef?: {
            readonly containerName?: string
            readonly resource: string
            readonly divisor?: string
          }
          readonly configMapKeyRef?: {
            readonly name: string
            readonly key: string
            readonly optional?: boolean
          }
          readonly secretKeyRef?: {
            readonly name: string
            readonly key: string
            readonly optional?: boolean
          }
          readonly fileKeyRef?: {
            readonly volumeName: string
            readonly path: string
            readonly key: string
            readonly optional?: boolean
          }
        }
        readonly valueHash?: string
      }>
      readonly envDigest?: {
        readonly count: number
        readonly hash: string
      }
      readonly envFrom?: ReadonlyArray<{
        readonly prefix?: string
        readonly configMapRef?: {
          readonly name: string
          readonly optional?: boolean
        }
        readonly secretRef?: {
          readonly name: string
          readonly optional?: boolean
        }
      }>
      readonly ports?: ReadonlyArray<{
        readonly name?: string
        readonly containerPort: number
        readonly hostPort?: number
        readonly hostIP?: string
        readonly protocol?: "TCP" | "UDP" | "SCTP"
      }>
      readonly resources?: {
        readonly requests?: { readonly [name: string]: string }
        readonly limits?: { readonly [name: string]: string }
      }
      readonly resizePolicy?: ReadonlyArray<{
        readonly resourceName: "cpu" | "memory"
        readonly restartPolicy: "NotRequired" | "RestartContainer"
      }>
      readonly volumeMounts?: ReadonlyArray<{
        readonly name: string
        readonly mountPath: string
        readonly readOnly?: boolean
        readonly recursiveReadOnly?: "Disabled" | "IfPossible" | "Enabled"
        readonly subPath?: string
        readonly subPathExpr?: string
        readonly mountPropagation?: "None" | "HostToContainer" | "Bidirectional"
      }>
      readonly livenessProbe?: {
        readonly exec?: {
          readonly command?: ReadonlyArray<string>
        }
        readonly httpGet?: {
          readonly path?: string
          readonly port: number | string
          readonly host?: string
          readonly scheme?: "HTTP" | "HTTPS"
          readonly httpHeaders?: ReadonlyArray<{
            readonly name: string
            readonly value?: string
            readonly valueHash?: string
          }>
        }
        readonly tcpSocket?: {
          readonly port: number | string
          readonly host?: string
        }
        readonly grpc?: {
          readonly port: number
          readonly service?: string
        }
        readonly initialDelaySeconds?: number
        readonly timeoutSeconds?: number
        readonly periodSeconds?: number
        readonly successThreshold?: number
        readonly failureThreshold?: number
        readonly terminationGracePeriodSeconds?: number
      }
      readonly readinessProbe?: {
        readonly exec?: {
          readonly command?: ReadonlyArray<string>
        }
        readonly httpGet?: {
          readonly path?: string
          readonly port: number | string
          readonly host?: string
          readonly scheme?: "HTTP" | "HTTPS"
          readonly httpHeaders?: ReadonlyArray<{
            readonly name: string
            readonly value?: string
            readonly valueHash?: string
          }>
        }
        readonly tcpSocket?: {
          readonly port: number | string
          readonly host?: string
        }
        readonly grpc?: {
          readonly port: number
          readonly service?: string
        }
        readonly initialDelaySeconds?: number
        readonly timeoutSeconds?: number
        readonly periodSeconds?: number
        readonly successThreshold?: number
        readonly failureThreshold?: number
        readonly terminationGracePeriodSeconds?: number
      }
      readonly startupProbe?: {
        readonly exec?: {
          readonly command?: ReadonlyArray<string>
        }
        readonly httpGet?: {
          readonly path?: string
          readonly port: number | string
          readonly host?: string
          readonly scheme?: "HTTP" | "HTTPS"
          readonly httpHeaders?: ReadonlyArray<{
            readonly name: string
            readonly value?: string
            readonly valueHash?: string
          }>
        }
        readonly tcpSocket?: {
          readonly port: number | string
          readonly host?: string
        }
        readonly grpc?: {
          readonly port: number
          readonly service?: string
        }
        readonly initialDelaySeconds?: number
        readonly timeoutSeconds?: number
        readonly periodSeconds?: number
        readonly successThreshold?: number
        readonly failureThreshold?: number
        readonly terminationGracePeriodSeconds?: number
      }
      readonly lifecycle?: {
        readonly postStart?: {
          readonly exec?: {
            readonly command?: ReadonlyArray<string>
          }
          readonly httpGet?: {
            readonly path?: string
            readonly port: number | string
            readonly host?: string
            readonly scheme?: "HTTP" | "HTTPS"
            readonly httpHeaders?: ReadonlyArray<{
              readonly name: string
              readonly value?: string
              readonly valueHash?: string
            }>
          }
          readonly sleep?: {
            readonly seconds: number
          }
        }
        readonly preStop?: {
          readonly exec?: {
            readonly command?: ReadonlyArray<string>
          }
          readonly httpGet?: {
            readonly path?: string
            readonly port: number | string
            readonly host?: string
            readonly scheme?: "HTTP" | "HTTPS"
            readonly httpHeaders?: ReadonlyArray<{
              readonly name: string
              readonly value?: string
              readonly valueHash?: string
            }>
          }
          readonly sleep?: {
            readonly seconds: number
          }
        }
        readonly stopSignal?: string
      }
      readonly restartPolicy?: "Always" | "OnFailure" | "Never"
      readonly restartPolicyRules?: ReadonlyArray<{
        readonly action: "Restart" | "RestartAllContainers"
        readonly exitCodes?: {
          readonly operator: "In" | "NotIn"
          readonly values?: ReadonlyArray<number>
        }
      }>
      readonly securityContext?: {
        readonly privileged?: boolean
        readonly runAsUser?: number
        readonly runAsGroup?: number
        readonly runAsNonRoot?: boolean
        readonly readOnlyRootFilesystem?: boolean
        readonly allowPrivilegeEscalation?: boolean
        readonly capabilities?: {
          readonly add?: ReadonlyArray<string>
          readonly drop?: ReadonlyArray<string>
        }
        readonly procMount?: "Default" | "Unmasked"
        readonly seccompProfile?: {
          readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
          readonly localhostProfile?: string
        }
        readonly appArmorProfile?: {
          readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
          readonly localhostProfile?: string
        }
        readonly seLinuxOptions?: {
          readonly user?: string
          readonly role?: string
          readonly type?: string
          readonly level?: string
        }
        readonly windowsOptions?: {
          readonly gmsaCredentialSpecName?: string
          readonly gmsaCredentialSpec?: string
          readonly runAsUserName?: string
          readonly hostProcess?: boolean
        }
      }
      readonly terminationMessagePath?: string
      readonly terminationMessagePolicy?: "File" | "FallbackToLogsOnError"
      readonly stdin?: boolean
      readonly stdinOnce?: boolean
      readonly tty?: boolean
    }>
    readonly initContainers?: ReadonlyArray<{
      readonly name: string
      readonly image: string
      readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never"
      readonly command?: ReadonlyArray<string>
      readonly args?: ReadonlyArray<string>
      readonly workingDir?: string
      readonly env?: ReadonlyArray<{
        readonly name: string
        readonly value?: string
        readonly valueFrom?: {
          readonly fieldRef?: {
            readonly apiVersion?: string
            readonly fieldPath: string
          }
          readonly resourceFieldRef?: {
            readonly containerName?: string
            readonly resource: string
            readonly divisor?: string
          }
          readonly configMapKeyRef?: {
            readonly name: string
            readonly key: string
            readonly optional?: boolean
          }
          readonly secretKeyRef?: {
            readonly name: string
            readonly key: string
            readonly optional?: boolean
          }
          readonly fileKeyRef?: {
            readonly volumeName: string
            readonly path: string
            readonly key: string
            readonly optional?: boolean
          }
        }
        readonly valueHash?: string
      }>
      readonly envDigest?: {
        readonly count: number
        readonly hash: string
      }
      readonly envFrom?: ReadonlyArray<{
        readonly prefix?: string
        readonly configMapRef?: {
          readonly name: string
          readonly optional?: boolean
        }
        readonly secretRef?: {
          readonly name: string
          readonly optional?: boolean
        }
      }>
      readonly ports?: ReadonlyArray<{
        readonly name?: string
        readonly containerPort: number
        readonly hostPort?: number
        readonly hostIP?: string
        readonly protocol?: "TCP" | "UDP" | "SCTP"
      }>
      readonly resources?: {
        readonly requests?: { readonly [name: string]: string }
        readonly limits?: { readonly [name: string]: string }
      }
      readonly resizePolicy?: ReadonlyArray<{
        readonly resourceName: "cpu" | "memory"
        readonly restartPolicy: "NotRequired" | "RestartContainer"
      }>
      readonly volumeMounts?: ReadonlyArray<{
        readonly name: string
        readonly mountPath: string
        readonly readOnly?: boolean
        readonly recursiveReadOnly?: "Disabled" | "IfPossible" | "Enabled"
        readonly subPath?: string
        readonly subPathExpr?: string
        readonly mountPropagation?: "None" | "HostToContainer" | "Bidirectional"
      }>
      readonly livenessProbe?: {
        readonly exec?: {
          readonly command?: ReadonlyArray<string>
        }
        readonly httpGet?: {
          readonly path?: string
          readonly port: number | string
          readonly host?: string
          readonly scheme?: "HTTP" | "HTTPS"
          readonly httpHeaders?: ReadonlyArray<{
            readonly name: string
            readonly value?: string
            readonly valueHash?: string
          }>
        }
        readonly tcpSocket?: {
          readonly port: number | string
          readonly host?: string
        }
        readonly grpc?: {
          readonly port: number
          readonly service?: string
        }
        readonly initialDelaySeconds?: number
        readonly timeoutSeconds?: number
        readonly periodSeconds?: number
        readonly successThreshold?: number
        readonly failureThreshold?: number
        readonly terminationGracePeriodSeconds?: number
      }
      readonly readinessProbe?: {
        readonly exec?: {
          readonly command?: ReadonlyArray<string>
        }
        readonly httpGet?: {
          readonly path?: string
          readonly port: number | string
          readonly host?: string
          readonly scheme?: "HTTP" | "HTTPS"
          readonly httpHeaders?: ReadonlyArray<{
            readonly name: string
            readonly value?: string
            readonly valueHash?: string
          }>
        }
        readonly tcpSocket?: {
          readonly port: number | string
          readonly host?: string
        }
        readonly grpc?: {
          readonly port: number
          readonly service?: string
        }
        readonly initialDelaySeconds?: number
        readonly timeoutSeconds?: number
        readonly periodSeconds?: number
        readonly successThreshold?: number
        readonly failureThreshold?: number
        readonly terminationGracePeriodSeconds?: number
      }
      readonly startupProbe?: {
        readonly exec?: {
          readonly command?: ReadonlyArray<string>
        }
        readonly httpGet?: {
          readonly path?: string
          readonly port: number | string
          readonly host?: string
          readonly scheme?: "HTTP" | "HTTPS"
          readonly httpHeaders?: ReadonlyArray<{
            readonly name: string
            readonly value?: string
            readonly valueHash?: string
          }>
        }
        readonly tcpSocket?: {
          readonly port: number | string
          readonly host?: string
        }
        readonly grpc?: {
          readonly port: number
          readonly service?: string
        }
        readonly initialDelaySeconds?: number
        readonly timeoutSeconds?: number
        readonly periodSeconds?: number
        readonly successThreshold?: number
        readonly failureThreshold?: number
        readonly terminationGracePeriodSeconds?: number
      }
      readonly lifecycle?: {
        readonly postStart?: {
          readonly exec?: {
            readonly command?: ReadonlyArray<string>
          }
          readonly httpGet?: {
            readonly path?: string
            readonly port: number | string
            readonly host?: string
            readonly scheme?: "HTTP" | "HTTPS"
            readonly httpHeaders?: ReadonlyArray<{
              readonly name: string
              readonly value?: string
              readonly valueHash?: string
            }>
          }
          readonly sleep?: {
            readonly seconds: number
          }
        }
        readonly preStop?: {
          readonly exec?: {
            readonly command?: ReadonlyArray<string>
          }
          readonly httpGet?: {
            readonly path?: string
            readonly port: number | string
            readonly host?: string
            readonly scheme?: "HTTP" | "HTTPS"
            readonly httpHeaders?: ReadonlyArray<{
              readonly name: string
              readonly value?: string
              readonly valueHash?: string
            }>
          }
          readonly sleep?: {
            readonly seconds: number
          }
        }
        readonly stopSignal?: string
      }
      readonly restartPolicy?: "Always" | "OnFailure" | "Never"
      readonly restartPolicyRules?: ReadonlyArray<{
        readonly action: "Restart" | "RestartAllContainers"
        readonly exitCodes?: {
          readonly operator: "In" | "NotIn"
          readonly values?: ReadonlyArray<number>
        }
      }>
      readonly securityContext?: {
        readonly privileged?: boolean
        readonly runAsUser?: number
        readonly runAsGroup?: number
        readonly runAsNonRoot?: boolean
        readonly readOnlyRootFilesystem?: boolean
        readonly allowPrivilegeEscalation?: boolean
        readonly capabilities?: {
          readonly add?: ReadonlyArray<string>
          readonly drop?: ReadonlyArray<string>
        }
        readonly procMount?: "Default" | "Unmasked"
        readonly seccompProfile?: {
          readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
          readonly localhostProfile?: string
        }
        readonly appArmorProfile?: {
          readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
          readonly localhostProfile?: string
        }
        readonly seLinuxOptions?: {
          readonly user?: string
          readonly role?: string
          readonly type?: string
          readonly level?: string
        }
        readonly windowsOptions?: {
          readonly gmsaCredentialSpecName?: string
          readonly gmsaCredentialSpec?: string
          readonly runAsUserName?: string
          readonly hostProcess?: boolean
        }
      }
      readonly terminationMessagePath?: string
      readonly terminationMessagePolicy?: "File" | "FallbackToLogsOnError"
      readonly stdin?: boolean
      readonly stdinOnce?: boolean
      readonly tty?: boolean
    }>
    readonly ephemeralContainers?: ReadonlyArray<{
      readonly name: string
      readonly image: string
      readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never"
      readonly command?: ReadonlyArray<string>
      readonly args?: ReadonlyArray<string>
      readonly workingDir?: string
      readonly env?: ReadonlyArray<{
        readonly name: string
        readonly value?: string
        readonly valueFrom?: {
          readonly fieldRef?: {
            readonly apiVersion?: string
            readonly fieldPath: string
          }
          readonly resourceFieldRef?: {
            readonly containerName?: string
            readonly resource: string
            readonly divisor?: string
          }
          readonly configMapKeyRef?: {
            readonly name: string
            readonly key: string
            readonly optional?: boolean
          }
          readonly secretKeyRef?: {
            readonly name: string
            readonly key: string
            readonly optional?: boolean
          }
          readonly fileKeyRef?: {
            readonly volumeName: string
            readonly path: string
            readonly key: string
            readonly optional?: boolean
          }
        }
        readonly valueHash?: string
      }>
      readonly envDigest?: {
        readonly count: number
        readonly hash: string
      }
      readonly envFrom?: ReadonlyArray<{
        readonly prefix?: string
        readonly configMapRef?: {
          readonly name: string
          readonly optional?: boolean
        }
        readonly secretRef?: {
          readonly name: string
          readonly optional?: boolean
        }
      }>
      readonly volumeMounts?: ReadonlyArray<{
        readonly name: string
        readonly mountPath: string
        readonly readOnly?: boolean
        readonly recursiveReadOnly?: "Disabled" | "IfPossible" | "Enabled"
        readonly subPath?: string
        readonly subPathExpr?: string
        readonly mountPropagation?: "None" | "HostToContainer" | "Bidirectional"
      }>
      readonly securityContext?: {
        readonly privileged?: boolean
        readonly runAsUser?: number
        readonly runAsGroup?: number
        readonly runAsNonRoot?: boolean
        readonly readOnlyRootFilesystem?: boolean
        readonly allowPrivilegeEscalation?: boolean
        readonly capabilities?: {
          readonly add?: ReadonlyArray<string>
          readonly drop?: ReadonlyArray<string>
        }
        readonly procMount?: "Default" | "Unmasked"
        readonly seccompProfile?: {
          readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
          readonly localhostProfile?: string
        }
        readonly appArmorProfile?: {
          readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
          readonly localhostProfile?: string
        }
        readonly seLinuxOptions?: {
          readonly user?: string
          readonly role?: string
          readonly type?: string
          readonly level?: string
        }
        readonly windowsOptions?: {
          readonly gmsaCredentialSpecName?: string
          readonly gmsaCredentialSpec?: string
          readonly runAsUserName?: string
          readonly hostProcess?: boolean
        }
      }
      readonly terminationMessagePath?: string
      readonly terminationMessagePolicy?: "File" | "FallbackToLogsOnError"
      readonly stdin?: boolean
      readonly stdinOnce?: boolean
      readonly tty?: boolean
      readonly targetContainerName?: string
    }>
    readonly volumes?: ReadonlyArray<{
      readonly name: string
      readonly emptyDir?: {
        readonly medium?: string
        readonly sizeLimit?: string
      }
      readonly hostPath?: {
        readonly path: string
        readonly type?: string
      }
      readonly configMap?: {
        readonly name: string
        readonly items?: ReadonlyArray<{
          readonly key: string
          readonly path: string
          readonly mode?: number
        }>
        readonly defaultMode?: number
        readonly optional?: boolean
      }
      readonly secret?: {
        readonly secretName: string
        readonly items?: ReadonlyArray<{
          readonly key: string
          readonly path: string
          readonly mode?: number
        }>
        readonly defaultMode?: number
        readonly optional?: boolean
      }
      readonly downwardAPI?: {
        readonly items?: ReadonlyArray<{
          readonly path: string
          readonly fieldRef?: {
            readonly apiVersion?: string
            readonly fieldPath: string
          }
          readonly resourceFieldRef?: {
            readonly containerName?: string
            readonly resource: string
            readonly divisor?: string
          }
          readonly mode?: number
        }>
        readonly defaultMode?: number
      }
      readonly image?: {
        readonly reference: string
        readonly pullPolicy?: "Always" | "IfNotPresent" | "Never"
      }
      readonly projected?: {
        readonly sources?: ReadonlyArray<{
          readonly configMap?: {
            readonly name: string
            readonly items?: ReadonlyArray<{
              readonly key: string
              readonly path: string
              readonly mode?: number
            }>
            readonly optional?: boolean
          }
          readonly secret?: {
            readonly name: string
            readonly items?: ReadonlyArray<{
              readonly key: string
              readonly path: string
              readonly mode?: number
            }>
            readonly optional?: boolean
          }
          readonly downwardAPI?: {
            readonly items?: ReadonlyArray<{
              readonly path: string
              readonly fieldRef?: {
                readonly apiVersion?: string
                readonly fieldPath: string
              }
              readonly resourceFieldRef?: {
                readonly containerName?: string
                readonly resource: string
                readonly divisor?: string
              }
              readonly mode?: number
            }>
          }
        }>
        readonly defaultMode?: number
      }
    }>
    readonly imagePullSecrets?: ReadonlyArray<{
      readonly name?: string
    }>
    readonly resources?: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    }
    readonly overhead?: { readonly [name: string]: string }
    readonly restartPolicy?: "Always" | "OnFailure" | "Never"
    readonly terminationGracePeriodSeconds?: number
    readonly activeDeadlineSeconds?: number
    readonly dnsPolicy?: "ClusterFirst" | "ClusterFirstWithHostNet" | "Default" | "None"
    readonly dnsConfig?: {
      readonly nameservers?: ReadonlyArray<string>
      readonly searches?: ReadonlyArray<string>
      readonly options?: ReadonlyArray<{
        readonly name: string
        readonly value?: string
      }>
    }
    readonly hostname?: string
    readonly hostnameOverride?: string
    readonly subdomain?: string
    readonly setHostnameAsFQDN?: boolean
    readonly hostAliases?: ReadonlyArray<{
      readonly ip: string
      readonly hostnames?: ReadonlyArray<string>
    }>
    readonly hostNetwork?: boolean
    readonly hostPID?: boolean
    readonly hostIPC?: boolean
    readonly hostUsers?: boolean
    readonly shareProcessNamespace?: boolean
    readonly enableServiceLinks?: boolean
    readonly automountServiceAccountToken?: boolean
    readonly serviceAccountName?: string
    readonly serviceAccount?: string
    readonly nodeName?: string
    readonly os?: {
      readonly name: string
    }
    readonly nodeSelector?: { readonly [name: string]: string }
    readonly affinity?: {
      readonly nodeAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: {
          readonly nodeSelectorTerms: ReadonlyArray<{
            readonly matchExpressions?: ReadonlyArray<{
              readonly key: string
              readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt"
              readonly values?: ReadonlyArray<string>
            }>
            readonly matchFields?: ReadonlyArray<{
              readonly key: string
              readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt"
              readonly values?: ReadonlyArray<string>
            }>
          }>
        }
      }
    }
    readonly priority?: number
    readonly priorityClassName?: string
    readonly runtimeClassName?: string
    readonly readinessGates?: ReadonlyArray<{
      readonly conditionType: string
    }>
    readonly securityContext?: {
      readonly runAsUser?: number
      readonly runAsGroup?: number
      readonly runAsNonRoot?: boolean
      readonly fsGroup?: number
      readonly fsGroupChangePolicy?: "Always" | "OnRootMismatch"
      readonly supplementalGroups?: ReadonlyArray<number>
      readonly supplementalGroupsPolicy?: "Merge" | "Strict"
      readonly sysctls?: ReadonlyArray<{
        readonly name: string
        readonly value: string
      }>
      readonly seccompProfile?: {
        readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
        readonly localhostProfile?: string
      }
      readonly appArmorProfile?: {
        readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
        readonly localhostProfile?: string
      }
      readonly seLinuxOptions?: {
        readonly user?: string
        readonly role?: string
        readonly type?: string
        readonly level?: string
      }
      readonly windowsOptions?: {
        readonly gmsaCredentialSpecName?: string
        readonly gmsaCredentialSpec?: string
        readonly runAsUserName?: string
        readonly hostProcess?: boolean
      }
    }
    readonly tolerations?: ReadonlyArray<{
      readonly key?: string
      readonly operator?: string
      readonly value?: string
      readonly effect?: string
      readonly tolerationSeconds?: number
    }>
  }
}

/** The agent started on this node and has folded its journal. */
export interface NodeStartedData {
  readonly version: string
  readonly host: string
  readonly kernel: string
  readonly architecture: string
  readonly cgroupVersion: "v1" | "v2" | "none"
  readonly bootId: string
  readonly pid: number
  readonly recording: "events" | "inputs"
  readonly flags: ReadonlyArray<number>
  readonly recoveredEvents: number
  readonly recoveredActors: number
  readonly podLogsDir?: string
}

/** The agent stopped in good order; containers run on. */
export interface NodeStoppedData {
  readonly reason: string
}

/** No new pod is admitted: the disk that holds the journal is full or nearly so. Running pods go on. */
export interface AdmissionClosedData {
  readonly reason: string
  readonly freeBytes: number
}

/** New pods are admitted again. */
export interface AdmissionOpenedData {
  readonly freeBytes: number
}

/** The oldest part of the journal was dropped by the retention rules, after it had been published. */
export interface JournalPrunedData {
  readonly throughSequence: number
  readonly events: number
  readonly hash: string
}

/** The cgroup above a class of pods is to have these values: the Burstable pods together have shares for what they request, the BestEffort ones the least, and all of them the limits of what the node has for pods. Cgroups of the system and of what runs pods get what is reserved for them, where enforceNodeAllocatable says so. */
export interface QosCgroupUpdatedData {
  readonly tier: "pods" | "burstable" | "besteffort" | "kube-reserved" | "system-reserved"
  readonly path: string
  readonly values: {
    readonly cpuShares?: number
    readonly cpuQuota?: number
    readonly cpuPeriod?: number
    readonly memoryLimit?: number
    readonly pidsLimit?: number
    readonly hugePages?: { readonly [name: string]: number }
  }
  readonly from?: {
    readonly cpuShares?: number
    readonly cpuQuota?: number
    readonly cpuPeriod?: number
    readonly memoryLimit?: number
    readonly pidsLimit?: number
    readonly hugePages?: { readonly [name: string]: number }
  }
  readonly pods: number
}

/** The cgroup above a class of pods could not be made or set, or one of the system that enforceNodeAllocatable names; it is tried again every minute. Pods whose own cgroup cannot be made do not start (FailedToCreatePodContainer). */
export interface QosCgroupFailedData {
  readonly path: string
  readonly message: string
}

/** The cgroup above a class of pods is as it is to be again, after a failure or after somebody removed it. */
export interface QosCgroupRestoredData {
  readonly path: string
  readonly reason: "Failed" | "Removed"
}

/** What the node is and has, as its status tells it, is known for the first time or is another now. */
export interface NodeDescribedData {
  readonly description: {
    readonly hostname: string
    readonly capacity: { readonly [name: string]: string }
    readonly allocatable: { readonly [name: string]: string }
    readonly labels: { readonly [name: string]: string }
    readonly addresses: ReadonlyArray<{
      readonly type: "InternalIP" | "Hostname"
      readonly address: string
    }>
    readonly machineId: string
    readonly systemUuid: string
    readonly osImage: string
  }
}

/** A condition of the node changed; reasons and messages are kubelet's. It is looked at every 10 s. */
export interface NodeConditionChangedData {
  readonly condition: "Ready" | "MemoryPressure" | "DiskPressure" | "PIDPressure"
  readonly status: boolean
  readonly reason: string
  readonly message: string
  readonly since: string
}

/** The node takes no new pods until it is uncordoned, but for critical ones: those of new manifests wait. Pods that are there run on. */
export interface NodeCordonedData {
  readonly by: string
}

/** The node takes pods again: those that waited are admitted. */
export interface NodeUncordonedData {
  readonly by: string
}

/** All pods of the node, but for critical ones, end within their grace periods and are removed. They come back from their manifests when the node is uncordoned. */
export interface NodeDrainStartedData {
  readonly by: string
  readonly gracePeriodSeconds?: number
  readonly until?: string
  readonly selector?: string
  readonly pods: number
}

/** Nothing is left of the pods that were to end. The node stays cordoned. */
export interface NodeDrainedData {
  readonly seconds: number
}

/** The drain was given up: its time is over, or the node was uncordoned. Pods that were told to end go on ending; the others stay. */
export interface NodeDrainFailedData {
  readonly reason: "Timeout" | "Uncordoned"
  readonly left: ReadonlyArray<string>
  readonly leftCount: number
}

/** The shutdown of the machine waits for this agent (systemd-logind), for so long at most (InhibitDelayMaxSec in logind.conf). Where that is less than the grace periods add up to, the last pods are cut off. */
export interface ShutdownInhibitorTakenData {
  readonly delayLimitSeconds: number
  readonly gracePeriodSeconds: number
}

/** The service systemd-logind could not be asked to wait at shutdown: pods would be cut off by one. It is tried again every 10 s. */
export interface ShutdownInhibitorFailedData {
  readonly message: string
}

/** The machine is about to shut down (logind's PrepareForShutdown): no pod is admitted any more, and pods end group by group, those of the lowest priority first. */
export interface NodeShutdownStartedData {
  readonly groups: ReadonlyArray<{
    readonly priority: number
    readonly gracePeriodSeconds: number
    readonly pods: number
  }>
}

/** The pods of one group end now, each within its own grace period and at most within the group's. */
export interface NodeShutdownGroupStartedData {
  readonly priority: number
  readonly gracePeriodSeconds: number
  readonly pods: number
  readonly left: ReadonlyArray<string>
  readonly leftCount: number
}

/** All groups of pods have ended, or their time is over: logind need not wait any longer. */
export interface NodeShutdownCompletedData {
  readonly seconds: number
  readonly left: ReadonlyArray<string>
  readonly leftCount: number
}

/** The machine does not shut down after all. Pods whose manifests are still there are admitted anew. */
export type NodeShutdownCancelledData = { readonly [name: string]: unknown }

/** The machine was booted again after a shutdown. Pods that ended for it, and whose manifests are still there, are admitted anew. */
export interface NodeShutdownOverData {
  readonly bootId: string
}

/** The agent runs with this configuration, which is another than the one that was told last: at its start, or because its file was changed and read again (on SIGHUP, and when it is seen to be another). */
export interface ConfigurationAppliedData {
  readonly reason: "Started" | "Reloaded"
  readonly file?: string
  readonly configuration: { readonly [name: string]: unknown }
  readonly logLevel: string
  readonly changed: ReadonlyArray<string>
  readonly needsRestart: ReadonlyArray<string>
  readonly notHonoured: ReadonlyArray<string>
  readonly omitted?: ReadonlyArray<string>
}

/** The configuration's file was changed, and cannot be taken: the agent runs on with what it had. Told once for each text of the problems, until the file is right again (ConfigurationApplied). */
export interface ConfigurationRejectedData {
  readonly file: string
  readonly problems: ReadonlyArray<{
    readonly line?: number
    readonly column?: number
    readonly field?: string
    readonly message: string
  }>
  readonly count: number
}

/** A manifest file was read for the first time, or with new content; the pods it declares are desired now. */
export interface ManifestReadData {
  readonly file: string
  readonly hash: string
  readonly pods: ReadonlyArray<{
    readonly namespace: string
    readonly name: string
    readonly uid: string
  }>
  readonly dropped?: ReadonlyArray<{
    readonly namespace: string
    readonly name: string
    readonly uid: string
  }>
  readonly objects?: number
}

/** A manifest, or one document of it, cannot be used. Nothing else is affected; a pod it declared before runs on. */
export interface ManifestInvalidData {
  readonly file: string
  readonly hash: string
  readonly line?: number
  readonly column?: number
  readonly field?: string
  readonly message: string
}

/** A field of a manifest is unknown or not acted on; the pod is used without it. */
export interface ManifestFieldIgnoredData {
  readonly file: string
  readonly hash: string
  readonly line?: number
  readonly field: string
  readonly message: string
}

/** A manifest file is gone; the pods it declared are not desired any more. */
export interface ManifestRemovedData {
  readonly file: string
  readonly pods: ReadonlyArray<{
    readonly namespace: string
    readonly name: string
    readonly uid: string
  }>
}

/** A ConfigMap, Secret, Service or RuntimeClass is declared beside the pods: pods may take values from it, or be run by it. The log has no value of it. */
export interface ObjectDeclaredData {
  readonly kind: "ConfigMap" | "Secret" | "Service" | "RuntimeClass"
  readonly namespace: string
  readonly name: string
  readonly file: string
  readonly hash: string
  readonly keys: ReadonlyArray<string>
  readonly keyCount?: number
  readonly immutable?: true
  readonly handler?: string
  readonly type?: string
}

/** The content of an object beside the pods has changed, or another file declares it now. */
export interface ObjectChangedData {
  readonly kind: "ConfigMap" | "Secret" | "Service" | "RuntimeClass"
  readonly namespace: string
  readonly name: string
  readonly file: string
  readonly hash: string
  readonly keys: ReadonlyArray<string>
  readonly keyCount?: number
  readonly immutable?: true
  readonly handler?: string
  readonly type?: string
}

/** An object beside the pods is not declared any more. What was mounted or set of it stays where it is. */
export interface ObjectRemovedData {
  readonly kind: "ConfigMap" | "Secret" | "Service" | "RuntimeClass"
  readonly namespace: string
  readonly name: string
  readonly file: string
}

/** The manifest directory cannot be read. Nothing is concluded from that: pods run on. */
export interface SourceUnreadableData {
  readonly path: string
  readonly message: string
}

/** The manifest directory can be read again. */
export interface SourceReadableData {
  readonly path: string
}

/** The container runtime answered; its version and abilities are known. */
export interface RuntimeConnectedData {
  readonly endpoint: string
  readonly name: string
  readonly version: string
  readonly apiVersion: string
  readonly events: boolean
  readonly cgroupDriver: "cgroupfs" | "systemd" | "unknown"
  readonly handlers?: ReadonlyArray<{
    readonly name: string
    readonly recursiveReadOnlyMounts: boolean
    readonly userNamespaces: boolean
  }>
  readonly supplementalGroupsPolicy?: boolean
}

/** The container runtime does not answer. Containers may run on; nothing is concluded about them. */
export interface RuntimeDisconnectedData {
  readonly endpoint: string
  readonly message: string
}

/** A condition that the runtime reports of itself changed, e.g. NetworkReady. */
export interface RuntimeConditionChangedData {
  readonly condition: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
}

/** No look at all containers has been finished for three minutes: what becomes of containers is not known. The node is not ready. */
export interface RuntimeUnhealthyData {
  readonly lastRelist: string
  readonly thresholdSeconds: number
  readonly calls: ReadonlyArray<{
    readonly call: string
    readonly since: string
  }>
  readonly message: string
}

/** Looks at all containers are finished again. */
export interface RuntimeHealthyData {
  readonly lastRelist: string
}

/** A sandbox of a pod that this node ran once and does not run now; it will be stopped and removed. */
export interface OrphanSandboxFoundData {
  readonly sandboxId: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** An orphaned sandbox was removed, with its containers. */
export interface OrphanSandboxRemovedData {
  readonly sandboxId: string
}

/** A dead container beyond those that are kept, a sandbox that is down and empty, the log directory, the directory or a volume of a pod that is gone, or an image that no container uses; it will be removed. */
export interface GarbageFoundData {
  readonly what: "Container" | "Sandbox" | "LogDirectory" | "Volume" | "Image" | "PodDirectory"
  readonly id: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly reason: string
}

/** Something that nobody needed any more was removed. */
export interface GarbageRemovedData {
  readonly what: "Container" | "Sandbox" | "LogDirectory" | "Volume" | "Image" | "PodDirectory"
  readonly id: string
}

/** Something that was to be removed stays: it has come into use meanwhile, or the runtime does not remove it. */
export interface GarbageKeptData {
  readonly what: "Container" | "Sandbox" | "LogDirectory" | "Volume" | "Image" | "PodDirectory"
  readonly id: string
  readonly message: string
}

/** Images are to be removed: the disk that holds them is too full, they were not used for too long, or eviction needs room. Those that were not used for the longest time go first, until there is room enough; each is told of by GarbageFound. */
export interface ImageCollectionDecidedData {
  readonly trigger: "HighThreshold" | "MaximumAge" | "Eviction"
  readonly images: number
  readonly bytes: number
  readonly bytesToFree?: number
  readonly usedPercent?: number
  readonly capacityBytes?: number
  readonly availableBytes?: number
  readonly highThresholdPercent: number
  readonly lowThresholdPercent: number
}

/** The disk of images is too full, and the images that may go are not enough (kubelet's FreeDiskSpaceFailed). Told once, until there is room again. */
export interface ImageSpaceShortData {
  readonly usedPercent: number
  readonly capacityBytes: number
  readonly availableBytes: number
  readonly bytesToFree: number
  readonly freedBytes: number
  readonly message: string
}

/** The disk of images has room again, after ImageSpaceShort. */
export interface ImageSpaceRestoredData {
  readonly usedPercent: number
  readonly capacityBytes: number
  readonly availableBytes: number
}

/** A pod needs an image. */
export interface ImageRequestedData {
  readonly image: string
  readonly pod: string
  readonly policy: "Always" | "IfNotPresent" | "Never"
  readonly secrets?: ReadonlyArray<string>
}

/** The image is present on the node. */
export interface ImageFoundData {
  readonly image: string
  readonly imageId: string
  readonly pods?: ReadonlyArray<string>
}

/** The image is to be pulled, as soon as fewer pulls are under way than the configuration allows. */
export interface ImagePullQueuedData {
  readonly image: string
  readonly attempt: number
}

/** The runtime was asked to pull the image. */
export interface ImagePullStartedData {
  readonly image: string
  readonly attempt: number
  readonly queued?: number
  readonly credentials?: ReadonlyArray<string>
  readonly problems?: ReadonlyArray<string>
}

/** The image was pulled. */
export interface ImagePulledData {
  readonly image: string
  readonly imageId: string
  readonly duration: number
  readonly size?: number
  readonly credentials?: string
  readonly grant?: {
    readonly secret?: {
      readonly namespace: string
      readonly name: string
      readonly hash: string
    }
  }
  readonly pods?: ReadonlyArray<string>
}

/** The image is not to be had now; it is tried again after a back-off of 10 s, doubling to 300 s. */
export interface ImagePullFailedData {
  readonly image: string
  readonly reason: string
  readonly message: string
  readonly attempt: number
  readonly retryAt?: string
  readonly pods?: ReadonlyArray<string>
}

/** A pod no longer waits for the image. */
export interface ImageReleasedData {
  readonly image: string
  readonly pod: string
}

/** The image is not on the node any more: whom pulls gave it is forgotten. */
export interface ImageGrantsDroppedData {
  readonly image: string
  readonly imageId: string
}

/** The pod is to run on this node. Its definition is as written, with defaults, without secret values. */
export interface PodAdmittedData {
  readonly pod: Pod
  readonly source: string
  readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort"
  readonly maxRestartPeriodSeconds?: number
  readonly userNamespace?: {
    readonly hostId: number
    readonly length: number
  }
  readonly runtimeHandler?: string
}

/** The pod cannot run on this node. */
export interface PodRejectedData {
  readonly uid: string
  readonly source: string
  readonly reason: string
  readonly message: string
  readonly field?: string
}

/** The node takes no pods: it is cordoned (NodeCordoned) or shuts down (NodeShutdown). The pod waits; it is admitted, or not, when the node takes pods again. */
export interface PodHeldData {
  readonly pod: Pod
  readonly source: string
  readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort"
  readonly maxRestartPeriodSeconds?: number
  readonly userNamespace?: {
    readonly hostId: number
    readonly length: number
  }
  readonly runtimeHandler?: string
  readonly reason: "NodeCordoned" | "NodeShutdown"
  readonly message: string
}

/** The machine shuts down, and it is this pod's turn: its containers are stopped, nothing is started any more, and it fails with the reason Terminated. It is admitted anew when the machine is up again and its manifest is still there. */
export interface PodShutDownData {
  readonly gracePeriodSeconds: number
  readonly message: string
}

/** The pod does not fit beside those that are there and outranks some of them: these are preempted, and it is admitted when nothing of them runs any more. */
export interface PodPreemptionDecidedData {
  readonly pod: Pod
  readonly source: string
  readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort"
  readonly maxRestartPeriodSeconds?: number
  readonly userNamespace?: {
    readonly hostId: number
    readonly length: number
  }
  readonly runtimeHandler?: string
  readonly preempted: ReadonlyArray<{
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly priority: number
    readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort"
  }>
  readonly message: string
}

/** A pod of higher priority takes the place of this one: its containers are stopped, nothing is started any more, and it fails. What is left of it stays until its manifest goes. */
export interface PodPreemptedData {
  readonly by: string
  readonly byUid: string
  readonly message: string
}

/** The node evicts the pod: its containers are stopped, nothing is started any more, and it fails. What is left of it stays until its manifest goes. */
export interface PodEvictedData {
  readonly signal: string
  readonly message: string
  readonly gracePeriodSeconds: number
  readonly disrupted: boolean
}

/** The pod's definition changed. The running pod ends first; then this one starts. */
export interface PodReplacementQueuedData {
  readonly pod: Pod
  readonly source: string
  readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort"
  readonly maxRestartPeriodSeconds?: number
  readonly userNamespace?: {
    readonly hostId: number
    readonly length: number
  }
  readonly runtimeHandler?: string
  readonly room?: {
    readonly allocatable: { readonly [name: string]: string }
    readonly used: { readonly [name: string]: string }
    readonly maxPods: number
    readonly pods: number
    readonly labels: { readonly [name: string]: string }
    readonly preempt?: ReadonlyArray<{
      readonly namespace: string
      readonly name: string
      readonly uid: string
      readonly priority: number
      readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort"
    }>
    readonly pressure?: ReadonlyArray<string>
    readonly pressureBecause?: string
    readonly takenPorts: ReadonlyArray<string>
    readonly sysctls?: ReadonlyArray<string>
    readonly appArmor?: boolean
    readonly supplementalGroupsPolicy?: boolean
  }
  readonly hold?: {
    readonly reason: "NodeCordoned" | "NodeShutdown"
    readonly message: string
  }
}

/** The definition that waited is no longer desired. */
export interface PodReplacementDroppedData {
  readonly uid: string
}

/** The pod is to end: its containers are stopped within the grace period, then everything of it is removed. */
export interface PodTerminationRequestedData {
  readonly reason: "ManifestRemoved" | "DefinitionChanged" | "NodeDrained" | "NodeReturned"
  readonly gracePeriodSeconds: number
}

/** The pod was active for longer than its activeDeadlineSeconds: its containers are stopped, nothing is started any more, and it fails. What is left of it stays until its manifest goes. */
export interface PodDeadlineExceededData {
  readonly activeDeadlineSeconds: number
  readonly startedAt: string
  readonly message: string
}

/** A container ended with an exit code whose rule restarts all containers of the pod (RestartAllContainers): what runs is stopped, then init containers and containers start over in the same sandbox. */
export interface PodRestartRequestedData {
  readonly container: string
  readonly exitCode: number
}

/** All containers of the pod have ended in order to start over from the first init container. */
export type PodContainersResetData = { readonly [name: string]: unknown }

/** What may change of a pod that runs has changed in its manifest. Nothing of it is restarted. */
export interface PodUpdatedData {
  readonly labels?: { readonly [name: string]: string }
  readonly annotations?: { readonly [name: string]: string }
  readonly activeDeadlineSeconds?: number
}

/** The manifest asks for containers to look at the running pod with (`spec.ephemeralContainers`): they are started once, whatever state the pod is in, and nothing depends on them. */
export interface EphemeralContainersAddedData {
  readonly containers: ReadonlyArray<{
    readonly name: string
    readonly image: string
    readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never"
    readonly command?: ReadonlyArray<string>
    readonly args?: ReadonlyArray<string>
    readonly workingDir?: string
    readonly env?: ReadonlyArray<{
      readonly name: string
      readonly value?: string
      readonly valueFrom?: {
        readonly fieldRef?: {
          readonly apiVersion?: string
          readonly fieldPath: string
        }
        readonly resourceFieldRef?: {
          readonly containerName?: string
          readonly resource: string
          readonly divisor?: string
        }
        readonly configMapKeyRef?: {
          readonly name: string
          readonly key: string
          readonly optional?: boolean
        }
        readonly secretKeyRef?: {
          readonly name: string
          readonly key: string
          readonly optional?: boolean
        }
        readonly fileKeyRef?: {
          readonly volumeName: string
          readonly path: string
          readonly key: string
          readonly optional?: boolean
        }
      }
      readonly valueHash?: string
    }>
    readonly envDigest?: {
      readonly count: number
      readonly hash: string
    }
    readonly envFrom?: ReadonlyArray<{
      readonly prefix?: string
      readonly configMapRef?: {
        readonly name: string
        readonly optional?: boolean
      }
      readonly secretRef?: {
        readonly name: string
        readonly optional?: boolean
      }
    }>
    readonly volumeMounts?: ReadonlyArray<{
      readonly name: string
      readonly mountPath: string
      readonly readOnly?: boolean
      readonly recursiveReadOnly?: "Disabled" | "IfPossible" | "Enabled"
      readonly subPath?: string
      readonly subPathExpr?: string
      readonly mountPropagation?: "None" | "HostToContainer" | "Bidirectional"
    }>
    readonly securityContext?: {
      readonly privileged?: boolean
      readonly runAsUser?: number
      readonly runAsGroup?: number
      readonly runAsNonRoot?: boolean
      readonly readOnlyRootFilesystem?: boolean
      readonly allowPrivilegeEscalation?: boolean
      readonly capabilities?: {
        readonly add?: ReadonlyArray<string>
        readonly drop?: ReadonlyArray<string>
      }
      readonly procMount?: "Default" | "Unmasked"
      readonly seccompProfile?: {
        readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
        readonly localhostProfile?: string
      }
      readonly appArmorProfile?: {
        readonly type: "RuntimeDefault" | "Unconfined" | "Localhost"
        readonly localhostProfile?: string
      }
      readonly seLinuxOptions?: {
        readonly user?: string
        readonly role?: string
        readonly type?: string
        readonly level?: string
      }
      readonly windowsOptions?: {
        readonly gmsaCredentialSpecName?: string
        readonly gmsaCredentialSpec?: string
        readonly runAsUserName?: string
        readonly hostProcess?: boolean
      }
    }
    readonly terminationMessagePath?: string
    readonly terminationMessagePolicy?: "File" | "FallbackToLogsOnError"
    readonly stdin?: boolean
    readonly stdinOnce?: boolean
    readonly tty?: boolean
    readonly targetContainerName?: string
  }>
}

/** What a manifest says of ephemeral containers differs from what its pod has: one that was added stays as it is until the pod goes, and a pod takes so many only. Told again when that changes; all lists empty: nothing differs any more. */
export interface EphemeralContainersDifferData {
  readonly removed: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  readonly refused: ReadonlyArray<string>
}

/** One of the pod's volumes is ready. */
export interface PodVolumeReadyData {
  readonly volume: string
  readonly path: string
  readonly imageId?: string
}

/** Nothing of the pod runs any more; its volumes are to be taken down. */
export type PodVolumesReleasedData = { readonly [name: string]: unknown }

/** One of the pod's volumes is taken down. */
export interface PodVolumeRemovedData {
  readonly volume: string
}

/** A sandbox is to be made for the pod. */
export interface SandboxRequestedData {
  readonly attempt: number
  readonly reason: string
}

/** The pod's cgroup is there, with these values in the kernel: the processes of its containers are limited together. Values are those of cgroup v1; on v2 cpu.weight follows from the shares. */
export interface PodCgroupCreatedData {
  readonly path: string
  readonly values: {
    readonly cpuShares?: number
    readonly cpuQuota?: number
    readonly cpuPeriod?: number
    readonly memoryLimit?: number
    readonly pidsLimit?: number
    readonly hugePages?: { readonly [name: string]: number }
  }
  readonly found?: boolean
}

/** The pod's cgroup is gone while the pod runs: somebody removed it. Its containers are stopped and the sandbox is made anew, in a new cgroup. */
export interface PodCgroupLostData {
  readonly path: string
}

/** The sandbox runs; the pod has its network. */
export interface SandboxCreatedData {
  readonly sandboxId: string
  readonly attempt: number
  readonly ips: ReadonlyArray<string>
  readonly hostIps?: ReadonlyArray<string>
  readonly createdAt: string
  readonly dnsWarnings?: ReadonlyArray<{
    readonly reason: string
    readonly message: string
  }>
}

/** The runtime could not make the sandbox; it is tried again after a back-off. */
export interface SandboxFailedData {
  readonly attempt: number
  readonly message: string
  readonly failures: number
  readonly retryAt: string
  readonly reason?: string
}

/** The sandbox is not ready any more, or the runtime does not know it. */
export interface SandboxLostData {
  readonly sandboxId: string
  readonly reason: string
}

/** The sandbox is to be stopped and its network taken down. */
export interface SandboxStopRequestedData {
  readonly sandboxId: string
  readonly reason: string
  readonly failures?: number
}

/** The sandbox is stopped. */
export interface SandboxStoppedData {
  readonly sandboxId: string
}

/** Nothing of the pod runs; its sandboxes, directories, cgroups and logs are to be removed. */
export interface PodCleanupRequestedData {
  readonly failures?: number
}

/** A step for the pod failed and is tried again after a back-off. */
export interface PodOperationFailedData {
  readonly operation: "StopSandbox" | "Cleanup" | "KillContainer"
  readonly message: string
  readonly failures: number
  readonly retryAt: string
  readonly containerId?: string
}

/** The pod's phase changed. */
export interface PodPhaseChangedData {
  readonly from: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown"
  readonly to: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown"
  readonly reason?: string
  readonly message?: string
}

/** A condition of the pod changed: PodScheduled, PodReadyToStartContainers, Initialized, ContainersReady, Ready, DisruptionTarget, AllContainersRestarting. */
export interface PodConditionChangedData {
  readonly condition: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
  readonly since?: string
}

/** The pod is gone and left nothing behind. */
export interface PodRemovedData {
  readonly uid: string
}

/** The image of a container is on the node. */
export interface ContainerImageReadyData {
  readonly container: string
  readonly image: string
  readonly imageId: string
}

/** A container cannot start now, and why, in kubelet's words (ErrImagePull, ImagePullBackOff, CreateContainerError, …). */
export interface ContainerWaitingData {
  readonly container: string
  readonly reason: string
  readonly message: string
}

/** A container is to be created and started in the pod's sandbox. */
export interface ContainerStartRequestedData {
  readonly container: string
  readonly attempt: number
  readonly sandboxId: string
  readonly imageId: string
  readonly reason: string
}

/** The runtime created the container. */
export interface ContainerCreatedData {
  readonly container: string
  readonly containerId: string
  readonly attempt: number
}

/** The container runs. */
export interface ContainerStartedData {
  readonly container: string
  readonly containerId: string
  readonly attempt: number
  readonly startedAt: string
  readonly stopSignal?: string
  readonly user?: {
    readonly uid: number
    readonly gid: number
    readonly supplementalGroups: ReadonlyArray<number>
  }
}

/** The runtime does not stop the container by the signal that its definition asks for (`lifecycle.stopSignal`): it is too old to know of it, and takes what the image says. */
export interface ContainerStopSignalIgnoredData {
  readonly container: string
  readonly containerId: string
  readonly asked: string
  readonly taken?: string
}

/** The container could not be created or started; it is tried again after a back-off. */
export interface ContainerStartFailedData {
  readonly container: string
  readonly attempt: number
  readonly reason: string
  readonly message: string
  readonly retryAt: string
  readonly imageMissing?: boolean
}

/** A lifecycle hook of the container is to run: postStart right after its start, preStop before its stop signal. After a crash of the agent it may run once more. */
export interface ContainerHookStartedData {
  readonly container: string
  readonly containerId: string
  readonly hook: "PostStart" | "PreStop"
  readonly target: string
  readonly until?: string
}

/** A lifecycle hook ended. A failed postStart hook stops its container; a failed preStop hook holds nothing up. */
export interface ContainerHookEndedData {
  readonly container: string
  readonly containerId: string
  readonly hook: "PostStart" | "PreStop"
  readonly outcome: "succeeded" | "failed"
  readonly reason?: string
  readonly output: string
  readonly timedOut: boolean
  readonly duration: number
}

/** The container is to be stopped: its stop signal first, SIGKILL when the grace period is over. */
export interface ContainerKillRequestedData {
  readonly container: string
  readonly containerId: string
  readonly reason: "LivenessProbe" | "StartupProbe" | "PodTerminating" | "SandboxLost" | "FailedPostStartHook" | "PodCompleted" | "DeadlineExceeded" | "RestartAllContainers" | "Resize" | "Unknown" | "Preempting" | "NodeShutdown" | "Evicted"
  readonly message: string
  readonly gracePeriodSeconds: number
  readonly preStop?: boolean
  readonly after?: ReadonlyArray<string>
  readonly failures?: number
}

/** A container whose stop had to wait is to be stopped now: its preStop hook is through and it is its turn, or its grace period is over. */
export interface ContainerStopRequestedData {
  readonly container: string
  readonly containerId: string
  readonly gracePeriodSeconds: number
  readonly reason: string
}

/** The container ended. */
export interface ContainerExitedData {
  readonly container: string
  readonly containerId: string
  readonly attempt: number
  readonly exitCode: number
  readonly signal?: number
  readonly reason: string
  readonly message: string
  readonly oomKilled: boolean
  readonly oom?: {
    readonly by?: "Container" | "Pod" | "Pods" | "Node"
    readonly limitBytes?: number
    readonly peakBytes?: number
    readonly events: { readonly [name: string]: number }
    readonly process?: {
      readonly pid: number
      readonly name: string
      readonly rssBytes?: number
    }
    readonly killedAt?: string
  }
  readonly killedFor?: "LivenessProbe" | "StartupProbe" | "PodTerminating" | "SandboxLost" | "FailedPostStartHook" | "PodCompleted" | "DeadlineExceeded" | "RestartAllContainers" | "Resize" | "Unknown" | "Preempting" | "NodeShutdown" | "Evicted"
  readonly startedAt?: string
  readonly finishedAt: string
}

/** The container is not restarted before a time: 10 s after its end, doubling to 300 s, forgotten after 600 s of running. */
export interface ContainerBackOffStartedData {
  readonly container: string
  readonly delaySeconds: number
  readonly until: string
}

/** Whether the container is ready changed. */
export interface ContainerReadinessChangedData {
  readonly container: string
  readonly ready: boolean
}

/** What a probe says of a container changed, as the pod took it in. */
export interface ContainerProbeReportedData {
  readonly container: string
  readonly containerId: string
  readonly probe: "liveness" | "readiness" | "startup"
  readonly result: "unknown" | "success" | "failure"
  readonly output: string
}

/** A dead container was removed from the runtime; the newest dead one of each name is kept. */
export interface ContainerRemovedData {
  readonly container: string
  readonly containerId: string
}

/** The manifest of a running pod (with a uid of its own) asks for other resources and for nothing else. Whether it gets them is decided with this event. */
export interface ResizeRequestedData {
  readonly from: {
    readonly pod?: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    }
    readonly containers: { readonly [name: string]: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    } }
  }
  readonly to: {
    readonly pod?: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    }
    readonly containers: { readonly [name: string]: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    } }
  }
  readonly source: string
}

/** Resources that waited are not asked for any more: the manifest has again what the pod has. */
export type ResizeWithdrawnData = { readonly [name: string]: unknown }

/** The resources asked for cannot be had: now (Deferred: tried again when there is room) or ever on this node (Infeasible). The pod runs on with what it has. */
export interface ResizePendingData {
  readonly reason: "Deferred" | "Infeasible"
  readonly message: string
}

/** The node has room for the resources asked for; from here on they are the pod's, and are brought into force. */
export interface ResizeAcceptedData {
  readonly from: {
    readonly pod?: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    }
    readonly containers: { readonly [name: string]: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    } }
  }
  readonly to: {
    readonly pod?: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    }
    readonly containers: { readonly [name: string]: {
      readonly requests?: { readonly [name: string]: string }
      readonly limits?: { readonly [name: string]: string }
    } }
  }
}

/** The resources are being brought into force: the pod's cgroup first where they grow, then each container by the runtime, the pod's cgroup last where they shrink. Containers whose resizePolicy says so are restarted instead. */
export interface ResizeStartedData {
  readonly cpu: ReadonlyArray<string>
  readonly memory: ReadonlyArray<string>
  readonly restart: ReadonlyArray<string>
}

/** The kernel and the runtime have taken the resources of the containers that run and of the pod's cgroup. */
export interface ResizeActuatedData {
  readonly containers: ReadonlyArray<string>
  readonly cgroup?: {
    readonly path: string
    readonly from: {
      readonly cpuShares?: number
      readonly cpuQuota?: number
      readonly cpuPeriod?: number
      readonly memoryLimit?: number
      readonly pidsLimit?: number
      readonly hugePages?: { readonly [name: string]: number }
    }
    readonly to: {
      readonly cpuShares?: number
      readonly cpuQuota?: number
      readonly cpuPeriod?: number
      readonly memoryLimit?: number
      readonly pidsLimit?: number
      readonly hugePages?: { readonly [name: string]: number }
    }
  }
}

/** The resources could not be brought into force, or not all of them; it is tried again after a back-off. */
export interface ResizeFailedData {
  readonly message: string
  readonly failures: number
  readonly retryAt: string
}

/** Everything that runs of the pod has the resources that it was admitted with. */
export type ResizeCompletedData = { readonly [name: string]: unknown }

/** The manifest of a running pod changed under the same uid in what cannot be changed while it runs. The pod runs on as it was, and its containers start again as they were; with another uid (or none) it would be replaced. */
export interface PodUpdateRefusedData {
  readonly source: string
  readonly field: string
  readonly message: string
}

/** The manifest of the running pod is again one that the pod can have. */
export type PodUpdateWithdrawnData = { readonly [name: string]: unknown }

/** A container that this probe watches runs; the probe is asked every period from now on. */
export interface ProbeStartedData {
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly probe: "liveness" | "readiness" | "startup"
  readonly spec: {
    readonly exec?: {
      readonly command?: ReadonlyArray<string>
    }
    readonly httpGet?: {
      readonly path?: string
      readonly port: number | string
      readonly host?: string
      readonly scheme?: "HTTP" | "HTTPS"
      readonly httpHeaders?: ReadonlyArray<{
        readonly name: string
        readonly value?: string
        readonly valueHash?: string
      }>
    }
    readonly tcpSocket?: {
      readonly port: number | string
      readonly host?: string
    }
    readonly grpc?: {
      readonly port: number
      readonly service?: string
    }
    readonly initialDelaySeconds?: number
    readonly timeoutSeconds?: number
    readonly periodSeconds?: number
    readonly successThreshold?: number
    readonly failureThreshold?: number
    readonly terminationGracePeriodSeconds?: number
  }
  readonly host: string
  readonly target: string
  readonly startedAt?: string
}

/** One success that counts towards the success threshold, ends a row of failures, or is the first answer. Further ones change nothing and are not written. */
export interface ProbeSucceededData {
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly probe: "liveness" | "readiness" | "startup"
  readonly consecutive: number
  readonly threshold: number
  readonly output: string
  readonly duration: number
}

/** One failure that counts towards the failure threshold, ends a row of successes, or is the first answer. Further ones change nothing and are not written. */
export interface ProbeFailedData {
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly probe: "liveness" | "readiness" | "startup"
  readonly consecutive: number
  readonly threshold: number
  readonly output: string
  readonly timedOut: boolean
  readonly duration: number
}

/** A threshold was reached: what the probe says of its container changed. */
export interface ProbeResultChangedData {
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly probe: "liveness" | "readiness" | "startup"
  readonly from: "unknown" | "success" | "failure"
  readonly to: "unknown" | "success" | "failure"
  readonly consecutive: number
  readonly threshold: number
  readonly output: string
}

/** The probe is asked no more. */
export interface ProbeStoppedData {
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly probe: "liveness" | "readiness" | "startup"
  readonly reason: string
}

/** A pod needs this volume; it is being prepared. */
export interface VolumeMountRequestedData {
  readonly podUid: string
  readonly volume: {
    readonly name: string
    readonly emptyDir?: {
      readonly medium?: string
      readonly sizeLimit?: string
    }
    readonly hostPath?: {
      readonly path: string
      readonly type?: string
    }
    readonly configMap?: {
      readonly name: string
      readonly items?: ReadonlyArray<{
        readonly key: string
        readonly path: string
        readonly mode?: number
      }>
      readonly defaultMode?: number
      readonly optional?: boolean
    }
    readonly secret?: {
      readonly secretName: string
      readonly items?: ReadonlyArray<{
        readonly key: string
        readonly path: string
        readonly mode?: number
      }>
      readonly defaultMode?: number
      readonly optional?: boolean
    }
    readonly downwardAPI?: {
      readonly items?: ReadonlyArray<{
        readonly path: string
        readonly fieldRef?: {
          readonly apiVersion?: string
          readonly fieldPath: string
        }
        readonly resourceFieldRef?: {
          readonly containerName?: string
          readonly resource: string
          readonly divisor?: string
        }
        readonly mode?: number
      }>
      readonly defaultMode?: number
    }
    readonly image?: {
      readonly reference: string
      readonly pullPolicy?: "Always" | "IfNotPresent" | "Never"
    }
    readonly projected?: {
      readonly sources?: ReadonlyArray<{
        readonly configMap?: {
          readonly name: string
          readonly items?: ReadonlyArray<{
            readonly key: string
            readonly path: string
            readonly mode?: number
          }>
          readonly optional?: boolean
        }
        readonly secret?: {
          readonly name: string
          readonly items?: ReadonlyArray<{
            readonly key: string
            readonly path: string
            readonly mode?: number
          }>
          readonly optional?: boolean
        }
        readonly downwardAPI?: {
          readonly items?: ReadonlyArray<{
            readonly path: string
            readonly fieldRef?: {
              readonly apiVersion?: string
              readonly fieldPath: string
            }
            readonly resourceFieldRef?: {
              readonly containerName?: string
              readonly resource: string
              readonly divisor?: string
            }
            readonly mode?: number
          }>
        }
      }>
      readonly defaultMode?: number
    }
  }
  readonly fsGroup?: number
}

/** The volume is ready on the host. */
export interface VolumeMountedData {
  readonly podUid: string
  readonly volume: string
  readonly path: string
  readonly hash?: string
}

/** The volume cannot be prepared; it is tried again after a back-off of 0.5 s, doubling to 122 s. */
export interface VolumeMountFailedData {
  readonly podUid: string
  readonly volume: string
  readonly message: string
  readonly attempt: number
  readonly retryAt: string
}

/** An object that the volume takes files from has changed, or an update is tried again: its files are compared. */
export interface VolumeRefreshRequestedData {
  readonly podUid: string
  readonly volume: string
}

/** The files of a mounted volume are new; containers see all of them change at once. */
export interface VolumeUpdatedData {
  readonly podUid: string
  readonly volume: string
  readonly path: string
  readonly hash: string
}

/** A mounted volume cannot be brought up to date. Its files stay as they are, and the pod runs on. */
export interface VolumeUpdateFailedData {
  readonly podUid: string
  readonly volume: string
  readonly message: string
  readonly attempt: number
  readonly retryAt?: string
}

/** The pod no longer uses the volume; it is being taken down. */
export interface VolumeUnmountRequestedData {
  readonly podUid: string
  readonly volume: string
}

/** The volume is gone from the host (a hostPath stays as it is). */
export interface VolumeUnmountedData {
  readonly podUid: string
  readonly volume: string
}

/** The volume could not be taken down; it is tried again. */
export interface VolumeUnmountFailedData {
  readonly podUid: string
  readonly volume: string
  readonly message: string
  readonly attempt: number
  readonly retryAt: string
}

/** A container's log is larger than it may be (containerLogMaxSize); it is to be set aside and a new one begun. */
export interface LogRotationRequestedData {
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly attempt: number
  readonly path: string
  readonly sizeBytes: number
}

/** The container's log was set aside under another name, and the runtime writes a new one. */
export interface LogRotatedData {
  readonly container: string
  readonly containerId: string
  readonly rotatedPath?: string
}

/** The container's log could not be set aside; the runtime goes on writing into it. It is tried again after a back-off of 10 s, doubling to 300 s. */
export interface LogRotationFailedData {
  readonly container: string
  readonly containerId: string
  readonly message: string
  readonly failures: number
  readonly retryAt: string
}

/** The container ended before its log was set aside: it does not grow any more. */
export interface LogRotationDroppedData {
  readonly container: string
  readonly containerId: string
}

/** The publisher is connected; it goes on after the last event that the stream itself holds. */
export interface StreamConnectedData {
  readonly server: string
  readonly serverVersion: string
  readonly stream: string
  readonly resumeFrom: number
  readonly lag: number
}

/** The stream cannot be reached or refuses; events wait in the journal. */
export interface StreamDisconnectedData {
  readonly server: string
  readonly message: string
}

/** The stream did not exist and was created. */
export interface StreamCreatedData {
  readonly stream: string
  readonly subjects: ReadonlyArray<string>
  readonly maxAgeSeconds: number
  readonly maxBytes: number
}

/** The stream exists with other settings than those asked for. They are left as they are. */
export interface StreamConfigurationDiffersData {
  readonly stream: string
  readonly differences: ReadonlyArray<string>
}

/** A Service is declared; its endpoints are looked for, and this node is to answer for its addresses. */
export interface ServiceDeclaredData {
  readonly spec: {
    readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName"
    readonly clusterIPs: ReadonlyArray<string>
    readonly ports: ReadonlyArray<{
      readonly name: string
      readonly protocol: "TCP" | "UDP" | "SCTP"
      readonly port: number
      readonly targetPort: number | string
      readonly nodePort?: number
    }>
    readonly selector?: { readonly [name: string]: string }
    readonly externalIPs?: ReadonlyArray<string>
    readonly loadBalancerIPs?: ReadonlyArray<string>
    readonly loadBalancerSourceRanges?: ReadonlyArray<string>
    readonly affinitySeconds?: number
    readonly internalLocal?: boolean
    readonly externalLocal?: boolean
    readonly healthCheckNodePort?: number
    readonly trafficDistribution?: string
    readonly publishNotReadyAddresses?: boolean
    readonly families?: ReadonlyArray<"IPv4" | "IPv6">
    readonly withoutNodePorts?: boolean
    readonly proxyName?: string
  }
  readonly file: string
  readonly hash: string
  readonly allotted?: ReadonlyArray<string>
}

/** The Service is declared in another form now. */
export interface ServiceChangedData {
  readonly spec: {
    readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName"
    readonly clusterIPs: ReadonlyArray<string>
    readonly ports: ReadonlyArray<{
      readonly name: string
      readonly protocol: "TCP" | "UDP" | "SCTP"
      readonly port: number
      readonly targetPort: number | string
      readonly nodePort?: number
    }>
    readonly selector?: { readonly [name: string]: string }
    readonly externalIPs?: ReadonlyArray<string>
    readonly loadBalancerIPs?: ReadonlyArray<string>
    readonly loadBalancerSourceRanges?: ReadonlyArray<string>
    readonly affinitySeconds?: number
    readonly internalLocal?: boolean
    readonly externalLocal?: boolean
    readonly healthCheckNodePort?: number
    readonly trafficDistribution?: string
    readonly publishNotReadyAddresses?: boolean
    readonly families?: ReadonlyArray<"IPv4" | "IPv6">
    readonly withoutNodePorts?: boolean
    readonly proxyName?: string
  }
  readonly file: string
  readonly hash: string
  readonly allotted?: ReadonlyArray<string>
}

/** The Service is not declared any more; this node answers for it no longer. */
export interface ServiceRemovedData {
  readonly file: string
}

/** The Service cannot be served as it is declared, or asks for what an older one has. What was declared before stays in force; it is taken up when what hinders it is gone. */
export interface ServiceRejectedData {
  readonly file: string
  readonly hash: string
  readonly problems: ReadonlyArray<{
    readonly field?: string
    readonly message: string
    readonly line?: number
    readonly holder?: string
  }>
}

/** The kernel has what this Service needs now. Written when servers came or went, and once for each change of the Service. */
export interface ServiceProgrammedData {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  readonly addedCount?: number
  readonly removedCount?: number
  readonly duration: number
  readonly latency: number
  readonly serving: ReadonlyArray<{
    readonly port: string
    readonly protocol: "TCP" | "UDP" | "SCTP"
    readonly family: "IPv4" | "IPv6"
    readonly cluster: number
    readonly local: number
  }>
  readonly digest?: string
}

/** An endpoint of an EndpointSlice cannot be used. The other endpoints of the Service are. */
export interface EndpointRejectedData {
  readonly slice: string
  readonly file: string
  readonly hash: string
  readonly line?: number
  readonly field?: string
  readonly address: string
  readonly message: string
}

/** A server stands behind a Service. Where `ready` is true it gets connections from now on. */
export interface EndpointAddedData {
  readonly service: string
  readonly portName: string
  readonly protocol: "TCP" | "UDP" | "SCTP"
  readonly address: string
  readonly port: number
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly node?: string
  readonly zone?: string
  readonly zoneHints?: ReadonlyArray<string>
  readonly nodeHints?: ReadonlyArray<string>
  readonly from: string
}

/** The server is ready and gets connections. */
export interface EndpointReadyData {
  readonly service: string
  readonly portName: string
  readonly protocol: "TCP" | "UDP" | "SCTP"
  readonly address: string
  readonly port: number
}

/** The server is not ready: it gets no new connections. Those it has are left to it. */
export interface EndpointUnreadyData {
  readonly service: string
  readonly portName: string
  readonly protocol: "TCP" | "UDP" | "SCTP"
  readonly address: string
  readonly port: number
}

/** The server is being ended: new connections go to others, unless only such servers are left that still answer. Those it has are left to it. */
export interface EndpointDrainingData {
  readonly service: string
  readonly portName: string
  readonly protocol: "TCP" | "UDP" | "SCTP"
  readonly address: string
  readonly port: number
  readonly serving: boolean
}

/** Something else about the server is new: its node, zone or hints, or where it is declared. */
export interface EndpointChangedData {
  readonly service: string
  readonly portName: string
  readonly protocol: "TCP" | "UDP" | "SCTP"
  readonly address: string
  readonly port: number
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly node?: string
  readonly zone?: string
  readonly zoneHints?: ReadonlyArray<string>
  readonly nodeHints?: ReadonlyArray<string>
  readonly from: string
}

/** The server does not stand behind the Service any more. */
export interface EndpointRemovedData {
  readonly service: string
  readonly portName: string
  readonly protocol: "TCP" | "UDP" | "SCTP"
  readonly address: string
  readonly port: number
}

/** Services are put into the kernel from now on. */
export interface ProxyStartedData {
  readonly mode: "nftables" | "ipvs" | "iptables"
  readonly insteadOf?: "nftables" | "ipvs" | "iptables"
  readonly lacking?: ReadonlyArray<{
    readonly what: string
    readonly remedy: string
  }>
  readonly families: ReadonlyArray<"IPv4" | "IPv6">
  readonly nodePortAddresses: ReadonlyArray<string>
  readonly settings: { readonly [name: string]: string }
}

/** The kernel or the machine lacks what this mode needs. Services are not served; it is looked at again. */
export interface ProxyUnavailableData {
  readonly mode: "nftables" | "ipvs" | "iptables"
  readonly missing: ReadonlyArray<{
    readonly what: string
    readonly remedy: string
  }>
  readonly attempt: number
  readonly retryAt?: string
}

/** All Services were compared with the kernel, for the first time in this life of the agent, or after a failure. */
export interface DataplaneSyncedData {
  readonly services: number
  readonly endpoints: number
  readonly duration: number
}

/** The kernel did not take a change. It is tried again with a back-off; what it has goes on as it is. */
export interface DataplaneFailedData {
  readonly reason: string
  readonly message: string
  readonly services: ReadonlyArray<string>
  readonly pending: number
  readonly attempt: number
  readonly retryAt: string
}

/** The kernel has what it should after changes had failed. */
export interface DataplaneRecoveredData {
  readonly attempts: number
}

/** Somebody else changed what this node had put into the kernel. It was put right. */
export interface DataplaneDriftedData {
  readonly noticedBy: "resync" | "notification" | "change"
  readonly missing: number
  readonly altered: number
  readonly unexpected: number
  readonly examples: ReadonlyArray<string>
  readonly duration: number
}

/** A kernel parameter was set, as Services need it. */
export interface SysctlChangedData {
  readonly name: string
  readonly before?: string
  readonly value: string
}

/** A kernel parameter could not be set. */
export interface SysctlFailedData {
  readonly name: string
  readonly value: string
  readonly message: string
}

/** Flows in the kernel's table of connections that led to servers which are gone: removed, so that clients reach others. */
export interface StaleFlowsRemovedData {
  readonly count: number
  readonly examples: ReadonlyArray<string>
}

/** An HTTP server of the proxy cannot listen on its address. It is tried again; Services are served all the same. */
export interface ListenerFailedData {
  readonly server: "healthz" | "metrics" | "health-check"
  readonly address: string
  readonly service?: string
  readonly message: string
  readonly remedy: string
}

/** An HTTP server of the proxy that could not listen does now, or is not wanted any more. */
export interface ListenerRecoveredData {
  readonly server: "healthz" | "metrics" | "health-check"
  readonly address: string
  readonly service?: string
  readonly isWanted: boolean
}

/** The node's HTTP API answers at this address. */
export interface ApiListeningData {
  readonly listener: "tls" | "read-only" | "healthz" | "local"
  readonly address: string
  readonly certificate?: string
  readonly notAfter?: string
  readonly selfMade?: boolean
}

/** The node's HTTP API cannot listen at this address; pods run on, and it is tried again. */
export interface ApiListenFailedData {
  readonly listener: "tls" | "read-only" | "healthz" | "local"
  readonly address: string
  readonly message: string
}

/** The configuration asks for a port that answers everybody, without TLS: pods and figures can be read there, nothing can be done. */
export interface ReadOnlyPortOpenedData {
  readonly address: string
}

/** The certificate of the API changed; new connections get it. */
export interface CertificateReloadedData {
  readonly certificate: string
  readonly notAfter: string
}

/** The files of the certificate changed and cannot be used; the API goes on with the one before. */
export interface CertificateRefusedData {
  readonly message: string
}

/** The certificate of the API ends soon, or has ended. Told once for each certificate. */
export interface CertificateExpiringData {
  readonly certificate: string
  readonly notAfter: string
}

/** A request was refused: nobody known sent it (401), or somebody without the right (403). At most 60 a minute are told one by one. */
export interface ApiRequestRefusedData {
  readonly user: string
  readonly groups: ReadonlyArray<string>
  readonly from: string
  readonly listener: "tls" | "read-only" | "healthz" | "local"
  readonly verb: string
  readonly path: string
  readonly status: number
  readonly reason: string
}

/** More requests were refused within a minute than are told one by one. */
export interface ApiRefusalsOmittedData {
  readonly count: number
  readonly since: string
}

/** Somebody runs a command in a container. Written before the runtime is asked for it. */
export interface ExecStartedData {
  readonly session: string
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly user: string
  readonly groups: ReadonlyArray<string>
  readonly from: string
  readonly listener: "tls" | "read-only" | "healthz" | "local"
  readonly through: "exec" | "run"
  readonly program: string
  readonly arguments: number
  readonly stdin: boolean
  readonly tty: boolean
}

/** A command that somebody ran in a container has ended, or its connection has. */
export interface ExecEndedData {
  readonly session: string
  readonly podUid: string
  readonly outcome: "completed" | "failed" | "idle" | "stopped" | "unknown"
  readonly message?: string
  readonly duration?: number
  readonly bytesIn?: number
  readonly bytesOut?: number
  readonly container: string
  readonly exitCode?: number
}

/** Somebody attaches to a container's own process. Written before the runtime is asked for it. */
export interface AttachStartedData {
  readonly session: string
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly user: string
  readonly groups: ReadonlyArray<string>
  readonly from: string
  readonly listener: "tls" | "read-only" | "healthz" | "local"
  readonly stdin: boolean
  readonly tty: boolean
}

/** Somebody is not attached to a container any more. */
export interface AttachEndedData {
  readonly session: string
  readonly podUid: string
  readonly outcome: "completed" | "failed" | "idle" | "stopped" | "unknown"
  readonly message?: string
  readonly duration?: number
  readonly bytesIn?: number
  readonly bytesOut?: number
  readonly container: string
}

/** Somebody opens connections to ports of the pod. Written before the runtime is asked for it. */
export interface PortForwardStartedData {
  readonly session: string
  readonly podUid: string
  readonly user: string
  readonly groups: ReadonlyArray<string>
  readonly from: string
  readonly listener: "tls" | "read-only" | "healthz" | "local"
  readonly ports: ReadonlyArray<number>
}

/** Ports of the pod are not forwarded to somebody any more. */
export interface PortForwardEndedData {
  readonly session: string
  readonly podUid: string
  readonly outcome: "completed" | "failed" | "idle" | "stopped" | "unknown"
  readonly message?: string
  readonly duration?: number
  readonly bytesIn?: number
  readonly bytesOut?: number
}

/** Somebody wants the memory and the state of a container in a file. Written before the runtime is asked for it. */
export interface CheckpointRequestedData {
  readonly session: string
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly user: string
  readonly groups: ReadonlyArray<string>
  readonly from: string
  readonly listener: "tls" | "read-only" | "healthz" | "local"
  readonly location: string
}

/** The memory and the state of a container are in a file; all its secrets are in there too. */
export interface CheckpointCreatedData {
  readonly session: string
  readonly podUid: string
  readonly container: string
  readonly location: string
  readonly duration: number
}

/** The runtime made no checkpoint of the container; or the agent ended meanwhile, and it is not known. */
export interface CheckpointFailedData {
  readonly session: string
  readonly podUid: string
  readonly container: string
  readonly message: string
}

/** When pods are evicted on this node, as its configuration says: thresholds by signal, hard ones at once, soft ones after a grace period. */
export interface EvictionConfiguredData {
  readonly evictionHard: { readonly [name: string]: string }
  readonly evictionSoft: { readonly [name: string]: string }
  readonly evictionSoftGracePeriod: { readonly [name: string]: string }
  readonly evictionMinimumReclaim: { readonly [name: string]: string }
  readonly enforceNodeAllocatable: ReadonlyArray<string>
  readonly evictionPressureTransitionPeriodSeconds: number
  readonly evictionMaxPodGracePeriodSeconds: number
  readonly localStorageCapacityIsolation: boolean
}

/** A signal fell below a threshold. A hard one is acted upon at once, a soft one when it was met for its grace period. Told once, until it is over (PressureRelieved). */
export interface PressureObservedData {
  readonly signal: string
  readonly threshold: string
  readonly quantity: number
  readonly available: number
  readonly capacity: number
  readonly gracePeriodSeconds: number
  readonly by: "tick" | "threshold" | "psi"
}

/** A threshold is not met any more: what is there is above it, after an eviction above its minimum reclaim as well. */
export interface PressureRelievedData {
  readonly signal: string
  readonly threshold: string
  readonly available?: number
  readonly capacity?: number
  readonly since: string
  readonly lastObserved: string
}

/** The node is under pressure, or is not any more: pods are not let in meanwhile (under MemoryPressure alone, only BestEffort ones are not). It ends when no threshold was met for the transition period. */
export interface PressureConditionChangedData {
  readonly condition: "MemoryPressure" | "DiskPressure" | "PIDPressure"
  readonly status: boolean
  readonly signals: ReadonlyArray<string>
}

/** A threshold has been met for its grace period: the node reclaims what it can, and else evicts a pod. Told again before each further pod that goes for it. */
export interface EvictionThresholdMetData {
  readonly signal: string
  readonly threshold: string
  readonly quantity: number
  readonly available: number
  readonly capacity: number
  readonly gracePeriodSeconds: number
  readonly resource: string
  readonly since: string
}

/** Before a pod goes the node gives back what it does not need: dead containers, unused images. */
export interface NodeReclaimRequestedData {
  readonly signal: string
  readonly threshold: string
  readonly reclaims: ReadonlyArray<"containers" | "images">
  readonly observedAt?: string
}

/** What the node gave back before a pod has to go, and whether that is enough. */
export interface NodeReclaimedData {
  readonly signal: string
  readonly freedBytes: number
  readonly relieved: boolean
  readonly available?: number
  readonly capacity?: number
  readonly message?: string
}

/** A pod uses more of the local disk than it may: an emptyDir beyond its sizeLimit, a container or the whole pod beyond the limit of ephemeral-storage. */
export interface StorageLimitExceededData {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly of: "emptyDir" | "pod" | "container"
  readonly what: string
  readonly limit: string
  readonly used: number
}

/** A pod is evicted: the first of the ranking that is not critical, or one beyond a limit of its own. With what the ranking went by, for every pod. */
export interface EvictionTriggeredData {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly rank: number
  readonly signal: string
  readonly threshold: string
  readonly available?: number
  readonly capacity?: number
  readonly observedAt?: string
  readonly gracePeriodSeconds: number
  readonly message: string
  readonly annotations: { readonly [name: string]: string }
  readonly ranking: ReadonlyArray<{
    readonly pod: string
    readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort"
    readonly priority: number
    readonly used?: number
    readonly requested: number
    readonly exceeds: boolean
    readonly critical?: boolean
  }>
  readonly others?: {
    readonly pods: number
    readonly used: number
  }
}

/** A threshold is met and there is no pod that may be evicted for it. Told once for each time of pressure. */
export interface EvictionImpossibleData {
  readonly signal: string
  readonly threshold: string
  readonly pods: number
}

/** Nothing of the evicted pod runs any more, or it was waited for long enough; the next look may evict another one. */
export interface EvictionFinishedData {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly outcome: "gone" | "timeout"
  readonly duration: number
}

/** An actor died of a defect while it handled a command; the command is dropped, the actor is rebuilt from the journal. */
export interface ActorFailedData {
  readonly command: string
  readonly error: string
  readonly failures: number
}

/** An actor was rebuilt from the journal. */
export interface ActorRestartedData {
  readonly events: number
}

/** An actor failed more often than its supervisor bears; the failure goes up to the supervisor. */
export interface ActorEscalatedData {
  readonly failures: number
  readonly periodSeconds: number
  readonly supervisor: string
}

/** The whole state of an actor at this point, so that older events can be dropped. A fold may start here. */
export interface ActorCheckpointedData {
  readonly stateVersion: number
  readonly state: unknown
}

/** A command that led to nothing, written in flight-recorder mode (`recording: inputs`) for exact what-if runs. */
export type InputRecordedData = { readonly [name: string]: unknown }

/** The data of an event by its tag. */
export interface EventData {
  readonly NodeStarted: NodeStartedData
  readonly NodeStopped: NodeStoppedData
  readonly AdmissionClosed: AdmissionClosedData
  readonly AdmissionOpened: AdmissionOpenedData
  readonly JournalPruned: JournalPrunedData
  readonly QosCgroupUpdated: QosCgroupUpdatedData
  readonly QosCgroupFailed: QosCgroupFailedData
  readonly QosCgroupRestored: QosCgroupRestoredData
  readonly NodeDescribed: NodeDescribedData
  readonly NodeConditionChanged: NodeConditionChangedData
  readonly NodeCordoned: NodeCordonedData
  readonly NodeUncordoned: NodeUncordonedData
  readonly NodeDrainStarted: NodeDrainStartedData
  readonly NodeDrained: NodeDrainedData
  readonly NodeDrainFailed: NodeDrainFailedData
  readonly ShutdownInhibitorTaken: ShutdownInhibitorTakenData
  readonly ShutdownInhibitorFailed: ShutdownInhibitorFailedData
  readonly NodeShutdownStarted: NodeShutdownStartedData
  readonly NodeShutdownGroupStarted: NodeShutdownGroupStartedData
  readonly NodeShutdownCompleted: NodeShutdownCompletedData
  readonly NodeShutdownCancelled: NodeShutdownCancelledData
  readonly NodeShutdownOver: NodeShutdownOverData
  readonly ConfigurationApplied: ConfigurationAppliedData
  readonly ConfigurationRejected: ConfigurationRejectedData
  readonly ManifestRead: ManifestReadData
  readonly ManifestInvalid: ManifestInvalidData
  readonly ManifestFieldIgnored: ManifestFieldIgnoredData
  readonly ManifestRemoved: ManifestRemovedData
  readonly ObjectDeclared: ObjectDeclaredData
  readonly ObjectChanged: ObjectChangedData
  readonly ObjectRemoved: ObjectRemovedData
  readonly SourceUnreadable: SourceUnreadableData
  readonly SourceReadable: SourceReadableData
  readonly RuntimeConnected: RuntimeConnectedData
  readonly RuntimeDisconnected: RuntimeDisconnectedData
  readonly RuntimeConditionChanged: RuntimeConditionChangedData
  readonly RuntimeUnhealthy: RuntimeUnhealthyData
  readonly RuntimeHealthy: RuntimeHealthyData
  readonly OrphanSandboxFound: OrphanSandboxFoundData
  readonly OrphanSandboxRemoved: OrphanSandboxRemovedData
  readonly GarbageFound: GarbageFoundData
  readonly GarbageRemoved: GarbageRemovedData
  readonly GarbageKept: GarbageKeptData
  readonly ImageCollectionDecided: ImageCollectionDecidedData
  readonly ImageSpaceShort: ImageSpaceShortData
  readonly ImageSpaceRestored: ImageSpaceRestoredData
  readonly ImageRequested: ImageRequestedData
  readonly ImageFound: ImageFoundData
  readonly ImagePullQueued: ImagePullQueuedData
  readonly ImagePullStarted: ImagePullStartedData
  readonly ImagePulled: ImagePulledData
  readonly ImagePullFailed: ImagePullFailedData
  readonly ImageReleased: ImageReleasedData
  readonly ImageGrantsDropped: ImageGrantsDroppedData
  readonly PodAdmitted: PodAdmittedData
  readonly PodRejected: PodRejectedData
  readonly PodHeld: PodHeldData
  readonly PodShutDown: PodShutDownData
  readonly PodPreemptionDecided: PodPreemptionDecidedData
  readonly PodPreempted: PodPreemptedData
  readonly PodEvicted: PodEvictedData
  readonly PodReplacementQueued: PodReplacementQueuedData
  readonly PodReplacementDropped: PodReplacementDroppedData
  readonly PodTerminationRequested: PodTerminationRequestedData
  readonly PodDeadlineExceeded: PodDeadlineExceededData
  readonly PodRestartRequested: PodRestartRequestedData
  readonly PodContainersReset: PodContainersResetData
  readonly PodUpdated: PodUpdatedData
  readonly EphemeralContainersAdded: EphemeralContainersAddedData
  readonly EphemeralContainersDiffer: EphemeralContainersDifferData
  readonly PodVolumeReady: PodVolumeReadyData
  readonly PodVolumesReleased: PodVolumesReleasedData
  readonly PodVolumeRemoved: PodVolumeRemovedData
  readonly SandboxRequested: SandboxRequestedData
  readonly PodCgroupCreated: PodCgroupCreatedData
  readonly PodCgroupLost: PodCgroupLostData
  readonly SandboxCreated: SandboxCreatedData
  readonly SandboxFailed: SandboxFailedData
  readonly SandboxLost: SandboxLostData
  readonly SandboxStopRequested: SandboxStopRequestedData
  readonly SandboxStopped: SandboxStoppedData
  readonly PodCleanupRequested: PodCleanupRequestedData
  readonly PodOperationFailed: PodOperationFailedData
  readonly PodPhaseChanged: PodPhaseChangedData
  readonly PodConditionChanged: PodConditionChangedData
  readonly PodRemoved: PodRemovedData
  readonly ContainerImageReady: ContainerImageReadyData
  readonly ContainerWaiting: ContainerWaitingData
  readonly ContainerStartRequested: ContainerStartRequestedData
  readonly ContainerCreated: ContainerCreatedData
  readonly ContainerStarted: ContainerStartedData
  readonly ContainerStopSignalIgnored: ContainerStopSignalIgnoredData
  readonly ContainerStartFailed: ContainerStartFailedData
  readonly ContainerHookStarted: ContainerHookStartedData
  readonly ContainerHookEnded: ContainerHookEndedData
  readonly ContainerKillRequested: ContainerKillRequestedData
  readonly ContainerStopRequested: ContainerStopRequestedData
  readonly ContainerExited: ContainerExitedData
  readonly ContainerBackOffStarted: ContainerBackOffStartedData
  readonly ContainerReadinessChanged: ContainerReadinessChangedData
  readonly ContainerProbeReported: ContainerProbeReportedData
  readonly ContainerRemoved: ContainerRemovedData
  readonly ResizeRequested: ResizeRequestedData
  readonly ResizeWithdrawn: ResizeWithdrawnData
  readonly ResizePending: ResizePendingData
  readonly ResizeAccepted: ResizeAcceptedData
  readonly ResizeStarted: ResizeStartedData
  readonly ResizeActuated: ResizeActuatedData
  readonly ResizeFailed: ResizeFailedData
  readonly ResizeCompleted: ResizeCompletedData
  readonly PodUpdateRefused: PodUpdateRefusedData
  readonly PodUpdateWithdrawn: PodUpdateWithdrawnData
  readonly ProbeStarted: ProbeStartedData
  readonly ProbeSucceeded: ProbeSucceededData
  readonly ProbeFailed: ProbeFailedData
  readonly ProbeResultChanged: ProbeResultChangedData
  readonly ProbeStopped: ProbeStoppedData
  readonly VolumeMountRequested: VolumeMountRequestedData
  readonly VolumeMounted: VolumeMountedData
  readonly VolumeMountFailed: VolumeMountFailedData
  readonly VolumeRefreshRequested: VolumeRefreshRequestedData
  readonly VolumeUpdated: VolumeUpdatedData
  readonly VolumeUpdateFailed: VolumeUpdateFailedData
  readonly VolumeUnmountRequested: VolumeUnmountRequestedData
  readonly VolumeUnmounted: VolumeUnmountedData
  readonly VolumeUnmountFailed: VolumeUnmountFailedData
  readonly LogRotationRequested: LogRotationRequestedData
  readonly LogRotated: LogRotatedData
  readonly LogRotationFailed: LogRotationFailedData
  readonly LogRotationDropped: LogRotationDroppedData
  readonly StreamConnected: StreamConnectedData
  readonly StreamDisconnected: StreamDisconnectedData
  readonly StreamCreated: StreamCreatedData
  readonly StreamConfigurationDiffers: StreamConfigurationDiffersData
  readonly ServiceDeclared: ServiceDeclaredData
  readonly ServiceChanged: ServiceChangedData
  readonly ServiceRemoved: ServiceRemovedData
  readonly ServiceRejected: ServiceRejectedData
  readonly ServiceProgrammed: ServiceProgrammedData
  readonly EndpointRejected: EndpointRejectedData
  readonly EndpointAdded: EndpointAddedData
  readonly EndpointReady: EndpointReadyData
  readonly EndpointUnready: EndpointUnreadyData
  readonly EndpointDraining: EndpointDrainingData
  readonly EndpointChanged: EndpointChangedData
  readonly EndpointRemoved: EndpointRemovedData
  readonly ProxyStarted: ProxyStartedData
  readonly ProxyUnavailable: ProxyUnavailableData
  readonly DataplaneSynced: DataplaneSyncedData
  readonly DataplaneFailed: DataplaneFailedData
  readonly DataplaneRecovered: DataplaneRecoveredData
  readonly DataplaneDrifted: DataplaneDriftedData
  readonly SysctlChanged: SysctlChangedData
  readonly SysctlFailed: SysctlFailedData
  readonly StaleFlowsRemoved: StaleFlowsRemovedData
  readonly ListenerFailed: ListenerFailedData
  readonly ListenerRecovered: ListenerRecoveredData
  readonly ApiListening: ApiListeningData
  readonly ApiListenFailed: ApiListenFailedData
  readonly ReadOnlyPortOpened: ReadOnlyPortOpenedData
  readonly CertificateReloaded: CertificateReloadedData
  readonly CertificateRefused: CertificateRefusedData
  readonly CertificateExpiring: CertificateExpiringData
  readonly ApiRequestRefused: ApiRequestRefusedData
  readonly ApiRefusalsOmitted: ApiRefusalsOmittedData
  readonly ExecStarted: ExecStartedData
  readonly ExecEnded: ExecEndedData
  readonly AttachStarted: AttachStartedData
  readonly AttachEnded: AttachEndedData
  readonly PortForwardStarted: PortForwardStartedData
  readonly PortForwardEnded: PortForwardEndedData
  readonly CheckpointRequested: CheckpointRequestedData
  readonly CheckpointCreated: CheckpointCreatedData
  readonly CheckpointFailed: CheckpointFailedData
  readonly EvictionConfigured: EvictionConfiguredData
  readonly PressureObserved: PressureObservedData
  readonly PressureRelieved: PressureRelievedData
  readonly PressureConditionChanged: PressureConditionChangedData
  readonly EvictionThresholdMet: EvictionThresholdMetData
  readonly NodeReclaimRequested: NodeReclaimRequestedData
  readonly NodeReclaimed: NodeReclaimedData
  readonly StorageLimitExceeded: StorageLimitExceededData
  readonly EvictionTriggered: EvictionTriggeredData
  readonly EvictionImpossible: EvictionImpossibleData
  readonly EvictionFinished: EvictionFinishedData
  readonly ActorFailed: ActorFailedData
  readonly ActorRestarted: ActorRestartedData
  readonly ActorEscalated: ActorEscalatedData
  readonly ActorCheckpointed: ActorCheckpointedData
  readonly InputRecorded: InputRecordedData
}

/** The tag of each `type` that this version knows. */
export const tagsByType = {
  "dev.chronode.NodeStarted.v1": "NodeStarted",
  "dev.chronode.NodeStopped.v1": "NodeStopped",
  "dev.chronode.AdmissionClosed.v1": "AdmissionClosed",
  "dev.chronode.AdmissionOpened.v1": "AdmissionOpened",
  "dev.chronode.JournalPruned.v1": "JournalPruned",
  "dev.chronode.QosCgroupUpdated.v1": "QosCgroupUpdated",
  "dev.chronode.QosCgroupFailed.v1": "QosCgroupFailed",
  "dev.chronode.QosCgroupRestored.v1": "QosCgroupRestored",
  "dev.chronode.NodeDescribed.v1": "NodeDescribed",
  "dev.chronode.NodeConditionChanged.v1": "NodeConditionChanged",
  "dev.chronode.NodeCordoned.v1": "NodeCordoned",
  "dev.chronode.NodeUncordoned.v1": "NodeUncordoned",
  "dev.chronode.NodeDrainStarted.v1": "NodeDrainStarted",
  "dev.chronode.NodeDrained.v1": "NodeDrained",
  "dev.chronode.NodeDrainFailed.v1": "NodeDrainFailed",
  "dev.chronode.ShutdownInhibitorTaken.v1": "ShutdownInhibitorTaken",
  "dev.chronode.ShutdownInhibitorFailed.v1": "ShutdownInhibitorFailed",
  "dev.chronode.NodeShutdownStarted.v1": "NodeShutdownStarted",
  "dev.chronode.NodeShutdownGroupStarted.v1": "NodeShutdownGroupStarted",
  "dev.chronode.NodeShutdownCompleted.v1": "NodeShutdownCompleted",
  "dev.chronode.NodeShutdownCancelled.v1": "NodeShutdownCancelled",
  "dev.chronode.NodeShutdownOver.v1": "NodeShutdownOver",
  "dev.chronode.ConfigurationApplied.v1": "ConfigurationApplied",
  "dev.chronode.ConfigurationRejected.v1": "ConfigurationRejected",
  "dev.chronode.ManifestRead.v1": "ManifestRead",
  "dev.chronode.ManifestInvalid.v1": "ManifestInvalid",
  "dev.chronode.ManifestFieldIgnored.v1": "ManifestFieldIgnored",
  "dev.chronode.ManifestRemoved.v1": "ManifestRemoved",
  "dev.chronode.ObjectDeclared.v1": "ObjectDeclared",
  "dev.chronode.ObjectChanged.v1": "ObjectChanged",
  "dev.chronode.ObjectRemoved.v1": "ObjectRemoved",
  "dev.chronode.SourceUnreadable.v1": "SourceUnreadable",
  "dev.chronode.SourceReadable.v1": "SourceReadable",
  "dev.chronode.RuntimeConnected.v1": "RuntimeConnected",
  "dev.chronode.RuntimeDisconnected.v1": "RuntimeDisconnected",
  "dev.chronode.RuntimeConditionChanged.v1": "RuntimeConditionChanged",
  "dev.chronode.RuntimeUnhealthy.v1": "RuntimeUnhealthy",
  "dev.chronode.RuntimeHealthy.v1": "RuntimeHealthy",
  "dev.chronode.OrphanSandboxFound.v1": "OrphanSandboxFound",
  "dev.chronode.OrphanSandboxRemoved.v1": "OrphanSandboxRemoved",
  "dev.chronode.GarbageFound.v1": "GarbageFound",
  "dev.chronode.GarbageRemoved.v1": "GarbageRemoved",
  "dev.chronode.GarbageKept.v1": "GarbageKept",
  "dev.chronode.ImageCollectionDecided.v1": "ImageCollectionDecided",
  "dev.chronode.ImageSpaceShort.v1": "ImageSpaceShort",
  "dev.chronode.ImageSpaceRestored.v1": "ImageSpaceRestored",
  "dev.chronode.ImageRequested.v1": "ImageRequested",
  "dev.chronode.ImageFound.v1": "ImageFound",
  "dev.chronode.ImagePullQueued.v1": "ImagePullQueued",
  "dev.chronode.ImagePullStarted.v1": "ImagePullStarted",
  "dev.chronode.ImagePulled.v1": "ImagePulled",
  "dev.chronode.ImagePullFailed.v1": "ImagePullFailed",
  "dev.chronode.ImageReleased.v1": "ImageReleased",
  "dev.chronode.ImageGrantsDropped.v1": "ImageGrantsDropped",
  "dev.chronode.PodAdmitted.v1": "PodAdmitted",
  "dev.chronode.PodRejected.v1": "PodRejected",
  "dev.chronode.PodHeld.v1": "PodHeld",
  "dev.chronode.PodShutDown.v1": "PodShutDown",
  "dev.chronode.PodPreemptionDecided.v1": "PodPreemptionDecided",
  "dev.chronode.PodPreempted.v1": "PodPreempted",
  "dev.chronode.PodEvicted.v1": "PodEvicted",
  "dev.chronode.PodReplacementQueued.v1": "PodReplacementQueued",
  "dev.chronode.PodReplacementDropped.v1": "PodReplacementDropped",
  "dev.chronode.PodTerminationRequested.v1": "PodTerminationRequested",
  "dev.chronode.PodDeadlineExceeded.v1": "PodDeadlineExceeded",
  "dev.chronode.PodRestartRequested.v1": "PodRestartRequested",
  "dev.chronode.PodContainersReset.v1": "PodContainersReset",
  "dev.chronode.PodUpdated.v1": "PodUpdated",
  "dev.chronode.EphemeralContainersAdded.v1": "EphemeralContainersAdded",
  "dev.chronode.EphemeralContainersDiffer.v1": "EphemeralContainersDiffer",
  "dev.chronode.PodVolumeReady.v1": "PodVolumeReady",
  "dev.chronode.PodVolumesReleased.v1": "PodVolumesReleased",
  "dev.chronode.PodVolumeRemoved.v1": "PodVolumeRemoved",
  "dev.chronode.SandboxRequested.v1": "SandboxRequested",
  "dev.chronode.PodCgroupCreated.v1": "PodCgroupCreated",
  "dev.chronode.PodCgroupLost.v1": "PodCgroupLost",
  "dev.chronode.SandboxCreated.v1": "SandboxCreated",
  "dev.chronode.SandboxFailed.v1": "SandboxFailed",
  "dev.chronode.SandboxLost.v1": "SandboxLost",
  "dev.chronode.SandboxStopRequested.v1": "SandboxStopRequested",
  "dev.chronode.SandboxStopped.v1": "SandboxStopped",
  "dev.chronode.PodCleanupRequested.v1": "PodCleanupRequested",
  "dev.chronode.PodOperationFailed.v1": "PodOperationFailed",
  "dev.chronode.PodPhaseChanged.v1": "PodPhaseChanged",
  "dev.chronode.PodConditionChanged.v1": "PodConditionChanged",
  "dev.chronode.PodRemoved.v1": "PodRemoved",
  "dev.chronode.ContainerImageReady.v1": "ContainerImageReady",
  "dev.chronode.ContainerWaiting.v1": "ContainerWaiting",
  "dev.chronode.ContainerStartRequested.v1": "ContainerStartRequested",
  "dev.chronode.ContainerCreated.v1": "ContainerCreated",
  "dev.chronode.ContainerStarted.v1": "ContainerStarted",
  "dev.chronode.ContainerStopSignalIgnored.v1": "ContainerStopSignalIgnored",
  "dev.chronode.ContainerStartFailed.v1": "ContainerStartFailed",
  "dev.chronode.ContainerHookStarted.v1": "ContainerHookStarted",
  "dev.chronode.ContainerHookEnded.v1": "ContainerHookEnded",
  "dev.chronode.ContainerKillRequested.v1": "ContainerKillRequested",
  "dev.chronode.ContainerStopRequested.v1": "ContainerStopRequested",
  "dev.chronode.ContainerExited.v1": "ContainerExited",
  "dev.chronode.ContainerBackOffStarted.v1": "ContainerBackOffStarted",
  "dev.chronode.ContainerReadinessChanged.v1": "ContainerReadinessChanged",
  "dev.chronode.ContainerProbeReported.v1": "ContainerProbeReported",
  "dev.chronode.ContainerRemoved.v1": "ContainerRemoved",
  "dev.chronode.ResizeRequested.v1": "ResizeRequested",
  "dev.chronode.ResizeWithdrawn.v1": "ResizeWithdrawn",
  "dev.chronode.ResizePending.v1": "ResizePending",
  "dev.chronode.ResizeAccepted.v1": "ResizeAccepted",
  "dev.chronode.ResizeStarted.v1": "ResizeStarted",
  "dev.chronode.ResizeActuated.v1": "ResizeActuated",
  "dev.chronode.ResizeFailed.v1": "ResizeFailed",
  "dev.chronode.ResizeCompleted.v1": "ResizeCompleted",
  "dev.chronode.PodUpdateRefused.v1": "PodUpdateRefused",
  "dev.chronode.PodUpdateWithdrawn.v1": "PodUpdateWithdrawn",
  "dev.chronode.ProbeStarted.v1": "ProbeStarted",
  "dev.chronode.ProbeSucceeded.v1": "ProbeSucceeded",
  "dev.chronode.ProbeFailed.v1": "ProbeFailed",
  "dev.chronode.ProbeResultChanged.v1": "ProbeResultChanged",
  "dev.chronode.ProbeStopped.v1": "ProbeStopped",
  "dev.chronode.VolumeMountRequested.v1": "VolumeMountRequested",
  "dev.chronode.VolumeMounted.v1": "VolumeMounted",
  "dev.chronode.VolumeMountFailed.v1": "VolumeMountFailed",
  "dev.chronode.VolumeRefreshRequested.v1": "VolumeRefreshRequested",
  "dev.chronode.VolumeUpdated.v1": "VolumeUpdated",
  "dev.chronode.VolumeUpdateFailed.v1": "VolumeUpdateFailed",
  "dev.chronode.VolumeUnmountRequested.v1": "VolumeUnmountRequested",
  "dev.chronode.VolumeUnmounted.v1": "VolumeUnmounted",
  "dev.chronode.VolumeUnmountFailed.v1": "VolumeUnmountFailed",
  "dev.chronode.LogRotationRequested.v1": "LogRotationRequested",
  "dev.chronode.LogRotated.v1": "LogRotated",
  "dev.chronode.LogRotationFailed.v1": "LogRotationFailed",
  "dev.chronode.LogRotationDropped.v1": "LogRotationDropped",
  "dev.chronode.StreamConnected.v1": "StreamConnected",
  "dev.chronode.StreamDisconnected.v1": "StreamDisconnected",
  "dev.chronode.StreamCreated.v1": "StreamCreated",
  "dev.chronode.StreamConfigurationDiffers.v1": "StreamConfigurationDiffers",
  "dev.chronode.ServiceDeclared.v1": "ServiceDeclared",
  "dev.chronode.ServiceChanged.v1": "ServiceChanged",
  "dev.chronode.ServiceRemoved.v1": "ServiceRemoved",
  "dev.chronode.ServiceRejected.v1": "ServiceRejected",
  "dev.chronode.ServiceProgrammed.v1": "ServiceProgrammed",
  "dev.chronode.EndpointRejected.v1": "EndpointRejected",
  "dev.chronode.EndpointAdded.v1": "EndpointAdded",
  "dev.chronode.EndpointReady.v1": "EndpointReady",
  "dev.chronode.EndpointUnready.v1": "EndpointUnready",
  "dev.chronode.EndpointDraining.v1": "EndpointDraining",
  "dev.chronode.EndpointChanged.v1": "EndpointChanged",
  "dev.chronode.EndpointRemoved.v1": "EndpointRemoved",
  "dev.chronode.ProxyStarted.v1": "ProxyStarted",
  "dev.chronode.ProxyUnavailable.v1": "ProxyUnavailable",
  "dev.chronode.DataplaneSynced.v1": "DataplaneSynced",
  "dev.chronode.DataplaneFailed.v1": "DataplaneFailed",
  "dev.chronode.DataplaneRecovered.v1": "DataplaneRecovered",
  "dev.chronode.DataplaneDrifted.v1": "DataplaneDrifted",
  "dev.chronode.SysctlChanged.v1": "SysctlChanged",
  "dev.chronode.SysctlFailed.v1": "SysctlFailed",
  "dev.chronode.StaleFlowsRemoved.v1": "StaleFlowsRemoved",
  "dev.chronode.ListenerFailed.v1": "ListenerFailed",
  "dev.chronode.ListenerRecovered.v1": "ListenerRecovered",
  "dev.chronode.ApiListening.v1": "ApiListening",
  "dev.chronode.ApiListenFailed.v1": "ApiListenFailed",
  "dev.chronode.ReadOnlyPortOpened.v1": "ReadOnlyPortOpened",
  "dev.chronode.CertificateReloaded.v1": "CertificateReloaded",
  "dev.chronode.CertificateRefused.v1": "CertificateRefused",
  "dev.chronode.CertificateExpiring.v1": "CertificateExpiring",
  "dev.chronode.ApiRequestRefused.v1": "ApiRequestRefused",
  "dev.chronode.ApiRefusalsOmitted.v1": "ApiRefusalsOmitted",
  "dev.chronode.ExecStarted.v1": "ExecStarted",
  "dev.chronode.ExecEnded.v1": "ExecEnded",
  "dev.chronode.AttachStarted.v1": "AttachStarted",
  "dev.chronode.AttachEnded.v1": "AttachEnded",
  "dev.chronode.PortForwardStarted.v1": "PortForwardStarted",
  "dev.chronode.PortForwardEnded.v1": "PortForwardEnded",
  "dev.chronode.CheckpointRequested.v1": "CheckpointRequested",
  "dev.chronode.CheckpointCreated.v1": "CheckpointCreated",
  "dev.chronode.CheckpointFailed.v1": "CheckpointFailed",
  "dev.chronode.EvictionConfigured.v1": "EvictionConfigured",
  "dev.chronode.PressureObserved.v1": "PressureObserved",
  "dev.chronode.PressureRelieved.v1": "PressureRelieved",
  "dev.chronode.PressureConditionChanged.v1": "PressureConditionChanged",
  "dev.chronode.EvictionThresholdMet.v1": "EvictionThresholdMet",
  "dev.chronode.NodeReclaimRequested.v1": "NodeReclaimRequested",
  "dev.chronode.NodeReclaimed.v1": "NodeReclaimed",
  "dev.chronode.StorageLimitExceeded.v1": "StorageLimitExceeded",
  "dev.chronode.EvictionTriggered.v1": "EvictionTriggered",
  "dev.chronode.EvictionImpossible.v1": "EvictionImpossible",
  "dev.chronode.EvictionFinished.v1": "EvictionFinished",
  "dev.chronode.ActorFailed.v1": "ActorFailed",
  "dev.chronode.ActorRestarted.v1": "ActorRestarted",
  "dev.chronode.ActorEscalated.v1": "ActorEscalated",
  "dev.chronode.ActorCheckpointed.v1": "ActorCheckpointed",
  "dev.chronode.InputRecorded.v1": "InputRecorded"
} as const satisfies Readonly<Record<string, keyof EventData>>
