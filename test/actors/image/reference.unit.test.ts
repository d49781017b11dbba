import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { pullFailure } from "../../../src/actors/image/failure.ts"
import { parseReference } from "../../../src/actors/image/reference.ts"
import { itMeets } from "../../support/cases.ts"

describe("a reference of an image", () => {
  itMeets(
    "images.json",
    "TestApplyDefaultImageTag",
    "gets the tag that upstream gives it",
    ({ in: { input }, want }) => {
      assert.deepEqual(parseReference(input), { withTag: want.output })
      return undefined
    }
  )

  it("is read with registry, port, path, tag and digest", () => {
    const digest = `sha256:${"a".repeat(64)}`
    for (const [text, want] of [
      ["busybox", "busybox:latest"],
      ["registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"],
      ["localhost:5000/a/b", "localhost:5000/a/b:latest"],
      ["localhost/a", "localhost/a:latest"],
      ["[::1]:5000/a", "[::1]:5000/a:latest"],
      [`a/b@${digest}`, `a/b@${digest}`],
      ["a__b/c.d-e---f:V_1.2", "a__b/c.d-e---f:V_1.2"],
      ["REGISTRY.example/x", "REGISTRY.example/x:latest"]
    ] as const) {
      assert.deepEqual(parseReference(text), { withTag: want }, text)
    }
  })

  it("is refused with the reason", () => {
    for (const [text, problem] of [
      ["", "is empty"],
      ["FAILED_IMAGE", "has upper-case letters in its name"],
      ["http://url", "has a registry that is no host"],
      ["a".repeat(64), "is an image's id, which cannot be told from a name"],
      ["a b", "is no image name"],
      ["a:", "has a tag that is none"],
      [`a:${"t".repeat(129)}`, "has a tag that is none"],
      ["a@sha256:12", "has a digest that is none"],
      ["-x/a", "is no image name"],
      ["a..b.c/d", "has a registry that is no host"],
      ["a/", "is no image name"],
      ["a".repeat(300), "has a name longer than 255 characters"],
      ["a".repeat(2000), "is longer than 1024 characters"]
    ] as const) {
      assert.deepEqual(parseReference(text), { problem }, text.slice(0, 80))
    }
  })
})

describe("a failed pull", () => {
  itMeets("images.json", "TestEvalCRIPullErr", "is called what upstream calls it", ({ in: { error, image }, want }) => {
    assert.deepEqual(pullFailure(image, error), { reason: want.error, message: want.message })
    return undefined
  })
})
