/** A kernel's dataplane in memory, for tests of what stands above it: it keeps rules, and does wrong when told to. */
import { Context, Effect, Layer, PubSub, Stream } from "effect"
import {
  type Change,
  Dataplane,
  DataplaneError,
  type Desired,
  type Missing,
  maxExamples,
  type Refusal,
  rulesKey,
  type ServiceRules,
  type SysctlSet
} from "./port.ts"

/** The other end: the kernel, and whoever else is at it. */
export class DataplaneControl extends Context.Service<
  DataplaneControl,
  {
    /** What is in the kernel now, by `rulesKey`. */
    readonly rules: Map<string, ServiceRules>
    /** As the last `resync` gave them. */
    readonly nodePortAddresses: () => ReadonlyArray<string>
    readonly healthCheckPorts: () => ReadonlyArray<number>
    /** How often it was called, and with how many changes. */
    readonly calls: { resync: number; apply: number; changes: number }
    /** Calls that fail from now on, each with the error that it answers; undefined: none. */
    failing: ((call: "resync" | "apply", changes: ReadonlyArray<Change>) => DataplaneError | undefined) | undefined
    /** Keys that are refused while all else is taken, with the kernel's words. */
    readonly refused: Map<string, string>
    /** What the machine lacks. */
    missing: ReadonlyArray<Missing>
    /** What `prepare` tells. */
    sysctls: ReadonlyArray<SysctlSet>
    /** Milliseconds that each call takes. */
    delay: number
    /** Somebody flushes everything, with or without the kernel telling of it. */
    readonly flush: (isNoticed: boolean) => Effect.Effect<void>
  }
>()("chronode/DataplaneControl") {}

export const failure = (reason: DataplaneError["reason"], message: string, errno?: number): DataplaneError =>
  new DataplaneError({ reason, operation: "change rules", message, ...(errno === undefined ? {} : { errno }) })

export const make = Effect.gen(function* () {
  const hints = yield* PubSub.sliding<void>(1)
  const rules = new Map<string, ServiceRules>()
  let nodePortAddresses: ReadonlyArray<string> = []
  let healthCheckPorts: ReadonlyArray<number> = []
  const control = DataplaneControl.of({
    rules,
    nodePortAddresses: () => nodePortAddresses,
    healthCheckPorts: () => healthCheckPorts,
    calls: { resync: 0, apply: 0, changes: 0 },
    failing: undefined,
    refused: new Map(),
    missing: [],
    sysctls: [],
    delay: 0,
    flush: (isNoticed) =>
      Effect.suspend(() => {
        rules.clear()
        return isNoticed ? Effect.asVoid(PubSub.publish(hints, undefined)) : Effect.void
      })
  })
  const wait = Effect.suspend(() => (control.delay > 0 ? Effect.sleep(control.delay) : Effect.void))
  const refusalsOf = (keys: Iterable<string>): ReadonlyArray<Refusal> =>
    [...keys].flatMap((key) => {
      const message = control.refused.get(key)
      return message === undefined ? [] : [{ key, message }]
    })

  const resync = (desired: Desired) =>
    Effect.gen(function* () {
      control.calls.resync += 1
      yield* wait
      const error = control.failing?.("resync", [])
      if (error !== undefined) return yield* error
      nodePortAddresses = desired.nodePortAddresses
      healthCheckPorts = desired.healthCheckPorts
      const wanted = new Map([...desired.rules].map((one) => [rulesKey(one), one]))
      const refused = refusalsOf(wanted.keys())
      for (const { key } of refused) wanted.delete(key)
      const examples: Array<string> = []
      let [missing, altered, unexpected] = [0, 0, 0]
      for (const [key, one] of wanted) {
        const known = rules.get(key)
        if (known === undefined) missing += 1
        else if (JSON.stringify(known) !== JSON.stringify(one)) altered += 1
        else continue
        examples.push(key)
        rules.set(key, one)
      }
      for (const key of [...rules.keys()]) {
        if (wanted.has(key)) continue
        unexpected += 1
        examples.push(key)
        rules.delete(key)
      }
      return { missing, altered, unexpected, examples: examples.slice(0, maxExamples), refused }
    })

  const apply = (changes: ReadonlyArray<Change>) =>
    Effect.gen(function* () {
      control.calls.apply += 1
      control.calls.changes += changes.length
      yield* wait
      const error = control.failing?.("apply", changes)
      if (error !== undefined) return yield* error
      const refused = refusalsOf(changes.flatMap(({ key, rules: one }) => (one === undefined ? [] : [key])))
      const isRefused = new Set(refused.map(({ key }) => key))
      for (const { key, rules: one } of changes) {
        if (isRefused.has(key)) continue
        if (one === undefined) rules.delete(key)
        else rules.set(key, one)
      }
      return { refused }
    })

  const dataplane = Dataplane.of({
    mode: "nftables",
    missing: Effect.sync(() => control.missing),
    prepare: Effect.sync(() => control.sysctls),
    resync,
    apply,
    disturbances: Stream.fromPubSub(hints),
    cleanup: Effect.sync(() => {
      const keys = [...rules.keys()]
      rules.clear()
      return keys
    })
  })
  return Context.make(Dataplane, dataplane).pipe(Context.add(DataplaneControl, control))
})

export const layer: Layer.Layer<Dataplane | DataplaneControl> = Layer.effectContext(make)
