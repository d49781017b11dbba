/** The rights that packaging/chronode.service leaves to the agent are those that it needs: doctor looks with no others. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { requires } from "../../support/requires.ts"
import { withTemporaryDirectory } from "../../support/temporary-directory.ts"
import { binary, startProgram } from "../program.ts"

const unit = readFileSync(fileURLToPath(new URL("../../../packaging/chronode.service", import.meta.url)), "utf8")

/** What the unit keeps: the lines of a setting add up (systemd.exec(5)). */
const capabilities = unit
  .split("\n")
  .filter((line) => line.startsWith("CapabilityBoundingSet="))
  .flatMap((line) => line.slice(line.indexOf("=") + 1).split(" "))
  .map((name) => `+${name.toLowerCase().replace(/^cap_/u, "")}`)

interface Check {
  readonly name: string
  readonly status: string
}

/** What doctor says of rights and of Services, started by these words. */
const look = (...by: ReadonlyArray<string>) =>
  withTemporaryDirectory(async (directory) => {
    const [command = binary, ...words] = [...by, binary, "doctor", "--no-nats", "-o", "json", "--data-dir", directory]
    const { out } = await startProgram(command, words).finished
    const { checks } = JSON.parse(out) as { readonly checks: ReadonlyArray<Check> }
    return checks
      .filter(({ name }) => ["rights", "oom-score", "proxy-mode", "connections"].includes(name))
      .map(({ name, status }) => `${name} ${status}`)
  })

describe("the systemd unit", () => {
  it("leaves the rights that pods and Services need", { timeout: 60_000, ...requires("root", "setpriv") }, async () => {
    const within = ["setpriv", "--inh-caps", "-all", "--bounding-set", ["-all", ...capabilities].join(",")]
    assert.deepEqual(await look(...within), await look())
  })
})
