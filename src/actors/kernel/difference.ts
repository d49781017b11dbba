/**
 * What deciding a log again can find. Two different things, and two different errors: a decider that decides otherwise
 * from the same input, and a history that today's program cannot read.
 */
import { Schema } from "effect"

const text = Schema.String

/** Where in the log, and what was being decided. */
const place = {
  sequence: Schema.Int,
  /** Id of the event. */
  id: text,
  time: text,
  /** `pod/default/web` */
  actor: text,
  /** `ReportProbe`; absent: it is about an event without its command. */
  command: Schema.optionalKey(text),
  /** The program that recorded it, as the last `NodeStarted` says; absent: the log does not hold one. */
  recordedBy: Schema.optionalKey(text),
  /** Numbers of the decision flags in force. */
  flags: Schema.Array(Schema.Int),
  message: text
}

/** The same command, the same state, the same flags: another decision. */
export class DeterminismViolation extends Schema.TaggedError<DeterminismViolation>()("DeterminismViolation", {
  ...place,
  /** Of the decision's events, from 1. */
  position: Schema.Int,
  /** Event, time and cause; absent: the log, or today's decider, has no such event. */
  recorded: Schema.optionalKey(Schema.Unknown),
  decided: Schema.optionalKey(Schema.Unknown)
}) {}

/** Today's program cannot read what the decision was made from, so that nothing can be said of it. */
export class IncompatibleHistory extends Schema.TaggedError<IncompatibleHistory>()("IncompatibleHistory", {
  ...place,
  /** What cannot be read. */
  what: Schema.Literals(["command", "event", "checkpoint", "flags"]),
  recorded: Schema.optionalKey(Schema.Unknown)
}) {}

export type Difference = DeterminismViolation | IncompatibleHistory

/** For people: what it means and what to do. */
export const adviceOn = (difference: Difference): string => {
  if (difference._tag === "DeterminismViolation")
    return (
      "The log says that this was once decided otherwise from the same input. Either a decider was changed without a " +
      "decision flag: give the change the next number in src/actors/kernel/flags.ts. Or the log was not written by " +
      "Chronode's deciders: check its chain with `chronode verify`."
    )
  switch (difference.what) {
    case "command":
      return (
        "No decision can be taken from it. If a newer program recorded it, use that one. If the command's shape was " +
        "changed, its schema must go on reading the old shape: new fields have to be optional."
      )
    case "event":
      return (
        "What it changed is not in the states any more. If a newer program recorded it, use that one. If the event's " +
        "shape was changed, it lacks a step in src/events/upcast.ts."
      )
    case "checkpoint":
      return (
        "The events before it are not in this log, so the actor's state cannot be known. Use the program that recorded " +
        "it, or a log that goes back to the actor's beginning."
      )
    case "flags":
      return "These changes of behaviour came after this program. Use the one that recorded the log, or a newer one."
  }
}
