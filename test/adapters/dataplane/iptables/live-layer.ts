/** The dataplane with all that it needs, also for the processes that the contract's tests start. */
import { Layer } from "effect"
import { layer as dataplane } from "../../../../src/adapters/dataplane/iptables/live.ts"
import type { Dataplane, DataplaneSettings } from "../../../../src/adapters/dataplane/port.ts"
import { layer as sysctls } from "../../../../src/adapters/sysctl/live.ts"

export const layer = (settings: DataplaneSettings): Layer.Layer<Dataplane> =>
  Layer.provide(dataplane(settings), sysctls)
