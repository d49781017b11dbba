/** What docs/services.md says is what the program has. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { sets } from "../../src/adapters/dataplane/nftables/layout.ts"
import { maxEndpoints, maxServices } from "../../src/adapters/services/port.ts"
import { catalogue } from "../../src/events/catalogue.ts"

const page = readFileSync(new URL("../../docs/services.md", import.meta.url), "utf8")

describe("docs/services.md", () => {
  it("names every event of Services, endpoints and the proxy", () => {
    const kinds: ReadonlyArray<string> = ["service", "endpoint", "proxy"]
    const missing = catalogue.filter(({ kind, tag }) => kinds.includes(kind) && !page.includes(tag))
    assert.deepEqual(
      missing.map(({ tag }) => tag),
      []
    )
  })

  it("names sets of nftables that there are", () => {
    const named = [...page.matchAll(/nft (?:get element|list set|list map) ip chronode (\S+)/gu)].map(
      ([, name]) => name
    )
    const known = Object.values(sets).map(({ name }) => name)
    assert.ok(named.length >= 4)
    assert.deepEqual(
      named.filter((name) => !known.includes(name ?? "")),
      []
    )
  })

  it("has the limits in force", () => {
    for (const limit of [maxServices, maxEndpoints]) assert.ok(page.includes(limit.toLocaleString("en-US")), `${limit}`)
  })
})
