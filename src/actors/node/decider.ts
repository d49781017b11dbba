/** The node: its agent's lives, and whether new pods are admitted. */
import type { EventsOf } from "../../events/catalogue.ts"
import type { CgroupValues } from "../../events/cgroup-values.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { nodeEvents } from "../../events/kinds/node.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import type { NodeCommand } from "./commands.ts"
import { NodeCommand as NodeCommandSchema } from "./commands.ts"

export type NodeActorEvent = EventsOf<typeof nodeEvents>

export interface NodeState {
  readonly admission: "open" | "closed"
  readonly closedBecause: string
  readonly starts: number
  readonly started: {
    readonly version: string
    readonly host: string
    readonly kernel: string
    readonly architecture: string
    readonly cgroupVersion: string
    readonly bootId: string
    readonly time: string
    /** Numbers of the decision flags; absent where there were none. */
    readonly flags?: ReadonlyArray<number>
    /** Absent where an older agent did not write it down. */
    readonly podLogsDir?: string
  } | null
  readonly stopped: boolean
  /** The cgroups above the pods, by path; absent where there never were any. */
  readonly tiers?: Readonly<Record<string, TierInState>>
}

export interface TierInState {
  readonly tier: "pods" | "burstable" | "besteffort"
  readonly values: CgroupValues
  /** What setting it failed with; absent: it is set, or being set. */
  readonly failed?: string
}

const initial: NodeState = { admission: "open", closedBecause: "", starts: 0, started: null, stopped: false }

const evolve = (state: NodeState, event: NodeActorEvent, meta: EventMeta): NodeState => {
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
  }
}

const isSame = (a: CgroupValues, b: CgroupValues): boolean =>
  a.cpuShares === b.cpuShares && a.memoryLimit === b.memoryLimit && a.pidsLimit === b.pidsLimit

type NodeDecision = Decision<NodeState, NodeActorEvent>

/** A failure is told once for each message, and its end; that one was made again, where it is no news that it is made. */
const learnTier = (d: NodeDecision, command: Extract<NodeCommand, { readonly _tag: "TierApplied" }>): void => {
  const { path } = command
  const known = d.state.tiers?.[path]
  if (known === undefined) return
  if (command.outcome === "failed") {
    const message = command.message ?? ""
    if (known.failed !== message) d.emit({ _tag: "QosCgroupFailed", path, message })
  } else if (known.failed !== undefined) d.emit({ _tag: "QosCgroupRestored", path, reason: "Failed" })
  else if (command.made === true && command.again === true)
    d.emit({ _tag: "QosCgroupRestored", path, reason: "Removed" })
}

const decide = (state: NodeState, command: NodeCommand): ReadonlyArray<Decided<NodeActorEvent>> => {
  const d = new Decision<NodeState, NodeActorEvent>(state, evolve, command.at)
  switch (command._tag) {
    case "AgentStarted": {
      const { _tag, at, ...facts } = command
      d.emit({ _tag: "NodeStarted", ...facts })
      break
    }
    case "AgentStopping":
      d.emit({ _tag: "NodeStopped", reason: command.reason })
      break
    case "SpaceReported": {
      const { freeBytes } = command
      if (command.state !== "ok" && state.admission === "open") {
        const reason = command.state === "full" ? "the journal's disk is full" : "the journal's disk is nearly full"
        d.emit({ _tag: "AdmissionClosed", reason, freeBytes })
      } else if (command.state === "ok" && state.admission === "closed") {
        d.emit({ _tag: "AdmissionOpened", freeBytes })
      }
      break
    }
    case "JournalCut": {
      const { throughSequence, events, hash } = command
      d.emit({ _tag: "JournalPruned", throughSequence, events, hash })
      break
    }
    case "TiersCounted":
      for (const { tier, path, values } of command.tiers) {
        const known = d.state.tiers?.[path]
        if (known !== undefined && isSame(known.values, values)) continue
        const from = known === undefined ? {} : { from: known.values }
        d.emit({ _tag: "QosCgroupUpdated", tier, path, values, ...from, pods: command.pods })
      }
      break
    case "TierApplied":
      learnTier(d, command)
      break
  }
  return d.decided
}

export const nodeDecider: Decider<NodeState, NodeCommand, NodeActorEvent> = {
  kind: "node",
  stateVersion: 1,
  command: NodeCommandSchema as never,
  initial: () => initial,
  decide,
  evolve
}
