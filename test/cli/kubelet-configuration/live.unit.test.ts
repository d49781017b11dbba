import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { withDefaults } from "../../../src/cli/kubelet-configuration/defaults.ts"
import { liveFields, takeLive, viewOf } from "../../../src/cli/kubelet-configuration/live.ts"
import { notHonoured, support } from "../../../src/cli/kubelet-configuration/support.ts"
import { bounded, configzText, maxToldBytes, withoutSecrets } from "../../../src/cli/kubelet-configuration/told.ts"

const told = (fields: object) => withDefaults({ kind: "KubeletConfiguration", ...fields })

describe("a configuration that changes while the agent runs", () => {
  it("counts at once where readers look each time, and is named where they do not", () => {
    const next = told({ evictionHard: { "memory.available": "1Gi" }, maxPods: 7, clusterDNS: ["10.0.0.10"] })
    const { kubelet, needsRestart } = takeLive(told({}), next)
    assert.deepEqual(kubelet.evictionHard, { "memory.available": "1Gi" })
    assert.equal(kubelet.maxPods, 110)
    assert.deepEqual(needsRestart, ["clusterDNS", "maxPods"])
    assert.deepEqual(takeLive(kubelet, told({ evictionHard: kubelet.evictionHard })).needsRestart, [])
  })

  it("is seen by who keeps a view of it", () => {
    let current = told({})
    const view = viewOf(() => current)
    assert.deepEqual({ ...view }, current)
    current = told({ imageGCHighThresholdPercent: 90 })
    assert.equal(view.imageGCHighThresholdPercent, 90)
  })

  it("has live fields only of those that are acted on", () => {
    for (const field of liveFields)
      assert.match(support[field as keyof typeof support].status, /honoured|partly/u, field)
  })
})

describe("a configuration in the log", () => {
  it("holds no values of headers, no credentials and no query of an address", () => {
    const secret = {
      staticPodURL: "https://user:geheim@pods.example/x?token=geheim",
      staticPodURLHeader: { Authorization: ["geheim"] },
      tracing: { endpoint: "dns://user:geheim@collector.example:4317" }
    }
    const text = JSON.stringify(withoutSecrets(told(secret)))
    assert.ok(!text.includes("geheim"), text)
    assert.match(text, /"staticPodURLHeader":\{"Authorization":\["\(hidden\)"\]\}/u)
    assert.match(text, /"staticPodURL":"https:\/\/\(hidden\)@pods\.example\/x\?\(hidden\)"/u)
    assert.match(text, /collector\.example:4317/u)
    assert.ok(!configzText(told(secret)).includes("geheim"))
  })

  it("is bounded: the largest fields are left out, and named", () => {
    const many = Array.from({ length: 3000 }, (_, i) => `kernel.shm_${i}`)
    const { configuration, omitted } = bounded(withoutSecrets(told({ allowedUnsafeSysctls: many })))
    assert.deepEqual(omitted, ["allowedUnsafeSysctls"])
    assert.ok(Buffer.byteLength(JSON.stringify(configuration)) <= maxToldBytes)
    assert.deepEqual(bounded(withoutSecrets(told({}))).omitted, [])
  })

  it("is kubelet's JSON at /configz", () => {
    const { kubeletconfig } = JSON.parse(configzText(told({ maxPods: 3 })))
    assert.equal(kubeletconfig.maxPods, 3)
    assert.equal(kubeletconfig.evictionPressureTransitionPeriod, "5m0s")
  })
})

describe("fields that are not acted on", () => {
  it("are named where a file sets them to something else than their default", () => {
    const names = (written: object) => notHonoured(written as Record<string, unknown>).map(({ path }) => path)
    assert.deepEqual(names({ tracing: { endpoint: "localhost:4317" }, rotateCertificates: true, maxPods: 3 }), [
      "rotateCertificates",
      "tracing.endpoint"
    ])
    assert.deepEqual(names({ rotateCertificates: false, cpuManagerPolicy: "none", topologyManagerPolicy: null }), [])
    assert.deepEqual(names({ cpuManagerReconcilePeriod: "10s", cpuManagerPolicy: "static" }), ["cpuManagerPolicy"])
  })
})
