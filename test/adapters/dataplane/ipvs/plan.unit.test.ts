/** The upstream rows of IPVS: virtual servers, their real servers, bound addresses, and what stands in ip sets there. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { nodePortAddresses } from "../../../../src/actors/service/rules/node-port-addresses.ts"
import { serviceRules } from "../../../../src/actors/service/rules/service-rules.ts"
import { endpointsOfSlices } from "../../../../src/actors/service/rules/slices.ts"
import { DesiredTable } from "../../../../src/adapters/dataplane/ipvs/desired.ts"
import { ownerMark } from "../../../../src/adapters/dataplane/ipvs/names.ts"
import {
  type Origin,
  type PlannedServer,
  planRules,
  type SetName,
  type Surroundings
} from "../../../../src/adapters/dataplane/ipvs/plan.ts"
import { rulesKey, type ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import { serviceFlags } from "../../../../src/adapters/netlink/ipvs.ts"
import { sliceOf, specOf } from "../../../actors/service/rules/from-api.ts"
import { differs, itMeets, type NotMet, type Row, type RowValue, readCase, type Table } from "../../../support/cases.ts"

interface Outcome {
  readonly rules: ReadonlyArray<ServiceRules>
  readonly table: DesiredTable
}

const rulesOf = (row: Row): ReadonlyArray<ServiceRules> => {
  const { config, services, endpointSlices } = row.in
  // Slices without an address type do not count, say the rows.
  const slices = (endpointSlices ?? []).filter((slice: RowValue) => slice.addressType !== undefined).flatMap(sliceOf)
  return (services ?? []).flatMap(({ metadata, ...service }: RowValue) => {
    const own = slices.filter((s: RowValue) => s.service === metadata.name && s.namespace === metadata.namespace)
    const endpoints = new Map([...endpointsOfSlices(own)].map(([key, found]) => [key, [...found.values()]] as const))
    const served = { namespace: metadata.namespace, name: metadata.name, spec: specOf(service) }
    return serviceRules(served, endpoints, { nodeName: config.nodeName }, [config.ipFamily])
  })
}

/** Rows that name this range stand on a node whose interface has this address: upstream's fake, which they do not show. */
const [fakeRange, fakeAddress] = ["100.101.102.0/24", "100.101.102.103"]

/** `bound`: addresses on the device from the row before; there the rows count them to the node's own. */
const outcomeOf = (row: Row, bound: ReadonlySet<string>): Outcome => {
  const { config } = row.in
  const named: ReadonlyArray<string> = config.localAddresses.filter((ip: string) => !bound.has(ip))
  const own = config.nodePortAddresses.includes(fakeRange) ? [...named, fakeAddress] : named
  const interfaces = own.map((address) => ({ interface: "eth0", address }))
  const around: Surroundings = {
    scheduler: config.scheduler,
    mark: ownerMark("chronode"),
    nodeAddresses: new Set(own),
    nodePortAddresses: nodePortAddresses(config.nodePortAddresses, interfaces, config.ipFamily).addresses
  }
  const table = new DesiredTable()
  const rules = rulesOf(row)
  for (const one of rules) table.set(rulesKey(one), planRules(one, around))
  return { rules, table }
}

const byKey = <A extends { readonly address: string; readonly port: number; readonly protocol?: string }>(
  all: Iterable<A>
): ReadonlyArray<A> => {
  const key = (a: A) => `${a.address} ${a.port} ${a.protocol}`
  return [...all].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

const asRow = (server: PlannedServer): RowValue => ({
  ...{ address: server.address, port: server.port, protocol: server.protocol },
  flags: server.options.flags & serviceFlags.persistent,
  timeoutSeconds: server.options.timeout,
  scheduler: server.options.scheduler,
  realServers: byKey(server.servers.map(({ ip, port }) => ({ address: ip, port, weight: 1 })))
})

/** What the ip set holds → what of ours says the same; a string: why it is left out. */
const sets: Readonly<Record<string, string | ((outcome: Outcome) => ReadonlyArray<string>)>> = {
  "KUBE-CLUSTER-IP": (outcome) => addressed(outcome, "cluster"),
  "KUBE-EXTERNAL-IP": (outcome) => addressed(outcome, "external", "masquerade"),
  "KUBE-EXTERNAL-IP-LOCAL": (outcome) => addressed(outcome, "external", "!masquerade"),
  "KUBE-LOAD-BALANCER": (outcome) => addressed(outcome, "loadBalancer"),
  "KUBE-LOAD-BALANCER-LOCAL": (outcome) => addressed(outcome, "loadBalancer", "!masquerade"),
  "KUBE-LOAD-BALANCER-FW": (outcome) => addressed(outcome, "loadBalancer", "restricted"),
  "KUBE-LOAD-BALANCER-SOURCE-CIDR": ({ table }) =>
    entriesOf(table, "allowed").map((key) => key.replace(/^(\S+) \. (\S+) \. (\S+) \. (\S+)$/, "$1,$2:$3,$4")),
  "KUBE-NODE-PORT-TCP": (outcome) => nodePorts(outcome, "TCP"),
  "KUBE-NODE-PORT-UDP": (outcome) => nodePorts(outcome, "UDP"),
  "KUBE-NODE-PORT-LOCAL-TCP": (outcome) => nodePorts(outcome, "TCP", "!masquerade"),
  "KUBE-NODE-PORT-SCTP-HASH": (outcome) => addressed(outcome, "node"),
  "KUBE-NODE-PORT-LOCAL-SCTP-HASH": (outcome) => addressed(outcome, "node", "!masquerade"),
  "KUBE-LOOP-BACK":
    "ours has the local servers that get connections, whatever their port; there endpoints that get none count too",
  "KUBE-HEALTH-CHECK-NODE-PORT": "nothing that comes for the node's own addresses is refused here",
  "KUBE-IPVS-IPS": "judged by the bound addresses: what the node has on another device is not filtered here"
}

const entriesOf = (table: DesiredTable, set: SetName): ReadonlyArray<string> =>
  [...table.entries.values()].flatMap(({ value }) => (value.set === set ? [value.key] : [])).sort()

const has = (server: PlannedServer, set: SetName) => server.entries.some((entry) => entry.set === set)

const picked = ({ table }: Outcome, origin: Origin, sign?: SetName | "!masquerade") =>
  [...table.servers()].filter(
    (server) =>
      server.origin === origin &&
      (sign === undefined || (sign === "!masquerade" ? !has(server, "masquerade") : has(server, sign)))
  )

const addressed = (outcome: Outcome, origin: Origin, sign?: SetName | "!masquerade") =>
  picked(outcome, origin, sign)
    .map(({ address, protocol, port }) => `${address},${protocol.toLowerCase()}:${port}`)
    .sort()

const nodePorts = (outcome: Outcome, protocol: string, sign?: "!masquerade") => {
  const ports = picked(outcome, "node", sign).filter((server) => server.protocol === protocol)
  return [...new Set(ports.map(({ port }) => String(port)))].sort()
}

/** `KUBE-NODE-PORT-TCP` of rows whose node ports have no address in them. */
const hasNodeAddress = (row: Row) => row.want.virtualServers.some((server: RowValue) => server.port >= 3000)

const fallsBack = ({ rules }: Outcome): boolean =>
  rules.some(
    (one) =>
      one.hasAny && one.local.length === 0 && (one.internalLocal || (one.externalLocal && one.nodePort !== undefined))
  )

const judgeSets = (row: Row, outcome: Outcome) => {
  for (const [name, { entries }] of Object.entries<RowValue>(row.want.ipsets)) {
    const ours = sets[name]
    assert.ok(ours !== undefined, `no set of ours is named for ${name}`)
    if (typeof ours === "string" || (name.startsWith("KUBE-NODE-PORT") && !hasNodeAddress(row))) continue
    assert.deepEqual(ours(outcome), [...entries].sort(), name)
  }
  const loops: ReadonlyArray<string> = row.want.ipsets["KUBE-LOOP-BACK"]?.entries ?? []
  const theirs = new Set(loops.map((entry) => `${entry.split(",")[0]} . ${entry.split(",")[2]}`))
  for (const key of entriesOf(outcome.table, "hairpin")) assert.ok(theirs.has(key), `hairpin ${key}`)
}

let bound: ReadonlySet<string> = new Set()
const check = (row: Row, table: Table): undefined | NotMet => {
  if (table.rows[0] === row) bound = new Set()
  const outcome = outcomeOf(row, bound)
  bound = new Set(row.want.boundAddresses)
  if (fallsBack(outcome)) return differs("no server of the node: packets are dropped, not sent to other nodes")
  assert.deepEqual(byKey([...outcome.table.servers()].map(asRow)), byKey(row.want.virtualServers))
  assert.deepEqual([...outcome.table.addresses.keys()].sort(), [...row.want.boundAddresses].sort())
  assert.deepEqual(entriesOf(outcome.table, "addresses"), [...row.want.boundAddresses].sort())
  judgeSets(row, outcome)
  return undefined
}

describe("virtual servers of Services", () => {
  const names = [...new Set((readCase("ipvs.json").tables as ReadonlyArray<Table>).map(({ origin }) => origin.test))]
  for (const name of names) itMeets("ipvs.json", name, "are those of kube-proxy", check)
  it("are judged by every table there is", () => assert.equal(names.length, 27))
})
