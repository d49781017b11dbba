/** What must not break a dataplane: a Service with very many servers, a program that is missing, a kill in the middle of a sync. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { it } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect, Result } from "effect"
import { DataplaneError, type Server, type ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import { plan, podNames, serverPorts } from "../../../support/netlab/lab.ts"
import { roundsOr, seededRandom } from "../../../support/random.ts"
import { withoutPrograms } from "../../../support/without-programs.ts"
import { undisturbed } from "./change.ts"
import { crowdOf } from "./crowd.ts"
import type { Syncing } from "./syncing.ts"
import { families, having, type Subject, sh, type World } from "./world.ts"

const bun = fileURLToPath(new URL("../../../../node_modules/.bin/bun", import.meta.url))
const syncing = fileURLToPath(new URL("syncing.ts", import.meta.url))
/** Ports from here on are answered by a pod's first server, once `openAll` is done. */
const firstOpenPort = 20_000

/** How often it is looked whether a killed life's programs are done, and milliseconds between. */
const [looksAfterKill, lookPause] = [5, 300]

/** Lets each pod answer on all ports from `firstOpenPort`: within its own namespace, in front of its one server. */
const openAll = async (): Promise<void> => {
  for (const pod of podNames) {
    await sh(`ip netns exec ${pod} iptables -w -t nat -A PREROUTING -p tcp --dport ${firstOpenPort}:65535 \
      -j REDIRECT --to-ports ${serverPorts[0]}`)
  }
}

/**
 * A program that the killed life had started goes on for a moment, and what it does then is found as another's change: the
 * agent's next looks mend it (the port's `disturbances` ask for them).
 */
const settled = async (world: World): Promise<void> => {
  let found = await world.resync()
  for (let look = 0; look < looksAfterKill && found.missing + found.altered + found.unexpected > 0; look++) {
    await new Promise((done) => setTimeout(done, lookPause))
    found = await world.resync()
  }
  assert.deepEqual([found.missing, found.altered, found.unexpected], [0, 0, 0], found.examples.join("; "))
}

export const faultTests = (its: () => World, subject: Subject): void => {
  const { load, tools } = subject

  it(`carries ${load.servers} servers of one Service, and lets them go, and no other Service notices`, {
    timeout: load.patience
  }, async () => {
    await openAll()
    const still = its().service("IPv4", ["pod1", "pod2"])
    const pods = podNames.map((name) => plan.IPv4.pods[name])
    const many = Array.from({ length: load.servers }, (_, n): Server => {
      return { ip: pods[n % pods.length]!, port: firstOpenPort + Math.floor(n / pods.length), local: true }
    })
    const { nodePort: _, ...base } = its().service("IPv4", [])
    const giant: ServiceRules = {
      ...{ ...base, externalIPs: [], loadBalancerIPs: [] },
      ...{ cluster: many, local: many, hasAny: true }
    }
    await its().resync([still])
    await undisturbed(its(), still, async () => {
      await its().put(giant)
      const ask = { from: "node", to: giant.clusterIP, port: 80 } as const
      await its().reaches(podNames, ask)
      const gone = many.slice(1)
      await its().put({ ...giant, cluster: gone, local: gone })
      await its().reaches(podNames, ask)
      const found = await its().resync()
      assert.deepEqual([found.missing, found.altered, found.unexpected], [0, 0, 0])
      await its().put({ ...giant, ...having("IPv4", ["pod3"]) })
      await its().reaches(["pod3"], ask)
    })
  })

  for (const tool of tools) {
    it(`says which package is missing where there is no ${tool.program}`, async () => {
      const rules = families.map((family) => its().service(family, ["pod1"]))
      await its().resync(rules)
      await withoutPrograms([tool.program], async () => {
        await its().restart()
        const missing = await Effect.runPromise(its().dataplane.missing)
        assert.ok(
          missing.some(({ what, remedy }) => `${what} ${remedy}`.includes(tool.package)),
          JSON.stringify(missing)
        )
        const result = await Effect.runPromise(Effect.result(its().dataplane.resync(its().desired())))
        assert.ok(Result.isFailure(result))
        const { failure } = result
        assert.ok(failure instanceof DataplaneError && failure.reason === "ToolMissing", String(failure))
        assert.match(failure.message, new RegExp(tool.program))
        assert.match(failure.message, new RegExp(tool.package))
        // What an earlier life put there still serves.
        for (const { clusterIP } of rules) await its().reaches(["pod1"], { from: "pod2", to: clusterIP, port: 80 })
      })
      await its().restart()
      const { missing, altered, unexpected } = await its().resync()
      assert.deepEqual([missing, altered, unexpected], [0, 0, 0])
    })
  }

  it("is killed in the middle of a sync at any moment, and the next life mends it while no other Service notices", {
    timeout: load.patience
  }, async () => {
    const rounds = roundsOr(load.kills)
    const random = seededRandom("the moments of kills")
    const still = its().service("IPv4", ["pod1", "remote"])
    const crowd: Syncing = { still, size: load.crowd, servers: [["pod2", "pod3"], ["pod3"], ["pod1"]] }
    await its().resync([still])
    await undisturbed(its(), still, async () => {
      for (let round = 0; round < rounds; round++) {
        const child = spawn(bun, ["--no-install", syncing, subject.module.href, JSON.stringify(crowd)], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        const ended = new Promise((done) => child.once("exit", done))
        // It says when a sync begins.
        await new Promise((begun) => child.stdout.once("data", begun))
        await new Promise((moment) => setTimeout(moment, random.int(0, load.syncMillis)))
        child.kill("SIGKILL")
        await ended
        await its().restart()
        const rules = [still, ...crowdOf(still, load.crowd, ["pod2"])]
        await its().resync(rules)
        await settled(its())
        for (const one of [rules[1]!, rules[Math.ceil(rules.length / 2)]!, rules.at(-1)!]) {
          await its().reaches(["pod2"], { from: "pod1", to: one.clusterIP, port: 80 })
        }
      }
    })
  })
}
