/**
 * The nftables table in the kernel: its sets and chains are made by nft(8), its entries are changed and everything is read
 * over netlink.
 */
import { Effect } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { Connection } from "../../netlink/connection.ts"
import { ENOENT } from "../../netlink/errno.ts"
import { NetlinkError } from "../../netlink/error.ts"
import { listElements, listRules, listTables, type TableOperation, transaction } from "../../netlink/nftables.ts"
import { runNft } from "../nftables/tool.ts"
import type { DataplaneError, DataplaneSettings } from "../port.ts"
import { entryId } from "./desired.ts"
import { elementOf, entryOf } from "./entries.ts"
import { dataplaneError } from "./failure.ts"
import { tableName } from "./names.ts"
import { type Entry, type SetName, setNames } from "./plan.ts"
import { setIn, tableText } from "./table.ts"

const families = ["IPv4", "IPv6"] as const satisfies ReadonlyArray<IpFamily>

export interface Companion {
  readonly name: string
  /** Makes sets and chains what they should be; what sets hold stays. Answers what was not so: at most one thing each. */
  readonly ensure: Effect.Effect<"same" | "missing" | "altered", DataplaneError>
  /** All entries, by `entryId`. */
  readonly read: Effect.Effect<ReadonlyMap<string, Entry>, DataplaneError>
  /** Takes the first away and adds the second, in one transaction. */
  readonly change: (removed: ReadonlyArray<Entry>, added: ReadonlyArray<Entry>) => Effect.Effect<void, DataplaneError>
  /** False: there was none. */
  readonly remove: Effect.Effect<boolean, DataplaneError>
  readonly close: () => void
}

/** Calls of the netlink codecs throw NetlinkError. */
export const attempt = <A>(call: () => A): Effect.Effect<A, DataplaneError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(call())
    } catch (error) {
      if (error instanceof NetlinkError) return Effect.fail(dataplaneError(error))
      throw error
    }
  })

/** What is told to the kernel before others get their turn: some milliseconds of its work. */
const partSize = 256

/** Calls with one part of the things after the other, in order. */
export const inParts = <A>(
  all: ReadonlyArray<A>,
  call: (part: ReadonlyArray<A>) => void
): Effect.Effect<void, DataplaneError> =>
  Effect.gen(function* () {
    for (let done = 0; done < all.length; done += partSize) {
      if (done > 0) yield* Effect.yieldNow
      yield* attempt(() => call(all.slice(done, done + partSize)))
    }
  })

const bySet = (entries: ReadonlyArray<Entry>): ReadonlyMap<string, ReadonlyArray<Entry>> => {
  const sets = new Map<string, Array<Entry>>()
  for (const entry of entries) {
    const name = setIn(entry.set, entry.family)
    const list = sets.get(name)
    if (list === undefined) sets.set(name, [entry])
    else list.push(entry)
  }
  return sets
}

interface Fingerprint {
  /** Equal as long as nobody touched the rules. */
  readonly exact: string
  /** Equal for equal texts: nameless sets within rules get other numbers each time. */
  readonly rough: string
}

const fingerprint = (connection: Connection, table: string): Fingerprint => {
  const rules = listRules(connection, { family: "inet", table })
  return {
    exact: rules.map(({ expressions }) => Buffer.from(expressions).toString("base64")).join("\n"),
    rough: rules.map(({ chain }) => chain).join("\n")
  }
}

export const openCompanion = (settings: DataplaneSettings, connection: Connection): Companion => {
  const table = tableName(settings.name)
  const at = { family: "inet", table } as const
  /** How the rules read after they were written in this life. */
  let written: Fingerprint | undefined
  const exists = () => listTables(connection, "inet").some((one) => one.table === table)
  const write = Effect.gen(function* () {
    yield* runNft(`make table ${table}`, ["-f", "-"], tableText(table, settings))
    written = yield* attempt(() => fingerprint(connection, table))
  })
  /** Sets of another shape, of another version of this program, can only be replaced with the whole table. */
  const rewrite = Effect.catchIf(
    write,
    ({ reason }) => reason === "Refused",
    () => Effect.andThen(runNft(`remove table ${table}`, ["delete", "table", "inet", table]), write)
  )
  const ensure = Effect.gen(function* () {
    const before = yield* attempt(() => (exists() ? fingerprint(connection, table) : undefined))
    const last = written
    if (before !== undefined && before.exact === last?.exact) return "same" as const
    yield* rewrite
    if (before === undefined) return "missing" as const
    return last === undefined && before.rough === written?.rough ? ("same" as const) : ("altered" as const)
  })
  const elements = (set: SetName, family: IpFamily): ReadonlyArray<Entry> => {
    try {
      return listElements(connection, { ...at, set: setIn(set, family) }).map((one) => entryOf(set, family, one))
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === ENOENT) return []
      throw error
    }
  }
  return {
    name: table,
    ensure,
    read: Effect.gen(function* () {
      const all = new Map<string, Entry>()
      for (const family of families) {
        for (const set of setNames) {
          for (const entry of yield* attempt(() => elements(set, family))) all.set(entryId(entry), entry)
          yield* Effect.yieldNow
        }
      }
      return all
    }),
    change: (removed, added) =>
      removed.length + added.length === 0
        ? Effect.void
        : attempt(() => {
            const steps = (op: "add" | "delete", entries: ReadonlyArray<Entry>): ReadonlyArray<TableOperation> =>
              [...bySet(entries)].map(([set, list]) => ({ op, ...at, set, elements: list.map(elementOf) }))
            transaction(connection, [...steps("delete", removed), ...steps("add", added)])
          }),
    remove: Effect.gen(function* () {
      if (!(yield* attempt(exists))) return false
      yield* attempt(() => transaction(connection, [{ op: "deleteTable", ...at }]))
      written = undefined
      return true
    }),
    close: () => connection.transport.close()
  }
}
