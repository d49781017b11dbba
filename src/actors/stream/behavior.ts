/** The stream actor: `stream/_/publisher`. Its one observation is the publisher, which runs as long as the agent. */
import { Effect } from "effect"
import type { EventStream } from "../../adapters/nats/port.ts"
import { actorId } from "../../events/actor-id.ts"
import type { Journal } from "../../events/journal/port.ts"
import type { Behavior } from "../kernel/behavior.ts"
import { type StreamCommand, type StreamEvent, streamDecider } from "./decider.ts"
import { publishJournal, type RetryTimes, retryTimes } from "./publisher.ts"
import type { StreamActorState } from "./state.ts"
import type { PublisherStatus } from "./status.ts"

export const streamActor = actorId("stream", "", "publisher")

export type StreamBehavior = Behavior<
  StreamActorState,
  StreamCommand,
  StreamEvent,
  EventStream | Journal | PublisherStatus
>

export const makeStreamBehavior = (times: RetryTimes = retryTimes): StreamBehavior => ({
  ...streamDecider,
  observe: (_state, id) => [
    {
      key: "publisher",
      // A journal that cannot be read is a defect here: the observation is started again after a pause.
      run: (emit) => Effect.orDie(publishJournal((command) => emit({ to: id, command }), times))
    }
  ]
})

export const streamBehavior: StreamBehavior = makeStreamBehavior()
