/** `--service-cluster-ip-range` and `--service-node-port-range`: what they take, and what they say of the rest. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { clusterIpRanges, nodePortRange } from "../../src/cli/proxy/service-ranges.ts"

describe("ranges of cluster IPs and node ports", () => {
  it("are kube-apiserver's by default, and read as it reads them", () => {
    assert.deepEqual(clusterIpRanges(), ["10.96.0.0/12"])
    assert.deepEqual(clusterIpRanges("10.1.2.3/16, fd00:96::/112"), ["10.1.0.0/16", "fd00:96::/112"])
    assert.deepEqual(nodePortRange(), { first: 30_000, last: 32_767 })
    assert.deepEqual(nodePortRange("30000+100"), { first: 30_000, last: 30_100 })
  })

  it("are refused with their flag's name where they are none", () => {
    for (const [text, message] of [
      ["10.96.0.0", /is no CIDR/],
      ["10.0.0.0/31", /too few addresses/],
      ["10.0.0.0/16,10.1.0.0/16", /two ranges of one family/]
    ] as const)
      assert.throws(() => clusterIpRanges(text), message)
    for (const text of ["0-10", "30000", "100-70000", "20-10", "a-b"])
      assert.throws(() => nodePortRange(text), /--service-node-port-range: .* is no range/)
  })
})
