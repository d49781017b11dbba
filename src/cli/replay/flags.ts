/** The flags of `chronode replay`: those of its modes, and those that all of them have. */
import type { FilterFlags } from "../filter.ts"
import type { NatsConnectionFlags } from "../nats-flags.ts"
import type { PlaybackFlags } from "./playback.ts"

export interface ReplayFlags extends FilterFlags, PlaybackFlags, Omit<NatsConnectionFlags, "nats"> {
  /** A point: also the id of an event. */
  readonly until?: string
  readonly verify?: boolean
  readonly all?: boolean
  /** Server to publish to. */
  readonly publish?: string
  readonly subjectPrefix?: string
  readonly freshIds?: boolean
  /** A what-if file. */
  readonly with?: string
  readonly html?: string
  readonly perfetto?: string
  readonly force?: boolean
  /** Address of an OpenTelemetry collector. */
  readonly otlp?: string
  readonly output: "text" | "json"
}
