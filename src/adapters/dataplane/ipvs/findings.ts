/** What a comparison with the kernel found. */
import type { IpvsChange } from "../../netlink/ipvs-calls.ts"
import { maxExamples, type Repaired } from "../port.ts"

export type Finding = "missing" | "altered" | "unexpected"

export class Findings {
  readonly #counts = { missing: 0, altered: 0, unexpected: 0 }
  readonly #examples: Array<string> = []

  note(kind: Finding, what: string): void {
    this.#counts[kind] += 1
    if (this.#examples.length < maxExamples) this.#examples.push(`${kind}: ${what}`)
  }

  get counts(): Omit<Repaired, "refused"> {
    return { ...this.#counts, examples: this.#examples }
  }
}

/** What it says of the kernel that such a change was needed. */
export const findingOf = (change: IpvsChange): Finding => {
  if (change.do === "newService" || change.do === "newDestination") return "missing"
  if (change.do === "setDestination" && change.destination.weight === 0) return "unexpected"
  return change.do === "deleteService" || change.do === "deleteDestination" ? "unexpected" : "altered"
}

/** What has to come and what has to go, by the names that both sides have for it. */
export const difference = <A>(wanted: ReadonlyMap<string, { readonly value: A }>, there: ReadonlyMap<string, A>) => {
  const added: Array<A> = []
  const removed: Array<A> = []
  for (const [id, { value }] of wanted) if (!there.has(id)) added.push(value)
  for (const [id, value] of there) if (!wanted.has(id)) removed.push(value)
  return { added, removed }
}
