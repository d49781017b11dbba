/**
 * Making and starting a container so that neither a crash of the agent nor an answer that got lost makes it twice: what
 * is there of the same attempt is taken over, and what can never start is made anew.
 */
import { Duration, Effect, Schema } from "effect"
import { Cgroups } from "../../../adapters/cgroupfs/port.ts"
import {
  type ContainerConfig,
  ContainerRuntime,
  type ContainerStatus,
  type CriError,
  type SandboxConfig
} from "../../../adapters/cri/port.ts"
import { containerNameLabel, podUidLabel } from "../labels.ts"

/** The runtime made this container and can never run it: the next attempt is another one. */
export class StartRefused extends Schema.TaggedError<StartRefused>()("StartRefused", {
  containerId: Schema.String,
  message: Schema.String
}) {}

/** The runtime's word for a container whose process could not be started. */
const neverRan = ({ state, reason }: Pick<ContainerStatus, "state" | "reason">): boolean =>
  state === "CONTAINER_EXITED" && reason === "StartError"

/** Whether the runtime itself refused, so that nothing can have come of the call. */
export const isRefusal = ({ reason }: CriError): boolean => reason !== "Unavailable" && reason !== "DeadlineExceeded"

/** Answers the id of the container of this attempt: made now, or found. */
export const obtainContainer = (
  sandboxId: string,
  config: ContainerConfig,
  sandbox: SandboxConfig,
  checkFirst: boolean
) =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const existing = Effect.gen(function* () {
      const all = yield* runtime.listContainers({
        [podUidLabel]: sandbox.metadata.uid,
        [containerNameLabel]: config.metadata.name
      })
      const ours = all.filter((c) => c.metadata.attempt === config.metadata.attempt)
      for (const lost of ours.filter((c) => c.podSandboxId !== sandboxId)) {
        // Of a sandbox that was lost before anybody heard of it. It holds the name, which is the pod's and not the sandbox's.
        yield* removeNeverRan(lost.id, sandbox.linux.cgroupParent)
      }
      const id = ours.find((c) => c.podSandboxId === sandboxId)?.id
      if (id === undefined || !neverRan(yield* runtime.containerStatus(id))) return id
      // Its start failed or was cut off: it can never be started again, and holds the name.
      yield* removeNeverRan(id, sandbox.linux.cgroupParent)
      return undefined
    })
    const create = runtime.createContainer(sandboxId, config, sandbox)
    const found = checkFirst ? yield* existing : undefined
    if (found !== undefined) return found
    return yield* create.pipe(
      Effect.catchIf(
        (error) => error.reason === "AlreadyExists",
        () => Effect.flatMap(existing, (id) => (id === undefined ? create : Effect.succeed(id)))
      )
    )
  })

/** Looks whether the runtime has noticed the end of a process that was killed past it, and the pause before each. */
const removalAttempts = 5
const removalPause = Duration.millis(100)

/**
 * containerd calls a container whose start was cut off dead, though its process may have been made, and then refuses to
 * remove it ("cannot delete running task") until it is restarted itself. Its cgroup tells the process, which is killed;
 * where the container still stays, the pod goes on with another attempt.
 */
const removeNeverRan = (containerId: string, cgroupParent: string) =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const cgroups = yield* Cgroups
    const remove = runtime.removeContainer(containerId)
    const removed = yield* Effect.result(remove)
    if (removed._tag === "Success") return
    if (!isRefusal(removed.failure) || cgroupParent === "") return yield* Effect.fail(removed.failure)
    for (const name of cgroupNames(containerId)) yield* cgroups.remove(`${cgroupParent}/${name}`)
    for (let attempt = 0; attempt < removalAttempts; attempt++) {
      yield* Effect.sleep(removalPause)
      if ((yield* Effect.result(remove))._tag === "Success") return
    }
    return yield* new StartRefused({ containerId, message: removed.failure.message })
  })

/** A container's own cgroup below its pod's: with the driver cgroupfs, and containerd's and CRI-O's with systemd. */
export const cgroupNames = (id: string): ReadonlyArray<string> => [id, `cri-containerd-${id}.scope`, `crio-${id}.scope`]

/** A start that an earlier life asked for may be under way: how often it is looked whether it is over, and the pause. */
const settleLooks = 50
const settlePause = Duration.millis(100)

/** The state of a container once nobody else is starting it. */
const settled = (containerId: string) =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    let status = yield* runtime.containerStatus(containerId)
    for (let look = 0; look < settleLooks && status.state === "CONTAINER_CREATED"; look++) {
      yield* Effect.sleep(settlePause)
      status = yield* runtime.containerStatus(containerId)
    }
    return status
  })

/** A container that an earlier life started may run, or have ended already: both count as started. */
export const startUnlessStarted = (containerId: string, checkFirst: boolean) =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    if (checkFirst && (yield* runtime.containerStatus(containerId)).state !== "CONTAINER_CREATED") return
    const result = yield* Effect.result(runtime.startContainer(containerId))
    if (result._tag === "Success") return
    const error = result.failure
    const status = yield* checkFirst ? settled(containerId) : runtime.containerStatus(containerId)
    // Between the check and the start, or in a call that timed out, it may have started after all.
    if (status.state === "CONTAINER_RUNNING" || (status.state === "CONTAINER_EXITED" && !neverRan(status))) return
    return yield* isRefusal(error) && neverRan(status)
      ? Effect.fail(new StartRefused({ containerId, message: error.message }))
      : Effect.fail(error)
  })
