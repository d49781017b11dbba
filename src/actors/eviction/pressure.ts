/** The node's pressure, for those who decide whether a pod is let in. */
import { Context } from "effect"
import { type EvictionState, heldConditions } from "./state.ts"

export interface Pressure {
  /** Conditions that hold: MemoryPressure, DiskPressure, PIDPressure, in this order. */
  readonly conditions: ReadonlyArray<string>
  /** Id of the event that raised the first of them; empty where none holds. */
  readonly because: string
}

export class NodePressure extends Context.Reference<{ readonly now: () => Pressure }>("chronode/NodePressure", {
  defaultValue: () => ({ now: () => none })
}) {}

const none: Pressure = { conditions: [], because: "" }

/** `state`: of the actor of eviction; undefined where there is none. */
export const pressureOf = (state: EvictionState | undefined): Pressure => {
  if (state === undefined) return none
  const conditions = heldConditions(state)
  const [first] = conditions
  return { conditions, because: first === undefined ? "" : (state.conditions[first]?.because ?? "") }
}
