/** All deciders by kind of actor: what replay, `get` and `verify` fold with. Pure. */
import type { ActorKind } from "../events/definition.ts"
import { apiDecider } from "./api/decider.ts"
import { endpointDecider } from "./endpoint/decider.ts"
import { evictionDecider } from "./eviction/decider.ts"
import { imageDecider } from "./image/decider.ts"
import type { Deciders } from "./kernel/fold.ts"
import { logDecider } from "./log/decider.ts"
import { nodeDecider } from "./node/decider.ts"
import { podDecider } from "./pod/decider.ts"
import { probeDecider } from "./probe/decider.ts"
import { proxyDecider } from "./proxy/decider.ts"
import { runtimeDecider } from "./runtime/decider.ts"
import { serviceDecider } from "./service/decider.ts"
import { sourceDecider } from "./source/decider.ts"
import { streamDecider } from "./stream/decider.ts"
import { volumeDecider } from "./volume/decider.ts"

export const deciders: Deciders = new Map(
  [
    nodeDecider,
    sourceDecider,
    runtimeDecider,
    imageDecider,
    podDecider,
    probeDecider,
    volumeDecider,
    logDecider,
    streamDecider,
    proxyDecider,
    serviceDecider,
    endpointDecider,
    apiDecider,
    evictionDecider
  ].map((decider) => [decider.kind as ActorKind, decider as never])
)
