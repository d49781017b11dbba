import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { defaultEvictionHard } from "../../../src/actors/eviction/rules/settings.ts"
import { decode, encode } from "../../../src/cli/kubelet-configuration/codec.ts"
import { ownDefaults, withDefaults, withKubeletDefaults } from "../../../src/cli/kubelet-configuration/defaults.ts"
import { kubeletFields } from "../../../src/cli/kubelet-configuration/fields.ts"
import { itMeets } from "../../support/cases.ts"

const kubelet = (written: object) => encode(withKubeletDefaults(decode(written as Record<string, unknown>)))

describe("kubelet's defaults", () => {
  itMeets("kubelet-config.json", "TestSetDefaultsKubeletConfiguration", "are filled in", ({ name, in: row, want }) => {
    // Upstream's row has an empty list there, which `omitempty` left out of the JSON.
    const config = name === "all negative" ? { ...row.config, enforceNodeAllocatable: [] } : row.config
    assert.deepEqual(kubelet(config), want.defaulted)
    return undefined
  })

  it("stand for all 125 fields", () => {
    assert.equal(Object.keys(kubeletFields).length - ["apiVersion", "kind"].length, 125)
  })

  it("written down and read again are the same", () => {
    const all = withDefaults({ kind: "KubeletConfiguration" })
    assert.deepEqual(decode(encode(all)), { ...all, evictionSoft: {} })
  })
})

describe("defaults of our own", () => {
  it("are those of the list, where a kubelet's file says nothing", () => {
    const mine = encode(withDefaults({ kind: "KubeletConfiguration" }))
    const theirs = kubelet({})
    const others = Object.keys(mine).filter((field) => JSON.stringify(mine[field]) !== JSON.stringify(theirs[field]))
    const listed = ownDefaults
      .map(({ field }) => field as string)
      .filter((f) => !["enableServer", "enforceNodeAllocatable"].includes(f))
    assert.deepEqual(others.toSorted(), [...listed, "evictionHard"].toSorted())
  })

  it("give way to the file", () => {
    const written = { address: "0.0.0.0", serializeImagePulls: true, failSwapOn: true, registerNode: true }
    const told = withDefaults(written)
    for (const [field, value] of Object.entries(written)) assert.equal(told[field as keyof typeof told], value)
    assert.equal(told.maxParallelImagePulls, 1)
  })

  it("open no port where no file asks for a kubelet", () => {
    assert.equal(withDefaults({}).enableServer, false)
    assert.equal(withDefaults({ kind: "KubeletConfiguration" }).enableServer, true)
  })
})

describe("hard thresholds of eviction", () => {
  it("are kubelet's where the file has none, the file's alone where it has some, and both where it asks for that", () => {
    const own = { "memory.available": "1Gi" }
    assert.deepEqual(withDefaults({}).evictionHard, defaultEvictionHard)
    assert.deepEqual(withDefaults({ evictionHard: {} }).evictionHard, {})
    assert.deepEqual(withDefaults({ evictionHard: own }).evictionHard, own)
    assert.deepEqual(withDefaults({ evictionHard: own, mergeDefaultEvictionSettings: true }).evictionHard, {
      ...defaultEvictionHard,
      ...own
    })
  })
})
