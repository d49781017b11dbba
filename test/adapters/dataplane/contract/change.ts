/** Changes while there is traffic: what goes on, what moves, what must never be broken. */
import assert from "node:assert/strict"
import { it } from "node:test"
import { Effect } from "effect"
import { flowTarget, staleFlows } from "../../../../src/actors/service/rules/stale-flows.ts"
import { layer as connections } from "../../../../src/adapters/conntrack/live.ts"
import { Conntrack } from "../../../../src/adapters/conntrack/port.ts"
import { rulesKey, type ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import type { IpFamily } from "../../../../src/events/service-shape.ts"
import { type Loop, plan, silenceLimit } from "../../../support/netlab/lab.ts"
import { crowdOf } from "./crowd.ts"
import { having, type World } from "./world.ts"

/** Milliseconds between the questions of a client that loops. */
const loopPause = 4

/** A client that loops at a Service that nothing happens to: not one question may fail. */
export const undisturbed = async (world: World, rules: ServiceRules, work: () => Promise<unknown>): Promise<void> => {
  const { clusterIP, nodePort, family } = rules
  const loops: ReadonlyArray<Loop> = [
    await world.lab.loop(loopPause, { from: "pod3", to: clusterIP, port: 80 }),
    await world.lab.loop(loopPause, { from: "client", to: plan[family].node, port: nodePort! })
  ]
  let outcomes: ReadonlyArray<Awaited<ReturnType<Loop["stop"]>>> = []
  try {
    await work()
  } finally {
    outcomes = await Promise.all(loops.map((loop) => loop.stop()))
  }
  for (const { asked, failures } of outcomes) {
    assert.deepEqual(failures, [], `${failures.length} of ${asked} failed`)
    assert.ok(asked > 0)
  }
}

export const changeTests = (its: () => World, family: IpFamily): void => {
  const { node } = plan[family]

  it("lets a connection go on at a server that leaves, while new ones go elsewhere", async () => {
    const rules = its().service(family, ["pod1"])
    await its().resync([rules])
    const inside = await its().lab.hold({ from: "pod3", to: rules.clusterIP, port: 80 })
    const outside = await its().lab.hold({ from: "client", to: node, port: rules.nodePort! })
    await its().put({ ...rules, ...having(family, ["pod2"]) })
    await its().reaches(["pod2"], { from: "pod3", to: rules.clusterIP, port: 80 })
    await its().reaches(["pod2"], { from: "client", to: node, port: rules.nodePort! })
    for (const held of [inside, outside]) {
      for (const answer of [held.first, await held.say(), await held.say()]) {
        assert.equal(answer.outcome === "answered" && answer.server, "pod1")
      }
      await held.release()
    }
  })

  it("leaves flows of UDP to a server that left, until they are taken out of the kernel's connections", async () => {
    const rules = its().service(family, ["pod1"], { protocol: "UDP" })
    const other = its().service(family, ["pod1"], { protocol: "UDP" })
    await its().resync([rules, other])
    const ask = { protocol: "UDP", timeout: silenceLimit } as const
    const stays = await its().lab.hold({ from: "pod3", to: other.clusterIP, port: 80, ...ask })
    const flows = [
      await its().lab.hold({ from: "pod3", to: rules.clusterIP, port: 80, ...ask }),
      await its().lab.hold({ from: "client", to: node, port: rules.nodePort!, ...ask })
    ]
    const changed = { ...rules, ...having(family, ["pod2"]) }
    await its().put(changed)
    const targets = [changed, other].map((each) =>
      flowTarget(
        each,
        each.cluster.map(({ ip: address, port }) => ({ address, port, serving: true }))
      )
    )
    await Effect.gen(function* () {
      const conntrack = yield* Conntrack
      const stale = staleFlows(yield* conntrack.flows(family, "UDP"), targets, (address) => address === node)
      assert.ok(stale.every(({ reply }) => reply.source === plan[family].pods.pod1))
      const removed = yield* conntrack.remove(stale)
      if (its().subject.deviations["flows of UDP end with their server"] === undefined) assert.equal(removed, 2)
    }).pipe(Effect.provide(connections), Effect.runPromise)
    for (const held of flows) {
      assert.equal(held.first.outcome === "answered" && held.first.server, "pod1")
      let next = await held.say()
      // IPVS has connections of its own: the packet that finds one without a server is lost, and so is the connection.
      if (next.outcome === "timed out") next = await held.say()
      assert.equal(next.outcome === "answered" && next.server, "pod2")
      await held.release()
    }
    const undisturbed = await stays.say()
    assert.equal(undisturbed.outcome === "answered" && undisturbed.server, "pod1")
    await stays.release()
  })

  it("takes Services, ports and servers in, changes them and takes them away, and disturbs no other", async () => {
    const world = its()
    const still = world.service(family, ["pod2", "remote"])
    await world.resync([still])
    const [one, two] = [world.service(family, ["pod1"]), world.service(family, ["pod2"])]
    await undisturbed(world, still, async () => {
      await world.put(one, two)
      await world.reaches(["pod1"], { from: "pod3", to: one.clusterIP, port: 80 })
      await world.reaches(["pod2"], { from: "pod3", to: two.clusterIP, port: 80 })
      // A port more of the same Service.
      const more = { ...one, portName: "more", port: 81, nodePort: one.nodePort! + 500 }
      await world.put(more)
      await world.reaches(["pod1"], { from: "pod3", to: one.clusterIP, port: 81 })
      await world.reaches(["pod1"], { from: "client", to: node, port: more.nodePort })
      // Servers come and go, one by one.
      for (const names of [
        ["pod1", "pod2"],
        ["pod1", "pod2", "remote"],
        ["pod2", "remote"],
        ["remote"],
        ["remote", "pod3"]
      ] as const) {
        await world.put({ ...one, ...having(family, names) })
        await world.reaches(names, { from: "pod3", to: one.clusterIP, port: 80 })
      }
      // Another port of the servers; other addresses of the Service.
      const moved = world.service(family, [], { name: one.name, ...having(family, ["pod3"], 8081) })
      await world.put(moved)
      await world.reaches(["pod3"], { from: "pod1", to: moved.clusterIP, port: 80 })
      await world.reaches(["pod3"], { from: "client", to: node, port: moved.nodePort! })
      await world.unanswered({ from: "pod1", to: one.clusterIP, port: 80 })
      await world.unanswered({ from: "client", to: node, port: one.nodePort! })
      // One goes, one loses its ways in from outside, and something comes, all at once.
      const { nodePort: _, ...plain } = two
      const bare: ServiceRules = { ...plain, externalIPs: [], loadBalancerIPs: [] }
      const late = world.service(family, ["remote"])
      await world.apply([
        ...[moved, more].map((gone) => ({ key: rulesKey(gone), rules: undefined })),
        ...[bare, late].map((rules) => ({ key: rulesKey(rules), rules }))
      ])
      await world.reaches(["pod2"], { from: "pod3", to: two.clusterIP, port: 80 })
      await world.reaches(["remote"], { from: "pod3", to: late.clusterIP, port: 80 })
      await Promise.all([
        world.unanswered({ from: "pod1", to: moved.clusterIP, port: 80 }),
        world.unanswered({ from: "client", to: node, port: more.nodePort }),
        world.unanswered({ from: "client", to: node, port: two.nodePort! }),
        world.unanswered({ from: "client", to: two.loadBalancerIPs[0]!, port: 80 }),
        world.unanswered({ from: "client", to: two.externalIPs[0]!, port: 80 })
      ])
      await world.take(bare, late)
    })
    assert.deepEqual(await world.resync(), { missing: 0, altered: 0, unexpected: 0, examples: [], refused: [] })
  })

  it("gives an address from one Service to another in one change", async () => {
    const one = its().service(family, ["pod1"])
    const heir = { ...one, name: "heir", ...having(family, ["pod2"]) }
    await its().resync([one])
    await its().apply([
      { key: rulesKey(one), rules: undefined },
      { key: rulesKey(heir), rules: heir }
    ])
    await its().reaches(["pod2"], { from: "pod3", to: one.clusterIP, port: 80 })
    await its().reaches(["pod2"], { from: "client", to: node, port: one.nodePort! })
    // And back, told the other way round.
    await its().apply([
      { key: rulesKey(one), rules: one },
      { key: rulesKey(heir), rules: undefined }
    ])
    await its().reaches(["pod1"], { from: "pod3", to: one.clusterIP, port: 80 })
    await its().reaches(["pod1"], { from: "client", to: node, port: one.nodePort! })
  })

  it("is taken over by a next life, and no packet notices", async () => {
    const still = its().service(family, ["pod1", "remote"])
    const gone = its().service(family, ["pod2"])
    await its().resync([still, gone])
    await undisturbed(its(), still, async () => {
      await its().restart()
      const found = await its().resync([still, gone])
      assert.deepEqual(found, { missing: 0, altered: 0, unexpected: 0, examples: [], refused: [] })
      await its().put({ ...gone, ...having(family, ["pod3"]) })
      await its().reaches(["pod3"], { from: "pod1", to: gone.clusterIP, port: 80 })
      // What happened between two lives is made up for.
      await its().restart()
      const { missing, altered, unexpected } = await its().resync([still])
      assert.ok(missing + altered + unexpected > 0)
      await its().unanswered({ from: "pod1", to: gone.clusterIP, port: 80 })
    })
  })

  it("carries a crowd of Services, and their coming and going disturbs no other", async () => {
    const still = its().service(family, ["pod1", "remote"])
    const crowd = crowdOf(still, its().subject.load.crowd, ["pod1", "pod2"])
    await its().resync([still])
    await undisturbed(its(), still, async () => {
      await its().resync([still, ...crowd])
      await its().reaches(["pod1", "pod2"], { from: "pod3", to: crowd.at(-1)!.clusterIP, port: 80 })
      await its().put(...crowd.slice(0, 50).map((rules) => ({ ...rules, ...having(family, ["pod3"]) })))
      await its().reaches(["pod3"], { from: "pod1", to: crowd[49]!.clusterIP, port: 80 })
      await its().take(...crowd.slice(50, crowd.length / 2))
      await its().resync([still])
    })
    await its().unanswered({ from: "pod3", to: crowd[7]!.clusterIP, port: 80, timeout: silenceLimit })
  })
}
