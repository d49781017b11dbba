/** A runtime that fails on command, around any other: for tests of what actors do then. */
import { Effect, Stream } from "effect"
import { type ContainerRuntime, CriError, deadlines } from "./port.ts"

type Service = ContainerRuntime["Service"]
export type CallName = Exclude<keyof Service, "endpoint">
type Answer<K extends CallName> = Service[K] extends (...args: never) => Effect.Effect<infer A, CriError>
  ? A
  : Service[K] extends Effect.Effect<infer A, CriError>
    ? A
    : Service[K] extends Stream.Stream<infer A, CriError>
      ? A
      : never

/**
 * `error`: refused, nothing is done. `lostAnswer`: it is done, but the caller hears an error. `delay`: done that much
 * later, milliseconds. `hang`: nothing is done, and the deadline of the call is all that ends it. `lie`: done, and the
 * answer is changed (each event, for `containerEvents`).
 */
export type Fault<K extends CallName = CallName> =
  | { readonly kind: "error"; readonly reason: CriError["reason"]; readonly message?: string }
  | { readonly kind: "lostAnswer"; readonly reason?: CriError["reason"] }
  | { readonly kind: "delay"; readonly milliseconds: number }
  | { readonly kind: "hang" }
  | { readonly kind: "lie"; readonly answer: (truth: Answer<K>) => Answer<K> }

export interface Faults {
  /** The next `times` calls of this name (default one) suffer it, after what was asked for before. */
  readonly inject: <K extends CallName>(call: K, fault: Fault<K>, times?: number) => void
  /** Asks no more faults. */
  readonly clear: () => void
  /** Faults that wait for their call. */
  readonly pending: () => number
}

const quick: ReadonlySet<CallName> = new Set<CallName>([
  "version",
  "status",
  "cgroupDriver",
  "podSandboxStatus",
  "listPodSandboxes",
  "containerStatus",
  "listContainers",
  "containerStats",
  "listContainerStats",
  "imageStatus",
  "listImages",
  "sandboxImage",
  "imageFilesystems"
])
const deadlineOf = (call: CallName): number =>
  call === "pullImage" ? deadlines.pull : quick.has(call) ? deadlines.quick : deadlines.request

const errorOf = (call: CallName, reason: CriError["reason"], message = "injected"): CriError =>
  new CriError({ reason, call, message })

const suffer = (call: CallName, fault: Fault, real: Effect.Effect<unknown, CriError>) => {
  switch (fault.kind) {
    case "error":
      return Effect.fail(errorOf(call, fault.reason, fault.message))
    case "lostAnswer":
      return Effect.andThen(real, Effect.fail(errorOf(call, fault.reason ?? "DeadlineExceeded")))
    case "delay":
      return Effect.delay(real, fault.milliseconds)
    case "hang":
      return Effect.delay(Effect.fail(errorOf(call, "DeadlineExceeded")), deadlineOf(call))
    case "lie":
      return Effect.map(real, (truth) => fault.answer(truth as never) as unknown)
  }
}

const sufferStream = (fault: Fault, real: Service["containerEvents"]): Service["containerEvents"] => {
  switch (fault.kind) {
    case "error":
      return Stream.fail(errorOf("containerEvents", fault.reason, fault.message))
    case "lostAnswer":
      return Stream.fail(errorOf("containerEvents", fault.reason ?? "Unavailable"))
    case "delay":
      return Stream.unwrap(Effect.as(Effect.sleep(fault.milliseconds), real))
    case "hang":
      return Stream.never
    case "lie":
      return Stream.map(real, (event) => fault.answer(event as never))
  }
}

export const withFaults = (runtime: Service): { readonly runtime: Service; readonly faults: Faults } => {
  const waiting = new Map<CallName, Array<Fault>>()
  const next = (call: CallName): Fault | undefined => waiting.get(call)?.shift()

  const wrap = (call: CallName, real: () => Effect.Effect<unknown, CriError>) =>
    Effect.suspend(() => {
      const fault = next(call)
      return fault === undefined ? real() : suffer(call, fault, real())
    })
  const wrapped = Object.fromEntries(
    Object.entries(runtime).map(([name, member]) => {
      const call = name as CallName
      if (name === "endpoint") return [name, member]
      if (name === "containerEvents") {
        const faulty = Effect.sync(() => {
          const fault = next(call)
          return fault === undefined ? runtime.containerEvents : sufferStream(fault, runtime.containerEvents)
        })
        return [name, Stream.unwrap(faulty)]
      }
      if (typeof member === "function") {
        const real = member as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, CriError>
        return [name, (...args: ReadonlyArray<unknown>) => wrap(call, () => real(...args))]
      }
      return [name, wrap(call, () => member as Effect.Effect<unknown, CriError>)]
    })
  ) as unknown as Service
  return {
    runtime: wrapped,
    faults: {
      inject: (call, fault, times = 1) => {
        const before = waiting.get(call) ?? []
        waiting.set(call, [...before, ...Array.from({ length: times }, () => fault as Fault)])
      },
      clear: () => waiting.clear(),
      pending: () => [...waiting.values()].reduce((sum, faults) => sum + faults.length, 0)
    }
  }
}
