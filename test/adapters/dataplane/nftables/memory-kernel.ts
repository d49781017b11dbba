/**
 * nf_tables as far as the synchronizer needs it, for what cannot be asked of a real kernel: to refuse, to be busy, to be
 * changed by others between two calls. Transactions are all or nothing, with the kernel's error numbers.
 */
import { Effect, Stream } from "effect"
import type { Bytes } from "../../../../src/adapters/dataplane/nftables/bytes.ts"
import type { Operation } from "../../../../src/adapters/dataplane/nftables/delta.ts"
import type { Value } from "../../../../src/adapters/dataplane/nftables/elements.ts"
import type { Kernel } from "../../../../src/adapters/dataplane/nftables/kernel.ts"
import { nftFamily, shapes } from "../../../../src/adapters/dataplane/nftables/layout.ts"
import { type ChainFound, type Elements, expectedType } from "../../../../src/adapters/dataplane/nftables/ruleset.ts"
import { elementText, keyText } from "../../../../src/adapters/dataplane/nftables/text.ts"
import { DataplaneError } from "../../../../src/adapters/dataplane/port.ts"
import type { IpFamily } from "../../../../src/events/service-shape.ts"

interface Table {
  readonly chains: Map<string, { hook: string | undefined; rules: Array<string> }>
  readonly elements: Elements
}

export class MemoryKernel implements Kernel {
  readonly tables = new Map<IpFamily, Table>()
  /** Transactions of elements that were taken. */
  commits: Array<ReadonlyArray<Operation>> = []
  /** Elements that are refused with EINVAL, as `elementText` writes them. */
  refuses: (element: string) => boolean = () => false
  /** What the next transactions fail with, one after the other. */
  readonly failures: Array<DataplaneError["reason"]> = []

  #table(family: IpFamily): Table {
    const table = this.tables.get(family)
    if (table === undefined) throw new Error(`no table ${nftFamily(family)}`)
    return table
  }

  readonly table: Kernel["table"] = (family) =>
    Effect.sync(() => {
      const table = this.tables.get(family)
      if (table === undefined) return undefined
      const chains = new Map<string, ChainFound>(
        [...table.chains].map(([name, { hook, rules }]) => [name, { hook, rules: [...rules] }])
      )
      return { chains, sets: new Map(shapes.map((set) => [set.name, expectedType(set, family)])) }
    })

  readonly elements: Kernel["elements"] = (family) =>
    Effect.sync(() => new Map([...this.#table(family).elements].map(([name, map]) => [name, new Map(map)])))

  readonly elementsOf: Kernel["elementsOf"] = (family, set) =>
    Effect.sync(() => new Map(this.#table(family).elements.get(set.name)))

  readonly disturbances = Stream.never
  readonly generation = Effect.succeed(0)
  /** Tests change it behind the synchronizer's back. */
  readonly isTrusted = Effect.succeed(false)
  readonly trust = (): void => undefined

  /** Understands what skeleton.ts writes. */
  readonly script: Kernel["script"] = (_, lines) =>
    Effect.sync(() => {
      for (const line of lines) {
        const [verb = "", kind = "", ip = "", , name = "", ...rest] = line.split(" ")
        const family: IpFamily = ip === "ip" ? "IPv4" : "IPv6"
        if (kind === "table") {
          if (verb === "delete") this.tables.delete(family)
          else if (!this.tables.has(family)) {
            this.tables.set(family, {
              chains: new Map(),
              elements: new Map(shapes.map((set) => [set.name, new Map()]))
            })
          }
        } else if (kind === "chain" && verb === "add") this.#addChain(family, name, rest.join(" "))
        else if (kind === "chain" && verb === "flush") this.#table(family).chains.get(name)!.rules.length = 0
        else if (kind === "chain") this.#table(family).chains.delete(name)
        else if (kind === "rule") this.#table(family).chains.get(name)!.rules.push(rest.join(" "))
      }
    })

  #addChain(family: IpFamily, name: string, text: string): void {
    const { chains } = this.#table(family)
    if (!chains.has(name)) chains.set(name, { hook: /type [^;]*\d/.exec(text)?.[0], rules: [] })
  }

  readonly commit: Kernel["commit"] = (operations, chains) =>
    Effect.suspend(() => {
      const failure = this.failures.shift()
      if (failure !== undefined) return this.#fail(failure, "as it was told to")
      for (const { family, name, choice } of chains) {
        this.#addChain(family, name, "")
        this.#table(family).chains.get(name)!.rules.splice(0, Infinity, JSON.stringify(choice))
      }
      const undo: Array<() => void> = []
      for (const operation of operations) {
        const error = this.#one(operation, undo)
        if (error === undefined) continue
        for (const back of undo.reverse()) back()
        return error
      }
      this.commits.push(operations)
      return Effect.void
    })

  #one({ family, set, key, before, after }: Operation, undo: Array<() => void>) {
    const elements = this.#table(family).elements.get(set.name)!
    const was = elements.get(key)
    undo.push(() => (was === undefined ? elements.delete(key) : elements.set(key, was)))
    if (before !== undefined && !elements.delete(key)) return this.#fail("Refused", "No such file or directory", 2)
    if (after === undefined) return undefined
    const there = elements.get(key)
    if (there !== undefined && there !== after) return this.#fail("Refused", "File exists", 17)
    const chain = after.startsWith("goto ") ? after.slice(5) : undefined
    if (chain !== undefined && !this.#table(family).chains.has(chain))
      return this.#fail("Refused", `no chain ${chain}`, 2)
    if (this.refuses(elementText(set, key, after, family))) return this.#fail("Refused", "Invalid argument", 22)
    elements.set(key, after)
    return undefined
  }

  #fail(reason: DataplaneError["reason"], message: string, errno?: number) {
    const operation = "change elements"
    return Effect.fail(new DataplaneError({ reason, operation, message, ...(errno === undefined ? {} : { errno }) }))
  }

  /** Addresses whose slots are not numbered without gaps from 0 on. */
  gaps(): ReadonlyArray<string> {
    const numbers = new Map<string, Array<number>>()
    for (const [family, { elements }] of this.tables) {
      for (const set of shapes) {
        if (!set.key.includes("index")) continue
        for (const key of elements.get(set.name)!.keys()) {
          const [, front = "", number] = /^(.*) \. (\d+)$/.exec(keyText(set, key, family)) ?? []
          numbers.set(`${set.name} ${front}`, [...(numbers.get(`${set.name} ${front}`) ?? []), Number(number)])
        }
      }
    }
    return [...numbers].filter(([, all]) => Math.max(...all) !== all.length - 1).map(([front]) => front)
  }

  /** All elements as text, slots without their number: in which order servers stand means nothing. */
  content(): ReadonlyArray<string> {
    const lines: Array<string> = []
    for (const [family, { elements }] of this.tables) {
      for (const set of shapes) {
        for (const [key, value] of elements.get(set.name) ?? new Map<Bytes, Value>()) {
          const text = `${nftFamily(family)} ${elementText(set, key, value, family)}`
          lines.push(set.key.includes("index") ? text.replace(/ \. \d+ : /u, " : ") : text)
        }
      }
    }
    return lines.sort()
  }
}
