/** What a request means to authorization, by kubelet's own table. */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { attributesOf, isBeneath } from "../../../src/adapters/api/attributes.ts"
import { differs, itMeets } from "../../support/cases.ts"

describe("the rights that a request needs", () => {
  itMeets(
    "server-auth.json",
    "TestGetRequestAttributes",
    "verb and subresources of the node",
    ({ in: given, want, gates }) => {
      if (gates?.KubeletFineGrainedAuthz === false)
        return differs("the gate KubeletFineGrainedAuthz is locked on since 1.36: there is no way to switch it off")
      assert.deepEqual(attributesOf(given.method, given.path), want)
      return undefined
    }
  )

  itMeets("server-auth.json", "TestIsSubPath", "a path is below another by whole parts", ({ in: given, want }) => {
    assert.equal(isBeneath(given.subpath, given.path), want.expected)
    return undefined
  })
})
