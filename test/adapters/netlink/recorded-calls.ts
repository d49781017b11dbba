/** Calls whose talks with a real kernel are kept in fixtures/, and what is set up before they are made. */
import { type Connection, dump } from "../../../src/adapters/netlink/connection.ts"
import { flowsRequest, readFlow } from "../../../src/adapters/netlink/conntrack.ts"
import { NetlinkError } from "../../../src/adapters/netlink/error.ts"
import { findFamily } from "../../../src/adapters/netlink/generic.ts"
import {
  generation,
  listChains,
  listElements,
  listRules,
  listSets,
  listTables,
  transaction
} from "../../../src/adapters/netlink/nftables.ts"
import { concatenate, portBytes } from "../../../src/adapters/netlink/nftables-elements.ts"
import {
  addAddresses,
  addLink,
  deleteLink,
  findLink,
  listAddresses,
  listLinks
} from "../../../src/adapters/netlink/route.ts"
import type { Protocol } from "../../../src/adapters/netlink/transport.ts"
import { recordedIpvs } from "./recorded-ipvs.ts"

export interface RecordedCall {
  readonly protocol: Protocol
  /** Lines of a shell, run in a network namespace of its own. */
  readonly setUp: string
  readonly call: (connection: Connection) => unknown
}

/** A ruleset with maps and sets of every kind that is spoken of. */
export const ruleset = `
table ip chronode-test {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; elements = {
    10.96.0.1 . tcp . 80 : goto to-1, 10.96.0.2 . udp . 53 : jump to-1, 10.96.0.3 . tcp . 443 : drop, 10.96.0.4 . tcp . 1 : accept }; }
  map slots { typeof ip daddr . meta l4proto . th dport . numgen random mod 1 : ip daddr . th dport
    elements = { 10.96.0.1 . tcp . 80 . 0 : 10.200.0.7 . 8080 }; }
  set sticky { type ipv4_addr; flags timeout; timeout 1h; elements = { 10.1.2.3 timeout 2h }; }
  set ranges { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80 }; }
  set networks { type ipv4_addr; flags interval; elements = { 192.168.0.0/16 }; }
  chain to-1 { dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 1 map @slots; }
  chain output { type nat hook output priority 0; ip daddr . meta l4proto . th dport vmap @services; }
}
table ip6 chronode-test {
  set addresses { type ipv6_addr; elements = { fd00::1, fd00::2 }; }
}
`
const nft = `nft -f - <<'EOF'\n${ruleset}\nEOF`
const table = { family: "ip", table: "chronode-test" } as const

/** The error of a call that fails, as far as it is the kernel's. */
const errorOf = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error
    const { reason, message, errno, offset, index, element } = error
    return { reason, message, errno, offset, index, element }
  }
}

const service = (last: number) => concatenate(Uint8Array.of(10, 96, 0, last), Uint8Array.of(6), portBytes(80))

export const recordedCalls: Readonly<Record<string, RecordedCall>> = {
  ...recordedIpvs,
  "nftables-listings": {
    protocol: "netfilter",
    setUp: nft,
    call: (connection) => ({
      generation: generation(connection),
      tables: listTables(connection),
      chains: listChains(connection, table),
      sets: listSets(connection, table),
      rules: listRules(connection, table),
      elements: ["services", "slots", "sticky", "ranges", "networks"].map((set) => [
        set,
        listElements(connection, { ...table, set })
      ]),
      addresses: listElements(connection, { family: "ip6", table: "chronode-test", set: "addresses" }),
      absent: [
        listChains(connection, { ...table, table: "absent" }),
        listSets(connection, { ...table, table: "absent" }),
        listRules(connection, { ...table, table: "absent" }),
        errorOf(() => listElements(connection, { ...table, set: "absent" }))
      ]
    })
  },
  "nftables-transactions": {
    protocol: "netfilter",
    setUp: nft,
    call: (connection) => {
      const services = { ...table, set: "services" } as const
      transaction(connection, [
        { ...table, op: "addChain", chain: "to-2" },
        { ...services, op: "delete", elements: [{ key: service(1) }] },
        { ...services, op: "add", elements: [{ key: service(1), data: { verdict: "goto", chain: "to-2" } }] }
      ])
      return [
        listElements(connection, services),
        errorOf(() =>
          transaction(connection, [
            { ...services, op: "add", elements: [{ key: service(9), data: { verdict: "drop" } }] },
            { ...services, op: "delete", elements: [{ key: service(1) }, { key: service(77) }] }
          ])
        ),
        errorOf(() =>
          transaction(connection, [
            { ...services, op: "add", elements: [{ key: service(1), data: { verdict: "drop" } }], exclusive: true }
          ])
        ),
        errorOf(() => transaction(connection, [{ ...table, op: "deleteChain", chain: "to-2" }])),
        errorOf(() => transaction(connection, [{ ...table, op: "addChain", chain: "late" }], { generation: 1 })),
        listElements(connection, services)
      ]
    }
  },
  route: {
    protocol: "route",
    setUp: "ip link set lo up; ip link add chronode0 type bridge; ip addr add 192.0.2.1/24 dev chronode0",
    call: (connection) => {
      const made = errorOf(() => addLink(connection, { name: "chronode1", kind: "bridge" }))
      const index = findLink(connection, "chronode1")?.index ?? 0
      return [
        made,
        [
          ...addAddresses(connection, index, [
            { address: "10.96.0.1" },
            { address: "fd00::1" },
            { address: "10.96.0.1" }
          ])
        ],
        [...addAddresses(connection, index, [{ address: "10.96.0.2", prefixLength: 33 }])].map(([at, { message }]) => [
          at,
          message
        ]),
        listLinks(connection),
        listAddresses(connection).filter(({ scope }) => scope !== 253),
        errorOf(() => addLink(connection, { name: "chronode1", kind: "bridge" })),
        errorOf(() => addLink(connection, { name: "chronode2", kind: "no-such-kind" })),
        [deleteLink(connection, "chronode1"), deleteLink(connection, "chronode1")]
      ]
    }
  },
  conntrack: {
    protocol: "netfilter",
    setUp: [
      "conntrack -I -p udp -s 10.1.0.1 -d 10.96.0.10 --sport 1000 --dport 53 -r 10.200.0.5 -q 10.1.0.1 --reply-port-src 5353 --reply-port-dst 1000 -t 600",
      "conntrack -I -p udp -s fd00::1 -d fd00::10 --sport 1000 --dport 53 -t 600",
      "conntrack -I -p tcp -s 10.1.0.1 -d 10.96.0.10 --sport 1000 --dport 80 --state ESTABLISHED -t 600"
    ].join("\n"),
    call: (connection) =>
      (["IPv4", "IPv6"] as const).flatMap((family) =>
        (["UDP", "TCP"] as const).map((protocol) =>
          dump(connection, "list", flowsRequest(family, protocol), (message) => readFlow(message, family, protocol))
        )
      )
  },
  generic: {
    protocol: "generic",
    setUp: "true",
    call: (connection) => [findFamily(connection, "nlctrl"), errorOf(() => findFamily(connection, "no-such-family"))]
  }
}

/** What a call answered, as it stands in a fixture: bytes in hexadecimal, large numbers as text. */
export const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each) =>
      typeof each === "bigint" ? `${each}n` : each instanceof Uint8Array ? Buffer.from(each).toString("hex") : each
    )
  )
