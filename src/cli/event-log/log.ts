/**
 * Where a command reads events from: this node's journal, an incident file, or NATS. All three look the same to it.
 */
import { type Effect, Result, type Stream } from "effect"
import type { DecodeProblem } from "../../events/decode.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { FirstState } from "../../events/incident/first-state.ts"
import type { IncidentConfiguration } from "../../events/incident/format.ts"
import type { IncidentPlace } from "../../events/incident/reader.ts"
import type { JournalRow } from "../../events/journal/port.ts"
import type { Mark } from "../../events/mark.ts"
import { CommandFailed } from "../exit.ts"
import { type EventFilter, matcher } from "../filter.ts"
import { oneLine } from "../text.ts"

export interface LogLine {
  /** One CloudEvent, as it is stored. */
  readonly line: string
  /** Where it stands, for messages: `line 12`, `sequence 12`. */
  readonly place: string
  readonly event: Result.Result<RecordedEvent, DecodeProblem>
  /** Why the hash chain does not hold here, where reading the log tells. */
  readonly broken?: string | undefined
  /** Hash of the chain after it, where the log has one. */
  readonly hash?: string | undefined
}

export interface EventLog {
  /** For people: `the journal /var/lib/…`, `incident.ndjson`. */
  readonly name: string
  /**
   * The lines that match, in order of the log; lines that are no events come too. With `follow` it goes on for ever
   * with what is added (a file does not grow: it ends).
   */
  readonly read: (filter: EventFilter, follow: boolean) => Stream.Stream<LogLine, CommandFailed>
  /** The event of this id, if the log holds it. */
  readonly find: (id: string) => Effect.Effect<RecordedEvent | undefined, CommandFailed>
  /** Of a journal: up to which sequence its stream held it when the publisher last wrote that down. */
  readonly published?: Effect.Effect<number | undefined, CommandFailed>
}

/** A place between two events, behind the one of this sequence and hash, from which a log can be read on. */
export interface LogPlace {
  readonly sequence: number
  /** Chain hash there. */
  readonly hash: string
  /** Where it is in a file. */
  readonly file?: IncidentPlace
}

export interface LogPiece {
  readonly lines: ReadonlyArray<LogLine>
  /** Behind them, where a reader can go on from there. */
  readonly place?: LogPlace
}

/** What a log is, so that it is known again. */
export interface LogIdentity {
  /** Which log: one of all. */
  readonly name: string
  /** Differs as soon as something of it was changed that was there before. Being added to is no change. */
  readonly stamp: string
}

/** A log with a hash chain: a journal or a file. */
export interface ChainedLog extends EventLog {
  /** The node's name; empty where the log does not say. */
  readonly node: string
  /** Whether it says of itself that it leaves out events. */
  readonly isSlice: boolean
  /** What was asked for when it was exported, in words; empty: everything. */
  readonly filter: Readonly<Record<string, unknown>>
  /**
   * States before its first event; undefined: it begins with its node's log, or does not say. Fails where they are damaged.
   */
  readonly first: Effect.Effect<LogStart | undefined, CommandFailed>
  /** What was known of the node before its first event. */
  readonly configuration: IncidentConfiguration
  /** Undefined: it has nothing to be known by. */
  readonly identity: Effect.Effect<LogIdentity | undefined, CommandFailed>
  /** About how many events it holds. */
  readonly length: Effect.Effect<number, CommandFailed>
  /** All lines, from the beginning or from a place of which `holds` is true. */
  readonly pieces: (from?: LogPlace) => Stream.Stream<LogPiece, CommandFailed>
  /** Number, id and time of all events. */
  readonly marks: (from?: LogPlace) => Stream.Stream<Mark, CommandFailed>
  /** Whether the log has this hash at this place, still. */
  readonly holds: (place: LogPlace) => Effect.Effect<boolean, CommandFailed>
  /** From the first to the last event that matches; undefined: none does. */
  readonly span: (filter: EventFilter) => Effect.Effect<Span | undefined, CommandFailed>
  /** The same events that `read` gives, of a span, as stored, with their hashes, to be exported. */
  readonly rows: (filter: EventFilter, span?: Span) => Stream.Stream<JournalRow, CommandFailed>
  readonly verify: Effect.Effect<Verification, CommandFailed>
}

/** Sequences, both inclusive. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface LogStart {
  readonly state: FirstState
  /** When the event before the first one was recorded. */
  readonly time: string
}

/** What checking a hash chain found. */
export interface Verification {
  /** `none`: a file that never had a chain, of which nothing can be said. */
  readonly chain: "whole" | "broken" | "none"
  readonly events: number
  /** 0 and 0 where there are no events. */
  readonly firstSequence: number
  readonly lastSequence: number
  /** Chain hash after the last event. */
  readonly headHash: string | undefined
  /** The first bad position. */
  readonly broken:
    | {
        /** Of a file, from 1. */
        readonly line?: number | undefined
        readonly sequence?: number | undefined
        readonly problem: string
      }
    | undefined
}

/**
 * Whether a line is wanted, asked once or more of each line in the order of the log. Lines that are no events are:
 * nothing is known of them.
 */
export const lineMatcher = (filter: EventFilter): ((line: LogLine) => boolean) => {
  const matches = matcher(filter)
  const known = new WeakMap<LogLine, boolean>()
  return (line) => {
    let isWanted = known.get(line)
    if (isWanted === undefined) {
      isWanted = Result.isFailure(line.event) || matches(line.event.success)
      known.set(line, isWanted)
    }
    return isWanted
  }
}

/** @param log its name */
export const noEvent = (id: string, log: string): CommandFailed =>
  new CommandFailed(`no event ${id} in ${log}`, "ids are in the output of: chronode events -o json")

/** `line 12 (sequence 11)`, `sequence 11` */
export const positionText = ({ line, sequence }: NonNullable<Verification["broken"]>): string =>
  line === undefined
    ? `sequence ${sequence}`
    : sequence === undefined
      ? `line ${line}`
      : `line ${line} (sequence ${sequence})`

/** `where` of what is wrong with a file as a whole, not with a line of it. */
export const wholeFile = "file"

/** `line 12 is no event: data …` */
export const unreadableText = ({ place, event }: LogLine): string => {
  if (Result.isSuccess(event)) return ""
  const { where, message } = event.failure
  if (where === wholeFile) return place === wholeFile ? message : `${place}: ${message}`
  // A parser's words quote what it met, which may be any character.
  return `${place} is no event: ${where === "" ? "" : `${where} `}${oneLine(message)}`
}
