/**
 * How the kernel is read and changed: tables, sets and most rules by nft(8), which checks and explains them; elements and the
 * chains that they lead to through netlink, where a change takes a fraction of a millisecond.
 */
import { Effect, Stream } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import { type Connection, connect } from "../../netlink/connection.ts"
import { NetlinkError } from "../../netlink/error.ts"
import { listElements, transaction } from "../../netlink/nftables.ts"
import { openSocket } from "../../netlink/socket.ts"
import { DataplaneError } from "../port.ts"
import type { Bytes } from "./bytes.ts"
import type { Operation } from "./delta.ts"
import type { Value } from "./elements.ts"
import { nftFamily, type SetShape, shapes } from "./layout.ts"
import { type Elements, readTable, type TableFound } from "./ruleset.ts"
import { runNft } from "./tool.ts"
import { type ChoiceChain, chainSteps, elementSteps, foundElements } from "./transaction.ts"

export interface Kernel {
  /** Chains, rules and sets, without elements; undefined: there is no such table. */
  readonly table: (family: IpFamily) => Effect.Effect<TableFound | undefined, DataplaneError>
  /** All elements of a table that is there. */
  readonly elements: (family: IpFamily) => Effect.Effect<Elements, DataplaneError>
  readonly elementsOf: (family: IpFamily, set: SetShape) => Effect.Effect<Map<Bytes, Value>, DataplaneError>
  /** Commands of nft(8), all or none. */
  readonly script: (operation: string, lines: ReadonlyArray<string>) => Effect.Effect<void, DataplaneError>
  /** Elements and the chains among servers that they lead to, all or none. Other chains that they lead to are there. */
  readonly commit: (
    operations: ReadonlyArray<Operation>,
    chains: ReadonlyArray<ChoiceChain>
  ) => Effect.Effect<void, DataplaneError>
  /** Ticks when somebody else changed our table. Never ends. */
  readonly disturbances: Stream.Stream<void>
}

const reasons: Readonly<Record<NetlinkError["reason"], DataplaneError["reason"]>> = {
  Refused: "Refused",
  Busy: "Busy",
  Interrupted: "Busy",
  NoPermission: "NoPermission",
  Unsupported: "Unsupported",
  Overrun: "Failed",
  TooLarge: "Failed",
  Timeout: "Failed",
  Malformed: "Failed",
  Closed: "Failed"
}

const errorOf = (operation: string, cause: unknown): DataplaneError =>
  cause instanceof NetlinkError
    ? new DataplaneError({
        reason: reasons[cause.reason],
        operation,
        message: cause.message,
        ...(cause.errno === undefined ? {} : { errno: cause.errno })
      })
    : new DataplaneError({ reason: "Failed", operation, message: `cannot ${operation}: ${String(cause)}` })

/** The kernel of the network namespace that this process is in. `table`: how ours are called. */
export const liveKernel = (table: string): Kernel => {
  let connection: Connection | undefined
  /** One conversation; after a failure that leaves answers behind the next one begins on a socket of its own. */
  const speak = <A>(operation: string, use: (connection: Connection) => A): Effect.Effect<A, DataplaneError> =>
    Effect.try({
      try: () => {
        connection ??= connect(openSocket("netfilter"))
        return use(connection)
      },
      catch: (cause) => {
        const error = errorOf(operation, cause)
        if (error.reason === "Failed") {
          connection?.transport.close()
          connection = undefined
        }
        return error
      }
    })
  const elementsOf = (family: IpFamily, set: SetShape) =>
    speak(`list ${set.name}`, (to) =>
      foundElements(listElements(to, { family: nftFamily(family), table, set: set.name }))
    )
  return {
    table: (family) => speak(`list table ${table}`, (to) => readTable(to, family, table)),
    elements: (family) =>
      Effect.gen(function* () {
        const found: Elements = new Map()
        for (const set of shapes) if (!set.isDynamic) found.set(set.name, yield* elementsOf(family, set))
        return found
      }),
    elementsOf,
    script: (operation, lines) =>
      lines.length === 0 ? Effect.void : Effect.asVoid(runNft(operation, ["-f", "-"], `${lines.join("\n")}\n`)),
    commit: (operations, chains) =>
      operations.length + chains.length === 0
        ? Effect.void
        : speak("change Services", (to) =>
            transaction(to, [
              ...chains.flatMap((chain) => chainSteps(table, chain)),
              ...elementSteps(table, operations)
            ])
          ),
    disturbances: Stream.never
  }
}
