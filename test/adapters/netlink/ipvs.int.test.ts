// runtimes: vm
// netns: own
/** The codec of IPVS against the kernel, with ipvsadm as the other witness. */
import "../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { after, before, describe, it } from "node:test"
import { connect } from "../../../src/adapters/netlink/connection.ts"
import { type Ipvs, type IpvsChange, openIpvs } from "../../../src/adapters/netlink/ipvs-calls.ts"
import { openSocket } from "../../../src/adapters/netlink/socket.ts"
import { seededRandom } from "../../support/random.ts"
import { requires } from "../../support/requires.ts"
import { printed, type RandomServer, randomServers, restored } from "./random-ipvs.ts"

const random = seededRandom("IPVS and ipvsadm")
const servers = randomServers(random, 60)
const lines = (all: ReadonlyArray<RandomServer>) => all.flatMap(printed).sort()
const ipvsadm = (...args: ReadonlyArray<string>) => execFileSync("ipvsadm", args, { encoding: "utf8" })
const saved = () => ipvsadm("-Sn").trim().split("\n").filter(Boolean).sort()

const creations = (server: RandomServer): ReadonlyArray<IpvsChange> => [
  { do: "newService", service: server, options: server },
  ...server.destinations.map((destination): IpvsChange => ({ do: "newDestination", service: server, destination }))
]

describe("IPVS in the kernel", requires("root", "ipvs", "ipvsadm"), () => {
  let ipvs: Ipvs
  before(() => {
    ipvs = openIpvs(connect(openSocket("generic")))
  })
  after(() => ipvs?.close())

  /** What the kernel tells, without what it counts. */
  const read = (): ReadonlyArray<string> =>
    ipvs
      .services()
      .map(({ stats: _, ...server }) => ({
        ...server,
        flags: server.flags & ~2,
        destinations: ipvs
          .destinations(server)
          .map(({ active: _a, inactive: _i, persistent: _p, stats: _s, ...real }) => real)
          .toSorted((a, b) => (a.address < b.address ? -1 : 1))
      }))
      .map((server) => JSON.stringify(server))
      .toSorted()
  const told = (all: ReadonlyArray<RandomServer>): ReadonlyArray<string> =>
    all
      .map(({ family, scheduler, flags, timeout, prefix, destinations, ...id }) => ({
        ...{ family, ...id, scheduler, flags, timeout, prefix },
        destinations: destinations.toSorted((a, b) => (a.address < b.address ? -1 : 1))
      }))
      .map((server) => JSON.stringify(server))
      .toSorted()

  it("has what it was told in one send, as ipvsadm prints it and as it is read back", () => {
    assert.deepEqual([...ipvs.change(servers.flatMap(creations)).values()], [])
    assert.deepEqual(saved(), lines(servers))
    assert.deepEqual(read(), told(servers))
    assert.equal(ipvs.info().version, /version (\S+)/.exec(ipvsadm("-Ln"))![1])
  })

  it("is read as ipvsadm made it", () => {
    const others = randomServers(random, 40)
    ipvsadm("-C")
    execFileSync("ipvsadm", ["-R"], { input: `${others.flatMap(restored).join("\n")}\n` })
    assert.deepEqual(read(), told(others))
    assert.deepEqual(saved(), lines(others))
    ipvsadm("--set", "800", "70", "40")
    assert.deepEqual(ipvs.timeouts(), { tcp: 800, tcpFin: 70, udp: 40 })
    ipvs.setTimeouts({ tcpFin: 71 })
    assert.match(ipvsadm("-L", "--timeout"), /800 71 40/)
  })

  it("does what it can of a batch, and tells each failure by its place", () => {
    ipvsadm("-C")
    const one = servers.find((server) => server.destinations.length > 1 && !("mark" in server))!
    const [first] = one.destinations
    const failures = ipvs.change([
      ...creations(one),
      ...creations(one).slice(0, 2),
      { do: "setDestination", service: one, destination: { ...first!, weight: 77 } },
      { do: "deleteDestination", service: one, destination: { address: first!.address, port: first!.port ^ 1 } }
    ])
    const count = creations(one).length
    assert.deepEqual(
      [...failures].map(([index, { errnoName }]) => [index - count, errnoName]),
      [
        [0, "EEXIST"],
        [1, "EEXIST"],
        [3, "ENOENT"]
      ]
    )
    const [real] = ipvs.destinations(one).filter(({ address }) => address === first!.address)
    assert.equal(real!.weight, 77)
    assert.equal(ipvs.service(one)!.stats!.bytesIn, 0n)
  })

  it("lists thousands of real servers of one virtual server, in many parts", () => {
    ipvsadm("-C")
    const service = { family: "IPv4", protocol: "TCP", address: "10.96.0.1", port: 80 } as const
    const many = Array.from({ length: 2_500 }, (_, n) => `10.1.${n >> 8}.${n & 255}`)
    const changes = many.map((address): IpvsChange => {
      const destination = { family: "IPv4", address, port: 80, forwarding: "masquerade", weight: 1, upper: 0, lower: 0 }
      return { do: "newDestination", service, destination: destination as never }
    })
    const options = { scheduler: "rr", flags: 0, timeout: 0, prefix: 32 }
    assert.equal(ipvs.change([{ do: "newService", service, options }, ...changes]).size, 0)
    const found = ipvs.destinations(service).map(({ address }) => address)
    assert.deepEqual(found.toSorted(), many.toSorted())
  })
})
