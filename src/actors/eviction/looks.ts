/** Says that a look at the node's resources is due at once: an evicted pod is gone. */
import { Context, Layer } from "effect"
import { type Bell, makeBell } from "../kernel/bell.ts"

export class EvictionLooks extends Context.Service<EvictionLooks, Bell>()("chronode/EvictionLooks") {
  static readonly layer = Layer.effect(EvictionLooks, makeBell())
}
