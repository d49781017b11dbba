/** What every implementation of `CgroupStatistics` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Fiber, Result, type Scope, Stream } from "effect"
import { type CgroupStatistics, maxSampledCgroups } from "../../../src/adapters/cgroupfs/port.ts"

export interface StatisticsUnderTest {
  readonly statistics: (typeof CgroupStatistics)["Service"]
  /** A path below which there is nothing yet. */
  readonly root: string
  readonly make: (path: string) => Effect.Effect<void>
  readonly remove: (path: string) => Effect.Effect<void>
  /** Lets a process of the cgroup take so many bytes of memory and keep them; answers once it has. */
  readonly spend: (path: string, bytes: number) => Effect.Effect<void>
}

const mebibyte = 1024 * 1024

export const statisticsContract = (
  name: string,
  make: Effect.Effect<StatisticsUnderTest, never, Scope.Scope>,
  options: { readonly skip?: string | false } = {}
): void => {
  const withIt = (use: (it: StatisticsUnderTest) => Effect.Effect<void, unknown, Scope.Scope>): Promise<void> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))

  describe(`${name} keeps the contract of statistics`, options, () => {
    it("tells what cgroups use in one pass, a parent with what is below it, and leaves out what is gone", () =>
      withIt(({ statistics, root, make, remove, spend }) =>
        Effect.gen(function* () {
          const [busy, idle, gone] = [`${root}/pod1/busy`, `${root}/pod1/idle`, `${root}/pod1/gone`]
          for (const path of [busy, idle, gone]) yield* make(path)
          yield* spend(busy, 24 * mebibyte)
          yield* remove(gone)
          const began = Date.now()
          const samples = yield* statistics.sample([`${root}/pod1`, busy, idle, gone, `${root}/never`])
          assert.deepEqual([...samples.keys()], [`${root}/pod1`, busy, idle])
          const [of, none] = [busy, idle].map((path) => samples.get(path)!)
          // Its processes go on while the pass goes from one to the next.
          const pod = (yield* statistics.sample([`${root}/pod1`])).get(`${root}/pod1`)
          assert.ok(Math.abs(of!.at - began) < 5_000)
          assert.ok(of!.memory!.usage >= 24 * mebibyte, `${of!.memory!.usage} bytes`)
          assert.ok(of!.memory!.rss >= 24 * mebibyte, `${of!.memory!.rss} bytes of it anonymous`)
          assert.ok(of!.memory!.workingSet <= of!.memory!.usage && of!.memory!.workingSet >= 24 * mebibyte)
          assert.ok(pod!.memory!.workingSet >= of!.memory!.rss, "the pod has what its containers have")
          assert.ok(none!.memory!.usage < mebibyte)
          assert.ok(of!.memory!.pageFaults > 0)
          assert.equal(of!.memory!.limit, undefined)
          assert.ok(of!.cpu!.usage > 0 && pod!.cpu!.usage >= of!.cpu!.usage)
          if (of!.pids !== undefined) assert.ok(of!.pids.current >= 1 && none!.pids!.current === 0)
        })
      ))

    it("tells briefly how much is used, the same as otherwise, and leaves out what is gone", () =>
      withIt(({ statistics, root, make, remove, spend }) =>
        Effect.gen(function* () {
          const [busy, idle, gone] = [`${root}/pod3/busy`, `${root}/pod3/idle`, `${root}/pod3/gone`]
          for (const path of [busy, idle, gone]) yield* make(path)
          yield* spend(busy, 24 * mebibyte)
          yield* remove(gone)
          const samples = yield* statistics.sampleBriefly([busy, idle, gone, `${root}/never`])
          assert.deepEqual([...samples.keys()], [busy, idle])
          const [of, none] = [busy, idle].map((path) => samples.get(path)!)
          const whole = (yield* statistics.sample([busy])).get(busy)!
          assert.ok(of!.memory!.workingSet >= 24 * mebibyte && of!.memory!.rss >= 24 * mebibyte)
          assert.ok(Math.abs(of!.memory!.workingSet - whole.memory!.workingSet) < 8 * mebibyte)
          assert.ok(none!.memory!.workingSet < mebibyte)
          assert.ok(of!.cpu!.usage > 0 && of!.cpu!.usage <= whole.cpu!.usage)
          assert.equal(of!.pids === undefined, whole.pids === undefined)
          if (of!.pids !== undefined) assert.ok(of!.pids.current >= 1 && none!.pids!.current === 0)
        })
      ))

    it("knows the cgroups below one, and none of one that is gone", () =>
      withIt(({ statistics, root, make, remove }) =>
        Effect.gen(function* () {
          yield* make(`${root}/pod2/a`)
          yield* make(`${root}/pod2/b/inner`)
          assert.deepEqual([...(yield* statistics.children(`${root}/pod2`))].sort(), ["a", "b"])
          assert.ok((yield* statistics.children("/")).includes(root.split("/")[1]!))
          yield* remove(`${root}/pod2`)
          assert.deepEqual(yield* statistics.children(`${root}/pod2`), [])
        })
      ))

    it("counts what goes over the interfaces of the processes in a cgroup or below it", () =>
      withIt(({ statistics, root, make, spend }) =>
        Effect.gen(function* () {
          yield* make(`${root}/pod3/empty`)
          yield* make(`${root}/pod3/one`)
          assert.deepEqual(yield* statistics.network(`${root}/pod3`), [])
          yield* spend(`${root}/pod3/one`, mebibyte)
          const interfaces = yield* statistics.network(`${root}/pod3`)
          assert.ok(
            interfaces.some(({ name }) => name === "lo"),
            JSON.stringify(interfaces)
          )
          assert.deepEqual(yield* statistics.network(`${root}/pod3/empty`), [])
          assert.deepEqual(yield* statistics.network(`${root}/never`), [])
        })
      ))

    it("tells of the whole node", () =>
      withIt(({ statistics }) =>
        Effect.gen(function* () {
          const { cpu, memory, pids } = yield* statistics.node
          assert.ok(cpu!.usage > 0)
          assert.ok(memory!.usage > 0 && memory!.workingSet <= memory!.usage && memory!.limit === undefined)
          assert.ok(pids!.current > 0 && pids!.current <= pids!.limit!)
        })
      ))

    it("has the evidence of a cgroup that is there", () =>
      withIt(({ statistics, root, make }) =>
        Effect.gen(function* () {
          yield* make(`${root}/pod4`)
          assert.equal((yield* statistics.oomEvidence(`${root}/pod4`))!.events["oom_kill"], 0)
          assert.equal(yield* statistics.oomEvidence(`${root}/never`), undefined)
        })
      ))

    it("notices that memory comes to a threshold, within 200 ms, and does not before", () =>
      withIt(({ statistics, root, make, spend }) =>
        Effect.gen(function* () {
          yield* make(`${root}/pod5`)
          const heard: Array<string> = []
          const listen = (usage: number, label: string) =>
            Stream.runForEach(statistics.memoryNotices(`${root}/pod5`, usage), ({ by, at }) =>
              Effect.sync(() => void heard.push(`${label} by ${by}${Math.abs(Date.now() - at) < 5_000 ? "" : " late"}`))
            ).pipe(Effect.forkScoped)
          yield* listen(16 * mebibyte, "passed")
          const higher = yield* listen(1024 * mebibyte, "not passed")
          yield* Effect.sleep("300 millis")
          assert.equal(heard.length, 0, heard.join())
          yield* spend(`${root}/pod5`, 32 * mebibyte)
          const came = Date.now()
          while (!heard.includes("passed by threshold") && Date.now() - came < 3_000) yield* Effect.sleep("5 millis")
          assert.ok(heard.includes("passed by threshold"), `heard: ${heard.join()}`)
          assert.ok(Date.now() - came < 200, `heard after ${Date.now() - came} ms`)
          assert.ok(!heard.includes("not passed by threshold"))
          assert.equal(higher.pollUnsafe(), undefined, "it goes on")
          yield* Fiber.interrupt(higher)
        })
      ))

    it("refuses paths that are none, and a pass over more than it is made for", () =>
      withIt(({ statistics }) =>
        Effect.gen(function* () {
          const many = Array.from({ length: maxSampledCgroups + 1 }, (_, k) => `/k${k}`)
          for (const call of [
            statistics.sample(["/.."]),
            statistics.sample(["kubepods"]),
            statistics.sample(many),
            statistics.children("/a/../.."),
            statistics.network("/a\0b"),
            statistics.oomEvidence("")
          ]) {
            const result = yield* Effect.result(call as Effect.Effect<unknown, { readonly reason: string }>)
            assert.equal(Result.isFailure(result) && result.failure.reason, "Invalid")
          }
        })
      ))
  })
}
