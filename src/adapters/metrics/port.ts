/**
 * What actors tell for metrics alone, where no event and no call of another port tells it. Calls only count: they cost next
 * to nothing, never fail, and go nowhere unless the agent gives a meter.
 */
import { Context } from "effect"
import type { ProbeType } from "../../events/kinds/probe.ts"

export interface Meter {
  /** A look at all sandboxes and containers of the runtime that was answered; milliseconds, and when it began. */
  readonly relisted: (look: { readonly at: number; readonly milliseconds: number }) => void
  /** A probe was answered, with all its attempts; `error`: the container could not be asked. */
  readonly probed: (probe: {
    readonly namespace: string
    readonly pod: string
    readonly podUid: string
    readonly container: string
    readonly probe: ProbeType
    readonly result: "success" | "failure" | "error"
    readonly milliseconds: number
  }) => void
}

const silent: Meter = { relisted: () => {}, probed: () => {} }

export const Meters = Context.Reference<Meter>("chronode/Meters", { defaultValue: () => silent })
