// netns: own
/**
 * The agent as the proxy of a node, without pods: real clients and servers in the network of a small cluster, Services and
 * EndpointSlices that come, change, go and are wrong, rules that somebody flushes, SIGKILL in the middle of a sync. Clients of
 * a Service that nothing happens to loop all the time: not one of their questions may fail.
 */
import "../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import { type Ask, Lab, type Loop, type PodName, plan } from "../support/netlab/lab.ts"
import { roundsOr, seededRandom } from "../support/random.ts"
import { requires } from "../support/requires.ts"
import { withoutPrograms } from "../support/without-programs.ts"

const families = ["IPv4", "IPv6"] as const
const { pods, node: nodeAddress } = plan.IPv4
/** Services that come at once in the test of kills, and milliseconds from the agent's start within which it is killed. */
const crowd = 300
const killWithin = 2_000

interface Conditions {
  readonly ready?: boolean
  readonly serving?: boolean
  readonly terminating?: boolean
}

const service = (name: string, spec: object): object => ({
  ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" } },
  spec: { ports: [{ port: 80, targetPort: 8080 }], ...spec }
})

const slice = (
  of: string,
  family: (typeof families)[number],
  endpoints: ReadonlyArray<{ readonly address: string; readonly conditions?: Conditions }>,
  protocol = "TCP"
): object => ({
  ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: family },
  metadata: {
    ...{ name: `${of}-${family.toLowerCase()}`, namespace: "default" },
    labels: { "kubernetes.io/service-name": of }
  },
  endpoints: endpoints.map(({ address, conditions = {} }) => ({ addresses: [address], conditions })),
  ports: [{ port: 8080, protocol }]
})

/** Slices of both families with these pods. */
const slices = (of: string, names: ReadonlyArray<PodName>): ReadonlyArray<object> =>
  families.map((family) =>
    slice(
      of,
      family,
      names.map((name) => ({ address: plan[family].pods[name] }))
    )
  )

const modes = [
  {
    ...{ mode: "nftables", tool: "nft", packageName: "nftables", needs: requires("root", "ip", "nft") },
    flush: "nft delete table ip chronode; nft delete table ip6 chronode",
    left: "nft list tables | grep chronode || true"
  },
  {
    ...{
      mode: "iptables",
      tool: "iptables-restore",
      packageName: "iptables",
      needs: requires("root", "ip", "iptables")
    },
    // The agent may take a chain away, or put things right, meanwhile.
    flush: `for ip in iptables ip6tables; do
        $ip-save -t nat | sed -n 's/^:\\(KUBE-[^ ]*\\).*/\\1/p' | while read -r chain; do $ip -w -t nat -F $chain || true; done
        $ip -w -t nat -D PREROUTING 1
      done`,
    left: "iptables-save | grep KUBE- || true; ip6tables-save | grep KUBE- || true"
  }
] as const

for (const { mode, tool, packageName, needs, flush, left } of modes) {
  describe(`Services by ${mode}`, { ...needs, concurrency: false }, () => {
    const dir = mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "s-"))
    const services = join(dir, "services")
    const node = new NodeUnderTest({ dir, name: "lab", flags: ["--services", services, "--proxy-mode", mode] })
    let lab: Lab
    let loops: ReadonlyArray<Loop> = []

    /** Several documents in one file, which appears whole. */
    const put = (name: string, ...documents: ReadonlyArray<object>): void => {
      const path = join(services, `${name}.yaml`)
      writeFileSync(`${path}.part`, documents.map((one) => JSON.stringify(one)).join("\n---\n"))
      renameSync(`${path}.part`, path)
    }
    const take = (name: string): void => rmSync(join(services, `${name}.yaml`))
    /** Waits until connections to each of its ports go to so many servers. */
    const programmed = (name: string, servers: number, after = 0) =>
      node.until(`Service ${name} with ${servers} servers`, (events) =>
        events.find(
          ({ sequence, tag, actor, data }) =>
            sequence > after &&
            tag === "ServiceProgrammed" &&
            actor === `service/default/${name}` &&
            data.serving.every(({ cluster }: { readonly cluster: number }) => cluster === servers)
        )
      )
    const reaches = async (servers: ReadonlyArray<PodName>, ask: Ask): Promise<void> => {
      const answers = await lab.ask(servers.length * 12, ask)
      const found = new Set(answers.map((one) => (one.outcome === "answered" ? one.server : JSON.stringify(one))))
      assert.deepEqual([...found].sort(), [...servers].sort(), `${ask.from} → ${ask.to} ${ask.port}`)
    }

    before(async () => {
      if (needs.skip !== false) return
      mkdirSync(services)
      lab = await shared()
      put(
        "still",
        service("still", {
          type: "NodePort",
          clusterIP: "10.96.0.1",
          ports: [{ port: 80, targetPort: 8080, nodePort: 30_001 }]
        }),
        slice("still", "IPv4", [{ address: pods.pod1 }, { address: pods.remote }])
      )
      await node.start()
      await programmed("still", 2)
      loops = [
        await lab.loop(10, { from: "pod3", to: "10.96.0.1", port: 80 }),
        await lab.loop(10, { from: "client", to: nodeAddress, port: 30_001 })
      ]
    })
    after(async () => {
      await node.kill()
      rmSync(dir, { recursive: true, force: true })
    })

    it("serves what the directory declares, and tells of servers that drain and go", async () => {
      const web = service("web", {
        ...{ type: "NodePort", clusterIPs: ["10.96.0.80", "fd00:96::80"], ipFamilyPolicy: "RequireDualStack" },
        ports: [{ port: 80, targetPort: 8080, nodePort: 30_080 }]
      })
      put("web", web, ...slices("web", ["pod1", "pod2"]))
      await programmed("web", 2)
      const { nodePortAddresses } = (await node.waitFor("ProxyStarted")).data as { nodePortAddresses: Array<string> }
      for (const [n, family] of families.entries()) {
        await reaches(["pod1", "pod2"], { from: "pod3", to: ["10.96.0.80", "fd00:96::80"][n]!, port: 80 })
        const { node: own, otherNodeAddress } = plan[family]
        const to = [own, otherNodeAddress].find((each) => nodePortAddresses.includes(each))
        assert.ok(to !== undefined, nodePortAddresses.join(", "))
        await reaches(["pod1", "pod2"], { from: "client", to, port: 30_080 })
      }
      // Until one of them is on pod1, which is going to leave.
      let held = await lab.hold({ from: "pod3", to: "10.96.0.80", port: 80 })
      while (held.first.outcome === "answered" && held.first.server !== "pod1") {
        await held.release()
        held = await lab.hold({ from: "pod3", to: "10.96.0.80", port: 80 })
      }
      const before = await node.head()
      const ending = { ready: false, serving: true, terminating: true }
      put(
        "web",
        web,
        slice("web", "IPv4", [{ address: pods.pod1, conditions: ending }, { address: pods.pod2 }]),
        slice("web", "IPv6", [{ address: plan.IPv6.pods.pod2 }])
      )
      await node.waitFor("EndpointDraining", undefined, { address: pods.pod1, serving: true }, { after: before })
      await programmed("web", 1, before)
      await reaches(["pod2"], { from: "pod3", to: "10.96.0.80", port: 80 })
      put("web", web, ...slices("web", ["pod2"]))
      await node.waitFor("EndpointRemoved", undefined, { address: pods.pod1 }, { after: before })
      const answer = await held.say()
      assert.equal(answer.outcome === "answered" && answer.server, "pod1", "the connection goes on")
      await held.release()
      const { stdout } = await node.command("get", "services")
      assert.match(stdout, /default\s+web\s+NodePort\s+10\.96\.0\.80.*programmed/u)
      const why = await node.command("why", "endpoint", `${pods.pod2}:8080`)
      assert.match(why.stdout, /default\/web/u)
    })

    it("forgets flows of UDP to a server that is gone", async () => {
      const dns = service("dns", { clusterIP: "10.96.0.53", ports: [{ port: 53, targetPort: 8080, protocol: "UDP" }] })
      put("dns", dns, slice("dns", "IPv4", [{ address: pods.pod1 }], "UDP"))
      await programmed("dns", 1)
      const held = await lab.hold({ from: "pod3", to: "10.96.0.53", port: 53, protocol: "UDP" })
      assert.equal(held.first.outcome === "answered" && held.first.server, "pod1")
      const before = await node.head()
      put("dns", dns, slice("dns", "IPv4", [{ address: pods.pod2 }], "UDP"))
      await node.waitFor("StaleFlowsRemoved", undefined, { count: 1 }, { after: before })
      const answer = await held.say()
      assert.equal(answer.outcome === "answered" && answer.server, "pod2")
      await held.release()
    })

    it("says what is wrong, and serves all the rest", async () => {
      const before = await node.head()
      put("younger", service("younger", { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] }))
      put(
        "twice",
        service("twice", {
          ports: [
            { name: "a", port: 80 },
            { name: "b", port: 80 }
          ]
        })
      )
      put(
        "odd",
        service("odd", { clusterIP: "10.96.0.90" }),
        slice("odd", "IPv4", [{ address: "no-ip" }, { address: plan.IPv6.pods.pod1 }, { address: pods.pod3 }])
      )
      const rejected = await node.waitFor("ServiceRejected", "service/default/younger", {}, { after: before })
      assert.equal(rejected.data.problems[0].holder, "default/web")
      await node.waitFor("ManifestInvalid", undefined, { message: /80\/TCP is given twice/u }, { after: before })
      for (const address of ["no-ip", plan.IPv6.pods.pod1]) {
        await node.waitFor("EndpointRejected", "service/default/odd", { address }, { after: before })
      }
      await programmed("odd", 1, before)
      await reaches(["pod3"], { from: "pod1", to: "10.96.0.90", port: 80 })
      await reaches(["pod2"], { from: "client", to: nodeAddress, port: 30_080 })
      // The older one goes: the younger has what it asked for.
      take("web")
      await programmed("younger", 0, before)
      for (const name of ["younger", "twice", "odd"]) take(name)
      await node.waitFor("ServiceRemoved", "service/default/odd", {}, { after: before })
    })

    it("breaks nothing that nothing happens to, through all of that", () => neverFailed())

    it("puts back what somebody flushed, and says so", async () => {
      const before = await node.head()
      execFileSync("sh", ["-ec", flush])
      const drift = await node.waitFor("DataplaneDrifted", undefined, {}, { after: before })
      assert.ok(drift.data.missing > 0)
      await eventually("both ways in are back", async () => {
        const answers = await Promise.all(
          [
            { from: "pod3", to: "10.96.0.1", port: 80 },
            { from: "client", to: nodeAddress, port: 30_001 }
          ].map((ask) => lab.ask(8, { ...ask, timeout: 500 } as Ask))
        )
        return answers.flat().every(({ outcome }) => outcome === "answered") ? true : undefined
      })
    })

    it("is killed in the middle of a sync, and the next life has all in force, while clients of others notice nothing", async () => {
      loops = [await lab.loop(10, { from: "pod3", to: "10.96.0.1", port: 80 })]
      const random = seededRandom(`kills of ${mode}`)
      const address = (n: number): string => `10.96.${100 + (n >> 8)}.${n & 255}`
      for (let round = 0; round < roundsOr(3); round++) {
        const server = (["pod2", "pod3"] as const)[round % 2]!
        const documents = Array.from({ length: crowd }, (_, n) => [
          service(`crowd-${n}`, { clusterIP: address(n) }),
          slice(`crowd-${n}`, "IPv4", [{ address: pods[server] }])
        ]).flat()
        put("crowd", ...documents)
        await new Promise((moment) => setTimeout(moment, random.int(0, killWithin)))
        await node.kill()
        await node.start()
        for (const n of [0, crowd >> 1, crowd - 1]) {
          await eventually(`Service ${n} at ${server}`, async () => {
            const answer = await lab.askOnce({ from: "pod1", to: address(n), port: 80 })
            return answer.outcome === "answered" && answer.server === server ? answer : undefined
          })
        }
      }
      const { stdout } = await node.command("get", "services")
      assert.equal(stdout.match(/ crowd-\d+ .* 1\/1 .* programmed$/gmu)?.length, crowd)
      await neverFailed()
    })

    it("says which package it lacks, and leaves what is in force", async () => {
      await node.stop()
      await withoutPrograms([tool], async () => {
        const before = await node.head()
        await node.start()
        const { data } = await node.waitFor("ProxyUnavailable", undefined, {}, { after: before })
        assert.ok(JSON.stringify(data.missing).includes(packageName), JSON.stringify(data.missing))
        await reaches(["pod1", "remote"], { from: "pod3", to: "10.96.0.1", port: 80 })
        await node.stop()
      })
    })

    it("removes all that it ever made on demand", async () => {
      const { code, stdout, stderr } = await node.command("proxy", "cleanup")
      assert.equal(code, 0, `${stdout}${stderr}`)
      assert.notEqual(stdout.trim(), "")
      assert.equal(execFileSync("sh", ["-ec", left], { encoding: "utf8" }), "")
      const answer = await lab.askOnce({ from: "client", to: nodeAddress, port: 30_001, timeout: 300 })
      assert.notEqual(answer.outcome, "answered")
    })

    async function neverFailed(): Promise<void> {
      for (const { asked, failures } of await Promise.all(loops.map((loop) => loop.stop()))) {
        assert.deepEqual(failures, [], `${failures.length} of ${asked} failed`)
        assert.ok(asked > 0)
      }
      loops = []
    }
  })
}

/** One network for all modes: they come one after the other. */
let made: Promise<Lab> | undefined
const shared = (): Promise<Lab> => {
  made ??= Lab.make()
  return made
}
after(async () => (await made)?.close())
