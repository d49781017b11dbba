/** systemd-logind over the system's D-Bus. */
import { Duration, Effect, Stream } from "effect"
import { LogindError, type LogindShape } from "./port.ts"
import { SystemBus, type Target } from "./sd-bus.ts"

const login1: Target = {
  destination: "org.freedesktop.login1",
  path: "/org/freedesktop/login1",
  interfaceName: "org.freedesktop.login1.Manager"
}
/** Between looks at what the bus has sent: a look is a system call. logind waits for seconds. */
const lookPeriod = Duration.millis(500)
/** Between questions whether logind is still there: one that was restarted knows of no inhibitor. */
const questionLooks = 20

const trying = <A>(call: string, act: () => A): Effect.Effect<A, LogindError> =>
  Effect.try({
    try: act,
    catch: (error) =>
      error instanceof LogindError ? error : new LogindError({ reason: "Refused", call, message: String(error) })
  })

/** Where the system's bus is, unless DBUS_SYSTEM_BUS_ADDRESS says otherwise. */
export const systemBus = "unix:path=/run/dbus/system_bus_socket"

const connected = (address: string) =>
  Effect.acquireRelease(
    trying("connect to the system bus", () => new SystemBus(address)),
    (bus) => Effect.sync(() => bus.close())
  )

const isPreparing = (bus: SystemBus) =>
  trying("PreparingForShutdown", () => bus.property(login1, "PreparingForShutdown", "b") !== 0n)

export const liveLogind = (address = systemBus): LogindShape => ({
  inhibit: Effect.gen(function* () {
    const bus = yield* connected(address)
    const delayLimit = yield* trying("InhibitDelayMaxUSec", () => bus.property(login1, "InhibitDelayMaxUSec", "t"))
    yield* Effect.acquireRelease(
      trying("Inhibit", () => bus.call(login1, "Inhibit", ["shutdown", "chronode", "pods have to end first", "delay"])),
      (answer) => Effect.sync(() => answer.letGo())
    )
    return Number(delayLimit) / 1000
  }),
  preparing: Stream.unwrap(
    Effect.gen(function* () {
      const bus = yield* connected(address)
      // Before the question, so that nothing falls between.
      yield* trying("AddMatch", () => bus.listen(login1, "PrepareForShutdown"))
      let looks = 0
      const look = Effect.gen(function* () {
        yield* Effect.sleep(lookPeriod)
        const told = yield* trying("PrepareForShutdown", () => bus.signals(login1, "PrepareForShutdown"))
        if (told.length > 0) return told
        looks = (looks + 1) % questionLooks
        if (looks === 0) yield* isPreparing(bus)
        return told
      })
      return Stream.concat(
        Stream.fromEffect(isPreparing(bus)),
        Stream.flatMap(Stream.fromEffectRepeat(look), (told) => Stream.fromIterable(told))
      )
    })
  )
})
