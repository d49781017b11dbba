/** What of the node's pods is measured, and where it is. Pure. */
import type { Volume } from "../../events/pod-spec.ts"
import type { PodReference } from "../../events/stats-summary.ts"
import { containerLogPath, type NodeFacts, podDirectory, podLogDirectory } from "../pod/node-facts.ts"
import { podCgroupPath } from "../pod/resources/pod-cgroup.ts"
import { type ContainerInState, containerSpec, type PodState } from "../pod/state.ts"

export interface ContainerTarget {
  readonly name: string
  readonly id: string
  readonly image: string
  /** RFC 3339. */
  readonly startTime: string
  /** Where its logs are, those of earlier attempts too. */
  readonly logDirectory: string
}

export interface VolumeTarget {
  readonly name: string
  readonly path: string
  /** It counts as ephemeral storage of the pod (`pkg/volume/util/util.go` IsLocalEphemeralVolume). */
  readonly isLocalEphemeral: boolean
}

export interface PodTarget {
  readonly reference: PodReference
  readonly startTime: string
  /** Empty where the agent makes no cgroups. */
  readonly cgroup: string
  readonly sandboxId: string
  readonly hostNetwork: boolean
  /** Those that run. */
  readonly containers: ReadonlyArray<ContainerTarget>
  /** Those with a size: what belongs to the host is not the pod's. */
  readonly volumes: ReadonlyArray<VolumeTarget>
  readonly logDirectory: string
  /** Directory of its hosts file. */
  readonly directory: string
}

type Facts = Pick<NodeFacts, "rootDir" | "podLogsDir" | "cgroupDriver" | "cgroupRoot" | "cgroupsPerQos">

const runs = ({ status }: ContainerInState): boolean => status === "running" || status === "killing"

const isLocalEphemeral = ({ emptyDir, configMap }: Volume): boolean =>
  (emptyDir !== undefined && (emptyDir.medium ?? "") === "") || configMap !== undefined

/** kubelet tells the size of every volume but those that are the host's or an image (MetricsNil). */
const hasSize = ({ emptyDir, configMap, secret, downwardAPI, projected }: Volume): boolean =>
  [emptyDir, configMap, secret, downwardAPI, projected].some((source) => source !== undefined)

const logDirectoryOf = (pod: string, container: string): string => {
  const file = `${pod}/${containerLogPath(container, 0)}`
  return file.slice(0, file.lastIndexOf("/"))
}

const targetOf = (state: PodState, facts: Facts): PodTarget | undefined => {
  const { definition, sandbox } = state
  if (definition === null || sandbox === null) return undefined
  if (!["ready", "lost", "stopping"].includes(sandbox.status)) return undefined
  const { pod } = definition
  const { name, namespace, uid } = pod.metadata
  const logDirectory = podLogDirectory(facts, pod)
  const declared = new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, volume]))
  return {
    reference: { name, namespace, uid },
    startTime: sandbox.createdAt,
    cgroup: state.cgroup?.path ?? podCgroupPath(pod, facts),
    sandboxId: sandbox.sandboxId,
    hostNetwork: pod.spec.hostNetwork === true,
    containers: state.containers.filter(runs).map((c) => ({
      name: c.name,
      id: c.containerId,
      image: containerSpec(pod, c.name)?.image ?? "",
      startTime: c.startedAt,
      logDirectory: logDirectoryOf(logDirectory, c.name)
    })),
    volumes: state.volumes.flatMap(({ name: volume, status, path }) => {
      const source = declared.get(volume)
      if (status !== "ready" || source === undefined || !hasSize(source)) return []
      return [{ name: volume, path, isLocalEphemeral: isLocalEphemeral(source) }]
    }),
    logDirectory,
    directory: podDirectory(facts, uid)
  }
}

/** Pods that have a sandbox, by namespace and name. */
export const podTargets = (states: ReadonlyArray<PodState>, facts: Facts): ReadonlyArray<PodTarget> =>
  states.flatMap((state) => targetOf(state, facts) ?? [])
