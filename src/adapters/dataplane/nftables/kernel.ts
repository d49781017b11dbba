/**
 * How the kernel is read and changed: tables, sets and most rules by nft(8), which checks and explains them; elements and the
 * chains that they lead to through netlink, where a change takes a fraction of a millisecond.
 */
import { Duration, Effect, Schedule, Stream } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import { type Connection, connect } from "../../netlink/connection.ts"
import { attempt } from "../../netlink/effects.ts"
import { ERESTART } from "../../netlink/errno.ts"
import { NetlinkError } from "../../netlink/error.ts"
import { isNothingDone, nfGroups } from "../../netlink/nfnetlink.ts"
import { generation, mapElements, type TableOperation, tableOf, transaction } from "../../netlink/nftables.ts"
import { notifications } from "../../netlink/notifications.ts"
import { openSocket } from "../../netlink/socket.ts"
import type { Transport } from "../../netlink/transport.ts"
import { DataplaneError } from "../port.ts"
import type { Bytes } from "./bytes.ts"
import type { Operation } from "./delta.ts"
import type { Value } from "./elements.ts"
import { nftFamily, type SetShape, shapes } from "./layout.ts"
import { type Elements, readTable, type TableFound } from "./ruleset.ts"
import { runNft, wasOurNft } from "./tool.ts"
import { type ChoiceChain, chainSteps, elementSteps } from "./transaction.ts"

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
  /** Which change of nf_tables, by anybody, was the last: a number that each raises. */
  readonly generation: Effect.Effect<number, DataplaneError>
  /** Everything of ours is known as it was at this generation. */
  readonly trust: (generation: number) => void
  /** Whether nothing was changed by others since. */
  readonly isTrusted: Effect.Effect<boolean, DataplaneError>
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

const errorOf = (operation: string, { reason, message, errno }: NetlinkError): DataplaneError =>
  new DataplaneError({ reason: reasons[reason], operation, message, ...(errno === undefined ? {} : { errno }) })

/** It has 32 bits, and is never 0 (`nft_base_seq_inc`). */
const nextGeneration = (generation: number): number => (generation >= 0xffff_ffff ? 1 : generation + 1)

/** How often it is looked whether somebody else changed something. */
const lookPeriod = Duration.millis(500)
/** How long a socket for notifications that failed is left alone. */
const reopenPeriod = Duration.seconds(30)

/**
 * The kernel of the network namespace that this process is in. `table`: how ours are called. `open`: how it is spoken to,
 * where a test has other ways.
 */
export const liveKernel = (table: string, open: () => Transport = () => openSocket("netfilter")): Kernel => {
  let connection: Connection | undefined
  /** Addresses of the sockets that changes were asked for through. */
  const ports = new Set<number>()
  /** Something was changed here since the last look at notifications. */
  let isBusy = false
  /** The generation as long as all changes since the last comparison were our own. */
  let trusted: number | undefined
  const opened = (): Connection => {
    if (connection === undefined) {
      connection = connect(open())
      ports.add(connection.transport.portId)
    }
    return connection
  }
  /** After a failure that leaves answers behind the next conversation begins on a socket of its own. */
  const close = (): void => {
    connection?.transport.close()
    connection = undefined
  }
  const converse = <A>(
    operation: string,
    use: (connection: Connection) => Effect.Effect<A, NetlinkError>
  ): Effect.Effect<A, DataplaneError> =>
    attempt(opened).pipe(
      Effect.flatMap(use),
      Effect.mapError((cause) => errorOf(operation, cause)),
      Effect.tapError((error) => Effect.sync(() => error.reason === "Failed" && close())),
      Effect.onInterrupt(() => Effect.sync(close))
    )
  const speak = <A>(operation: string, use: (connection: Connection) => A): Effect.Effect<A, DataplaneError> =>
    converse(operation, (to) => attempt(() => use(to)))
  const isOwn = (portId: number): boolean => ports.has(portId) || wasOurNft(portId)
  const elementsOf = (family: IpFamily, set: SetShape) =>
    converse(`list ${set.name}`, (to) => mapElements(to, { family: nftFamily(family), table, set: set.name }))
  const generationNow = speak("ask for the generation", generation)

  /** One transaction; where all changes so far were ours, only if there is no other in between. */
  const change = (to: Connection, steps: ReadonlyArray<TableOperation>): void => {
    isBusy = true
    if (trusted === undefined) {
      transaction(to, steps)
      return
    }
    try {
      transaction(to, steps, { generation: trusted })
      trusted = nextGeneration(trusted)
    } catch (error) {
      const isOthers = error instanceof NetlinkError && error.errno === ERESTART
      if (isOthers || !(error instanceof NetlinkError) || !isNothingDone(error)) trusted = undefined
      if (!isOthers) throw error
      transaction(to, steps)
    }
  }

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
      Effect.suspend(() => {
        if (lines.length === 0) return Effect.void
        isBusy = true
        trusted = undefined
        return Effect.asVoid(runNft(operation, ["-f", "-"], `${lines.join("\n")}\n`))
      }),
    commit: (operations, chains) =>
      operations.length + chains.length === 0
        ? Effect.void
        : speak("change Services", (to) =>
            change(to, [...chains.flatMap((chain) => chainSteps(table, chain)), ...elementSteps(table, operations)])
          ),
    generation: generationNow,
    trust: (generation) => {
      trusted = generation
    },
    isTrusted: Effect.suspend(() =>
      trusted === undefined ? Effect.succeed(false) : Effect.map(generationNow, (now) => now === trusted)
    ),
    disturbances: notifications(
      () => openSocket("netfilter"),
      [nfGroups.nftables],
      (message) => (tableOf(message) === table && !isOwn(message.portId) ? true : undefined),
      lookPeriod
    ).pipe(
      // What was lost may have been anybody's, but is most likely that of the large change that was just made here.
      Stream.filter(({ found }) => {
        const wasBusy = isBusy
        isBusy = false
        return found.length > 0 || !wasBusy
      }),
      Stream.map(() => undefined),
      Stream.retry(Schedule.spaced(reopenPeriod)),
      Stream.catch(() => Stream.never)
    )
  }
}
