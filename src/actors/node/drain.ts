/** Cordon, uncordon and drain: what is asked of the node, and what follows. Pure. */
import { millis, timestamp } from "../../events/definition.ts"
import type { CommandOf } from "./commands.ts"
import type { NodeDecision } from "./state.ts"

export const cordon = (d: NodeDecision, by: string): void => {
  if (d.state.cordon === undefined) d.emit({ _tag: "NodeCordoned", by })
}

export const uncordon = (d: NodeDecision, by: string): void => {
  const { cordon: known, drain: running } = d.state
  if (known === undefined) return
  if (running?.status === "running") {
    d.emit({ _tag: "NodeDrainFailed", reason: "Uncordoned", left: [], leftCount: 0 }, running.because)
  }
  d.emit({ _tag: "NodeUncordoned", by }, known.because)
}

export const drain = (d: NodeDecision, command: CommandOf<"DrainNode">): void => {
  const { by, gracePeriodSeconds, timeoutSeconds, selector, pods } = command
  cordon(d, by)
  d.emit(
    {
      _tag: "NodeDrainStarted",
      by,
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(timeoutSeconds === undefined ? {} : { until: timestamp(d.at + Math.round(timeoutSeconds * 1000)) }),
      ...(selector === undefined ? {} : { selector }),
      pods
    },
    d.state.cordon?.because
  )
}

export const endDrain = (d: NodeDecision, { outcome, left, leftCount }: CommandOf<"DrainEnded">): void => {
  const known = d.state.drain
  if (known?.status !== "running") return
  if (outcome === "drained")
    d.emit({ _tag: "NodeDrained", seconds: secondsSince(known.startedAt, d.at) }, known.because)
  else d.emit({ _tag: "NodeDrainFailed", reason: "Timeout", left, leftCount }, known.because)
}

/** `from`: RFC 3339; `at`: milliseconds. */
export const secondsSince = (from: string, at: number): number => (at - millis(from)) / 1000
