/** Which chains elements lead to, and which of them are to be made before. */
import type { IpFamily } from "../../../events/service-shape.ts"
import type { Entry } from "./entry.ts"
import { type Chooser, chooserChain, fewestSlots } from "./layout.ts"
import { type Chain, countedChain, firewallChain } from "./skeleton.ts"

const kinds = ["cluster", "local", "node-port", "node-port-local"] as const satisfies ReadonlyArray<Chooser>

/** The chains that nearly all Services lead to stand ready. */
export const readyChains: ReadonlyArray<string> = kinds.map((kind) => chooserChain(kind, fewestSlots, false))

/** The chain of `goto …`; undefined: the value leads to none. */
const target = (value: string | undefined): string | undefined =>
  value?.startsWith("goto ") ? value.slice("goto ".length) : undefined

/** Names of the chains that values of maps lead to. */
export const targetsOf = (values: Iterable<string | undefined>): Set<string> => {
  const names = new Set<string>()
  for (const value of values) {
    const name = target(value)
    if (name !== undefined) names.add(name)
  }
  return names
}

/** Those of `names` that are not in `declared`; source ranges come from `entries`. */
export const chainsToMake = (
  names: Iterable<string>,
  family: IpFamily,
  declared: ReadonlySet<string>,
  entries: Iterable<Entry | undefined>
): ReadonlyArray<Chain> => {
  const wanted = new Set<string>()
  for (const name of names) {
    if (!declared.has(name)) wanted.add(name)
  }
  if (wanted.size === 0) return []
  const chains: Array<Chain> = []
  for (const name of wanted) {
    const chain = countedChain(name, family)
    if (chain !== undefined) chains.push(chain)
  }
  if ([...wanted].some((name) => name.startsWith("firewall-"))) {
    const made = new Set<string>()
    for (const entry of entries) {
      if (entry?.firewall === undefined || entry.family !== family) continue
      const { chain, ranges } = entry.firewall
      if (!wanted.has(chain) || made.has(chain)) continue
      made.add(chain)
      chains.push(firewallChain(chain, ranges, family))
    }
  }
  return chains
}

/** Whether a chain has the name of one that this program makes. */
export const isCounted = (name: string): boolean =>
  name.startsWith("firewall-") || name.startsWith("layout-") || countedChain(name, "IPv4") !== undefined
