/**
 * Which container's log is meant by a request for the log of a pod's container: kubelet's validateContainerLogStatus
 * (`pkg/kubelet/kubelet_pods.go`), and its words where there is none.
 */
import { Result } from "effect"
import type { Pod } from "../../../events/pod-spec.ts"
import { containerLogPath, podLogDirectory } from "../node-facts.ts"
import type { ContainerInState } from "../state.ts"
import type { ContainerStatus } from "../status/status.ts"

/** Answers the container's id. @param statuses of all kinds of containers of the pod */
export const logContainer = (
  pod: string,
  statuses: ReadonlyArray<ContainerStatus>,
  container: string,
  previous: boolean
): Result.Result<string, string> => {
  const status = statuses.find(({ name }) => name === container)
  const called = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod)}`
  if (status === undefined) return Result.fail(`${called} is not available`)
  const { running, terminated, waiting } = status.state
  const last = status.lastState.terminated
  const idOr = (id: string | undefined, otherwise: string): Result.Result<string, string> =>
    id === undefined || id === "" ? Result.fail(otherwise) : Result.succeed(id)
  if (previous) return idOr(last?.containerID, `previous terminated ${called} not found`)
  if (running !== undefined) return Result.succeed(status.containerID ?? "")
  if (terminated !== undefined) return idOr(terminated.containerID || last?.containerID, `${called} is terminated`)
  if (last !== undefined) return idOr(last.containerID, `${called} is terminated`)
  if (waiting === undefined) return Result.fail(`${called} is waiting to start - no logs yet`)
  switch (waiting.reason) {
    case "ErrImagePull":
      return Result.fail(`${called} is waiting to start: image can't be pulled`)
    case "ImagePullBackOff":
      return Result.fail(`${called} is waiting to start: trying and failing to pull image`)
    default:
      return Result.fail(`${called} is waiting to start: ${waiting.reason ?? ""}`)
  }
}

/** One life of a container, and the file that the runtime writes of it. */
export interface ContainerLog {
  readonly container: ContainerInState
  readonly containerId: string
  readonly path: string
}

/** The log of a container's last life, or of the one before; or why there is none. */
export const findLog = (
  {
    pod,
    statuses,
    podLogsDir
  }: { readonly pod: Pod; readonly statuses: ReadonlyArray<ContainerStatus>; readonly podLogsDir: string },
  container: ContainerInState,
  previous: boolean
): Result.Result<ContainerLog, string> =>
  Result.flatMap(logContainer(pod.metadata.name, statuses, container.name, previous), (containerId) => {
    const lives = [container, container.lastExit, container.previousExit]
    const attempt = lives.find((life) => life?.containerId === containerId)?.attempt
    if (attempt === undefined) return Result.fail(`container ${containerId} is not known any more`)
    const path = `${podLogDirectory({ podLogsDir }, pod)}/${containerLogPath(container.name, attempt)}`
    return Result.succeed({ container, containerId, path })
  })
