import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseSeen } from "../../scripts/demo/watch.ts"

describe("the demo's reading of what the subscriber prints", () => {
  it("finds time, severity, actor, type and facts in a line", () => {
    const seen = parseSeen(
      '05:53:47.123 WARN  pod/default/web ContainerExited container="httpd" exitCode=137 oomKilled=false'
    )
    assert.deepEqual(seen, {
      time: "05:53:47.123",
      severity: "WARN",
      who: "pod/default/web",
      type: "ContainerExited",
      facts: { container: "httpd", exitCode: 137, oomKilled: false }
    })
  })

  it("keeps quotes, spaces and equals signs inside a fact", () => {
    const seen = parseSeen('05:53:47.123 ERROR source/_/manifests ManifestInvalid message="a \\"b\\" c=d" line=3')
    assert.deepEqual(seen?.facts, { message: 'a "b" c=d', line: 3 })
  })

  it("takes an event without facts", () => {
    assert.deepEqual(parseSeen("05:53:47.123 INFO  pod/default/web PodVolumesReleased")?.facts, {})
  })

  it("takes other lines for no events", () => {
    assert.equal(parseSeen("received 10 events; missing: 0, twice: 0"), undefined)
    assert.equal(parseSeen(""), undefined)
  })
})
