/** The ids on this host that pods' user namespaces are made of. */
import { Effect } from "effect"
import { Host } from "../../../adapters/host/port.ts"
import { defaultIdRange, type IdRange, idRangeProblem } from "./user-namespace.ts"

/** A text says why there are none: pods that want some are refused then, and the others run (kubelet does not start). */
export const userNamespaceIds = (idsPerPod: number, maxPods: number): Effect.Effect<IdRange | string, never, Host> =>
  Effect.gen(function* () {
    const own = yield* (yield* Host).subordinateIds
    const range = own === undefined ? defaultIdRange(idsPerPod) : { ...own, idsPerPod }
    return idRangeProblem(range, maxPods) ?? range
  }).pipe(
    Effect.catch(({ message }) => Effect.succeed(message)),
    Effect.map((found) => (typeof found === "string" ? `kubelet mappings: ${found}` : found)),
    Effect.tap((found) =>
      typeof found === "string" ? Effect.logWarning(`no user namespaces for pods: ${found}`) : Effect.void
    )
  )
