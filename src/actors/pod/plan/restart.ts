/**
 * Whether a container is started again (`pkg/kubelet/container/helpers.go` ShouldContainerBeRestarted,
 * `pkg/api/v1/pod/util.go` ContainerHasRestartablePolicy).
 */
import type { ContainerState } from "../../../adapters/cri/port.ts"
import {
  allContainers,
  type PolicyContainer,
  type PolicyPod,
  type PolicyPodSpec,
  type RestartPolicy,
  type RestartRule
} from "../spec-extension.ts"

/** An absent pod policy is `Always`, the API's default. */
export const restartPolicyOf = (spec: PolicyPodSpec, container: PolicyContainer): RestartPolicy =>
  container.restartPolicy ?? spec.restartPolicy ?? "Always"

/** The first of the container's own rules that an exit code meets. */
export const matchingRule = (container: PolicyContainer, exitCode: number): RestartRule | undefined =>
  container.restartPolicyRules?.find(({ exitCodes }) => {
    if (exitCodes === undefined) return false
    const listed = exitCodes.values?.includes(exitCode) ?? false
    return exitCodes.operator === "In" ? listed : !listed
  })

/** Whether a container that ended with this code is started again: its rules, its own policy, the pod's policy. */
export const isRestartedAfterExit = (spec: PolicyPodSpec, container: PolicyContainer, exitCode: number): boolean => {
  if (matchingRule(container, exitCode) !== undefined) return true
  const policy = restartPolicyOf(spec, container)
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0)
}

/**
 * Whether a container that the agent stopped itself comes back: a failed probe restarts it, and the exit code of a process
 * that obeyed its stop signal says nothing (`kuberuntime_manager.go` computePodActions, shouldRestartOnFailure).
 */
export const isRestartedAfterKill = (spec: PolicyPodSpec, container: PolicyContainer): boolean =>
  restartPolicyOf(spec, container) !== "Never"

/** Whether it could ever be started again. */
export const isRestartable = (spec: PolicyPodSpec, container: PolicyContainer): boolean =>
  (container.restartPolicyRules?.length ?? 0) > 0 || restartPolicyOf(spec, container) !== "Never"

/** Whether the exit of any container may ask for all of them to be restarted. */
export const allMayRestart = (spec: PolicyPodSpec): boolean =>
  allContainers(spec).some((container) =>
    container.restartPolicyRules?.some((rule) => rule.action === "RestartAllContainers")
  )

/** Newest instance of a container, as the runtime tells it. */
export interface LastInstance {
  readonly state: ContainerState
  readonly exitCode: number
}

/**
 * Whether a container that is not there now is to be started. `last`: its newest instance, absent where there was none. A pod that
 * is to end starts nothing; what was never started, or was created and not started, or got lost, is started.
 */
export const shouldStart = (pod: PolicyPod, container: PolicyContainer, last: LastInstance | undefined): boolean => {
  if (pod.metadata.deletionTimestamp !== undefined) return false
  if (last === undefined) return true
  switch (last.state) {
    case "CONTAINER_RUNNING":
      return false
    case "CONTAINER_CREATED":
    case "CONTAINER_UNKNOWN":
      return true
    case "CONTAINER_EXITED":
      return isRestartedAfterExit(pod.spec, container, last.exitCode)
  }
}

/** Whether some container's last exit asks for all containers of the pod to be restarted (KEP-5532). */
export const asksToRestartAll = (
  spec: PolicyPodSpec,
  last: (container: string) => LastInstance | undefined,
  alreadyRestarting = false
): boolean =>
  alreadyRestarting ||
  allContainers(spec).some((container) => {
    const instance = last(container.name)
    return (
      instance?.state === "CONTAINER_EXITED" &&
      matchingRule(container, instance.exitCode)?.action === "RestartAllContainers"
    )
  })
