/** Rules that the kernel does not take, while it has all else: which, since when they are tried again, and what is told of them. */
import { maxExamples, type Refusal, rulesKey, type ServiceRules } from "../../adapters/dataplane/port.ts"
import { timestamp } from "../../events/definition.ts"
import type { DirtyEntry, ServiceEntry } from "../service/table.ts"
import { backOff } from "./back-off.ts"
import type { ProxyCommand } from "./commands.ts"
import { serviceOfKey } from "./programming.ts"

/** Keys of rules with what the kernel said of each. */
export type Refused = ReadonlyMap<string, string>

export const noneRefused: Refused = new Map()

export const refusedOf = (refusals: ReadonlyArray<Refusal>): Refused =>
  refusals.length === 0 ? noneRefused : new Map(refusals.map(({ key, message }) => [key, message]))

/** What the kernel has of an entry: of what it refused that which it had before. */
export const inForce = (entry: ServiceEntry, refused: Refused): ReadonlyArray<ServiceRules> => [
  ...entry.rules.filter((rules) => !refused.has(rulesKey(rules))),
  ...entry.applied.filter((rules) => refused.has(rulesKey(rules)))
]

export class Refusals {
  private readonly refused = new Map<string, string>()
  private again: { readonly attempt: number; readonly retryAt: number } | undefined

  get isEmpty(): boolean {
    return this.refused.size === 0
  }

  /** Milliseconds since the epoch; infinity: there is nothing to try again. */
  get retryAt(): number {
    return this.again?.retryAt ?? Number.POSITIVE_INFINITY
  }

  /** Keys of the Services that have such rules. */
  get services(): ReadonlyArray<string> {
    return [...new Set([...this.refused.keys()].map(serviceOfKey))]
  }

  /** Remembers what of an entry is refused, and forgets what is not any more. */
  settle(entry: ServiceEntry, refused: Refused): void {
    if (this.refused.size === 0 && refused.size === 0) return
    for (const key of this.refused.keys()) if (serviceOfKey(key) === entry.key) this.refused.delete(key)
    for (const rules of entry.rules) {
      const key = rulesKey(rules)
      const message = refused.get(key)
      if (message !== undefined) this.refused.set(key, message)
    }
  }

  /** After something was refused, at `at`: when it is tried again, and what is to be told. `cause`: of the first time. */
  failed(
    at: number,
    refused: Refused,
    taken: ReadonlyArray<DirtyEntry>
  ): { readonly command: ProxyCommand; readonly cause: string | undefined } {
    const attempt = (this.again?.attempt ?? 0) + 1
    const retryAt = at + backOff(attempt)
    this.again = { attempt, retryAt }
    const { services } = this
    const [message = ""] = refused.values()
    const first = taken.find(({ entry }) => entry.key === services[0])
    const told = { services: services.slice(0, maxExamples), pending: services.length, attempt }
    return {
      command: { _tag: "ReportFailed", at, reason: "Refused", message, ...told, retryAt: timestamp(retryAt) },
      cause: attempt === 1 ? first?.dirt.cause : undefined
    }
  }

  /** After nothing was refused: whether with this the last of them is in force. */
  ended(): boolean {
    if (this.again === undefined || this.refused.size > 0) return false
    this.again = undefined
    return true
  }
}
