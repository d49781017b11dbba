/** The node: its agent's lives, whether new pods are admitted, its conditions, its drain and its shutdown. */
import type { CgroupValues } from "../../events/cgroup-values.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import type { NodeCommand } from "./commands.ts"
import { NodeCommand as NodeCommandSchema } from "./commands.ts"
import { learnConfiguration, rejectConfiguration } from "./configuration.ts"
import { cordon, drain, endDrain, uncordon } from "./drain.ts"
import { evolve } from "./evolve.ts"
import { learnDescription, learnPressure, learnStatus } from "./learn-status.ts"
import { announce, endGroup, endOfBoot, learnInhibitor } from "./shutdown.ts"
import { initialNode, type NodeActorEvent, type NodeDecision, type NodeState } from "./state.ts"

const isSame = (a: CgroupValues, b: CgroupValues): boolean =>
  a.cpuShares === b.cpuShares && a.memoryLimit === b.memoryLimit && a.pidsLimit === b.pidsLimit

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
      const started = d.emit({ _tag: "NodeStarted", ...facts })
      endOfBoot(d, started)
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
    case "NodeSeen":
      learnDescription(d, command)
      break
    case "StatusObserved":
      learnStatus(d, command)
      break
    case "PressureReported":
      learnPressure(d, command)
      break
    case "CordonNode":
      cordon(d, command.by)
      break
    case "UncordonNode":
      uncordon(d, command.by)
      break
    case "DrainNode":
      drain(d, command)
      break
    case "DrainEnded":
      endDrain(d, command)
      break
    case "InhibitorReported":
      learnInhibitor(d, command)
      break
    case "ShutdownAnnounced":
      announce(d, command)
      break
    case "ShutdownGroupEnded":
      endGroup(d, command)
      break
    case "ConfigurationRead":
      learnConfiguration(d, command)
      break
    case "ConfigurationRefused":
      rejectConfiguration(d, command)
      break
  }
  return d.decided
}

export const nodeDecider: Decider<NodeState, NodeCommand, NodeActorEvent> = {
  kind: "node",
  stateVersion: 1,
  command: NodeCommandSchema as never,
  initial: () => initialNode,
  decide,
  evolve
}
