/**
 * What of a pod may change while it runs: labels, annotations, and a deadline that comes nearer (ValidatePodUpdate of
 * `pkg/apis/core/validation/validation.go`). Only a pod whose manifest gives its uid stays the same pod so; of others the uid is
 * made of what they are.
 */
import type { Pod } from "../../../events/pod-spec.ts"
import { inPlaceUpdates, isOn } from "../../kernel/flags.ts"
import { isEqual } from "../../kernel/json.ts"
import type { PodDecision } from "../evolve.ts"

/** It may be set where there was none, and made shorter. */
const isNearer = (before: number | undefined, after: number | undefined): after is number =>
  after !== undefined && (before === undefined || after < before)

/** `wanted`: another definition of the pod that runs. What else is different in it is not taken. */
export const updateInPlace = (d: PodDecision, wanted: Pod): void => {
  const running = d.state.definition?.pod
  if (running === undefined || !isOn(d.flags, inPlaceUpdates)) return
  const { labels = {}, annotations = {} } = wanted.metadata
  const { activeDeadlineSeconds } = wanted.spec
  const update = {
    ...(isEqual(running.metadata.labels ?? {}, labels) ? {} : { labels }),
    ...(isEqual(running.metadata.annotations ?? {}, annotations) ? {} : { annotations }),
    ...(isNearer(running.spec.activeDeadlineSeconds, activeDeadlineSeconds) ? { activeDeadlineSeconds } : {})
  }
  if (Object.keys(update).length > 0) d.emit({ _tag: "PodUpdated", ...update })
}
