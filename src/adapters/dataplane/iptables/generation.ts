/**
 * The number that nf_tables gives its rule set, and raises with every change of anybody: as long as it is what our own
 * changes made it, nobody has touched anything, and nothing has to be read back.
 */
import type { IpFamily } from "../../../events/service-shape.ts"
import { type Connection, connect } from "../../netlink/connection.ts"
import { generation } from "../../netlink/nftables.ts"
import { openSocket } from "../../netlink/socket.ts"

/** undefined: the kernel cannot be asked. */
export type ReadGeneration = () => number | undefined

export const kernelGeneration = (): ReadGeneration => {
  let connection: Connection | undefined
  let isUnknown = false
  return () => {
    if (isUnknown) return undefined
    try {
      connection ??= connect(openSocket("netfilter"))
      return generation(connection)
    } catch {
      // No rights, or no nf_tables in this kernel: everything is read back then.
      isUnknown = true
      return undefined
    }
  }
}

/** One number for both families, whose rules are looked at one after the other. */
export class Generations {
  readonly #read: ReadGeneration
  /** What the number must be if all changes since the last look at the family's rules were ours. */
  readonly #expected = new Map<IpFamily, number | undefined>()

  constructor(read: ReadGeneration) {
    this.#read = read
  }
  get current(): number | undefined {
    return this.#read()
  }
  /** Nobody but us has changed anything since the family's rules were `verified`. */
  isOurs(family: IpFamily): boolean {
    const expected = this.#expected.get(family)
    return expected !== undefined && expected === this.#read()
  }
  /** All families' rules that were looked at are as we left them. */
  get areOurs(): boolean {
    return [...this.#expected.keys()].every((family) => this.isOurs(family))
  }
  /** All is known of the family's rules as they were at this number. */
  verified(family: IpFamily, at: number | undefined): void {
    this.#expected.set(family, at !== undefined && at === this.#read() ? at : undefined)
  }
  /** It is not known what became of the family's rules. */
  forget(family: IpFamily): void {
    this.#expected.set(family, undefined)
  }
  /** One change of ours, of whatever family, has been made since `before` was read. */
  changed(before: number | undefined): void {
    const now = this.#read()
    const isOnlyOurs = before !== undefined && (now === before || now === before + 1)
    for (const [family, expected] of this.#expected) {
      this.#expected.set(family, isOnlyOurs && expected === before ? now : undefined)
    }
  }
}
