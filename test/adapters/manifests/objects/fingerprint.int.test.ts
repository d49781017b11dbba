import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fingerprintWith, nodeKey } from "../../../../src/adapters/manifests/objects/fingerprint.ts"

describe("fingerprints of contents", () => {
  it("stay the same on a node and differ between nodes, by a key that only its owner reads", () => {
    const directory = mkdtempSync(join(tmpdir(), "chronode-key-"))
    try {
      const path = join(directory, "data", "fingerprint.key")
      const first = fingerprintWith(nodeKey(path))("1234")
      assert.match(first, /^[0-9a-f]{32}$/u)
      assert.equal(fingerprintWith(nodeKey(path))("1234"), first)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.notEqual(fingerprintWith(nodeKey(join(directory, "other.key")))("1234"), first)
      chmodSync(path, 0o600)
      // Half written by a crash: no key, and made anew.
      writeFileSync(path, "short")
      assert.notEqual(fingerprintWith(nodeKey(path))("1234"), first)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
