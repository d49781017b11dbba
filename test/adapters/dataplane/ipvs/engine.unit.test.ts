/** Whatever happens on the way, afterwards the kernel is what it should be: judged on a kernel in memory. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Result } from "effect"
import { DesiredTable } from "../../../../src/adapters/dataplane/ipvs/desired.ts"
import { Drains } from "../../../../src/adapters/dataplane/ipvs/drains.ts"
import { Engine } from "../../../../src/adapters/dataplane/ipvs/engine.ts"
import { ownerMark } from "../../../../src/adapters/dataplane/ipvs/names.ts"
import { planRules } from "../../../../src/adapters/dataplane/ipvs/plan.ts"
import { type Change, type Desired, rulesKey, type ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import { EBUSY, EINVAL, ENOBUFS, ENOENT, EPERM } from "../../../../src/adapters/netlink/errno.ts"
import { type Random, roundsOr, seededRandom } from "../../../support/random.ts"
import { type ModelKernel, modelKernel } from "./model-kernel.ts"

const mark = ownerMark("chronode")
const nodePortAddresses = ["192.0.2.1"]
const around = { scheduler: "rr", mark, nodeAddresses: new Set(nodePortAddresses), nodePortAddresses } as const

const engineOn = (kernel: ModelKernel, isOthers: (address: string) => boolean = () => false) =>
  new Engine(kernel, { around: { scheduler: "rr", mark }, isOthers }, new Drains())

const desired = (rules: Iterable<ServiceRules>): Desired => ({ rules, nodePortAddresses, healthCheckPorts: [] })
const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)

const server = (n: number) => ({ ip: `10.244.${n % 3}.${n + 1}`, port: 8080, local: n % 3 === 0 })

const rulesOf = (n: number, servers: ReadonlyArray<number>, more: Partial<ServiceRules> = {}): ServiceRules => {
  const cluster = servers.map(server)
  return {
    ...{ namespace: "lab", name: `s${n}`, portName: "", family: "IPv4", protocol: "TCP" },
    ...{ clusterIP: `10.96.0.${n}`, port: 80, externalIPs: [], loadBalancerIPs: [], sourceRanges: [] },
    ...{ internalLocal: false, externalLocal: false, cluster, local: cluster.filter(({ local }) => local) },
    ...{ hasAny: cluster.length > 0, ...more }
  }
}

const anyRules = (random: Random, n: number): ServiceRules =>
  rulesOf(n, [...new Set(Array.from({ length: random.int(0, 4) }, () => random.int(0, 9)))], {
    protocol: random.pick(["TCP", "UDP"]),
    ...(random.chance(0.3) ? { nodePort: 30_000 + n } : {}),
    externalIPs: random.chance(0.3) ? [`203.0.113.${random.int(1, 3)}`] : [],
    loadBalancerIPs: random.chance(0.3) ? [`198.51.100.${n}`] : [],
    sourceRanges: random.chance(0.3) ? ["10.0.0.0/8", "10.1.0.0/16"] : [],
    externalLocal: random.chance(0.3),
    internalLocal: random.chance(0.2),
    hasAny: random.chance(0.8),
    ...(random.chance(0.2) ? { affinitySeconds: 60 } : {})
  })

/** Everything of ours in the kernel is what the plan says; real servers of weight 0 may be there beside. */
const assertIs = (kernel: ModelKernel, rules: Iterable<ServiceRules>): void => {
  const table = new DesiredTable()
  for (const one of rules) table.set(rulesKey(one), planRules(one, around))
  const wanted = [...table.servers()]
  const own = [...kernel.servers].filter(([, { options }]) => options.flags >>> 16 === mark >>> 16)
  assert.deepEqual(own.map(([name]) => name).toSorted(), wanted.map(({ key }) => key).toSorted())
  for (const planned of wanted) {
    const { options, reals } = kernel.servers.get(planned.key)!
    assert.deepEqual(options, planned.options)
    const weighed = [...reals.values()].filter(({ weight }) => weight > 0)
    assert.deepEqual(
      weighed.map(({ address, port, weight }) => `${address} ${port} ${weight}`).toSorted(),
      planned.servers.map(({ ip, port }) => `${ip} ${port} 1`).toSorted()
    )
  }
  assert.deepEqual([...kernel.addresses].toSorted(), [...table.addresses.keys()].toSorted())
  assert.deepEqual([...kernel.entries.keys()].toSorted(), [...table.entries.keys()].toSorted())
}

describe("the IPVS dataplane", () => {
  it("makes the kernel what it should be by any changes, whatever fails on the way", async () => {
    const random = seededRandom("changes of an IPVS kernel")
    for (let round = 0; round < roundsOr(15); round++) {
      const kernel = modelKernel()
      let engine = engineOn(kernel)
      const rules = new Map<string, ServiceRules>()
      await run(engine.resync(desired([])))
      for (let step = 0; step < 15; step++) {
        const changes = Array.from({ length: random.int(1, 4) }, (): Change => {
          const one = anyRules(random, random.int(1, 6))
          return { key: rulesKey(one), rules: random.chance(0.2) ? undefined : one }
        })
        for (const { key, rules: one } of changes) {
          if (one === undefined) rules.delete(key)
          else rules.set(key, one)
        }
        // A few faults, and then none any more.
        let left = random.pick([0, 0, 1, 2])
        const kind = random.pick([EBUSY, EINVAL, "overrun"] as const)
        kernel.fault = () => (left > 0 && random.chance(0.3) && left-- > 0 ? kind : undefined)
        kernel.entryFault = () => (left > 0 && random.chance(0.2) && left-- > 0 ? ENOBUFS : undefined)
        if (random.chance(0.2)) {
          // Others break something.
          const name = random.pick(["servers", "addresses", "entries"] as const)
          const [some] = kernel[name].keys()
          if (some !== undefined) kernel[name].delete(some)
          const result = await run(Effect.result(engine.resync(desired(rules.values()))))
          left = 0
          if (Result.isFailure(result)) await run(engine.resync(desired(rules.values())))
        } else if (random.chance(0.1)) {
          engine = engineOn(kernel)
          left = 0
          await run(engine.resync(desired(rules.values())))
        } else {
          const result = await run(Effect.result(engine.apply(changes)))
          left = 0
          if (Result.isFailure(result)) await run(engine.apply([]))
        }
        left = 0
        // Which of two rules has an address depends on who came first: the next life decides by the order that it is given.
        if (new Set([...rules.values()].flatMap((one) => one.externalIPs)).size === countExternal(rules.values()))
          assertIs(kernel, rules.values())
      }
      const again = await run(engine.resync(desired(rules.values())))
      assertIs(kernel, rules.values())
      const { missing, altered, unexpected } = await run(engine.resync(desired(rules.values())))
      assert.deepEqual([missing, altered, unexpected], [0, 0, 0], again.examples.join("; "))
      assert.ok((await run(engine.cleanup)).length > 0)
      assertIs(kernel, [])
    }
  })

  it("refuses what the kernel refuses, and has all the rest in force", async () => {
    const kernel = modelKernel()
    const engine = engineOn(kernel)
    await run(engine.resync(desired([rulesOf(1, [1])])))
    kernel.fault = (change) =>
      "destination" in change && change.destination.address === server(2).ip && change.do === "newDestination"
        ? EINVAL
        : undefined
    const { refused } = await run(
      engine.apply([
        { key: "lab/s2:/IPv4", rules: rulesOf(2, [2, 3]) },
        { key: "lab/s3:/IPv4", rules: rulesOf(3, [4]) }
      ])
    )
    assert.deepEqual(
      refused.map(({ key }) => key),
      ["lab/s2:/IPv4"]
    )
    assert.match(refused[0]!.message, /real server 10\.244\.2\.3:8080 of 10\.96\.0\.2:80\/TCP.*EINVAL/)
    assert.deepEqual([...kernel.servers.get("10.96.0.2:80/TCP")!.reals.keys()], [`${server(3).ip} 8080`])
    assert.equal(kernel.servers.get("10.96.0.3:80/TCP")!.reals.size, 1)
    // What cannot be written at all is not even tried.
    const bad = [
      rulesOf(4, [1], { clusterIP: "nowhere" }),
      rulesOf(5, [], { cluster: [{ ip: "fd00::1", port: 80, local: false }] })
    ]
    kernel.sent.length = 0
    const again = await run(engine.apply(bad.map((one) => ({ key: rulesKey(one), rules: one }))))
    assert.deepEqual(
      again.refused.map(({ message }) => message),
      ["nowhere is no IPv4 address", "the server fd00::1 80 is no IPv4 address and port"]
    )
    assert.deepEqual(kernel.sent, [])
    // When the kernel takes it again, the next comparison brings it.
    kernel.fault = () => undefined
    await run(engine.resync(desired([rulesOf(1, [1]), rulesOf(2, [2, 3])])))
    assertIs(kernel, [rulesOf(1, [1]), rulesOf(2, [2, 3])])
  })

  it("says which module is missing where the kernel has no such scheduler", async () => {
    const kernel = modelKernel()
    kernel.fault = (change) => (change.do === "newService" ? ENOENT : undefined)
    const { refused } = await run(engineOn(kernel).resync(desired([rulesOf(1, [1])])))
    assert.match(refused[0]!.message, /10\.96\.0\.1:80\/TCP: the kernel has no scheduler rr: load the module ip_vs_rr/)
  })

  it("needs rights, and says so", async () => {
    const kernel = modelKernel()
    kernel.fault = () => EPERM
    const result = await run(Effect.result(engineOn(kernel).resync(desired([rulesOf(1, [1])]))))
    assert.equal(Result.isFailure(result) && result.failure.reason, "NoPermission")
  })

  it("never touches virtual servers of others, nor those within excludeCIDRs, and says which Service they hinder", async () => {
    const kernel = modelKernel()
    const foreign = { scheduler: "wlc", flags: 0, timeout: 0, prefix: 32 }
    const make = (address: string, port: number, options = foreign) => {
      const id = { family: "IPv4", protocol: "TCP", address, port } as const
      kernel.ipvs.change([{ do: "newService", service: id, options }])
    }
    make("10.96.0.1", 80)
    make("10.96.0.9", 9999)
    make("172.16.0.1", 80, { ...foreign, flags: mark })
    kernel.ipvs.change([{ do: "newService", service: { family: "IPv4", mark: 7 }, options: foreign }])
    const before = structuredClone([...kernel.servers])
    const engine = engineOn(kernel, (address) => address.startsWith("172.16."))
    const rules = [
      rulesOf(1, [1], { externalIPs: ["203.0.113.1"] }),
      rulesOf(2, [1], { clusterIP: "172.16.0.1" }),
      rulesOf(3, [1])
    ]
    const { refused } = await run(engine.resync(desired(rules)))
    assert.deepEqual(
      refused.map(({ key, message }) => [key, /somebody else/.test(message), /excludeCIDRs/.test(message)]),
      [
        ["lab/s1:/IPv4", true, false],
        ["lab/s2:/IPv4", false, true]
      ]
    )
    assert.ok(kernel.servers.has("203.0.113.1:80/TCP"), "its other addresses are served")
    assert.ok(!kernel.entries.has("services 10.96.0.1 . tcp . 80") && !kernel.addresses.has("10.96.0.1"))
    // One that others made since the last look is met when ours shall be made.
    make("10.96.0.4", 80)
    before.push(structuredClone(["10.96.0.4:80/TCP", kernel.servers.get("10.96.0.4:80/TCP")!]) as never)
    const met = await run(engine.apply([{ key: "lab/s4:/IPv4", rules: rulesOf(4, [1]) }]))
    assert.match(met.refused[0]!.message, /somebody else/)
    assert.ok(!kernel.entries.has("services 10.96.0.4 . tcp . 80") && !kernel.addresses.has("10.96.0.4"))
    await run(engine.cleanup)
    assert.deepEqual([...kernel.servers], before)
  })

  it("knows its virtual servers by the table too, where ipvsadm edited them", async () => {
    const kernel = modelKernel()
    await run(engineOn(kernel).resync(desired([rulesOf(1, [1])])))
    kernel.servers.get("10.96.0.1:80/TCP")!.options = { scheduler: "sh", flags: 0, timeout: 0, prefix: 32 }
    const { altered, refused } = await run(engineOn(kernel).resync(desired([rulesOf(1, [1])])))
    assert.deepEqual([altered, refused], [1, []])
    assertIs(kernel, [rulesOf(1, [1])])
  })

  it("gives one virtual server to the first of two Services, and to the other when that goes", async () => {
    const kernel = modelKernel()
    const engine = engineOn(kernel)
    const shared = { externalIPs: ["203.0.113.1"] }
    const { refused } = await run(engine.resync(desired([rulesOf(1, [1], shared), rulesOf(2, [2], shared)])))
    assert.deepEqual(refused, [
      { key: "lab/s2:/IPv4", message: "203.0.113.1:80/TCP belongs to lab/s1:/IPv4, which was there before" }
    ])
    const reals = () => [...kernel.servers.get("203.0.113.1:80/TCP")!.reals.values()].filter(({ weight }) => weight > 0)
    assert.deepEqual(
      reals().map(({ address }) => address),
      [server(1).ip]
    )
    await run(engine.apply([{ key: "lab/s1:/IPv4", rules: undefined }]))
    assert.deepEqual(
      reals().map(({ address }) => address),
      [server(2).ip]
    )
    assertIs(kernel, [rulesOf(2, [2], shared)])
  })
})

describe("a real server that leaves", () => {
  const at = "10.96.0.1:80/TCP"
  const key = `${server(1).ip} 8080`
  const busy = async (more: Partial<ServiceRules> = {}) => {
    const kernel = modelKernel()
    const engine = engineOn(kernel)
    await run(engine.resync(desired([rulesOf(1, [1, 2], more)])))
    const name = more.protocol === undefined ? at : at.replace("TCP", more.protocol)
    const { reals } = kernel.servers.get(name)!
    reals.set(key, { ...reals.get(key)!, active: 1, inactive: 1 })
    return { kernel, engine, reals }
  }
  const put = (engine: Engine, servers: ReadonlyArray<number>, more: Partial<ServiceRules> = {}) =>
    run(engine.apply([{ key: "lab/s1:/IPv4", rules: rulesOf(1, servers, more) }]))

  it("keeps its connections without getting new ones, and goes with the last of them", async () => {
    const { engine, reals } = await busy()
    await put(engine, [2])
    assert.equal(reals.get(key)!.weight, 0)
    await run(engine.sweep)
    assert.ok(reals.has(key))
    const { missing, altered, unexpected } = await run(engine.resync(desired([rulesOf(1, [2])])))
    assert.deepEqual([missing, altered, unexpected], [0, 0, 0], "it is as it should be")
    reals.set(key, { ...reals.get(key)!, active: 0, inactive: 0 })
    await run(engine.sweep)
    assert.ok(!reals.has(key))
  })

  it("goes at once where it has no connections, and where there are none to wait for (UDP)", async () => {
    const { engine, reals } = await busy()
    await put(engine, [1])
    assert.deepEqual([...reals.keys()], [key])
    const udp = await busy({ protocol: "UDP" })
    await put(udp.engine, [2], { protocol: "UDP" })
    assert.ok(!udp.reals.has(key))
  })

  it("is taken back when it comes again, and is known to a next life", async () => {
    const { kernel, engine, reals } = await busy()
    await put(engine, [2])
    kernel.sent.length = 0
    await put(engine, [1, 2])
    assert.equal(reals.get(key)!.weight, 1)
    assert.deepEqual(
      kernel.sent.map((change) => change.do),
      ["setDestination"]
    )
    await put(engine, [2])
    const next = engineOn(kernel)
    await run(next.resync(desired([rulesOf(1, [2])])))
    assert.equal(reals.get(key)!.weight, 0)
    reals.set(key, { ...reals.get(key)!, active: 0, inactive: 0 })
    await run(next.sweep)
    assert.ok(!reals.has(key))
  })

  it("costs one change of one real server, however many Services there are", async () => {
    const kernel = modelKernel()
    const engine = engineOn(kernel)
    const all = Array.from({ length: 200 }, (_, n) => rulesOf(n + 1, [1, 2]))
    await run(engine.resync(desired(all)))
    kernel.sent.length = 0
    await put(engine, [1, 2, 4])
    assert.deepEqual(
      kernel.sent.map((change) => change.do),
      ["newDestination"]
    )
  })
})

const countExternal = (rules: Iterable<ServiceRules>): number =>
  [...rules].reduce((sum, { externalIPs }) => sum + externalIPs.length, 0)
