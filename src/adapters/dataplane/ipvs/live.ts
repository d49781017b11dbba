/** Services by IPVS: virtual servers over netlink, their addresses on a device of our own, and one nftables table beside them. */
import { release as kernelRelease } from "node:os"
import { Duration, Effect, Layer, Schedule, type Scope, Semaphore, Stream } from "effect"
import { cidrContains, parseCidr, parseIp } from "../../../events/ip-address.ts"
import { connect } from "../../netlink/connection.ts"
import { type Ipvs, openIpvs } from "../../netlink/ipvs-calls.ts"
import { Sysctls } from "../../sysctl/port.ts"
import { Dataplane, type DataplaneError, type DataplaneSettings } from "../port.ts"
import { attempt, openCompanion } from "./companion.ts"
import { openDevice } from "./device.ts"
import { Drains, sweepMillis } from "./drains.ts"
import { Engine, type Kernel } from "./engine.ts"
import { missingOf } from "./missing.ts"
import { ownerMark } from "./names.ts"
import { prepareIpvs } from "./prepare.ts"
import { steadySocket } from "./steady-socket.ts"
import { openWatch, type Watch } from "./watch.ts"

/** How often it is looked whether the kernel has told of something: milliseconds. */
const lookMillis = 500

/** Opens each socket once, when it is first needed: until then nothing of the kernel's is asked for. */
const once = <A>(
  open: () => A
): { readonly get: Effect.Effect<A, DataplaneError>; readonly opened: () => A | undefined } => {
  let value: A | undefined
  const get = attempt(() => {
    value ??= open()
    return value
  })
  return { get, opened: () => value }
}

const othersOf = (cidrs: ReadonlyArray<string>): ((address: string) => boolean) => {
  const ranges = cidrs.map((text) => parseCidr(text.trim())).filter((range) => range !== undefined)
  if (ranges.length === 0) return () => false
  return (address) => {
    const ip = parseIp(address)
    return ip !== undefined && ranges.some((range) => cidrContains(range, ip))
  }
}

const openLiveIpvs = (): Ipvs => {
  const transport = steadySocket("generic")
  try {
    return openIpvs(connect(transport))
  } catch (error) {
    transport.close()
    throw error
  }
}

/** Sockets to the kernel in the network namespace of this process. */
const liveKernel = (settings: DataplaneSettings, ipvs: Ipvs): Kernel => ({
  ipvs,
  device: openDevice(settings.name, connect(steadySocket("route"))),
  companion: openCompanion(settings, connect(steadySocket("netfilter")))
})

export const make = (
  settings: DataplaneSettings,
  open: (settings: DataplaneSettings, ipvs: Ipvs) => Kernel = liveKernel
): Effect.Effect<(typeof Dataplane)["Service"], never, Sysctls | Scope.Scope> =>
  Effect.gen(function* () {
    const sysctls = yield* Sysctls
    const release = kernelRelease()
    const ipvs = once(openLiveIpvs)
    const parts = { around: { scheduler: settings.ipvs.scheduler, mark: ownerMark(settings.name) } }
    const kernel = once(() => open(settings, ipvs.opened()!))
    let started: Engine | undefined
    const kernelOf = Effect.andThen(ipvs.get, kernel.get)
    const engine = Effect.gen(function* () {
      const opened = yield* kernelOf
      started ??= new Engine(opened, { ...parts, isOthers: othersOf(settings.ipvs.excludeCIDRs) }, new Drains())
      return started
    })
    // What is done depends on what was done before.
    const turns = Semaphore.makeUnsafe(1)
    const watches = new Set<Watch>()
    /** What others did meanwhile is kept for who asks; what we do ourselves is no disturbance. */
    const disturbed = new WeakSet<Watch>()
    const notice = Effect.sync(() => {
      for (const watch of watches) if (watch.isDisturbed()) disturbed.add(watch)
    })
    const overlook = Effect.sync(() => {
      for (const watch of watches) watch.isDisturbed()
    })
    const inTurn = <A, E>(use: (engine: Engine) => Effect.Effect<A, E>) =>
      turns.withPermits(1)(Effect.flatMap(engine, (it) => Effect.andThen(notice, Effect.ensuring(use(it), overlook))))
    const watching = Effect.acquireRelease(
      Effect.map(kernelOf, ({ device, companion }) => {
        const watch = openWatch({ table: companion.name, device: device.index })
        watches.add(watch)
        return watch
      }),
      (watch) =>
        Effect.sync(() => {
          watches.delete(watch)
          watch.close()
        })
    )
    const tick = (watch: Watch) =>
      turns.withPermits(1)(
        Effect.sync(() => {
          const is = watch.isDisturbed() || disturbed.has(watch)
          disturbed.delete(watch)
          return is
        })
      )
    const disturbances = Stream.unwrap(
      Effect.map(watching, (watch) =>
        Stream.fromSchedule(Schedule.spaced(Duration.millis(lookMillis))).pipe(
          Stream.mapEffect(() => tick(watch)),
          Stream.filter((is) => is),
          Stream.map(() => undefined)
        )
      )
    )
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        const opened = kernel.opened()
        opened?.device.close()
        opened?.companion.close()
        ipvs.opened()?.close()
      })
    )
    const sweeping = Effect.suspend(() => (started === undefined ? Effect.void : inTurn((it) => it.sweep)))
    yield* sweeping.pipe(
      // What fails here is found by the next comparison, which tells of it.
      Effect.ignore,
      Effect.schedule(Schedule.spaced(Duration.millis(sweepMillis))),
      Effect.forkScoped
    )
    return Dataplane.of({
      mode: "ipvs",
      missing: missingOf(ipvs.get, settings.ipvs, release),
      prepare: prepareIpvs(ipvs.get, sysctls, settings.ipvs, release),
      resync: (desired) => inTurn((it) => it.resync(desired)),
      apply: (changes) => inTurn((it) => it.apply(changes)),
      // Without the sockets nothing is told; comparisons find all the same.
      disturbances: Stream.catchCause(disturbances, () => Stream.never),
      cleanup: inTurn((it) => it.cleanup)
    })
  })

export const layer = (settings: DataplaneSettings): Layer.Layer<Dataplane, never, Sysctls> =>
  Layer.effect(Dataplane, make(settings))
