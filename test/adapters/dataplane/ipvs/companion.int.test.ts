// netns: own
/** The table beside the virtual servers, in a real kernel: what is put into it, and what others do to it. */
import "../../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { after, describe, it } from "node:test"
import { Effect } from "effect"
import { openCompanion } from "../../../../src/adapters/dataplane/ipvs/companion.ts"
import { entryId } from "../../../../src/adapters/dataplane/ipvs/desired.ts"
import { elementOf, entryOf } from "../../../../src/adapters/dataplane/ipvs/entries.ts"
import { type Entry, setNames } from "../../../../src/adapters/dataplane/ipvs/plan.ts"
import { type DataplaneSettings, defaultName, type LocalDetector } from "../../../../src/adapters/dataplane/port.ts"
import { connect } from "../../../../src/adapters/netlink/connection.ts"
import { openSocket } from "../../../../src/adapters/netlink/socket.ts"
import { type Random, roundsOr, seededRandom } from "../../../support/random.ts"
import { requires } from "../../../support/requires.ts"

const random = seededRandom("entries beside IPVS")

const settingsBy = (localDetector: LocalDetector, masqueradeAll = false): DataplaneSettings => ({
  ...{ name: defaultName, families: ["IPv4", "IPv6"], masqueradeAll, masqueradeBit: 14, localDetector },
  localhostNodePorts: false,
  ipvs: { scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 }
})
const detectors: ReadonlyArray<LocalDetector> = [
  { by: "none" },
  { by: "cidr", cidrs: ["10.244.0.0/16"] },
  { by: "cidr", cidrs: ["10.244.0.0/16", "10.9.0.0/24", "fd00::/48"] },
  { by: "bridge", name: "cni0" },
  { by: "prefix", prefix: "veth" }
]

const address = (from: Random, family: Entry["family"]) =>
  family === "IPv4"
    ? `${from.int(1, 223)}.${from.int(0, 255)}.${from.int(0, 255)}.${from.int(0, 255)}`
    : `2001:db8::${from.int(1, 0xffff).toString(16)}`

const anyEntry = (): Entry => {
  const family = random.pick(["IPv4", "IPv6"] as const)
  const [one, other] = [address(random, family), address(random, family)]
  const front = `${one} . ${random.pick(["tcp", "udp", "sctp"])} . ${random.int(1, 65_535)}`
  const set = random.pick(setNames)
  switch (set) {
    case "addresses":
      return { set, family, key: one }
    case "hairpin":
      return { set, family, key: `${one} . ${other}` }
    case "empty":
      return { set, family, key: front, value: random.pick(["goto refuse", "drop"]) }
    case "inward":
      return { set, family, key: front, value: `${other} . ${random.int(1, 65_535)}` }
    case "allowed": {
      const range = family === "IPv4" ? random.pick(["10.0.0.0/8", "10.1.2.0/23", "10.1.2.3", "0.0.0.0/0"]) : "fc00::/7"
      return { set, family, key: `${front} . ${random.chance(0.5) ? range : other}` }
    }
    default:
      return { set, family, key: front }
  }
}

const anyEntries = (count: number): ReadonlyMap<string, Entry> =>
  new Map(Array.from({ length: count }, anyEntry).map((entry) => [entryId(entry), entry]))

const nft = (script: string) => execFileSync("nft", ["-f", "-"], { input: script })
const ids = (entries: ReadonlyMap<string, Entry>) => [...entries.keys()].toSorted()

describe("the table beside IPVS", requires("root", "nft"), () => {
  const connection = connect(openSocket("netfilter"))
  after(() => connection.transport.close())
  const open = (settings: DataplaneSettings) => openCompanion(settings, connection)

  it("has entries that are the same as bytes and as text", () => {
    for (const entry of anyEntries(roundsOr(500)).values()) {
      assert.deepEqual(entryOf(entry.set, entry.family, elementOf(entry)), entry)
    }
  })

  it("has what was put into it, entry by entry", async () => {
    const companion = open(settingsBy(detectors[1]!))
    assert.equal(await Effect.runPromise(companion.ensure), "missing")
    const [first, second] = [anyEntries(200), anyEntries(150)]
    await Effect.runPromise(companion.change([], [...first.values()]))
    assert.deepEqual(ids(await Effect.runPromise(companion.read)), ids(first))
    await Effect.runPromise(companion.change([...first.values()], [...second.values()]))
    assert.deepEqual(ids(await Effect.runPromise(companion.read)), ids(second))
    // Rules are written anew and entries stay, also in another life and with other settings.
    for (const detector of detectors) {
      for (const all of [false, true]) await Effect.runPromise(open(settingsBy(detector, all)).ensure)
    }
    assert.deepEqual(ids(await Effect.runPromise(companion.read)), ids(second))
    assert.equal(await Effect.runPromise(companion.remove), true)
    assert.equal(await Effect.runPromise(companion.remove), false)
  })

  it("notices what others did to its rules, and puts them back", async () => {
    const companion = open(settingsBy(detectors[2]!))
    await Effect.runPromise(companion.ensure)
    assert.equal(await Effect.runPromise(companion.ensure), "same")
    const table = `inet ${companion.name}`
    for (const [script, found] of [
      [`flush chain ${table} postrouting`, "altered"],
      [`insert rule ${table} inspect accept`, "altered"],
      [`delete table ${table}`, "missing"],
      ["flush ruleset", "missing"],
      // One of another version of this program.
      [`delete table ${table}; add table ${table}; add set ${table} services4 { type ipv4_addr; }`, "altered"]
    ] as const) {
      nft(script.replaceAll("; add", "\nadd"))
      assert.equal(await Effect.runPromise(companion.ensure), found, script)
      assert.equal(await Effect.runPromise(companion.ensure), "same", script)
    }
    const next = open(settingsBy(detectors[2]!))
    assert.equal(await Effect.runPromise(next.ensure), "same", "a next life finds it as it is")
    await Effect.runPromise(companion.remove)
  })
})
