/**
 * systemd-logind as the agent sees it: it says that the machine is about to shut down, and waits for those who asked it to
 * (`org.freedesktop.login1`, "delay" inhibitors; https://systemd.io/INHIBITOR_LOCKS/).
 */
import { Context, type Effect, Schema, type Scope, type Stream } from "effect"

/** `Unavailable`: there is no bus or no logind on it; `Refused`: it said no, or something that makes no sense. */
export class LogindError extends Schema.TaggedError<LogindError>()("LogindError", {
  reason: Schema.Literals(["Unavailable", "Refused"]),
  call: Schema.String,
  message: Schema.String
}) {}

export interface LogindShape {
  /**
   * Asks logind to wait before it shuts down, for as long as the scope lives or this process does. Answers how long it waits
   * at most (InhibitDelayMaxUSec), milliseconds.
   */
  readonly inhibit: Effect.Effect<number, LogindError, Scope.Scope>
  /** Whether the machine is about to shut down: as it is now, and then each change. Ends only with an error. */
  readonly preparing: Stream.Stream<boolean, LogindError>
}

/** Undefined: nobody asks (no graceful shutdown is configured). */
export const Logind = Context.Reference<LogindShape | undefined>("chronode/Logind", { defaultValue: () => undefined })
