import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { Assumptions, assumptionTexts } from "../../../src/actors/what-if/assumptions.ts"

describe("assumptions", () => {
  it("are each told once, with all that they bear on", () => {
    const assumptions = new Assumptions()
    assumptions.assume("answers-repeat", "liveness of app")
    assumptions.assume("runs-as-next", "app")
    assumptions.assume("answers-repeat", "liveness of side")
    assumptions.assume("answers-repeat", "liveness of app")
    assert.deepEqual(
      assumptions.list().map(({ name, of }) => [name, of]),
      [
        ["answers-repeat", ["liveness of app", "liveness of side"]],
        ["runs-as-next", ["app"]]
      ]
    )
  })

  it("are all explained in docs/what-if.md, and no others", () => {
    const page = readFileSync(new URL("../../../docs/what-if.md", import.meta.url), "utf8")
    const explained = [...page.matchAll(/^\| `([a-z-]+)` \|/gmu)].map(([, name]) => name)
    assert.deepEqual(explained.sort(), Object.keys(assumptionTexts).sort())
  })
})
