/** `replay --verify`: what is printed where a log was decided otherwise, and where it cannot be read. */
import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { chronode, runtimes } from "../program.ts"

const slow = { timeout: 60_000 }
const golden = (name: string) => fileURLToPath(new URL(`../../golden/0.1.0/${name}`, import.meta.url))
const whole = golden("liveness-kill.ndjson")
const { "liveness-kill": expected } = JSON.parse(readFileSync(golden("states.json"), "utf8"))

let directory = ""
before(async () => {
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
})
after(() => rm(directory, { recursive: true, force: true }))

/** The golden log with the first line that holds `text` changed, so that its chain is broken there. */
const changed = (name: string, text: string, change: (line: string) => string): string => {
  const lines = readFileSync(whole, "utf8").split("\n")
  const index = lines.findIndex((line) => line.includes(text))
  lines[index] = change(lines[index]!)
  const file = join(directory, name)
  writeFileSync(file, lines.join("\n"))
  return file
}

describe("replay --verify", () => {
  for (const runtime of runtimes) {
    it(`on ${runtime} says that a log decides as it did, with the state's hash`, slow, async () => {
      const { code, out, err } = await chronode(runtime, ["replay", whole, "--verify"])
      assert.deepEqual([code, err], [0, ""])
      assert.match(
        out,
        /^state: [0-9a-f]{64}\n\nchain: whole, \d+ events\ndecisions: \d+ taken again, all the same\n$/u
      )
      assert.ok(out.includes(expected.state))
    })
  }

  it("prints both sides of a determinism violation, and what to do: exit code 3", slow, async () => {
    const file = changed("otherwise.ndjson", "ContainerKillRequested", (line) =>
      line.replace('"gracePeriodSeconds":5', '"gracePeriodSeconds":7')
    )
    const { code, out } = await chronode("bun", ["replay", file, "--verify"])
    assert.equal(code, 3)
    assert.match(out, /^chain: broken at line \d+/u)
    assert.match(out, /decisions: \d+ taken again up to sequence \d+, where the first one differs; --all goes on\n/u)
    assert.match(
      out,
      /\nDETERMINISM VIOLATION at sequence \d+ of pod\/default\/web: event 2 of the decision differs\n/u
    )
    assert.match(out, /\n {2}event [0-9a-f-]{36}, 2026-01-01T/u)
    assert.match(out, /\n {2}command ReportProbe; recorded by chronode 0\.1\.0 with flags none, read by chronode /u)
    assert.match(out, /\n {2}FIELD +RECORDED +DECIDED\n {2}event\.gracePeriodSeconds +7 +5\n/u)
    assert.match(out, /\n {2}recorded {2}\{.*"gracePeriodSeconds":7/u)
    assert.match(out, /\n {2}decided {3}\{.*"gracePeriodSeconds":5/u)
    assert.match(out, /\n {2}The log says that this was once decided otherwise from the same input\./u)
    const all = await chronode("deno", ["replay", file, "--verify", "--all", "-o", "json"])
    assert.equal(all.code, 3)
    const { differences, found, stopped, whole: isWhole } = JSON.parse(all.out)
    assert.deepEqual([found, stopped, isWhole], [1, false, false])
    assert.equal(differences[0].kind, "DeterminismViolation")
    assert.deepEqual(differences[0].fields, [{ field: "event.gracePeriodSeconds", recorded: 7, decided: 5 }])
  })

  it("tells an incompatible history from it, by another text and kind: exit code 3", slow, async () => {
    const file = changed("newer.ndjson", "ProbeStarted.v1", (line) =>
      line.replace("ProbeStarted.v1", "ProbeStarted.v9")
    )
    const { code, out } = await chronode("bun", ["replay", file, "--verify"])
    assert.equal(code, 3)
    assert.match(
      out,
      /\nINCOMPATIBLE HISTORY at sequence \d+ of probe\/default\/web\.app\.liveness: its type dev\.chronode\.ProbeStarted\.v9 is not known/u
    )
    assert.match(out, /If a newer program recorded it, use that one\. .*upcast\.ts/u)
    const json = await chronode("bun", ["replay", file, "--verify", "-o", "json"])
    const { differences, stopped } = JSON.parse(json.out)
    assert.deepEqual(
      [differences.length, stopped, differences[0].kind, differences[0].what],
      [1, true, "IncompatibleHistory", "event"]
    )
    const unreadable = changed("shape.ndjson", "ContainerExited", (line) => line.replace('"exitCode":', '"code":'))
    const shape = await chronode("bun", ["replay", unreadable, "--verify"])
    assert.equal(shape.code, 3)
    assert.match(shape.out, /\nINCOMPATIBLE HISTORY at sequence \d+: its data cannot be read: .*exitCode/u)
  })

  it("with --until is of that part, and --all goes with it alone", slow, async () => {
    const id = JSON.parse(readFileSync(whole, "utf8").split("\n")[6]!).id
    const until = await chronode("bun", ["replay", whole, "--verify", "--until", id])
    assert.equal(until.code, 0, until.out)
    assert.match(until.out, /decisions: \d+ taken again, all the same; 1 not taken again/u)
    const alone = await chronode("bun", ["replay", whole, "--all"])
    assert.equal(alone.code, 2)
    assert.match(alone.err, /--all goes with --verify/u)
  })
})
