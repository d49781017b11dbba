/** Kernel parameters and timeouts, and names in the kernel. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { deviceName, isOwnedBy, ownerMark, tableName } from "../../../../src/adapters/dataplane/ipvs/names.ts"
import { prepareIpvs, wishesOf } from "../../../../src/adapters/dataplane/ipvs/prepare.ts"
import { DataplaneError, type IpvsSettings } from "../../../../src/adapters/dataplane/port.ts"
import type { Timeouts } from "../../../../src/adapters/netlink/ipvs.ts"
import { make } from "../../../../src/adapters/sysctl/memory.ts"
import { modelKernel } from "./model-kernel.ts"

const settings: IpvsSettings = {
  ...{ scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 }
}
const initial = {
  "net.ipv4.vs.conntrack": "0",
  "net.ipv4.vs.conn_reuse_mode": "1",
  "net.ipv4.vs.expire_nodest_conn": "1",
  "net.ipv4.vs.expire_quiescent_template": "0",
  "net.ipv4.ip_forward": "1",
  "net.ipv4.conf.all.arp_ignore": "0",
  "net.ipv4.conf.all.arp_announce": "0"
}

describe("what IPVS needs of the kernel's parameters", () => {
  it("is set and told with what it was, and what is right is left alone", async () => {
    const sysctls = make(initial)
    const { ipvs } = modelKernel()
    const prepare = prepareIpvs(
      Effect.succeed(ipvs),
      sysctls.service,
      { ...settings, strictARP: true },
      "6.1.0-50-amd64"
    )
    const names = (sets: ReadonlyArray<{ readonly name: string; readonly before?: string; readonly value: string }>) =>
      sets.map(({ name, before, value }) => `${name}: ${before} → ${value}`)
    assert.deepEqual(names(await Effect.runPromise(prepare)), [
      "net.ipv4.vs.conntrack: 0 → 1",
      "net.ipv4.vs.expire_quiescent_template: 0 → 1",
      "net.ipv4.conf.all.arp_ignore: 0 → 1",
      "net.ipv4.conf.all.arp_announce: 0 → 2"
    ])
    assert.deepEqual(await Effect.runPromise(prepare), [])
  })

  it("leaves the reuse of clients' ports to kernels that do it right, and to those that never did", () => {
    const sets = (release: string) => wishesOf(settings, release).some(({ name }) => name.endsWith("conn_reuse_mode"))
    assert.deepEqual(
      [
        "3.10.0-1160.el7",
        "4.0.9",
        "4.1.0",
        "4.19.0-27-amd64",
        "5.4.0",
        "5.8.18",
        "5.9.0",
        "5.10.0",
        "6.1.0",
        "10.0"
      ].map(sets),
      [false, false, true, true, true, true, false, false, false, false]
    )
  })

  it("sets the timeouts that are asked for, and leaves the others", async () => {
    const { ipvs } = modelKernel()
    const told: Array<Timeouts> = []
    const prepare = prepareIpvs(
      Effect.succeed({ ...ipvs, setTimeouts: (timeouts) => void told.push(timeouts) }),
      make(initial).service,
      { ...settings, tcpTimeout: 900, udpTimeout: 60 },
      "6.1.0"
    )
    const sets = (await Effect.runPromise(prepare)).filter(({ name }) => name.startsWith("ipvs"))
    assert.deepEqual(sets, [{ name: "ipvs.timeout.udp", before: "300", value: "60" }])
    assert.deepEqual(told, [{ udp: 60 }])
  })

  it("says why timeouts could not be set where there is no IPVS", async () => {
    const error = new DataplaneError({ reason: "Unsupported", operation: "find IPVS", message: "no IPVS here" })
    const prepare = (more: Partial<IpvsSettings>) =>
      prepareIpvs(Effect.fail(error), make(initial).service, { ...settings, ...more }, "6.1.0")
    const failures = async (more: Partial<IpvsSettings>) =>
      (await Effect.runPromise(prepare(more))).flatMap(({ name, failure }) =>
        failure === undefined ? [] : [name, failure]
      )
    assert.deepEqual(await failures({}), [])
    assert.deepEqual(await failures({ tcpTimeout: 5 }), ["ipvs.timeout", "no IPVS here"])
  })
})

describe("names of what is ours", () => {
  it("are those of the dataplane, as far as they fit into the kernel", () => {
    assert.deepEqual([deviceName("chronode"), tableName("chronode")], ["chronode-ipvs0", "chronode-ipvs"])
    const long = ["a-demo-of-chronode", "another-demo-of-chronode"].map(deviceName)
    assert.ok(new Set(long).size === 2 && long.every((name) => name.length <= 15 && name.endsWith("-ipvs0")), `${long}`)
  })

  it("mark virtual servers, each dataplane its own, and leave the flags that the kernel knows", () => {
    const marks = ["chronode", "demo", "a", ""].map(ownerMark)
    assert.equal(new Set(marks).size, marks.length)
    for (const mark of marks) {
      assert.ok(Number.isInteger(mark) && mark > 0 && mark <= 0xffff_ffff && mark % 0x1_0000 === 0, `${mark}`)
      for (const flags of [0, 1, 0x3f]) assert.ok(isOwnedBy(mark, mark + flags) && !isOwnedBy(mark, flags))
    }
  })
})
