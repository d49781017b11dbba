/** What a look at the node says of its conditions. Told where they differ from what is known. Pure. */
import { timestamp } from "../../events/definition.ts"
import { canonical } from "../kernel/json.ts"
import type { CommandOf } from "./commands.ts"
import type { NodeDecision } from "./state.ts"
import { type Judgement, pressureCondition, pressureTypes, readyCondition } from "./status/conditions.ts"

/** kubelet's words for a node that goes down (`pkg/kubelet/nodeshutdown`). */
const shuttingDown = "node is shutting down"

const tell = (d: NodeDecision, { type, status, reason, message }: Judgement, because?: string): void => {
  const isTrue = status === "True"
  const known = d.state.conditions?.[type]
  if (known?.status === isTrue && known.reason === reason && known.message === message) return
  const since = known?.status === isTrue ? known.since : timestamp(d.at)
  d.emit({ _tag: "NodeConditionChanged", condition: type, status: isTrue, reason, message, since }, because)
}

type Errors = Pick<CommandOf<"StatusObserved">, "runtimeErrors" | "networkErrors">

/** A node whose journal has no room takes no pods: that is its storage's error. */
export const tellReady = (d: NodeDecision, { runtimeErrors, networkErrors }: Errors, because?: string): void =>
  tell(
    d,
    readyCondition({
      runtimeErrors,
      networkErrors,
      storageErrors: d.state.admission === "closed" ? [d.state.closedBecause] : [],
      shutdownErrors: d.state.shutdown === undefined ? [] : [shuttingDown],
      ...(d.state.description === undefined ? {} : { capacity: d.state.description.capacity }),
      isolatesLocalStorage: false
    }),
    because
  )

/** What nobody has told to be under pressure is not. */
export const learnStatus = (d: NodeDecision, command: CommandOf<"StatusObserved">): void => {
  for (const type of pressureTypes) {
    if (d.state.conditions?.[type] === undefined) tell(d, pressureCondition(type, false))
  }
  tellReady(d, command)
}

export const learnPressure = (d: NodeDecision, command: CommandOf<"PressureReported">): void =>
  tell(d, pressureCondition(command.condition, command.isUnderPressure), command.because)

export const learnDescription = (d: NodeDecision, { description }: CommandOf<"NodeSeen">): void => {
  if (d.state.description !== undefined && canonical(d.state.description) === canonical(description)) return
  d.emit({ _tag: "NodeDescribed", description })
}
