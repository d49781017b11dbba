/** What a log tells of its node's configuration, event by event: versions, recording mode, decision flags. */
import type { RecordedEvent } from "../events/envelope.ts"
import type { IncidentConfiguration } from "../events/incident/format.ts"

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

  apply({ event, sequence, time }: RecordedEvent): void {
    // A node's log begins without any flag in force.
    if (sequence === 1) this.flags ??= []
    if (event._tag === "NodeStarted") {
      const { version, host, kernel, architecture, cgroupVersion, bootId, recording } = event
      this.agent = { time, sequence, version, host, kernel, architecture, cgroupVersion, bootId, recording }
      this.flags = event.flags
    } else if (event._tag === "RuntimeConnected") {
      const { endpoint, name, version, apiVersion, events, cgroupDriver } = event
      this.runtime = { time, sequence, endpoint, name, version, apiVersion, events, cgroupDriver }
    }
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
