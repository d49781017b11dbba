import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { claims, plainName } from "../../scripts/docs/conformance-page.ts"

describe("the page about node conformance", () => {
  it("knows tests by their names without tags", () => {
    const codename = "[sig-node] Sysctls [LinuxOnly] [NodeConformance] should support sysctls [Conformance]"
    assert.equal(plainName(codename), "Sysctls should support sysctls")
  })
  it("takes the test that follows a claim for what keeps it", () => {
    const text = `
  // conformance: A should b
  // conformance: C should *not* d
  /** Why. */
  it("does b, and not d", options, () => {})
  // conformance: E
  it(
    "does e",
    () => {}
  )`
    assert.deepEqual(claims(text), [
      { name: "A should b", title: "does b, and not d" },
      { name: "C should *not* d", title: "does b, and not d" },
      { name: "E", title: "does e" }
    ])
  })
  it("refuses a claim that no test follows", () => {
    assert.throws(() => claims("// conformance: A\nconst x = 1\nit('late', f)"), /no test follows "conformance: A"/u)
  })
})
