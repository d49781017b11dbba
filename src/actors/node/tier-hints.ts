/** Says that pods came, went or changed what they ask for: the cgroups above them are looked at soon, not at the next minute. */
import { Context, Layer } from "effect"
import { type Bell, makeBell } from "../kernel/bell.ts"

export class TierHints extends Context.Service<TierHints, Bell>()("chronode/TierHints") {
  static readonly layer = Layer.effect(TierHints, makeBell())
}
