/** What a log tells of its node's configuration, event by event: versions, recording mode, decision flags. */
import type { RecordedEvent } from "../../events/envelope.ts"
import type { IncidentConfiguration } from "../../events/incident/format.ts"

/** What is read of a checkpoint of the node's actor. */
interface CheckpointedNode {
  readonly started?:
    | (Omit<NonNullable<IncidentConfiguration["agent"]>, "sequence"> & { readonly flags?: ReadonlyArray<number> })
    | null
}

export class ConfigurationSeen {
  private agent: IncidentConfiguration["agent"]
  private runtime: IncidentConfiguration["runtime"]
  private flags: IncidentConfiguration["flags"]

  /** @param before what was known before the log's first event */
  constructor(before: IncidentConfiguration = {}) {
    this.agent = before.agent
    this.runtime = before.runtime
    this.flags = before.flags
  }

  apply({ actor, event, sequence, time }: RecordedEvent): void {
    // A node's log begins without any flag in force.
    if (sequence === 1) this.flags ??= []
    if (event._tag === "NodeStarted") {
      const { version, host, kernel, architecture, cgroupVersion, bootId, recording } = event
      this.agent = { time, sequence, version, host, kernel, architecture, cgroupVersion, bootId, recording }
      this.flags = event.flags
    } else if (event._tag === "RuntimeConnected") {
      const { endpoint, name, version, apiVersion, events, cgroupDriver } = event
      this.runtime = { time, sequence, endpoint, name, version, apiVersion, events, cgroupDriver }
    } else if (event._tag === "ActorCheckpointed" && actor.kind === "node") {
      this.checkpointed((event.state as unknown as CheckpointedNode).started, sequence)
    }
  }

  /** A log that retention has cut tells of its agent's start in the node's state only. */
  private checkpointed(started: CheckpointedNode["started"], sequence: number): void {
    if (started === undefined || started === null) return
    const { flags, ...facts } = started
    this.agent ??= { ...facts, sequence }
    this.flags ??= flags ?? []
  }

  value(): IncidentConfiguration {
    const { agent, runtime, flags } = this
    return {
      ...(agent === undefined ? {} : { agent }),
      ...(runtime === undefined ? {} : { runtime }),
      ...(flags === undefined ? {} : { flags })
    }
  }
}
