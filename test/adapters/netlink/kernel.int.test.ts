// netns: own
import "../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { after, before, describe, it } from "node:test"
import { Duration, Effect, Fiber, Stream } from "effect"
import { addressBytes, addressText } from "../../../src/adapters/netlink/addresses.ts"
import { beginDump, type Connection, connect, dump } from "../../../src/adapters/netlink/connection.ts"
import { findFamily } from "../../../src/adapters/netlink/generic.ts"
import { nfGroups } from "../../../src/adapters/netlink/nfnetlink.ts"
import {
  elementsIn,
  generation,
  listChains,
  listElements,
  listTables,
  mapElements,
  tableOf,
  transaction
} from "../../../src/adapters/netlink/nftables.ts"
import {
  concatenate,
  portBytes,
  type SetElement,
  separate,
  type Verdict
} from "../../../src/adapters/netlink/nftables-elements.ts"
import { message, nftMessages } from "../../../src/adapters/netlink/nftables-messages.ts"
import { notifications } from "../../../src/adapters/netlink/notifications.ts"
import {
  addAddresses,
  addLink,
  addressesRequest,
  deleteAddresses,
  deleteLink,
  findLink,
  type LinkAddress,
  listAddresses,
  listLinks,
  readAddress,
  setLinkUp
} from "../../../src/adapters/netlink/route.ts"
import { openSocket } from "../../../src/adapters/netlink/socket.ts"
import { seededRandom } from "../../support/random.ts"
import { requires } from "../../support/requires.ts"
import { failure } from "./failure.ts"

const random = seededRandom("netlink with the kernel")
const table = { family: "ip", table: "chronode-test" } as const
const services = { ...table, set: "services" } as const
const setUp = `
table ip chronode-test {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map servers { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
  set clients { type ipv4_addr; flags timeout; }
  chain a { }
  chain b { }
}
table ip6 chronode-test {
  map servers { type ipv6_addr . inet_service : ipv6_addr . inet_service; }
}
`
const nft = (...argv: ReadonlyArray<string>): string => execFileSync("nft", argv, { encoding: "utf8" })
const protocols = { 6: "tcp", 17: "udp" } as const

/** Elements of a map as the nft program lists them: `[key, value]`, each as text. */
const listed = (family: string, map: string): ReadonlyArray<readonly [string, string]> => {
  const { nftables } = JSON.parse(nft("-j", "list", "map", family, "chronode-test", map)) as {
    readonly nftables: ReadonlyArray<{ readonly map?: { readonly elem?: ReadonlyArray<readonly [Json, Json]> } }>
  }
  const elements = nftables.find((each) => each.map !== undefined)?.map?.elem ?? []
  return elements.map(([key, value]) => [textOf(key), textOf(value)] as const).sort(byKey)
}
type Json = string | number | null | { readonly [key: string]: Json } | ReadonlyArray<Json>
const textOf = (json: Json): string => {
  if (json === null || typeof json !== "object") return String(json)
  if ("concat" in json) return (json.concat as ReadonlyArray<Json>).map(textOf).join(" . ")
  const [[name, inner]] = Object.entries(json) as [[string, Json]]
  return inner !== null && typeof inner === "object" && "target" in inner ? `${name} ${inner.target}` : name
}
const byKey = (a: readonly [string, string], b: readonly [string, string]) => (a[0] < b[0] ? -1 : 1)

const port = (bytes: Uint8Array): number => bytes[0]! * 256 + bytes[1]!
const endpoint = (bytes: Uint8Array, length: number): string => {
  const [address, number] = separate(bytes, [length, 2])
  return `${addressText(address!)} . ${port(number!)}`
}
const verdictText = (verdict: Verdict): string =>
  "chain" in verdict ? `${verdict.verdict} ${verdict.chain}` : verdict.verdict
const serviceText = ({ key, data }: SetElement): readonly [string, string] => {
  const [address, protocol, number] = separate(key, [4, 1, 2])
  const name = protocols[protocol![0] as keyof typeof protocols]
  return [`${addressText(address!)} . ${name} . ${port(number!)}`, verdictText(data as Verdict)]
}
const service = (k: number): Uint8Array =>
  concatenate(Uint8Array.of(10, 96, (k >> 8) & 255, k & 255), Uint8Array.of(6), portBytes(80 + (k >> 16)))

describe("nf_tables over netlink", requires("root", "nft"), () => {
  let connection: Connection
  before(() => {
    connection = connect(openSocket("netfilter"))
    nft("flush", "ruleset")
    execFileSync("nft", ["-f", "-"], { input: setUp })
  })
  after(() => {
    connection.transport.close()
    nft("flush", "ruleset")
  })

  it("adds elements as the nft program lists them, and lists those that it added", () => {
    const verdicts: ReadonlyArray<Verdict> = [
      { verdict: "goto", chain: "a" },
      { verdict: "jump", chain: "b" },
      { verdict: "drop" },
      { verdict: "accept" },
      { verdict: "return" }
    ]
    const keys = new Map<string, Uint8Array>()
    while (keys.size < 300) {
      const address = Uint8Array.from({ length: 4 }, () => random.int(0, 255))
      const key = concatenate(address, Uint8Array.of(random.pick([6, 17])), portBytes(random.int(1, 65_535)))
      keys.set(key.join(), key)
    }
    const elements = [...keys.values()].map((key) => ({ key, data: random.pick(verdicts) }))
    transaction(connection, [{ ...services, op: "add", elements }])
    const expected = elements.map(serviceText).sort(byKey)
    assert.deepEqual(listed("ip", "services"), expected)
    assert.deepEqual(listElements(connection, services).map(serviceText).sort(byKey), expected)

    const some = elements.filter(() => random.chance(0.5))
    transaction(connection, [{ ...services, op: "delete", elements: some.map(({ key }) => ({ key })) }])
    const left = elements.filter((each) => !some.includes(each))
    assert.deepEqual(listed("ip", "services"), left.map(serviceText).sort(byKey))
    transaction(connection, [{ ...services, op: "flush" }])
    assert.deepEqual(listed("ip", "services"), [])
  })

  for (const [family, length] of [
    ["ip", 4],
    ["ip6", 16]
  ] as const) {
    it(`keeps values of several parts: ${family}`, () => {
      const bytes = () => Uint8Array.from({ length }, (_, k) => (k === 0 ? 0x20 : random.int(0, 255)))
      const elements = Array.from({ length: 100 }, (_, k) => ({
        key: concatenate(bytes(), portBytes(1000 + k)),
        data: concatenate(bytes(), portBytes(random.int(1, 65_535)))
      }))
      const servers = { family, table: "chronode-test", set: "servers" } as const
      transaction(connection, [{ ...servers, op: "add", elements }])
      const text = ({ key, data }: SetElement) => [endpoint(key, length), endpoint(data as Uint8Array, length)] as const
      assert.deepEqual(listed(family, "servers"), elements.map(text).sort(byKey))
      assert.deepEqual(listElements(connection, servers).map(text).sort(byKey), elements.map(text).sort(byKey))
    })
  }

  it("keeps how long elements stay", () => {
    const clients = { ...table, set: "clients" } as const
    const element = { key: addressBytes("10.1.2.3"), timeoutMillis: 10_800_000, expiresMillis: 3_600_000 }
    transaction(connection, [{ ...clients, op: "add", elements: [element] }])
    const [found] = listElements(connection, clients)
    assert.equal(found?.timeoutMillis, 10_800_000)
    const left = found?.expiresMillis ?? 0
    assert.ok(left <= 3_600_000 && left > 3_590_000, `${left} ms`)
    assert.match(nft("list", "set", "ip", "chronode-test", "clients"), /10\.1\.2\.3 timeout 3h expires (?:1h|59m)/u)
  })

  it("does all of a transaction or nothing, and says which element is at fault", () => {
    const elements = Array.from({ length: 3000 }, (_, k) => ({ key: service(k), data: { verdict: "drop" } as const }))
    const was = generation(connection)
    const wrong = { key: service(2500), data: { verdict: "goto", chain: "absent" } as const }
    const error = failure(() =>
      transaction(connection, [
        { ...table, op: "addChain", chain: "c" },
        { ...services, op: "add", elements: elements.map((each, k) => (k === 2500 ? wrong : each)) },
        { ...services, op: "delete", elements: [{ key: service(9999) }] }
      ])
    )
    assert.deepEqual([error.reason, error.errnoName, error.index, error.element], ["Refused", "ENOENT", 1, 2500])
    assert.deepEqual(listElements(connection, services), [])
    assert.ok(!listChains(connection, table).includes("c"))
    assert.equal(generation(connection), was)
  })

  it("refuses a transaction that was made for a rule set of before", () => {
    const was = generation(connection)
    nft("add", "chain", "ip", "chronode-test", "meanwhile")
    const change = [{ ...table, op: "addChain", chain: "late" }] as const
    assert.equal(failure(() => transaction(connection, change, { generation: was })).reason, "Busy")
    transaction(connection, change, { generation: generation(connection) })
    assert.ok(listChains(connection, table).includes("late"))
  })

  it("takes 30,000 elements in one transaction, and lists them", () => {
    const elements = Array.from({ length: 30_000 }, (_, k) => ({ key: service(k), data: { verdict: "drop" } as const }))
    const was = generation(connection)
    transaction(connection, [{ ...services, op: "add", elements }])
    assert.equal(generation(connection), was + 1)
    assert.equal(new Set(listElements(connection, services).map(({ key }) => key.join())).size, 30_000)
    transaction(connection, [{ ...services, op: "delete", elements: elements.map(({ key }) => ({ key })) }])
    assert.deepEqual(listElements(connection, services), [])
  })

  it("lists each element once while the kernel makes room for them", { timeout: 60_000 }, async () => {
    // The hash table grows some time after the elements came: a listing at once falls into that now and then.
    for (let round = 0; round < 6; round++) {
      const count = 4_000 + 6_000 * round
      const elements = Array.from({ length: count }, (_, k) => ({
        key: service(k),
        data: { verdict: "drop" } as const
      }))
      transaction(connection, [{ ...services, op: "add", elements }])
      assert.equal((await Effect.runPromise(mapElements(connection, services))).size, count)
      transaction(connection, [{ ...services, op: "flush" }])
    }
  })

  it("ends a listing that was left unfinished before it begins another", () => {
    const elements = Array.from({ length: 5000 }, (_, k) => ({ key: service(k), data: { verdict: "drop" } as const }))
    transaction(connection, [{ ...services, op: "add", elements }])
    const request = message(nftMessages.getElements, "ip", 0, (writer) => {
      writer.attributeString(1, "chronode-test")
      writer.attributeString(2, "services")
    })
    beginDump(connection, "list", request, elementsIn).next()
    assert.equal(dump(connection, "list", request, elementsIn).flat().length, 5000)
    transaction(connection, [{ ...services, op: "flush" }])
  })

  it("tells of changes by others, and not of its own", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const seen: Array<string> = []
        const changes = notifications(
          () => openSocket("netfilter"),
          [nfGroups.nftables],
          (found) => (found.portId === connection.transport.portId ? undefined : tableOf(found)),
          Duration.millis(10)
        )
        const fiber = yield* Effect.forkChild(
          Stream.runForEach(changes, ({ found }) => Effect.sync(() => seen.push(...found)))
        )
        yield* Effect.sleep("200 millis")
        transaction(connection, [
          { ...services, op: "add", elements: [{ key: service(1), data: { verdict: "drop" } }] }
        ])
        yield* Effect.sleep("100 millis")
        assert.deepEqual(seen, [])
        nft("add", "table", "ip", "another")
        nft("flush", "map", "ip", "chronode-test", "services")
        for (let k = 0; k < 200 && seen.length < 2; k++) yield* Effect.sleep("10 millis")
        assert.deepEqual(seen.slice(0, 2), ["another", "chronode-test"])
        yield* Fiber.interrupt(fiber)
      })
    ))

  it("lists tables and chains of everybody, and none where there are none", () => {
    const names = listTables(connection).map(({ family, table: name }) => `${family} ${name}`)
    assert.deepEqual(names.sort(), ["ip another", "ip chronode-test", "ip6 chronode-test"])
    assert.deepEqual(listChains(connection, { family: "ip", table: "absent" }), [])
  })
})

interface IpLink {
  readonly ifindex: number
  readonly ifname: string
  readonly mtu: number
  readonly flags: ReadonlyArray<string>
  readonly linkinfo?: { readonly info_kind?: string }
  readonly addr_info: ReadonlyArray<{ readonly local: string; readonly prefixlen: number }>
}
const ip = (...argv: ReadonlyArray<string>): ReadonlyArray<IpLink> =>
  JSON.parse(execFileSync("ip", ["-j", "-d", ...argv], { encoding: "utf8" })) as ReadonlyArray<IpLink>

describe("devices and addresses over netlink", requires("root", "ip"), () => {
  let connection: Connection
  before(() => {
    connection = connect(openSocket("route"))
  })
  after(() => connection.transport.close())

  it("are those that the ip program lists", () => {
    addLink(connection, { name: "chronode0", kind: "bridge" })
    const made = findLink(connection, "chronode0")!
    setLinkUp(connection, made.index)
    const failures = addAddresses(connection, made.index, [
      { address: "10.96.0.1" },
      { address: "fd00::1" },
      { address: "192.0.2.1", prefixLength: 24 },
      { address: "10.96.0.1" }
    ])
    assert.equal(failures.size, 0)
    const links = ip("link").map(({ ifindex, ifname, mtu, flags, linkinfo }) => ({
      index: ifindex,
      name: ifname,
      isUp: flags.includes("UP"),
      mtu,
      ...(linkinfo?.info_kind === undefined ? {} : { kind: linkinfo.info_kind })
    }))
    assert.deepEqual(
      listLinks(connection).map(({ master: _, ...link }) => link),
      links
    )
    const addresses = ip("addr").flatMap(({ ifindex, addr_info }) =>
      addr_info.map(({ local, prefixlen }) => `${ifindex} ${local}/${prefixlen}`)
    )
    const ours = listAddresses(connection).map((each) => `${each.index} ${each.address}/${each.prefixLength}`)
    assert.deepEqual([...ours].sort(), [...addresses].sort())
    const mine = listAddresses(connection, { index: made.index }).filter(({ scope }) => scope === 0)
    assert.deepEqual(
      mine.map(({ isUsable }) => isUsable),
      [true, true, true]
    )
  })

  it("are given and taken by the thousand, and fail one by one", () => {
    const { index } = findLink(connection, "chronode0")!
    const many = Array.from({ length: 2500 }, (_, k) => ({ address: `10.97.${k >> 8}.${k & 255}` }))
    assert.equal(addAddresses(connection, index, many).size, 0)
    assert.equal(addAddresses(connection, index, many).size, 0)
    assert.equal(listAddresses(connection, { index, family: "IPv4" }).length, 2502)
    // Somebody changes them while they are listed: what is told is the state of one moment.
    const other = connect(openSocket("route"))
    const listing = beginDump(connection, "list addresses", addressesRequest("IPv4"), (found) => readAddress(found))
    assert.equal(listing.next(), undefined)
    deleteAddresses(other, index, many.slice(0, 2000))
    let found: ReadonlyArray<LinkAddress> | undefined
    while (found === undefined) found = listing.next()
    assert.equal(found.filter((each) => each.index === index && each.family === "IPv4").length, 502)
    other.transport.close()
    const wrong = addAddresses(
      connection,
      index,
      many.map((each) => ({ ...each, prefixLength: 33 }))
    )
    assert.deepEqual([...wrong.keys()], [...many.keys()])
    assert.deepEqual([wrong.get(2499)?.errnoName, wrong.get(2499)?.index], ["EINVAL", 2499])
    assert.equal(deleteAddresses(connection, index, many).size, 0)
    assert.equal(deleteAddresses(connection, index, many).size, 0)
    assert.equal(listAddresses(connection, { index, family: "IPv4" }).length, 2)
  })

  it("fail with what the kernel says", () => {
    const again = failure(() => addLink(connection, { name: "chronode0", kind: "bridge" }))
    assert.deepEqual([again.reason, again.errnoName], ["Refused", "EEXIST"])
    const unknown = failure(() => addLink(connection, { name: "chronode1", kind: "no-such-kind" }))
    assert.deepEqual([unknown.reason, unknown.operation], ["Unsupported", "make device chronode1 (no-such-kind)"])
    assert.equal(addAddresses(connection, 4711, [{ address: "10.0.0.1" }]).get(0)?.errnoName, "ENODEV")
    assert.deepEqual([deleteLink(connection, "chronode0"), deleteLink(connection, "chronode0")], [true, false])
  })
})

describe("a netlink socket", requires("root"), () => {
  it("waits no longer than it is told", () => {
    const socket = openSocket("route")
    const begin = performance.now()
    assert.equal(socket.receive("wait", 0), undefined)
    assert.equal(socket.receive("wait", 50), undefined)
    const waited = performance.now() - begin
    assert.ok(waited >= 49 && waited < 2000, `${waited} ms`)
    socket.close()
  })

  it("knows families of generic netlink by name, and which are not there", () => {
    const connection = connect(openSocket("generic"))
    const family = findFamily(connection, "nlctrl")
    assert.deepEqual([family.id, family.groups.notify], [16, 16])
    assert.equal(failure(() => findFamily(connection, "no-such-family")).reason, "Unsupported")
    connection.transport.close()
  })

  it("that was closed says so", () => {
    const connection = connect(openSocket("route"))
    connection.transport.close()
    assert.equal(failure(() => listLinks(connection)).reason, "Closed")
  })
})
