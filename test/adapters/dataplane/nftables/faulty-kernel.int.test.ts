// netns: own
/** What stands in the kernel after its answers went wrong: errors half-way through transactions, answers lost, silence. */
import "../../../support/own-netns.ts"
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Result } from "effect"
import { liveKernel } from "../../../../src/adapters/dataplane/nftables/kernel.ts"
import { make } from "../../../../src/adapters/dataplane/nftables/live.ts"
import {
  type Change,
  type DataplaneSettings,
  rulesKey,
  type ServiceRules
} from "../../../../src/adapters/dataplane/port.ts"
import { EBUSY, EINVAL, ENOBUFS } from "../../../../src/adapters/netlink/errno.ts"
import { faulty, type InjectedFault } from "../../../../src/adapters/netlink/faulty.ts"
import { openSocket } from "../../../../src/adapters/netlink/socket.ts"
import { roundsOr, seededRandom } from "../../../support/random.ts"
import { requires } from "../../../support/requires.ts"

const settings: DataplaneSettings = {
  name: "chronode",
  families: ["IPv4", "IPv6"],
  masqueradeAll: false,
  masqueradeBit: 14,
  localDetector: { by: "none" },
  localhostNodePorts: false,
  ipvs: {
    scheduler: "rr",
    strictARP: false,
    excludeCIDRs: [],
    tcpTimeout: 0,
    tcpFinTimeout: 0,
    udpTimeout: 0
  }
}
const services = 30
const changes = 25

describe("nftables whose kernel answers wrongly", requires("root", "nft"), () => {
  it("has in the end what it should, whatever was said on the way, and takes no error for done", async () => {
    const random = seededRandom("nftables with a faulty kernel")
    const rulesOf = (n: number): ServiceRules => {
      const family = n % 2 === 0 ? "IPv4" : "IPv6"
      const cluster = Array.from({ length: random.int(0, 4) }, () => ({
        ip: family === "IPv4" ? `10.200.0.${random.int(1, 250)}` : `fd00:200::${random.int(1, 250)}`,
        port: random.int(1000, 1010),
        local: random.chance(0.5)
      })).filter((one, k, all) => all.findIndex((each) => each.ip === one.ip && each.port === one.port) === k)
      return {
        namespace: "default",
        name: `service-${n}`,
        portName: "",
        family,
        protocol: "TCP",
        clusterIP: family === "IPv4" ? `10.96.0.${n + 1}` : `fd00:96::${n + 1}`,
        port: 80,
        ...(n % 3 === 0 ? { nodePort: 30_000 + n } : {}),
        externalIPs: [],
        loadBalancerIPs: n % 5 === 0 ? [family === "IPv4" ? `192.0.2.${n + 1}` : `fd00:2::${n + 1}`] : [],
        sourceRanges: [],
        ...(n % 7 === 0 ? { affinitySeconds: 10 } : {}),
        internalLocal: false,
        externalLocal: n % 4 === 0,
        cluster,
        local: cluster.filter(({ local }) => local),
        hasAny: cluster.length > 0
      }
    }
    let isFaulty = false
    let injected = 0
    const faultOf = (messages: number, isListing: boolean): InjectedFault | undefined => {
      if (!isFaulty || random.chance(0.5)) return undefined
      injected += 1
      const errno = random.pick([ENOBUFS, EBUSY, EINVAL])
      const kind = random.pick(["unsent", "refused", "lost", "silent"] as const)
      if (kind === "unsent") return { kind, errno }
      // Of a batch neither its beginning nor its end is refused.
      if (kind === "refused") return { kind, errno, at: isListing || messages < 3 ? 0 : random.int(1, messages - 2) }
      return { kind }
    }
    const kernel = liveKernel("chronode", () => faulty(openSocket("netfilter"), faultOf))
    const dataplane = make(settings, kernel)
    const wanted = new Map<string, ServiceRules>()
    const desired = () => ({
      rules: wanted.values(),
      nodePortAddresses: ["192.0.2.200", "fd00:2::200"],
      healthCheckPorts: []
    })
    const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(Effect.result(effect))
    const settle = async () => {
      isFaulty = false
      const mended = await run(dataplane.resync(desired()))
      assert.ok(Result.isSuccess(mended), JSON.stringify(mended))
      // A life of its own, which knows nothing but what the kernel has.
      const found = await run(make(settings).resync(desired()))
      assert.ok(Result.isSuccess(found), JSON.stringify(found))
      const { missing, altered, unexpected, refused, examples } = found.success
      assert.deepEqual([missing, altered, unexpected, refused], [0, 0, 0, []], examples.join("; "))
    }

    for (let n = 0; n < services; n++) {
      const rules = rulesOf(n)
      wanted.set(rulesKey(rules), rules)
    }
    await settle()
    const failures = new Map<string, number>()
    for (let round = 0; round < roundsOr(changes); round++) {
      const some: ReadonlyArray<Change> = Array.from({ length: random.int(1, 4) }, () => {
        const rules = rulesOf(random.int(0, services - 1))
        return { key: rulesKey(rules), rules: random.chance(0.2) ? undefined : rules }
      })
      const byKey = new Map(some.map((each) => [each.key, each]))
      for (const { key, rules } of byKey.values()) {
        if (rules === undefined) wanted.delete(key)
        else wanted.set(key, rules)
      }
      isFaulty = true
      const applied = await run(dataplane.apply([...byKey.values()]))
      isFaulty = false
      if (Result.isFailure(applied)) {
        failures.set(applied.failure.reason, (failures.get(applied.failure.reason) ?? 0) + 1)
        // As the sync loop does; it may fail as well.
        isFaulty = random.chance(0.5)
        await run(dataplane.resync(desired()))
        await settle()
      } else if (applied.success.refused.length > 0) {
        // The kernel says that it will not have a Service. It is offered again with the next resync.
        failures.set("refused", (failures.get("refused") ?? 0) + 1)
        await settle()
      } else {
        const found = await run(make(settings).resync(desired()))
        assert.ok(Result.isSuccess(found), JSON.stringify(found))
        const { missing, altered, examples } = found.success
        // Slots that no packet is led to any more may be left over until the next comparison.
        const wrong = examples.filter((each) => !/^unexpected: ip6? \S*slots /u.test(each))
        assert.deepEqual([missing, altered, wrong], [0, 0, []], `said to be done: ${examples.join("; ")}`)
      }
    }
    await settle()
    console.log(`${injected} faults injected; failures: ${JSON.stringify(Object.fromEntries(failures))}`)
    assert.ok(injected > 10 && failures.size > 0)
  })
})
