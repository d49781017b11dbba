/** The kernel's table of connections, as far as Services need it: its limits, and UDP flows that lead nowhere any more. */
import { Context, type Effect, Schema } from "effect"
import type { IpFamily, Protocol } from "../../events/service-shape.ts"

export class ConntrackError extends Schema.TaggedError<ConntrackError>()("ConntrackError", {
  reason: Schema.Literals(["ToolMissing", "Unsupported", "NoPermission", "Failed"]),
  message: Schema.String
}) {}

/** A flow as it began and as its answers come. */
export interface Flow {
  readonly family: IpFamily
  readonly protocol: Protocol
  readonly original: FlowDirection
  readonly reply: FlowDirection
}

export interface FlowDirection {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
}

export class Conntrack extends Context.Service<
  Conntrack,
  {
    /** All flows of a family and protocol, at most `maxFlows`. */
    readonly flows: (family: IpFamily, protocol: Protocol) => Effect.Effect<ReadonlyArray<Flow>, ConntrackError>
    /** Removes them; those that are gone already count as removed. Answers how many it removed. */
    readonly remove: (flows: ReadonlyArray<Flow>) => Effect.Effect<number, ConntrackError>
  }
>()("chronode/Conntrack") {}

/** Flows that one look takes in: what is beyond is looked at the next time. */
export const maxFlows = 1_000_000
