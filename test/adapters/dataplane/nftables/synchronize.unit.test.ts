/** What the kernel is sent, and what comes of its answers, on a kernel in memory that can be made to refuse. */
import assert from "node:assert/strict"
import { beforeEach, describe, it } from "node:test"
import { Effect } from "effect"
import { sets, slotsFor } from "../../../../src/adapters/dataplane/nftables/layout.ts"
import { makeSynchronizer, type Synchronizer } from "../../../../src/adapters/dataplane/nftables/synchronize.ts"
import { elementText } from "../../../../src/adapters/dataplane/nftables/text.ts"
import { type Change, type Desired, rulesKey, type ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import { roundsOr, seededRandom } from "../../../support/random.ts"
import { MemoryKernel } from "./memory-kernel.ts"
import { settingsOf } from "./rows.ts"
import { randomRules, server, some } from "./some-rules.ts"

const settings = settingsOf({ localDetector: { by: "cidr", cidrs: ["10.200.0.0/16", "fd00:200::/32"] } })
const nodePortAddresses = ["192.168.0.2", "127.0.0.1", "fd00::2"]
const wanted = (rules: ReadonlyArray<ServiceRules>): Desired => ({
  rules,
  nodePortAddresses,
  healthCheckPorts: [30_100]
})
const change = (rules: ServiceRules): Change => ({ key: rulesKey(rules), rules })
const without = (rules: ServiceRules): Change => ({ key: rulesKey(rules), rules: undefined })
const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

describe("Services in nftables", () => {
  let kernel: MemoryKernel
  let services: Synchronizer
  beforeEach(() => {
    kernel = new MemoryKernel()
    services = makeSynchronizer(kernel, settings)
  })

  /** What the last transactions did, as people read it. */
  const done = (): ReadonlyArray<ReadonlyArray<string>> => {
    const steps = kernel.commits.map((operations) =>
      operations.flatMap(({ set, key, family, before, after }) => [
        ...(before === undefined ? [] : [`- ${elementText(set, key, before, family)}`]),
        ...(after === undefined ? [] : [`+ ${elementText(set, key, after, family)}`])
      ])
    )
    kernel.commits = []
    return steps.filter((step) => step.length > 0)
  }

  /** What the kernel would have if it had been told of nothing else. */
  const fromScratch = async (rules: ReadonlyArray<ServiceRules>): Promise<ReadonlyArray<string>> => {
    const fresh = new MemoryKernel()
    const { refused } = await run(makeSynchronizer(fresh, settings).resync(wanted(rules)))
    assert.deepEqual(refused, [])
    return fresh.content()
  }

  it("are a slot for each server, and one element more", async () => {
    await run(
      services.resync(wanted([some("a", { local: [], cluster: [server("10.200.0.1"), server("10.200.0.2")] })]))
    )
    assert.deepEqual(kernel.content(), [
      "ip cluster-ips 10.96.0.1",
      "ip health-check-ports 30100",
      "ip node-ips 192.168.0.2",
      "ip services 10.96.0.1 . tcp . 80 : goto cluster-8",
      "ip slots 10.96.0.1 . tcp . 80 : 10.200.0.1 . 8080",
      "ip slots 10.96.0.1 . tcp . 80 : 10.200.0.2 . 8080",
      "ip6 health-check-ports 30100",
      "ip6 node-ips fd00::2"
    ])
  })

  it("change by one element when a server joins", async () => {
    const before = some("a")
    await run(services.resync(wanted([before, some("b", { clusterIP: "10.96.0.2" })])))
    done()
    await run(services.apply([change({ ...before, cluster: [...before.cluster, server("10.200.0.3")] })]))
    assert.deepEqual(done(), [["+ slots 10.96.0.1 . tcp . 80 . 2 : 10.200.0.3 . 8080"]])
  })

  it("let a server go by putting the last one in its place, and empty the last slot when nothing leads there", async () => {
    const before = some("a", { cluster: [1, 2, 3].map((host) => server(`10.200.0.${host}`)), local: [] })
    await run(services.resync(wanted([before])))
    done()
    await run(services.apply([change({ ...before, cluster: [server("10.200.0.2"), server("10.200.0.3")] })]))
    assert.deepEqual(done(), [
      ["- slots 10.96.0.1 . tcp . 80 . 0 : 10.200.0.1 . 8080", "+ slots 10.96.0.1 . tcp . 80 . 0 : 10.200.0.3 . 8080"],
      ["- slots 10.96.0.1 . tcp . 80 . 2 : 10.200.0.3 . 8080"]
    ])
  })

  it("lead to another chain when the number of servers passes a power of two", async () => {
    const of = (count: number) =>
      some("a", { local: [], cluster: Array.from({ length: count }, (_, at) => server(`10.200.0.${at + 1}`)) })
    await run(services.resync(wanted([of(8)])))
    done()
    await run(services.apply([change(of(9))]))
    assert.deepEqual(done(), [
      [
        "- services 10.96.0.1 . tcp . 80 : goto cluster-8",
        "+ services 10.96.0.1 . tcp . 80 : goto cluster-16",
        "+ slots 10.96.0.1 . tcp . 80 . 8 : 10.200.0.9 . 8080"
      ]
    ])
    for (const [count, slots] of [
      [1, 8],
      [8, 8],
      [9, 16],
      [16, 16],
      [17, 32],
      [100_000, 131_072]
    ] as const) {
      assert.equal(slotsFor(count), slots)
    }
  })

  it("send nothing where nothing changed", async () => {
    await run(services.resync(wanted([some("a")])))
    done()
    const again = some("a", { cluster: [...some("a").cluster].reverse() })
    assert.deepEqual(await run(services.apply([change(again)])), { refused: [] })
    const { missing, altered, unexpected } = await run(services.resync(wanted([again])))
    assert.deepEqual([done(), missing, altered, unexpected], [[], 0, 0, 0])
  })

  it("share a cluster IP between ports, which goes with the last of them", async () => {
    const [http, dns] = [some("a", { portName: "http" }), some("a", { portName: "dns", port: 53, protocol: "UDP" })]
    await run(services.resync(wanted([http, dns])))
    await run(services.apply([without(http)]))
    assert.ok(kernel.content().includes("ip cluster-ips 10.96.0.1"))
    await run(services.apply([without(dns)]))
    assert.deepEqual(kernel.content(), await fromScratch([]))
  })

  it("give an address over in one change, and refuse the one that wants another's", async () => {
    const [a, b] = [some("a", { nodePort: 30_001 }), some("b", { clusterIP: "10.96.0.2", nodePort: 30_002 })]
    await run(services.resync(wanted([a, b])))
    const [swappedA, swappedB] = [
      { ...a, nodePort: 30_002 },
      { ...b, nodePort: 30_001 }
    ]
    assert.deepEqual(await run(services.apply([change(swappedA), change(swappedB)])), { refused: [] })
    assert.deepEqual(kernel.content(), await fromScratch([swappedA, swappedB]))
    const { refused } = await run(services.apply([change(some("c", { clusterIP: "10.96.0.3", nodePort: 30_001 }))]))
    assert.deepEqual(refused, [{ key: "default/c:/IPv4", message: "node port 30001 belongs to default/b:/IPv4" }])
    assert.deepEqual(kernel.content(), await fromScratch([swappedA, swappedB]))
  })

  it("name those that cannot be written down, and take all others", async () => {
    const bad: ReadonlyArray<readonly [Partial<ServiceRules>, RegExp]> = [
      [{ clusterIP: "10.96.0.256" }, /10\.96\.0\.256 is no IPv4 address/],
      [{ externalIPs: ["fd00::1"] }, /fd00::1 is no IPv4 address/],
      [{ cluster: [server("host")] }, /server host:8080 is no IPv4 address and port/],
      [{ cluster: [server("10.200.0.1", false, 70_000)] }, /10\.200\.0\.1:70000/],
      [{ port: 0 }, /0 is no port/],
      [{ loadBalancerIPs: ["10.5.0.1"], sourceRanges: ["10.0.0.0/33"] }, /source range 10\.0\.0\.0\/33/]
    ]
    const { refused } = await run(
      services.resync(wanted([...bad.map(([more], at) => some(`bad${at}`, more)), some("good")]))
    )
    assert.deepEqual(
      refused.map(({ key }) => key),
      bad.map((_, at) => `default/bad${at}:/IPv4`)
    )
    for (const [at, [, says]] of bad.entries()) assert.match(refused[at]!.message, says)
    assert.deepEqual(kernel.content(), await fromScratch([some("good")]))
  })

  it("are found out one by one where the kernel refuses some, at a change and at a comparison", async () => {
    const all = Array.from({ length: 20 }, (_, at) => some(`s${at}`, { clusterIP: `10.96.0.${at}` }))
    kernel.refuses = (element) => /^services 10\.96\.0\.(7|12) /.test(element)
    const culprits = ["default/s12:/IPv4", "default/s7:/IPv4"]
    const rest = all.filter((rules) => !culprits.includes(rulesKey(rules)))
    await run(services.resync(wanted([])))
    const applied = await run(services.apply(all.map(change)))
    assert.deepEqual(applied.refused.map(({ key }) => key).sort(), culprits)
    assert.deepEqual(kernel.content(), await fromScratch(rest))

    const next = makeSynchronizer(kernel, settings)
    const repaired = await run(next.resync(wanted(all)))
    assert.deepEqual(repaired.refused.map(({ key }) => key).sort(), culprits)
    assert.deepEqual(kernel.content(), await fromScratch(rest))

    kernel.refuses = () => false
    assert.deepEqual((await run(next.apply(all.map(change)))).refused, [])
    assert.deepEqual(kernel.content(), await fromScratch(all))
  })

  it("wait while the kernel is busy, and not for ever", async () => {
    await run(services.resync(wanted([])))
    kernel.failures.push("Busy", "Busy")
    assert.deepEqual(await run(services.apply([change(some("a"))])), { refused: [] })
    kernel.failures.push(...Array.from({ length: 10 }, () => "Busy" as const))
    assert.equal((await run(Effect.flip(services.apply([without(some("a"))])))).reason, "Busy")
  })

  it("are compared after a failure that leaves in doubt what the kernel did", async () => {
    await run(services.resync(wanted([some("a")])))
    kernel.failures.push("Failed")
    const grown = some("a", { cluster: [...some("a").cluster, server("10.200.0.3")] })
    assert.equal((await run(Effect.flip(services.apply([change(grown)])))).reason, "Failed")
    // It had done a part of it.
    kernel.tables.get("IPv4")!.elements.get(sets.services.name)!.clear()
    assert.deepEqual(await run(services.apply([change(some("b", { clusterIP: "10.96.0.2" }))])), { refused: [] })
    assert.deepEqual(kernel.content(), await fromScratch([some("a"), some("b", { clusterIP: "10.96.0.2" })]))
  })

  it("are put right where a change meets what somebody else did", async () => {
    await run(services.resync(wanted([some("a"), some("b", { clusterIP: "10.96.0.2" })])))
    kernel.tables.get("IPv4")!.elements.get(sets.services.name)!.clear()
    assert.deepEqual(await run(services.apply([without(some("a"))])), { refused: [] })
    assert.deepEqual(kernel.content(), await fromScratch([some("b", { clusterIP: "10.96.0.2" })]))
  })

  it("are taken over from a former life, server by server where they are", async () => {
    const all = [some("a"), some("b", { clusterIP: "10.96.0.2", nodePort: 30_001, externalLocal: true })]
    await run(services.resync(wanted(all)))
    done()
    const turned = all.map((rules) => ({ ...rules, cluster: [...rules.cluster].reverse() }))
    const repaired = await run(makeSynchronizer(kernel, settings).resync(wanted(turned)))
    assert.deepEqual([done(), repaired.missing, repaired.altered, repaired.unexpected], [[], 0, 0, 0])
  })

  it("come to the same by any way as at once", async () => {
    const random = seededRandom("sequences of changes")
    for (let round = 0; round < roundsOr(8); round++) {
      kernel = new MemoryKernel()
      services = makeSynchronizer(kernel, settings)
      const now = new Map<number, ServiceRules>()
      const next = (): void => {
        const name = random.int(0, 11)
        if (random.chance(0.3)) now.delete(name)
        else now.set(name, randomRules(random, name))
      }
      for (let some = 0; some < 6; some++) next()
      await run(services.resync(wanted([...now.values()])))
      for (let step = 0; step < 12; step++) {
        const before = new Map(now)
        for (let changes = random.int(1, 4); changes > 0; changes--) next()
        const changes = [...new Set([...before.keys(), ...now.keys()])].flatMap((name): ReadonlyArray<Change> => {
          const [was, is] = [before.get(name), now.get(name)]
          if (was === is) return []
          // A Service of another family has another key.
          return [...(was === undefined ? [] : [without(was)]), ...(is === undefined ? [] : [change(is)])].slice(-1)
        })
        assert.deepEqual((await run(services.apply(changes))).refused, [])
        assert.deepEqual(kernel.content(), await fromScratch([...now.values()]), `round ${round}, step ${step}`)
        assert.deepEqual(kernel.gaps(), [])
        if (random.chance(0.2)) {
          const { missing, altered, unexpected } = await run(services.resync(wanted([...now.values()])))
          assert.deepEqual([missing, altered, unexpected], [0, 0, 0])
        }
      }
    }
  })
})
