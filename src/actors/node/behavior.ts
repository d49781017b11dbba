/** The node's actor, live: it watches the journal's room and its age, and opens and closes the gate for new pods. */
import { Clock, Effect, Stream } from "effect"
import { Journal } from "../../events/journal/port.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import { Admission } from "./admission.ts"
import type { NodeCommand } from "./commands.ts"
import { type NodeActorEvent, type NodeState, nodeDecider } from "./decider.ts"
import { keepRetention, type Retention } from "./retention.ts"

export type NodeNeeds = Journal | Admission | Retention

const gate = (state: NodeState): Effect.Effect<ReadonlyArray<Outgoing>, never, NodeNeeds> =>
  Effect.gen(function* () {
    const admission = yield* Admission
    yield* state.admission === "open" ? admission.open : admission.close
    return []
  })

export const nodeBehavior: Behavior<NodeState, NodeCommand, NodeActorEvent, NodeNeeds> = {
  ...nodeDecider,
  react: ({ event }, state) =>
    event._tag === "AdmissionClosed" || event._tag === "AdmissionOpened" ? gate(state) : [],
  resume: (state) => gate(state),
  observe: (_, id) => [
    {
      key: "space",
      run: (emit) =>
        Effect.gen(function* () {
          const journal = yield* Journal
          yield* Stream.runForEach(journal.spaceChanges, ({ state, freeBytes }) =>
            Effect.flatMap(Clock.currentTimeMillis, (at) =>
              emit({ to: id, command: { _tag: "SpaceReported", at, state, freeBytes } as NodeCommand })
            )
          )
        })
    },
    { key: "retention", run: (emit) => keepRetention((command) => emit({ to: id, command })) }
  ]
}
