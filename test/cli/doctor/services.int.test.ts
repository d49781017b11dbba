import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { after, describe, it } from "node:test"
import { Effect } from "effect"
import type { Dataplane, Missing, ProxyMode } from "../../../src/adapters/dataplane/port.ts"
import { fail, warn } from "../../../src/cli/doctor/check.ts"
import { areAsked, checkConntrack, checkForwarding, checkServices } from "../../../src/cli/doctor/services.ts"
import type { Neighbours } from "../../../src/cli/neighbours.ts"
import type { ProxyFlags } from "../../../src/cli/proxy/settings.ts"

const folder = mkdtempSync(join(tmpdir(), "chronode-doctor-"))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A /proc with these parameters. */
let count = 0
const proc = (values: Readonly<Record<string, number>>): string => {
  count += 1
  const root = join(folder, `proc-${count}`)
  for (const [name, value] of Object.entries(values)) {
    const file = join(root, "sys", name.replaceAll(".", "/"))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${value}\n`)
  }
  return root
}

/** Neighbours of whom a check of Services asks: what modes lack, and which other proxies there are. */
const neighbours = (
  lacks: Readonly<Partial<Record<ProxyMode, ReadonlyArray<Missing>>>>,
  others: ReadonlyArray<string> = []
): Neighbours =>
  ({
    openDataplane: async () => (mode: ProxyMode) =>
      Effect.succeed({ mode, missing: Effect.succeed(lacks[mode] ?? []) } as unknown as Dataplane["Service"]),
    otherProxies: async () => Effect.succeed(others)
  }) as unknown as Neighbours

const checks = (of: Neighbours, flags: ProxyFlags) => Effect.runPromise(checkServices(of, flags))
const named = async (name: string, of: Neighbours, flags: ProxyFlags) =>
  (await checks(of, flags)).filter((check) => check.name === name)

describe("doctor on Services", () => {
  const noModule = [{ what: "kernel module ip_vs", remedy: "modprobe ip_vs" }]

  it("fails for what a mode lacks only where Services are asked for", async () => {
    const lacking = neighbours({ nftables: [{ what: "no nft", remedy: "apt-get install nftables" }] })
    const [idle] = await named("proxy-mode", lacking, {})
    assert.equal(idle?.status, "warn")
    assert.equal(areAsked({}), false)
    const [asked] = await named("proxy-mode", lacking, { services: "/s" })
    assert.deepEqual(
      asked,
      fail("proxy-mode", "nftables: no nft; Services cannot be served", "apt-get install nftables")
    )
    assert.equal((await named("proxy-mode", neighbours({}), { proxyMode: "ipvs" }))[0]?.found, "ipvs can be used")
  })

  it("says which mode is taken instead, where one is allowed and can be had", async () => {
    const lacking = neighbours({ ipvs: noModule })
    const [instead] = await named("proxy-mode", lacking, { proxyMode: "ipvs", proxyModeFallback: "nftables" })
    assert.deepEqual(
      instead,
      warn("proxy-mode", "ipvs: kernel module ip_vs; nftables is taken instead", "modprobe ip_vs")
    )
    const neither = neighbours({ ipvs: noModule, nftables: noModule })
    const [none] = await named("proxy-mode", neither, { proxyMode: "ipvs", proxyModeFallback: "nftables" })
    assert.equal(none?.status, "fail")
  })

  it("reads the configuration, and names what is wrong in it or not acted on", async () => {
    const write = (name: string, body: string): string => {
      const file = join(folder, name)
      writeFileSync(file, `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${body}`)
      return file
    }
    const wrong = write("wrong.yaml", "mode: userspace\n")
    const found = await checks(neighbours({}), { proxyConfig: wrong })
    assert.equal(found.length, 1)
    assert.equal(found[0]?.status, "fail")
    assert.match(found[0]?.found ?? "", /wrong\.yaml:3:7: mode: userspace was removed/u)
    const odd = write("odd.yaml", "mode: ipvs\nenableProfiling: true\nmoode: x\n")
    const warned = await named("proxy-config", neighbours({}), { proxyConfig: odd })
    assert.deepEqual(
      warned.map(({ status }) => status),
      ["warn", "warn"]
    )
    assert.equal((await named("proxy-mode", neighbours({}), { proxyConfig: odd }))[0]?.found, "ipvs can be used")
    const good = write("good.yaml", "mode: nftables\n")
    assert.equal((await named("proxy-config", neighbours({}), { proxyConfig: good }))[0]?.status, "ok")
  })

  it("warns of another proxy and of a port that is taken", async () => {
    const others = neighbours({}, ["a kube-proxy runs (process 7)"])
    const [other] = await named("other-proxy", others, {})
    assert.equal(other?.status, "warn")
    assert.match(other?.found ?? "", /a kube-proxy runs \(process 7\)/u)
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve)
    })
    const bound = server.address()
    const address = `127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`
    const flags = { services: "/s", healthzBindAddress: address, metricsBindAddress: "" }
    const taken = await named("proxy-ports", neighbours({}), flags)
    assert.deepEqual(
      taken.map(({ found }) => found),
      [`${address} is in use by another program (or by an agent that runs)`]
    )
    server.close()
  })

  it("looks whether packets are sent on", () => {
    const on = { "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.disable_ipv6": 0, "net.ipv6.conf.all.forwarding": 1 }
    assert.equal(checkForwarding(fail, proc(on))[0]?.status, "ok")
    const [six] = checkForwarding(fail, proc({ ...on, "net.ipv6.conf.all.forwarding": 0 }))
    assert.deepEqual([six?.status, six?.mend], ["warn", "sysctl -w net.ipv6.conf.all.forwarding=1"])
    const [four] = checkForwarding(fail, proc({ "net.ipv4.ip_forward": 0 }))
    assert.deepEqual([four?.status, four?.mend], ["fail", "sysctl -w net.ipv4.ip_forward=1"])
  })

  it("looks for room among the connections", () => {
    const table = (entries: number) =>
      proc({ "net.netfilter.nf_conntrack_max": 1000, "net.netfilter.nf_conntrack_count": entries })
    assert.equal(checkConntrack(fail, table(10)).status, "ok")
    assert.equal(checkConntrack(fail, table(950)).status, "warn")
    assert.equal(checkConntrack(fail, proc({})).status, "fail")
  })
})
