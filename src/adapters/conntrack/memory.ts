/** Connections in memory, for tests and simulated nodes. */
import { Effect, Layer } from "effect"
import { Conntrack, ConntrackError, type Flow, type FlowDirection } from "./port.ts"

export interface MemoryConntrack {
  /** What is tracked now. */
  flows: ReadonlyArray<Flow>
  /** While set, every call fails so. */
  refuse: ConntrackError["reason"] | undefined
  readonly service: Conntrack["Service"]
}

const directionKey = (it: FlowDirection): string =>
  `${it.source} ${it.sourcePort} ${it.destination} ${it.destinationPort}`

/** The kernel tells flows apart by how they began. */
const flowKey = (flow: Flow): string => `${flow.family} ${flow.protocol} ${directionKey(flow.original)}`

export const makeMemoryConntrack = (flows: ReadonlyArray<Flow> = []): MemoryConntrack => {
  const call = <A>(run: () => A): Effect.Effect<A, ConntrackError> =>
    Effect.suspend(() =>
      memory.refuse === undefined
        ? Effect.sync(run)
        : Effect.fail(new ConntrackError({ reason: memory.refuse, message: "refused, as the test wants it" }))
    )
  const memory: MemoryConntrack = {
    flows,
    refuse: undefined,
    service: Conntrack.of({
      flows: (family, protocol) =>
        call(() => memory.flows.filter((flow) => flow.family === family && flow.protocol === protocol)),
      remove: (gone) =>
        call(() => {
          const keys = new Set(gone.map(flowKey))
          memory.flows = memory.flows.filter((flow) => !keys.has(flowKey(flow)))
          return gone.length
        })
    })
  }
  return memory
}

export const layer = (flows: ReadonlyArray<Flow> = []): Layer.Layer<Conntrack> =>
  Layer.sync(Conntrack, () => makeMemoryConntrack(flows).service)
