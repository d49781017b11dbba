import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { allowlistProblem, safeSysctls, sysctlRefusal } from "../../../../src/actors/pod/security/sysctls.ts"
import { dottedSysctl } from "../../../../src/events/sysctl-name.ts"
import { itMeets, podOf } from "../../../support/cases.ts"

const file = "sysctl.json"

describe("sysctls of pods", () => {
  itMeets(file, "TestNewAllowlist", "are allowed by names and prefixes that are namespaced", (row) => {
    assert.equal(allowlistProblem(row.in.patterns) !== undefined, row.want.isError)
    return undefined
  })
  itMeets(file, "TestAllowlist", "are refused where they are not allowed, or the host's", (row) => {
    const refusal = sysctlRefusal(podOf(row.in.pod).spec, row.in.allowlist)
    assert.deepEqual(
      { admit: refusal === undefined, reason: refusal?.reason ?? "", message: refusal?.message ?? "" },
      row.want
    )
    return undefined
  })

  it("that are safe depend on the kernel", () => {
    assert.equal(safeSysctls("6.1.0-26-amd64").length, 12)
    assert.ok(!safeSysctls("4.14.1").includes("net.ipv4.tcp_rmem"))
    assert.ok(safeSysctls("4.15").includes("net.ipv4.tcp_rmem"))
    assert.ok(!safeSysctls("unknown").includes("net.ipv4.ip_local_reserved_ports"))
    assert.ok(safeSysctls("unknown").includes("net.ipv4.tcp_syncookies"))
    assert.equal(allowlistProblem(safeSysctls("6.1")), undefined)
  })

  it("may be written with slashes", () => {
    assert.equal(dottedSysctl("net/ipv4/conf/eno2.100/rp_filter"), "net.ipv4.conf.eno2/100.rp_filter")
    assert.equal(dottedSysctl("net.ipv4.conf.eno2/100.rp_filter"), "net.ipv4.conf.eno2/100.rp_filter")
    assert.equal(dottedSysctl("kernel"), "kernel")
  })

  it("are not judged where nobody looked what is allowed", () => {
    const pod = podOf({ spec: { securityContext: { sysctls: [{ name: "vm.swappiness", value: "1" }] } } })
    assert.equal(sysctlRefusal(pod.spec, undefined), undefined)
    assert.equal(sysctlRefusal(pod.spec, [])?.field, "spec.securityContext.sysctls[0].name")
  })
})
