/** The proxy's actor, live: it puts Services into the kernel for as long as the agent runs. */
import type { Behavior } from "../kernel/behavior.ts"
import type { ProxyCommand } from "./commands.ts"
import { proxyDecider } from "./decider.ts"
import type { ProxyEvent, ProxyState } from "./state.ts"
import { observeDataplane, type SyncNeeds } from "./sync.ts"

export const proxyBehavior: Behavior<ProxyState, ProxyCommand, ProxyEvent, SyncNeeds> = {
  ...proxyDecider,
  observe: () => [{ key: "dataplane", run: observeDataplane }]
}
