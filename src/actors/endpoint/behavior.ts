/** The endpoint's actor, live: what becomes of it stands in the table of Services, and so comes into the kernel. */
import { Effect } from "effect"
import type { Behavior } from "../kernel/behavior.ts"
import { ServiceTable } from "../service/table.ts"
import type { EndpointCommand } from "./commands.ts"
import { endpointDecider } from "./decider.ts"
import type { EndpointEvent, EndpointState } from "./state.ts"

const nothing: ReadonlyArray<never> = []

export const endpointBehavior: Behavior<EndpointState, EndpointCommand, EndpointEvent, ServiceTable> = {
  ...endpointDecider,
  react: (recorded, state, id) =>
    Effect.map(ServiceTable, (table) => {
      table.endpointChanged(id, state, recorded.id)
      return nothing
    })
}
