/** What each event does to the node's state. Total: nothing is decided here. */
import type { EventsOf } from "../../events/catalogue.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { nodeHealthEvents } from "../../events/kinds/node-health.ts"
import { canonical } from "../kernel/json.ts"
import type { DrainInState, NodeActorEvent, NodeState } from "./state.ts"

export const evolve = (state: NodeState, event: NodeActorEvent, meta: EventMeta): NodeState => {
  switch (event._tag) {
    case "NodeStarted": {
      const { version, host, kernel, architecture, cgroupVersion, bootId, flags, podLogsDir } = event
      const logs = podLogsDir === undefined ? {} : { podLogsDir }
      const facts = { version, host, kernel, architecture, cgroupVersion, bootId, time: meta.time, ...logs }
      const started = flags.length === 0 ? facts : { ...facts, flags }
      return { ...state, starts: state.starts + 1, stopped: false, started }
    }
    case "NodeStopped":
      return { ...state, stopped: true }
    case "AdmissionClosed":
      return { ...state, admission: "closed", closedBecause: event.reason }
    case "AdmissionOpened":
      return { ...state, admission: "open", closedBecause: "" }
    case "JournalPruned":
      return state
    case "QosCgroupUpdated": {
      const { tier, path, values } = event
      return { ...state, tiers: { ...state.tiers, [path]: { ...state.tiers?.[path], tier, values } } }
    }
    case "QosCgroupFailed": {
      const known = state.tiers?.[event.path]
      if (known === undefined) return state
      return { ...state, tiers: { ...state.tiers, [event.path]: { ...known, failed: event.message } } }
    }
    case "QosCgroupRestored": {
      const known = state.tiers?.[event.path]
      if (known === undefined) return state
      const { failed: _, ...rest } = known
      return { ...state, tiers: { ...state.tiers, [event.path]: rest } }
    }
    case "ConfigurationApplied": {
      const { file, configuration, logLevel, needsRestart, notHonoured } = event
      const told = { configuration, logLevel, needsRestart, notHonoured }
      return { ...state, configuration: file === undefined ? told : { ...told, file } }
    }
    case "ConfigurationRejected": {
      const { file, problems, count } = event
      const known = state.configuration ?? { configuration: {}, logLevel: "", needsRestart: [], notHonoured: [] }
      return { ...state, configuration: { ...known, rejected: canonical({ file, problems, count }) } }
    }
    default:
      return evolveHealth(state, event, meta)
  }
}

type HealthEvent = EventsOf<typeof nodeHealthEvents>

const evolveHealth = (state: NodeState, event: HealthEvent, meta: EventMeta): NodeState => {
  switch (event._tag) {
    case "NodeDescribed":
      return { ...state, description: event.description }
    case "NodeConditionChanged": {
      const { condition, status, reason, message, since } = event
      return { ...state, conditions: { ...state.conditions, [condition]: { status, reason, message, since } } }
    }
    case "NodeCordoned":
      return { ...state, cordon: { by: event.by, since: meta.time, because: meta.id } }
    case "NodeUncordoned": {
      const { cordon: _, drain: __, ...rest } = state
      return rest
    }
    case "NodeDrainStarted": {
      const { gracePeriodSeconds, until, selector } = event
      const drain: DrainInState = {
        status: "running",
        startedAt: meta.time,
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
        ...(until === undefined ? {} : { until }),
        ...(selector === undefined ? {} : { selector }),
        because: meta.id
      }
      return { ...state, drain }
    }
    case "NodeDrained":
    case "NodeDrainFailed":
      return state.drain === undefined
        ? state
        : { ...state, drain: { ...state.drain, status: event._tag === "NodeDrained" ? "drained" : "failed" } }
    case "ShutdownInhibitorTaken": {
      const { delayLimitSeconds, gracePeriodSeconds } = event
      return { ...state, inhibitor: { delayLimitSeconds, gracePeriodSeconds } }
    }
    case "ShutdownInhibitorFailed":
      return { ...state, inhibitor: { failed: event.message } }
    default:
      return evolveShutdown(state, event, meta)
  }
}

type ShutdownEvent = Extract<HealthEvent, { readonly _tag: `NodeShutdown${string}` }>

const evolveShutdown = (state: NodeState, event: ShutdownEvent, meta: EventMeta): NodeState => {
  const { shutdown } = state
  switch (event._tag) {
    case "NodeShutdownStarted":
      return {
        ...state,
        shutdown: {
          status: "running",
          bootId: state.started?.bootId ?? "",
          startedAt: meta.time,
          groups: event.groups,
          left: [],
          leftCount: 0,
          because: meta.id
        }
      }
    case "NodeShutdownGroupStarted": {
      const { priority, gracePeriodSeconds, left, leftCount } = event
      const current = { priority, gracePeriodSeconds, startedAt: meta.time, because: meta.id }
      return shutdown === undefined ? state : { ...state, shutdown: { ...shutdown, current, left, leftCount } }
    }
    case "NodeShutdownCompleted": {
      if (shutdown === undefined) return state
      const { current: _, ...rest } = shutdown
      const { left, leftCount } = event
      return { ...state, shutdown: { ...rest, status: "completed", left, leftCount } }
    }
    case "NodeShutdownCancelled":
    case "NodeShutdownOver": {
      const { shutdown: _, ...rest } = state
      return rest
    }
  }
}
