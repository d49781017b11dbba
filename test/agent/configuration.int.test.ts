/** The configuration's file while the agent runs: read again on SIGHUP, with a real file and a real signal. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { Effect, Fiber, Queue } from "effect"
import { liveConfiguration } from "../../src/agent/configuration.ts"
import { readConfiguration } from "../../src/cli/configuration/configuration.ts"
import { agentOptions } from "../../src/cli/run/agent-settings.ts"

const dir = mkdtempSync(join(tmpdir(), "chronode-reload-"))
const file = join(dir, "config.yaml")
after(() => rmSync(dir, { recursive: true, force: true }))

const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
const put = (...lines: ReadonlyArray<string>) => writeFileSync(file, `${head}${lines.join("\n")}\n`)
const options = () =>
  agentOptions({ manifests: "/m", config: file, nats: false }, readConfiguration(file), "n1", () =>
    assert.fail("nobody asks")
  )

describe("a configuration's file", { timeout: 30_000 }, () => {
  it("is read again on SIGHUP: what can change changes, the rest is named, and a wrong file changes nothing", async () => {
    put("evictionHard: {memory.available: 100Mi}", "maxPods: 50", "containerLogMaxFiles: 3")
    const threshold = { level: "info" as const }
    const resolved = { ...options(), reload: options }
    const program = Effect.gen(function* () {
      const { options: live, follow } = liveConfiguration(resolved, threshold)
      const told = yield* Queue.bounded<Parameters<Parameters<typeof follow>[0]>[0]>(8)
      const following = yield* Effect.forkChild(follow((command) => Effect.asVoid(Queue.offer(told, command))))
      const first = yield* Queue.take(told)
      assert.ok(first._tag === "ConfigurationRead" && first.reason === "Started" && first.beside.includes("maxPods"))
      assert.equal(live.logRotation.maxFiles, 3)
      // The handler of the signal is there a moment after the first word.
      yield* Effect.sleep("50 millis")

      put("evictionHard: {memory.available: 200Mi}", "maxPods: 60", "containerLogMaxFiles: 4")
      process.kill(process.pid, "SIGHUP")
      const second = yield* Queue.take(told)
      assert.ok(second._tag === "ConfigurationRead" && second.reason === "Reloaded")
      assert.deepEqual(second.needsRestart, ["maxPods"])
      assert.deepEqual(live.kubelet.evictionHard, { "memory.available": "200Mi" })
      assert.equal(live.logRotation.maxFiles, 4)
      assert.equal(live.kubelet.maxPods, 50)

      put("evictionHard: {memory.available: -1Mi}")
      process.kill(process.pid, "SIGHUP")
      const third = yield* Queue.take(told)
      assert.ok(third._tag === "ConfigurationRefused")
      const [problem] = third.problems
      assert.deepEqual([problem?.line, problem?.field], [3, "evictionHard.memory.available"])
      assert.match(problem?.message ?? "", /must be positive/u)
      assert.deepEqual(live.kubelet.evictionHard, { "memory.available": "200Mi" })
      yield* Fiber.interrupt(following)
    })
    await Effect.runPromise(Effect.scoped(program))
  })
})
