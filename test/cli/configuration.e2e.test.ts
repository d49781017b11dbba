/** Files written for kubelet, as they are: an agent starts with them, reads them again on SIGHUP, and `doctor` says what it makes of them. */
import assert from "node:assert/strict"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Effect } from "effect"
import { findHierarchies } from "../../src/adapters/cgroupfs/hierarchies.ts"
import { makeCgroups } from "../../src/adapters/cgroupfs/live.ts"
import { eventually } from "../support/agent.ts"
import { binary, chronode, type Running, type Runtime, runtimesOf, startProgram } from "./program.ts"

const cgroupRoot = `/chronode-configuration-${process.pid}`
const slow = { timeout: 90_000 }
const seed = (name: string): string => readFileSync(new URL(`../cases/seed-examples/${name}`, import.meta.url), "utf8")

let directory = ""
before(async () => {
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  mkdirSync(join(directory, "manifests"))
})
after(async () => {
  await rm(directory, { recursive: true, force: true })
  const cgroups = makeCgroups(await findHierarchies())
  await Effect.runPromise(Effect.ignore(cgroups.remove(cgroupRoot)))
})

/** It needs no container runtime for this: none answers. */
const start = (
  runtime: Runtime,
  name: string
): { readonly file: string; readonly data: string; readonly agent: Running } => {
  const [file, data] = [join(directory, name), join(directory, `data-${name}-${runtime}`)]
  writeFileSync(file, seed(name))
  const words = ["run", "--manifests", join(directory, "manifests"), "--data-dir", data, "--no-nats", "--config", file]
  const own = [
    "--cri",
    `unix://${directory}/none.sock`,
    "--pod-logs-dir",
    join(directory, "logs"),
    "--cgroup-root",
    "/t"
  ]
  return { file, data, agent: startProgram(binary, [...words, ...own], { CHRONODE_RUNTIME: runtime }) }
}

interface Told {
  readonly type: string
  readonly data: Readonly<Record<string, never>>
}
const told = async (runtime: Runtime, data: string, type: string): Promise<ReadonlyArray<Told["data"]>> => {
  const { out } = await chronode(runtime, ["events", "-o", "json", "--data-dir", data])
  const events = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Told)
  return events.filter((event) => event.type.includes(`.${type}.`)).map((event) => event.data)
}
const last = (runtime: Runtime, data: string, type: string, count: number) =>
  eventually(`${count} of ${type}`, async () => {
    const found = await told(runtime, data, type)
    return found.length >= count ? found.at(-1) : undefined
  })

for (const runtime of runtimesOf("bun")) {
  describe(`configurations from the field on ${runtime}`, () => {
    it(
      "start an agent; a changed file is taken on SIGHUP as far as it can be, and a wrong one is not",
      slow,
      async () => {
        const { file, data, agent } = start(runtime, "eviction-1.yaml")
        const first = (await last(runtime, data, "ConfigurationApplied", 1)) as Record<string, unknown>
        assert.equal(first.reason, "Started")
        assert.deepEqual((first.configuration as Record<string, unknown>).evictionMaxPodGracePeriod, 60)

        writeFileSync(file, `${seed("eviction-1.yaml").replace('"100Mi"', '"150Mi"')}\nmaxPods: 50\n`)
        agent.signal("SIGHUP")
        const second = (await last(runtime, data, "ConfigurationApplied", 2)) as Record<string, unknown>
        assert.deepEqual(second.changed, ["evictionHard.memory.available"])
        assert.deepEqual(second.needsRestart, ["maxPods"])
        const thresholds = (await last(runtime, data, "EvictionConfigured", 2)) as Record<
          string,
          Record<string, string>
        >
        assert.equal(thresholds.evictionHard?.["memory.available"], "150Mi")

        writeFileSync(file, seed("eviction-1.yaml").replace('"100Mi"', '"-1"'))
        agent.signal("SIGHUP")
        const rejected = (await last(runtime, data, "ConfigurationRejected", 1)) as Record<
          string,
          ReadonlyArray<object>
        >
        assert.deepEqual(rejected.problems?.[0], {
          ...{ line: 3, column: 21, field: "evictionHard.memory.available" },
          message: "eviction threshold memory.available must be positive: -1"
        })
        agent.signal("SIGTERM")
        assert.equal((await agent.finished).code, 0)
      }
    )

    it("reserve what the machine has, or say in kubelet's words that it has too little", slow, async () => {
      const { data, agent } = start(runtime, "reserved-1.yaml")
      const isUp = eventually("it runs or it ended", async () =>
        (await told(runtime, data, "ConfigurationApplied")).length > 0 ? true : undefined
      )
      const ended = await Promise.race([isUp, agent.finished])
      if (ended === true) agent.signal("SIGTERM")
      const { code, err } = await agent.finished
      if (code !== 0) assert.match(err, /invalid Node Allocatable configuration\. Resource "/u)
    })

    it("are looked through by doctor: what is not acted on is listed with its reason", slow, async () => {
      const checked = async (name: string) => {
        const file = join(directory, name)
        writeFileSync(file, seed(name))
        const { out } = await chronode(runtime, ["doctor", "--no-nats", "-o", "json", "--config", file])
        const { checks } = JSON.parse(out) as {
          readonly checks: ReadonlyArray<{ readonly name: string; readonly found: string }>
        }
        return checks.filter((check) => check.name === "config").map(({ found }) => found)
      }
      const [first, second] = [await checked("kubelet-config-1.yaml"), await checked("kubelet-config-2.yaml")]
      assert.ok(
        first.some((found) => /without a meaning here: .*podCIDR \(addresses are given by/u.test(found)),
        first.join()
      )
      assert.equal(second.filter((found) => /is not enforced: (system|kube)ReservedCgroup/u.test(found)).length, 2)
    })
  })
}
