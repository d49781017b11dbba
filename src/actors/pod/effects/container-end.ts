/** Stopping a container, and removing it with its log. */
import { Clock, Effect, Result } from "effect"
import { ContainerRuntime, type CriError } from "../../../adapters/cri/port.ts"
import type { Host } from "../../../adapters/host/port.ts"
import { ContainerLogs } from "../../../adapters/logs/port.ts"
import { observeContainer } from "../../runtime/exit-status.ts"
import { OomWitness, witnessed } from "../../runtime/oom-witness.ts"
import type { PodCommand } from "../commands.ts"
import { minimumGracePeriod } from "../plan/grace.ts"
import { PodSettings } from "../settings.ts"
import { type ContainerInState, type PodState, surplusDead } from "../state.ts"

/**
 * Stop signal, then SIGKILL after what is left of the grace period; answers how it ended. However late it is (the agent
 * was away, or an attempt failed), the container gets the minimum: it may never have seen the signal.
 */
export const stopContainer = (
  state: PodState,
  container: ContainerInState
): Effect.Effect<ReadonlyArray<PodCommand>, never, ContainerRuntime | Host | OomWitness | PodSettings> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const witness = yield* OomWitness
    const { facts } = yield* PodSettings
    const started = yield* Clock.currentTimeMillis
    const { containerId, kill, name } = container
    const elapsed = kill === null ? 0 : Math.floor((started - kill.at) / 1000)
    const grace = Math.max((kill?.gracePeriodSeconds ?? 0) - Math.max(elapsed, 0), minimumGracePeriod)
    const result = yield* Effect.result(
      Effect.gen(function* () {
        yield* runtime.stopContainer(containerId, grace).pipe(
          Effect.catchIf(
            (error) => error.reason === "NotFound",
            () => Effect.void
          )
        )
        return yield* witness.testify(witnessed(state, container, facts), yield* observeContainer(containerId))
      })
    )
    const at = yield* Clock.currentTimeMillis
    if (Result.isFailure(result)) {
      const { message } = result.failure
      return [
        { _tag: "ReportContainerStop" as const, at, container: name, containerId, outcome: "failed" as const, message }
      ]
    }
    if (result.success.state === "running") {
      const message = "the runtime says that it stopped, and it runs"
      return [
        { _tag: "ReportContainerStop" as const, at, container: name, containerId, outcome: "failed" as const, message }
      ]
    }
    const observed = result.success.state === "missing" ? {} : { observed: result.success }
    return [
      {
        _tag: "ReportContainerStop" as const,
        at,
        container: name,
        containerId,
        outcome: "stopped" as const,
        ...observed
      }
    ]
  })

/** The log of a dead container goes with it, with what rotation has set aside and the link to it. */
const removeLog = (path: string) =>
  Effect.gen(function* () {
    const logs = yield* ContainerLogs
    const { facts } = yield* PodSettings
    if (facts.containerLogsDir !== undefined) yield* logs.unlink(facts.containerLogsDir, path)
    yield* logs.remove(path)
  }).pipe(Effect.catch((error) => Effect.logWarning(`cannot remove the log ${path}: ${error.message}`)))

/** A container that has ended goes, with its log; one that the runtime does not know is gone already. */
export const removeDeadContainer = (
  id: string
): Effect.Effect<void, CriError, ContainerLogs | ContainerRuntime | PodSettings> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const status = yield* Effect.result(runtime.containerStatus(id))
    yield* runtime.removeContainer(id).pipe(
      Effect.catchIf(
        (error) => error.reason === "NotFound",
        () => Effect.void
      )
    )
    if (Result.isSuccess(status) && status.success.logPath !== "") yield* removeLog(status.success.logPath)
  })

/** Removes the older dead containers of one name. What cannot be removed now goes with the next one, or with the pod. */
export const removeDeadContainers = (
  container: ContainerInState
): Effect.Effect<ReadonlyArray<PodCommand>, never, ContainerLogs | ContainerRuntime | PodSettings> =>
  Effect.gen(function* () {
    const surplus = surplusDead(container)
    const removed: Array<string> = []
    for (const id of surplus) {
      const result = yield* Effect.result(removeDeadContainer(id))
      if (Result.isSuccess(result)) removed.push(id)
      else yield* Effect.logWarning(`cannot remove dead container ${id}: ${result.failure.message}`)
    }
    if (removed.length === 0) return []
    const at = yield* Clock.currentTimeMillis
    return [{ _tag: "ReportContainersRemoved" as const, at, container: container.name, containerIds: removed }]
  })
