/** The whole rule set as text, in the order of Services: as input of iptables-restore, or as iptables-save would show it. */

import type { Context } from "../../../../src/adapters/dataplane/iptables/context.ts"
import { contributionOf } from "../../../../src/adapters/dataplane/iptables/contribution.ts"
import { expectedTable, healthRules } from "../../../../src/adapters/dataplane/iptables/expected.ts"
import { jumpRule, jumpsOf } from "../../../../src/adapters/dataplane/iptables/fixed.ts"
import type { ServiceRules } from "../../../../src/adapters/dataplane/port.ts"

const builtIn = { filter: ["INPUT", "FORWARD", "OUTPUT"], nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"] }

export const wholeText = (
  context: Context,
  rules: Iterable<ServiceRules>,
  healthCheckPorts: ReadonlyArray<number>,
  withJumps: boolean
): ReadonlyArray<string> => {
  const contributions = [...rules].map((each) => contributionOf(each, context))
  const shared = [...healthRules(context, healthCheckPorts), ...contributions.flatMap((each) => each.shared)]
  const lines: Array<string> = []
  for (const table of ["filter", "nat"] as const) {
    const expected = expectedTable(context, table, shared)
    const chains = new Map<string, ReadonlyArray<string>>(expected.fixed)
    for (const [chain, { rules: own, last }] of expected.shared) {
      chains.set(chain, [...own.map(({ rule }) => rule), ...last])
    }
    if (table === "nat") {
      for (const each of contributions) for (const [chain, own] of each.chains) chains.set(chain, own)
    }
    if (withJumps) {
      const jumps = jumpsOf(context).filter((jump) => jump.table === table)
      for (const from of builtIn[table]) {
        chains.set(
          from,
          jumps
            .filter((jump) => jump.from === from)
            .map(jumpRule)
            .reverse()
        )
      }
    }
    lines.push(`*${table}`, ...[...chains.keys()].map((chain) => `:${chain} - [0:0]`))
    for (const [chain, own] of chains) for (const rule of own) lines.push(`-A ${chain} ${rule}`)
    lines.push("COMMIT")
  }
  return lines
}
