/** Starting a container. Keyed by (sandbox, name, attempt): what is there already is taken over. */
import { Clock, Effect } from "effect"
import { ContainerRuntime, CriError } from "../../../adapters/cri/port.ts"
import { ContainerLogs } from "../../../adapters/logs/port.ts"
import { timestamp } from "../../../events/definition.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import type { PodCommand } from "../commands.ts"
import { containerLogLink, containerLogPath, podLogDirectory } from "../node-facts.ts"
import { PodSettings } from "../settings.ts"
import type { PodState } from "../state.ts"
import { type ContainerNeeds, prepareContainer } from "./container-preparation.ts"
import { obtainContainer, StartRefused, startUnlessStarted } from "./container-start.ts"

/** kubelet's words for what keeps a container from starting, with the step at which it failed. */
interface StartFailure {
  readonly reason: "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError"
  readonly message: string
  readonly imageMissing: boolean
  /** The container that the runtime made and could not start. */
  readonly deadContainer?: string
}

const failure =
  (reason: StartFailure["reason"], shown: (message: string) => string = (message) => message) =>
  (error: { readonly message: string }): StartFailure => ({
    reason,
    message: shown(error.message),
    imageMissing: error instanceof CriError && error.reason === "NotFound" && /image/iu.test(error.message),
    ...(error instanceof StartRefused ? { deadContainer: error.containerId } : {})
  })

/** `checkFirst`: after a crash the container may be there already. */
export const ensureContainer = (
  state: PodState,
  name: string,
  checkFirst: boolean
): Effect.Effect<ReadonlyArray<PodCommand>, never, ContainerNeeds> => {
  const container = state.containers.find((c) => c.name === name)
  const definition = state.definition
  const sandbox = state.sandbox
  if (container === undefined || definition === null || sandbox === null) return Effect.succeed([])
  const { attempt } = container
  const created = (at: number, containerId: string) => ({
    _tag: "ReportContainerCreated" as const,
    ...{ at, container: name, attempt, containerId }
  })
  return Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const prepared = yield* Effect.mapError(
      prepareContainer(state, definition.pod, container),
      failure("CreateContainerConfigError")
    )
    const launch = Effect.gen(function* () {
      const id = yield* Effect.mapError(
        obtainContainer(sandbox.sandboxId, prepared.container, prepared.sandbox, checkFirst),
        failure("CreateContainerError", prepared.shown)
      )
      yield* Effect.mapError(startUnlessStarted(id, checkFirst), failure("RunContainerError", prepared.shown))
      return id
    })
    // A start that an earlier life did not live to see may be given up by the runtime: then it is made anew, once.
    const containerId = yield* checkFirst ? Effect.catch(launch, () => launch) : launch
    const status = yield* Effect.mapError(runtime.containerStatus(containerId), failure("RunContainerError"))
    yield* linkLog(definition.pod, name, attempt, containerId)
    const at = yield* Clock.currentTimeMillis
    return [
      created(at, containerId),
      {
        _tag: "ReportContainerStart" as const,
        at,
        container: name,
        attempt,
        outcome: "started" as const,
        containerId,
        startedAt: status.startedAt ?? timestamp(at),
        ...(status.stopSignal === undefined ? {} : { stopSignal: status.stopSignal }),
        ...(status.user === undefined ? {} : { user: status.user })
      }
    ]
  }).pipe(
    Effect.catch(({ reason, message, imageMissing, deadContainer }: StartFailure) =>
      Effect.map(Clock.currentTimeMillis, (at) => [
        // The next attempt is another one, and this one is to be removed. Where it is not known what became of it, the
        // next try is of the same attempt, and takes over what there is.
        ...(deadContainer === undefined ? [] : [created(at, deadContainer)]),
        {
          _tag: "ReportContainerStart" as const,
          at,
          container: name,
          attempt,
          outcome: "failed" as const,
          reason,
          message,
          ...(imageMissing ? { imageMissing } : {})
        }
      ])
    )
  )
}

/** The link to its log in the directory of all containers' logs. What goes wrong with it keeps no container from running. */
const linkLog = (pod: Pod, container: string, attempt: number, containerId: string) =>
  Effect.gen(function* () {
    const logs = yield* ContainerLogs
    const { facts } = yield* PodSettings
    const link = containerLogLink(facts, pod, container, containerId)
    if (link === undefined) return
    yield* logs.link(link, `${podLogDirectory(facts, pod)}/${containerLogPath(container, attempt)}`)
  }).pipe(Effect.catch((error) => Effect.logWarning(`no link to the log of ${container}: ${error.message}`)))
