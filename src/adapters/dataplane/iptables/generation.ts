/**
 * The number that nf_tables gives its rule set, and raises with every change of anybody: as long as it is what our own
 * changes made it, nobody has touched anything, and nothing has to be read back.
 */
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

export class Generations {
  readonly #read: ReadGeneration
  /** What the number must be if all changes since the last look at the rules were ours. */
  #expected: number | undefined
  #wasVerified = false

  constructor(read: ReadGeneration) {
    this.#read = read
  }
  get current(): number | undefined {
    return this.#read()
  }
  /** Nobody but us has changed anything since `verified`. */
  get isOurs(): boolean {
    return this.#expected !== undefined && this.#expected === this.#read()
  }
  /** All was known of the rules once; whether it still is, `isOurs` tells. */
  get wasVerified(): boolean {
    return this.#wasVerified
  }
  /** All is known of the rules as they were at this number. */
  verified(at: number | undefined): void {
    this.#expected = at !== undefined && at === this.#read() ? at : undefined
    this.#wasVerified = this.#expected !== undefined
  }
  forget(): void {
    this.#expected = undefined
  }
  /** One change of ours has been made since `before` was read. */
  changed(before: number | undefined): void {
    const now = this.#read()
    const isOnlyOurs =
      this.#expected !== undefined && before === this.#expected && (now === before || now === before + 1)
    this.#expected = isOnlyOurs ? now : undefined
  }
}
