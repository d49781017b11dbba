/** A configuration's text is read with a bound, also from what does not say how long it is. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { maxConfigurationBytes, readConfigurationText } from "../../../src/cli/configuration/documents.ts"
import { CommandFailed } from "../../../src/cli/exit.ts"

const refusal = (file: string): string => {
  try {
    readConfigurationText(file)
  } catch (error) {
    assert.ok(error instanceof CommandFailed)
    return error.message
  }
  return assert.fail("it was read")
}

describe("the text of a configuration", () => {
  let directory = ""
  const path = (name: string): string => join(directory, name)
  before(() => {
    directory = mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  it("is read whole up to the bound, and not beyond", () => {
    writeFileSync(path("long.yaml"), "#".repeat(maxConfigurationBytes))
    assert.equal(readConfigurationText(path("long.yaml")).length, maxConfigurationBytes)
    writeFileSync(path("longer.yaml"), "#".repeat(maxConfigurationBytes + 1))
    assert.match(refusal(path("longer.yaml")), /longer\.yaml: is longer than 1048576 bytes/u)
  })

  it("may come by a pipe", () => {
    assert.equal(spawnSync("mkfifo", [path("pipe")]).status, 0)
    const writer = spawnSync("sh", ["-c", `(printf 'kind: '; sleep 0.2; printf 'é') >"$1" &`, "sh", path("pipe")], {
      stdio: "ignore"
    })
    assert.equal(writer.status, 0)
    assert.equal(readConfigurationText(path("pipe")), "kind: é")
  })

  it("is refused where it has no end, or is none", () => {
    assert.match(refusal("/dev/zero"), /^\/dev\/zero: is longer than/u)
    assert.match(refusal(directory), /^cannot read the configuration /u)
    assert.match(refusal(path("missing.yaml")), /^cannot read the configuration .*ENOENT/u)
  })
})
