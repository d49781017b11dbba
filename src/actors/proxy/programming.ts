/** From what changed in the table of Services to what the kernel is told, and what the Services are told of it. */
import { createHash } from "node:crypto"
import type { Change, Server, ServiceRules } from "../../adapters/dataplane/port.ts"
import { rulesKey } from "../../adapters/dataplane/port.ts"
import { hostPort } from "../../events/ip-address.ts"
import { isEqual } from "../kernel/json.ts"
import type { ReportProgrammed } from "../service/commands.ts"
import { serverChanges } from "../service/rules/service-rules.ts"
import type { ServiceEntry } from "../service/table.ts"

/** Servers of each kind that `ServiceProgrammed` tells. */
const maxTold = 32
/** Hex digits. */
const digestLength = 16

export const byKey = (rules: ReadonlyArray<ServiceRules>): ReadonlyMap<string, ServiceRules> =>
  new Map(rules.map((one) => [rulesKey(one), one]))

/** Whether the kernel would have the same by both. The order of servers means nothing. */
export const isSameRules = (a: ServiceRules, b: ServiceRules): boolean =>
  a === b ||
  isEqual(a, b) ||
  (isEqual({ ...a, cluster: [], local: [] }, { ...b, cluster: [], local: [] }) &&
    isSameServers(a.cluster, b.cluster) &&
    isSameServers(a.local, b.local))

const serverText = ({ ip, port, local }: Server): string => `${hostPort(ip, port)}${local ? " local" : ""}`

const isSameServers = (a: ReadonlyArray<Server>, b: ReadonlyArray<Server>): boolean => {
  if (a.length !== b.length) return false
  const known = new Set(a.map(serverText))
  return b.every((server) => known.has(serverText(server)))
}

/** What is to be changed in the kernel so that it has the entry's rules. */
export const changesOf = ({ rules, applied }: ServiceEntry): ReadonlyArray<Change> => {
  if (rules.length === 0 && applied.length === 0) return []
  const before = byKey(applied)
  const changes: Array<Change> = []
  const wanted = new Set<string>()
  for (const one of rules) {
    const key = rulesKey(one)
    wanted.add(key)
    const known = before.get(key)
    if (known === undefined || !isSameRules(known, one)) changes.push({ key, rules: one })
  }
  for (const key of before.keys()) if (!wanted.has(key)) changes.push({ key, rules: undefined })
  return changes
}

/** `namespace/name` of the Service that a key of rules belongs to. */
export const serviceOfKey = (key: string): string => key.slice(0, key.indexOf(":"))

export type Programmed = Omit<ReportProgrammed, "_tag" | "at" | "duration" | "latency">

/** Equal for equal rules, in whatever order their servers are. */
const digestOf = (rules: ReadonlyArray<ServiceRules>): string => {
  const hash = createHash("sha256")
  for (const one of rules) {
    const texts = (servers: ReadonlyArray<Server>) => servers.map(serverText).sort()
    hash.update(JSON.stringify({ ...one, cluster: texts(one.cluster), local: texts(one.local) }))
  }
  return hash.digest("hex").slice(0, digestLength)
}

const told = (servers: ReadonlySet<string>): ReadonlyArray<string> => [...servers].slice(0, maxTold)

/** What a Service is told when the kernel has `after` instead of `before`. */
export const programmed = (before: ReadonlyArray<ServiceRules>, after: ReadonlyArray<ServiceRules>): Programmed => {
  const [old, now] = [byKey(before), byKey(after)]
  const added = new Set<string>()
  const removed = new Set<string>()
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const change = serverChanges(old.get(key), now.get(key))
    for (const server of change.added) added.add(server)
    for (const server of change.removed) removed.add(server)
  }
  return {
    added: told(added),
    removed: told(removed),
    ...(added.size > maxTold ? { addedCount: added.size } : {}),
    ...(removed.size > maxTold ? { removedCount: removed.size } : {}),
    serving: after.map(({ portName, protocol, family, cluster, local }) => ({
      port: portName,
      protocol,
      family,
      cluster: cluster.length,
      local: local.length
    })),
    digest: digestOf(after)
  }
}
