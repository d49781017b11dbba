import assert from "node:assert/strict"
import type { NetworkInterfaceInfo } from "node:os"
import { describe, it } from "node:test"
import { orderedAddresses } from "../../../src/adapters/host/addresses.ts"

const at = (address: string, internal = false): NetworkInterfaceInfo =>
  ({ address, internal, family: address.includes(":") ? "IPv6" : "IPv4" }) as NetworkInterfaceInfo
const header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
const zero = "0".repeat(32)

describe("the addresses of a node", () => {
  const interfaces = {
    lo: [at("127.0.0.1", true), at("::1", true)],
    cni0: [at("10.88.0.1"), at("fd00:88::1")],
    eth1: [at("192.0.2.7"), at("fe80::1"), at("2001:db8::7")],
    wlan0: undefined
  }
  it("begin with that of the interface of the default route, IPv4 first", () => {
    const routes = {
      v4: `${header}cni0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\neth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`,
      v6: `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo\n${zero} 00 ${zero} 00 fe80${"0".repeat(28)} 00000400 00000001 00000000 00000003     eth1\n`
    }
    assert.deepEqual(orderedAddresses(interfaces, routes), ["192.0.2.7", "10.88.0.1", "2001:db8::7", "fd00:88::1"])
  })
  it("stand as they come without a default route", () => {
    assert.deepEqual(orderedAddresses(interfaces, { v4: header, v6: "" }), [
      "10.88.0.1",
      "192.0.2.7",
      "fd00:88::1",
      "2001:db8::7"
    ])
    assert.deepEqual(
      orderedAddresses({ lo: [at("127.0.0.1", true)], eth0: [at("169.254.1.2")] }, { v4: "", v6: "" }),
      []
    )
  })
  it("are not those of Services that IPVS serves", () => {
    const services = { "kube-ipvs0": [at("10.96.0.1")], "chronode-ipvs0": [at("10.96.0.2"), at("fd00:96::2")] }
    assert.deepEqual(orderedAddresses({ ...services, eth0: [at("192.0.2.7")] }, { v4: "", v6: "" }), ["192.0.2.7"])
  })
})
