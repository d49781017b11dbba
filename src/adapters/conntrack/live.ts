/** The kernel's connections, over netlink: no program is needed. */
import { Effect, Layer } from "effect"
import { deleteFlows, flowsRequest, readFlow } from "../netlink/conntrack.ts"
import { dumpInParts } from "../netlink/effects.ts"
import type { NetlinkError } from "../netlink/error.ts"
import { makeSession, type Session } from "../netlink/session.ts"
import { Conntrack, ConntrackError, maxFlows } from "./port.ts"

/** Flows that are removed before others get their turn: about a millisecond of the kernel's work. */
const partFlows = 256

const toConntrackError = (error: NetlinkError): ConntrackError => {
  switch (error.reason) {
    case "NoPermission":
      return new ConntrackError({ reason: "NoPermission", message: error.message })
    case "Unsupported":
      return new ConntrackError({
        reason: "Unsupported",
        message: `${error.message}; the kernel needs nf_conntrack_netlink (CONFIG_NF_CT_NETLINK)`
      })
    default:
      return new ConntrackError({ reason: "Failed", message: error.message })
  }
}

export const makeConntrack = (session: Session): Conntrack["Service"] =>
  Conntrack.of({
    flows: (family, protocol) => {
      let taken = 0
      return session
        .use((connection) =>
          dumpInParts(connection, `list ${protocol} connections`, flowsRequest(family, protocol), (message) => {
            const flow = taken < maxFlows ? readFlow(message, family, protocol) : undefined
            if (flow !== undefined) taken += 1
            return flow
          })
        )
        .pipe(Effect.mapError(toConntrackError))
    },
    remove: (flows) =>
      Effect.gen(function* () {
        let removed = 0
        for (let done = 0; done < flows.length; done += partFlows) {
          if (done > 0) yield* Effect.yieldNow
          const part = yield* session.call((connection) => deleteFlows(connection, flows.slice(done, done + partFlows)))
          if (part.failure !== undefined) return yield* Effect.fail(part.failure)
          removed += part.deleted
        }
        return removed
      }).pipe(Effect.mapError(toConntrackError))
  })

/** Nothing is opened before it is used. */
export const layer: Layer.Layer<Conntrack> = Layer.effect(
  Conntrack,
  Effect.map(makeSession("netfilter"), makeConntrack)
)
