/** The node's pressure, for those who decide whether a pod is let in. */
import { Context } from "effect"

export class NodePressure extends Context.Reference<{
  /** Conditions that hold now: MemoryPressure, DiskPressure, PIDPressure, in this order. */
  readonly conditions: () => ReadonlyArray<string>
}>("chronode/NodePressure", { defaultValue: () => ({ conditions: () => [] }) }) {}
