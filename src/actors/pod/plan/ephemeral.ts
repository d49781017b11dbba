/**
 * Ephemeral containers of a pod that runs: what a definition of the same pod adds is put into it; what it changes or leaves
 * out stays as it is, as the API server has it (`pkg/apis/core/validation/validation.go`
 * ValidatePodEphemeralContainersUpdate), and is told once.
 */
import type { Pod } from "../../../events/pod-spec.ts"
import { isEqual } from "../../kernel/json.ts"
import type { PodDecision } from "../evolve.ts"
import type { EphemeralDifference } from "../state.ts"

/** As many as one pod may be given in its life: its definition has to stay of a size that can be recorded. */
export const maxEphemeralContainers = 32

const nothing: EphemeralDifference = { removed: [], changed: [], refused: [] }

const difference = (running: Pod, wanted: Pod) => {
  const known = running.spec.ephemeralContainers ?? []
  const asked = wanted.spec.ephemeralContainers ?? []
  const fresh = asked.filter(({ name }) => !known.some((c) => c.name === name))
  const room = Math.max(maxEphemeralContainers - known.length, 0)
  return {
    added: fresh.slice(0, room),
    removed: known.flatMap(({ name }) => (asked.some((c) => c.name === name) ? [] : [name])),
    changed: asked.flatMap((c) => {
      const before = known.find(({ name }) => name === c.name)
      return before === undefined || isEqual(before, c) ? [] : [c.name]
    }),
    refused: fresh.slice(room).map(({ name }) => name)
  }
}

/** Whether a definition of the same pod asks for other ephemeral containers. */
export const asksOtherwise = (running: Pod, wanted: Pod): boolean =>
  !isEqual(running.spec.ephemeralContainers ?? [], wanted.spec.ephemeralContainers ?? [])

/** `wanted`: another definition of the pod that runs. */
export const updateEphemeral = (d: PodDecision, wanted: Pod): void => {
  const running = d.state.definition?.pod
  if (running === undefined) return
  const { added, ...rest } = difference(running, wanted)
  const update = added.length === 0 ? undefined : d.emit({ _tag: "EphemeralContainersAdded", containers: added })
  if (!isEqual(rest, d.state.ephemeralDiffer ?? nothing)) d.emit({ _tag: "EphemeralContainersDiffer", ...rest }, update)
}
