/** Addresses of a node and of Services: judged by kube-proxy's own rows. */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { includesIpv4Loopback, nodePortAddresses } from "../../../../src/actors/service/rules/node-port-addresses.ts"
import { clusterIPOf } from "../../../../src/actors/service/rules/service-port.ts"
import {
  canonicalCidr,
  canonicalIp,
  ipFamilyOf,
  isZeroCidr,
  parseCidr,
  parseHostPort
} from "../../../../src/events/ip-address.ts"
import { itMeets, type RowValue } from "../../../support/cases.ts"
import { specOf } from "./from-api.ts"

const file = "proxy-util.json"
const families = ["IPv4", "IPv6"] as const

const byFamily = (texts: ReadonlyArray<string>, familyOf: (text: string) => string | undefined): RowValue =>
  Object.fromEntries(
    families.flatMap((family) => {
      const own = texts.filter((text) => familyOf(text) === family)
      return own.length === 0 ? [] : [[family, own]]
    })
  )

describe("addresses", () => {
  itMeets(file, "TestGetNodeIPs", "on which node ports are answered", ({ in: { cidrs, interfaces }, want }) => {
    const addresses = interfaces.flatMap((nic: RowValue) =>
      nic.addresses.map((address: string) => ({ interface: nic.name, address: address.split("/")[0] }))
    )
    for (const family of families) {
      const found = nodePortAddresses(cidrs, addresses, family)
      assert.equal(found.matchAll, want.byFamily[family].matchAll, family)
      assert.deepEqual(found.addresses.toSorted(), (want.byFamily[family].ips ?? []).toSorted(), family)
    }
    return undefined
  })
  itMeets(file, "TestContainsIPv4Loopback", "of node ports may be those of loopback", ({ in: given, want }) => {
    assert.equal(includesIpv4Loopback(given.cidrStrings ?? []), want.result)
    return undefined
  })
  itMeets(file, "TestGetClusterIPByFamily", "of a Service are one of each family", ({ in: given, want }) => {
    assert.equal(clusterIPOf(specOf(given.service), given.requestFamily) ?? "", want.clusterIP)
    return undefined
  })
  itMeets(file, "TestMapIPsByIPFamily", "have a family", ({ in: { ips }, want }) => {
    assert.deepEqual(byFamily(ips, ipFamilyOf), want.byFamily)
    for (const ip of ips) assert.equal(canonicalIp(ip), ip)
    return undefined
  })
  itMeets(file, "TestMapCIDRsByIPFamily", "of ranges have a family", ({ in: { cidrs }, want }) => {
    assert.deepEqual(
      byFamily(cidrs, (text) => parseCidr(text)?.family),
      want.byFamily
    )
    for (const cidr of cidrs) assert.equal(canonicalCidr(cidr), cidr)
    return undefined
  })
  itMeets(file, "TestIsZeroCIDR", "of a range may be all", ({ in: { cidr }, want }) => {
    const parsed = cidr === null ? undefined : parseCidr(cidr)
    assert.equal(parsed !== undefined && isZeroCidr(parsed), want.result)
    return undefined
  })
  itMeets(file, "TestIPPart", "stand before a port", ({ in: { endpoint }, want }) => {
    assert.equal(parseHostPort(endpoint)?.address ?? "", want.ip)
    return undefined
  })
})
