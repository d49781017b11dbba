/** Follows the calls by which the runtime is looked at: when a look was finished last, and what does not answer. */
import { Clock, Duration, Effect } from "effect"
import type { ContainerRuntime, CriError } from "../../adapters/cri/port.ts"
import { timestamp } from "../../events/definition.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { CommandOf, RuntimeCommand } from "./commands.ts"
import { runtimeActor } from "./identity.ts"
import { relistThreshold } from "./learn-health.ts"

/** How often it is looked whether looking goes on. */
const healthPeriod = Duration.seconds(10)

type Service = ContainerRuntime["Service"]

/** Calls of the observer, and when each of them was asked first without an answer since. */
export class RuntimeCalls {
  /** Milliseconds since the epoch; when looking began, until the first look is finished. */
  lastRelist: number
  private isRelisted = false
  private readonly unanswered = new Map<string, number>()

  constructor(now: number) {
    this.lastRelist = now
  }

  relisted(now: number): void {
    this.lastRelist = now
    this.isRelisted = true
  }

  /** A refusal is an answer too. */
  private during(call: string) {
    const answered = Effect.sync(() => this.unanswered.delete(call))
    const refused = ({ reason }: CriError) =>
      reason === "DeadlineExceeded" || reason === "Unavailable" ? Effect.void : answered
    return <A>(real: Effect.Effect<A, CriError>): Effect.Effect<A, CriError> => {
      const followed = Effect.tapError(Effect.tap(real, answered), refused)
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (!this.unanswered.has(call)) this.unanswered.set(call, now)
        return followed
      })
    }
  }

  /** The same runtime, whose calls for looking at it are followed. */
  follow(runtime: Service): Service {
    const listSandboxes = this.during("ListPodSandbox")
    const listContainers = this.during("ListContainers")
    const status = this.during("ContainerStatus")
    return {
      ...runtime,
      version: this.during("Version")(runtime.version),
      status: this.during("Status")(runtime.status),
      cgroupDriver: this.during("RuntimeConfig")(runtime.cgroupDriver),
      listPodSandboxes: (labels) => listSandboxes(runtime.listPodSandboxes(labels)),
      listContainers: (labels) => listContainers(runtime.listContainers(labels)),
      containerStatus: (id) => status(runtime.containerStatus(id))
    }
  }

  seen(at: number): CommandOf<"RuntimeHealthSeen"> {
    const calls = [...this.unanswered].map(([call, since]) => ({ call, since: timestamp(since) }))
    const { lastRelist, isRelisted } = this
    return { _tag: "RuntimeHealthSeen", at, lastRelist: timestamp(lastRelist), isRelisted, calls }
  }
}

/** Tells while it is unhealthy, and once when it is not any more. Runs until interrupted. */
export const observeHealth = (
  calls: RuntimeCalls,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<never> =>
  Effect.gen(function* () {
    let wasHealthy = false
    while (true) {
      const at = yield* Clock.currentTimeMillis
      const isHealthy = at - calls.lastRelist < Duration.toMillis(relistThreshold)
      const command: RuntimeCommand = calls.seen(at)
      if (!isHealthy || !wasHealthy) yield* emit({ to: runtimeActor, command })
      wasHealthy = isHealthy
      yield* Effect.sleep(healthPeriod)
    }
  })
