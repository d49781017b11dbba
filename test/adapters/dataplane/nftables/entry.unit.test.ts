/** Services packed into keys, servers into slots. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { staleAffinities } from "../../../../src/adapters/dataplane/nftables/affinity.ts"
import {
  addressText,
  indexOf,
  packAddress,
  packIndex,
  packProtocol,
  packServer,
  paddedPort,
  split
} from "../../../../src/adapters/dataplane/nftables/bytes.ts"
import { arrange, type Entry, entryOf, Unusable } from "../../../../src/adapters/dataplane/nftables/entry.ts"
import { sets } from "../../../../src/adapters/dataplane/nftables/layout.ts"
import { Model } from "../../../../src/adapters/dataplane/nftables/model.ts"
import { elementText, operationsText } from "../../../../src/adapters/dataplane/nftables/text.ts"
import { rulesKey } from "../../../../src/adapters/dataplane/port.ts"
import { server, some } from "./some-rules.ts"

const usable = (entry: Entry | Unusable): Entry => {
  assert.ok(!(entry instanceof Unusable))
  return entry
}

const packed = (...hosts: ReadonlyArray<number>): ReadonlyArray<string> =>
  hosts.map((host) => packServer(server(`10.200.0.${host}`), "IPv4")!)

const hostsIn = (slots: string): ReadonlyArray<number> => split(slots, 6).map((one) => one.charCodeAt(3))

describe("bytes of nf_tables' keys", () => {
  it("are those of addresses of both families, and of nothing else", () => {
    for (const [text, family, again] of [
      ["10.96.0.1", "IPv4", undefined],
      ["255.255.255.255", "IPv4", undefined],
      ["fd00::a", "IPv6", undefined],
      ["FD00:0:0::A", "IPv6", "fd00::a"]
    ] as const) {
      assert.equal(addressText(packAddress(text, family)!), again ?? text)
    }
    for (const text of ["", "10.96.0", "10.96.0.256", "10.96.0.1.2", "10.96..1", "1.2.3.4/8", "fd00::1", "a.b.c.d"]) {
      assert.equal(packAddress(text, "IPv4"), undefined, text)
    }
    for (const text of ["10.96.0.1", "fe80::1%eth0", "fd00::g", ":"])
      assert.equal(packAddress(text, "IPv6"), undefined, text)
  })

  it("number slots in the machine's order", () => {
    for (const index of [0, 1, 255, 256, 99_999, 16_777_216]) assert.equal(indexOf(packIndex(index)), index)
  })
})

describe("slots", () => {
  it("are kept by servers that stay; new ones and the last ones fill the holes", () => {
    const before = packed(1, 2, 3, 4).join("")
    const cases: ReadonlyArray<readonly [ReadonlyArray<number>, ReadonlyArray<number>]> = [
      [
        [4, 3, 2, 1],
        [1, 2, 3, 4]
      ],
      [
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5]
      ],
      [
        [2, 3, 4],
        [4, 2, 3]
      ],
      [
        [1, 9, 3, 4],
        [1, 9, 3, 4]
      ],
      [[3], [3]],
      [[], []]
    ]
    for (const [now, slots] of cases) assert.deepEqual(hostsIn(arrange(before, new Set(packed(...now)), "IPv4")), slots)
  })

  it("hold a server once, however often it is named", () => {
    const entry = usable(entryOf(some("a", { cluster: [server("10.200.0.1"), server("10.200.0.1")] }), undefined, []))
    assert.deepEqual(hostsIn(entry.cluster), [1])
  })
})

describe("source ranges", () => {
  const firewallOf = (ranges: ReadonlyArray<string>, balancers = ["10.5.0.1"], nodes: ReadonlyArray<string> = []) =>
    usable(entryOf(some("a", { loadBalancerIPs: balancers, sourceRanges: ranges }), undefined, nodes)).firewall

  it("are written once, without those that are in others, whatever their order", () => {
    const firewall = firewallOf([" 10.1.2.3/16", "192.168.0.0/24", "10.1.9.0/24"])
    assert.deepEqual(firewall?.ranges, ["10.1.0.0/16", "192.168.0.0/24"])
    assert.equal(firewallOf(["192.168.0.0/24", "10.1.0.0/16"])?.chain, firewall?.chain)
    assert.notEqual(firewallOf(["192.168.0.0/24"])?.chain, firewall?.chain)
  })

  it("are none where all may come, where they are of the other family, and without a load balancer", () => {
    assert.equal(firewallOf(["10.0.0.0/8", "0.0.0.0/0"]), undefined)
    assert.equal(firewallOf(["fd00::/8"]), undefined)
    assert.equal(firewallOf(["10.0.0.0/8"], []), undefined)
  })

  it("let the load balancer's own address in where they have this node", () => {
    assert.equal(firewallOf(["192.168.0.0/24"], undefined, ["192.168.0.2"])?.fromNode, true)
    assert.equal(firewallOf(["192.168.0.0/24"], undefined, ["192.168.1.2", "fd00::2"])?.fromNode, false)
  })
})

describe("elements as text", () => {
  it("read as nft takes them", () => {
    const model = new Model([])
    const rules = some("a", { family: "IPv6", clusterIP: "fd00::1", cluster: [server("fd01::1")], local: [] })
    const { delta } = model.plan([{ key: rulesKey(rules), rules }])
    assert.deepEqual(operationsText("chronode", delta.operations()), [
      "add element ip6 chronode services { fd00::1 . tcp . 80 : goto cluster-8 }",
      "add element ip6 chronode slots { fd00::1 . tcp . 80 . 0 : fd01::1 . 8080 }",
      "add element ip6 chronode cluster-ips { fd00::1 }"
    ])
  })
})

describe("clients that are remembered", () => {
  it("are forgotten with their server, with their Service, and with the setting", () => {
    const model = new Model(["192.168.0.2"])
    const rules = some("a", { affinitySeconds: 10, nodePort: 30_001 })
    const other = some("b", { clusterIP: "10.96.0.2" })
    model.commit(model.plan([rules, other].map((each) => ({ key: rulesKey(each), rules: each }))))
    const tcp = packProtocol("TCP")
    const client = packAddress("10.1.1.1", "IPv4")!
    const key = (address: string, port: number): string =>
      packAddress(address, "IPv4")! + tcp + paddedPort(port) + client
    const target = (host: number): string => `${packed(host)[0]}\0\0`
    const found = new Map([
      [key("10.96.0.1", 80), target(1)],
      [key("10.96.0.1", 81), target(1)],
      [key("10.96.0.2", 80), target(1)],
      [key("192.168.0.2", 30_001), target(2)],
      [key("192.168.0.3", 30_001), target(2)]
    ])
    const stale = (): ReadonlyArray<string> =>
      staleAffinities(model, "IPv4", found).map((each) => elementText(sets.affinity, each.key, each.before!, "IPv4"))
    assert.deepEqual(stale(), [
      "affinity 10.96.0.1 . tcp . 81 . 10.1.1.1 : 10.200.0.1 . 8080",
      "affinity 10.96.0.2 . tcp . 80 . 10.1.1.1 : 10.200.0.1 . 8080",
      "affinity 192.168.0.3 . tcp . 30001 . 10.1.1.1 : 10.200.0.2 . 8080"
    ])
    const left = { ...rules, cluster: [server("10.200.0.1")] }
    model.commit(model.plan([{ key: rulesKey(rules), rules: left }]))
    assert.ok(stale().includes("affinity 192.168.0.2 . tcp . 30001 . 10.1.1.1 : 10.200.0.2 . 8080"))
    assert.ok(!stale().includes("affinity 10.96.0.1 . tcp . 80 . 10.1.1.1 : 10.200.0.1 . 8080"))
  })
})
