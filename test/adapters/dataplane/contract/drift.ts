/** The kernel's rules belong to nobody alone: what others change of ours is found and mended, what is theirs is never touched. */
import assert from "node:assert/strict"
import { it } from "node:test"
import { Effect, Fiber, Stream } from "effect"
import { maxExamples } from "../../../../src/adapters/dataplane/port.ts"
import { plan } from "../../../support/netlab/lab.ts"
import { undisturbed } from "./change.ts"
import { crowdOf } from "./crowd.ts"
import { families, having, type Subject, sh, type World } from "./world.ts"

const nothing = { missing: 0, altered: 0, unexpected: 0, examples: [], refused: [] }
/** Milliseconds within which a disturbance must be told. */
const tellLimit = 5_000

export const driftTests = (its: () => World, subject: Subject): void => {
  const both = () => families.map((family) => its().service(family, ["pod1", "remote"]))
  const traffic = async (rules: ReturnType<typeof both>) => {
    for (const { family, clusterIP, nodePort } of rules) {
      await its().reaches(["pod1", "remote"], { from: "pod3", to: clusterIP, port: 80 })
      await its().reaches(["pod1", "remote"], { from: "client", to: plan[family].node, port: nodePort! })
    }
  }

  it("finds the kernel as it left it", async () => {
    const rules = both()
    await its().resync(rules)
    assert.deepEqual(await its().resync(), nothing)
    await its().put(...rules.map((one) => ({ ...one, ...having(one.family, ["pod1", "pod2", "pod3"]) })))
    assert.deepEqual(await its().resync(), nothing)
  })

  for (const { name, script, found } of subject.disturbances) {
    it(`mends it when ${name}`, async () => {
      // One of them has an affinity and source ranges, for what stands for these in the kernel.
      const rules = both().map((one, n) =>
        n === 0 ? one : { ...one, affinitySeconds: 3600, sourceRanges: ["::/0"], internalLocal: false }
      )
      await its().resync(rules)
      await sh(script)
      const { refused, examples, ...figures } = await its().resync()
      assert.deepEqual(refused, [])
      for (const figure of found) assert.ok(figures[figure] > 0, `${figure} of ${JSON.stringify(figures)}`)
      assert.ok(examples.length > 0 && examples.length <= maxExamples)
      for (const { family, clusterIP } of rules) {
        const answers = await its().lab.ask(4, { from: "pod3", to: clusterIP, port: 80 })
        for (const { outcome } of answers) assert.equal(outcome, "answered", family)
      }
      assert.deepEqual(await its().resync(), nothing)
    })
  }

  it("tells when somebody else changes what is ours, and not when it does so itself", async (t) => {
    const reason = subject.deviations["tells disturbances"]
    if (reason !== undefined) return t.skip(reason)
    const rules = both()
    await its().resync(rules)
    const firstWithin = (milliseconds: number) =>
      its().dataplane.disturbances.pipe(
        Stream.take(1),
        Stream.runCollect,
        Effect.map((ticks) => ticks.length),
        Effect.timeoutOrElse({ duration: milliseconds, orElse: () => Effect.succeed(0) })
      )
    const silent = Effect.runFork(firstWithin(400))
    await new Promise((done) => setTimeout(done, 100))
    await its().put(...rules.map((one) => ({ ...one, ...having(one.family, ["pod2"]) })))
    assert.equal(await Effect.runPromise(Fiber.join(silent)), 0, "its own change was told as another's")
    const told = Effect.runFork(firstWithin(tellLimit))
    await new Promise((done) => setTimeout(done, 100))
    await sh(subject.disturbances[0]!.script)
    assert.equal(await Effect.runPromise(Fiber.join(told)), 1)
    await its().resync()
  })

  it("mends what is broken and disturbs no Service that is not", async () => {
    const [still] = both()
    const other = its().service("IPv4", ["pod2"])
    await its().resync([still!, other])
    await undisturbed(its(), still!, async () => {
      for (let round = 0; round < 3; round++) {
        await its().resync()
        await its().put({ ...other, ...having("IPv4", round % 2 === 0 ? ["pod3"] : ["pod2", "remote"]) })
        await its().resync()
      }
    })
  })

  it("needs nothing that is not there, and says which kernel parameters it set, once", async () => {
    assert.deepEqual(await Effect.runPromise(its().dataplane.missing), [])
    for (const { name, value, failure } of await Effect.runPromise(its().dataplane.prepare)) {
      assert.equal(failure, undefined, `${name}=${value}: ${failure}`)
      assert.fail(`${name}=${value} is set again`)
    }
  })

  it("cleans up all that any of its lives made, and leaves others' entries as they are", async () => {
    const theirs = await sh(subject.foreign.read)
    const served = both()
    // So many that what leads to others does not fit into one step.
    await its().resync([...served, ...crowdOf(served[0]!, subject.load.crowd, ["pod1", "pod2"])])
    await traffic(served)
    assert.notEqual((await sh(subject.ours)).trim(), "")
    assert.equal(await sh(subject.foreign.read), theirs)
    const [one] = served
    await its().restart()
    const removed = await Effect.runPromise(its().dataplane.cleanup)
    assert.ok(removed.length > 0)
    assert.equal((await sh(subject.ours)).trim(), "")
    assert.equal(await sh(subject.foreign.read), theirs)
    await its().unanswered({ from: "pod3", to: one!.clusterIP, port: 80 })
    assert.deepEqual(await Effect.runPromise(its().dataplane.cleanup), [])
    // And begins anew.
    const rules = both()
    await its().restart()
    await its().resync(rules)
    await traffic(rules)
  })
}
