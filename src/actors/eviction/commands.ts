/** What the actor of eviction can be told. Times are milliseconds since the epoch, but for those of figures (RFC 3339). */
import { Schema } from "effect"
import { Timestamp } from "../../events/definition.ts"
import { evictionSettings, SightedBy } from "../../events/kinds/eviction.ts"
import { evictionSignals } from "./rules/signals.ts"

const text = Schema.String
const at = Schema.Finite
const int = Schema.Int
const opt = Schema.optionalKey
const list = Schema.Array

/** The settings of this life of the agent. The same again is no news. */
export const ConfigureEviction = Schema.TaggedStruct("ConfigureEviction", { at, ...evictionSettings })

const Disk = Schema.Tuple([int, int])
const ObservationIn = Schema.Struct({ available: int, capacity: int, time: opt(Timestamp) })

/** Shape of `Candidate` (rules/candidate.ts). */
const CandidateIn = Schema.Struct({
  namespace: text,
  name: text,
  uid: text,
  qosClass: Schema.Literals(["Guaranteed", "Burstable", "BestEffort"]),
  priority: int,
  critical: opt(Schema.Boolean),
  memoryRequest: opt(int),
  storageRequest: opt(int),
  podMemoryRequest: opt(text),
  usage: opt(
    Schema.Struct({ memory: opt(int), processes: opt(int), root: opt(Disk), logs: opt(Disk), volumes: opt(Disk) })
  ),
  containers: opt(
    list(
      Schema.Struct({
        name: text,
        memory: opt(int),
        memoryRequest: opt(text),
        disk: opt(int),
        diskRequest: opt(text)
      })
    )
  ),
  limits: opt(
    list(Schema.Struct({ of: Schema.Literals(["emptyDir", "pod", "container"]), name: text, limit: text, used: int }))
  )
})

/** What there is and what the pods use, as it was seen at one look. */
const sight = {
  layout: Schema.Struct({ dedicatedImageFs: Schema.Boolean, separateContainerFs: Schema.Boolean }),
  /** By signal; what could not be measured is absent. */
  observations: Schema.Record(Schema.Literals(evictionSignals), opt(ObservationIn)),
  candidates: list(CandidateIn),
  /** Pods of which there is no room to tell (candidates.ts). */
  more: opt(int)
}

export const ResourcesObserved = Schema.TaggedStruct("ResourcesObserved", {
  at,
  by: SightedBy,
  /** When the look before was; absent: it is the first one. */
  previousAt: opt(at),
  ...sight
})
export type ResourcesObserved = typeof ResourcesObserved.Type

/** What became of giving back what the node does not need, and how it looks now. */
export const ReportReclaim = Schema.TaggedStruct("ReportReclaim", {
  at,
  freedBytes: int,
  message: opt(text),
  ...sight
})
export type ReportReclaim = typeof ReportReclaim.Type

export const ReportEvicted = Schema.TaggedStruct("ReportEvicted", {
  at,
  uid: text,
  outcome: Schema.Literals(["gone", "timeout"])
})

export const EvictionCommand = Schema.Union([ConfigureEviction, ResourcesObserved, ReportReclaim, ReportEvicted])
export type EvictionCommand = typeof EvictionCommand.Type
