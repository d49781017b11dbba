/** Differences between what was found in the kernel and what is wanted, for people and for the next transaction. */
import type { IpFamily } from "../../../events/service-shape.ts"
import { maxExamples } from "../port.ts"
import { packAddress, packPort } from "./bytes.ts"
import type { Delta, Operation } from "./delta.ts"
import { nftFamily, sets, shapes } from "./layout.ts"
import { expectedType, type TableFound } from "./ruleset.ts"
import type { Chain } from "./skeleton.ts"
import { elementText } from "./text.ts"

/** Counts of what was put right. */
export class Findings {
  missing = 0
  altered = 0
  unexpected = 0
  readonly examples: Array<string> = []

  note(kind: "missing" | "altered" | "unexpected", example: () => string): void {
    this[kind] += 1
    if (this.examples.length < maxExamples) this.examples.push(`${kind}: ${example()}`)
  }
}

/** Whether sets and base chains are as this program makes them, so that rules and elements can be put right one by one. */
export const isOurLayout = (found: TableFound, chains: ReadonlyArray<Chain>, family: IpFamily): boolean =>
  shapes.every((set) => found.sets.get(set.name) === expectedType(set, family)) &&
  chains.every(({ name, hook }) => {
    const chain = found.chains.get(name)
    if (chain === undefined) return false
    return chain.hook === hook
  })

/** Chains and rules that differ between two looks, and those that only one of them saw. */
export const compareChains = (
  before: TableFound,
  after: TableFound,
  family: IpFamily,
  isOurs: (name: string) => boolean,
  findings: Findings
): void => {
  for (const [name, { rules }] of after.chains) {
    const old = before.chains.get(name)
    const text = (what: string) => () => `${nftFamily(family)} ${what} ${name}`
    if (old === undefined) {
      if (isOurs(name)) findings.note("missing", text("chain"))
      continue
    }
    const left = [...old.rules]
    let lacking = 0
    for (const rule of rules) {
      const at = left.indexOf(rule)
      if (at === -1) lacking += 1
      else left.splice(at, 1)
    }
    for (let count = 0; count < lacking; count++) findings.note("missing", text("rule of chain"))
    for (let count = 0; count < left.length; count++) findings.note("unexpected", text("rule of chain"))
    if (lacking + left.length === 0 && old.rules.join() !== rules.join()) findings.note("altered", text("chain"))
  }
}

/** Elements of the sets that are not keyed by Service. */
export const addGlobals = (
  delta: Delta,
  families: ReadonlyArray<IpFamily>,
  nodeAddresses: ReadonlyArray<string>,
  healthCheckPorts: ReadonlyArray<number>
): void => {
  for (const family of families) {
    for (const text of nodeAddresses) {
      const address = packAddress(text, family)
      if (address !== undefined) delta.add(family, sets.nodeIPs, address, "")
    }
    for (const port of healthCheckPorts) delta.add(family, sets.healthCheckPorts, packPort(port), "")
  }
}

/** Counts what a difference to what was found puts right, and adds to it what is to go. */
export const findingsOf = (delta: Delta, findings: Findings): void => {
  const text =
    ({ family, set, key, before, after }: Operation) =>
    () =>
      `${nftFamily(family)} ${elementText(set, key, after ?? before ?? "", family)}`
  for (const operation of delta.operations()) {
    findings.note(operation.before === undefined ? "missing" : "altered", text(operation))
  }
  for (const operation of delta.removeRest()) findings.note("unexpected", text(operation))
}
