/** The Service's actor, live: its declaration goes into the table, and finds its endpoints among the pods of this node. */
import { Clock, Effect } from "effect"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import { Pods } from "../pod/pods.ts"
import type { ServiceCommand } from "./commands.ts"
import { serviceDecider } from "./decider.ts"
import { PodEndpoints } from "./pod-endpoints.ts"
import type { ServiceEvent, ServiceState } from "./state.ts"
import { ServiceTable } from "./table.ts"

export type ServiceNeeds = Pods | ServiceTable

const nothing: ReadonlyArray<Outgoing> = []

export const serviceBehavior: Behavior<ServiceState, ServiceCommand, ServiceEvent, ServiceNeeds> = {
  ...serviceDecider,
  react: (recorded, state, id) => {
    switch (recorded.event._tag) {
      case "ServiceProgrammed":
      case "EndpointRejected":
        return []
      default:
        return Effect.gen(function* () {
          const table = yield* ServiceTable
          table.serviceChanged(id, state, recorded.id)
          const pods = yield* Pods
          const endpoints = yield* PodEndpoints
          if (endpoints === undefined) return nothing
          const at = yield* Clock.currentTimeMillis
          return endpoints.serviceChanged(id, state.declared?.spec, pods.all(), at)
        })
    }
  }
}
