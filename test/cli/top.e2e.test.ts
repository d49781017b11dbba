/** `chronode top` on a real terminal, and where there is none. Each case starts its runtime itself. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { journalPath } from "../../src/cli/event-log/journal-path.ts"
import { requires } from "../support/requires.ts"
import { binary, chronode, runtimesOf } from "./program.ts"
import { onTerminal, type PseudoTerminal } from "./pseudo-terminal.ts"
import { story } from "./story.ts"
import { writeJournal } from "./write-journal.ts"

const slow = { timeout: 90_000, ...requires("script") }
let directory = ""
before(async () => {
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  await writeJournal(join(directory, "data"), story)
})
after(() => rm(directory, { recursive: true, force: true }))

const size = { columns: 80, rows: 24 }
/** The program, and then what shows that the shell has its terminal back as it was. */
const line = (words: string) =>
  `tty; echo shell $$; ${binary} top ${words}; code=$?; stty -a | tr ';' '\\n'; echo ended with $code`
const isRestored = ({ screen, written }: PseudoTerminal) => {
  assert.equal(screen.alternate, false)
  assert.equal(screen.cursorHidden, false)
  assert.match(written(), /\u001b\[\?1049l[\s\S]* icanon [\s\S]* echo /u)
}
const has = (text: string) => (lines: ReadonlyArray<string>) => lines.some((shown) => shown?.includes(text))

for (const runtime of runtimesOf("deno")) {
  describe(`top on a terminal, on ${runtime}`, () => {
    it("shows what comes, answers keys, follows the size, and leaves the terminal as it was", slow, async () => {
      const data = join(directory, `live-${runtime}`)
      await writeJournal(data, story.slice(0, 3))
      const terminal = onTerminal(line(`--data-dir ${data} --from journal`), size, { CHRONODE_RUNTIME: runtime })
      await terminal.shows(has("head 3"), "the first frame")
      assert.ok(terminal.screen.alternate && terminal.screen.cursorHidden)
      await writeJournal(data, story.slice(3))
      await terminal.shows(has("head 10"), "what was written meanwhile")
      assert.match(terminal.screen.lines[4]!, /^>default +web +Error +0\/1 +1 /u)
      terminal.type("2")
      await terminal.shows(has("[2 Containers 1]"), "the containers")
      terminal.type("\r")
      await terminal.shows(has("why: container default/web/app"), "why")
      assert.ok(has("It was set off 4s before by probe")(terminal.screen.lines.slice(0, 8)))
      terminal.type("\u001b")
      await terminal.shows(has("[2 Containers 1]"), "the table again")
      terminal.type("/sevrity > 1\r")
      await terminal.shows(has("no field 'sevrity'; did you mean severity?"), "what is wrong with a filter")
      terminal.type("\u0015severity >= WARN\r")
      await terminal.shows(has("filter: severity >= WARN"), "the filter")
      terminal.type("[[")
      await terminal.shows(has("PAUSED"), "a step back")
      await terminal.shows(has("head 8"), "two steps back")
      const [device] = await terminal.says(/\/dev\/pts\/\d+/u)
      execFileSync("stty", ["-F", device!, "rows", "12", "cols", "60"])
      await terminal.shows((lines) => lines.length === 12 && has("[2 Containers]")(lines), "the smaller size")
      terminal.type("q")
      assert.deepEqual([await terminal.finished, (await terminal.says(/ended with (\d+)/u))[1]], [0, "0"])
      isRestored(terminal)
    })
  })
}

describe("top", () => {
  it(
    "stands at a moment of a file, without colours where they are not wanted, and gives the terminal back at SIGTERM",
    slow,
    async () => {
      const file = join(directory, "incident.ndjson")
      const exported = await chronode("bun", ["export", "--out", file, "--data-dir", join(directory, "data")])
      assert.equal(exported.code, 0, exported.err)
      const terminal = onTerminal(line(`--from ${file} --at e3`), size, { CHRONODE_RUNTIME: "bun", NO_COLOR: "1" })
      await terminal.shows(has("head 3"), "the moment")
      assert.ok(has("AT ")(terminal.screen.lines))
      terminal.type("]")
      await terminal.shows(has("head 4"), "a step forward")
      // Cursor and screen, but no style.
      assert.doesNotMatch(terminal.written(), /\u001b\[[1-9][0-9;]*m/u)
      const [, shell] = await terminal.says(/shell (\d+)/u)
      const [child] = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").split(" ")
      process.kill(Number(child), "SIGTERM")
      await terminal.says(/ended with 0/u)
      isRestored(terminal)
    }
  )

  it("gives the terminal back before it says what failed", slow, async () => {
    const data = join(directory, "damaged")
    await writeJournal(data, story)
    const terminal = onTerminal(line(`--data-dir ${data} --from journal`), size, { CHRONODE_RUNTIME: "bun" })
    await terminal.shows(has("head 10"), "the first frame")
    for (const suffix of ["", "-wal", "-shm"]) writeFileSync(`${journalPath(data)}${suffix}`, "garbage ".repeat(2000))
    await terminal.says(/\u001b\[\?1049lchronode: .* is damaged [\s\S]*ended with 1/u)
    assert.equal(await terminal.finished, 0)
    isRestored(terminal)
  })

  it("prints once where there is no terminal: a text, or a document", slow, async () => {
    const words = ["top", "--data-dir", join(directory, "data"), "--from", "journal"]
    const text = await chronode("bun", [...words, "--filter", "severity >= WARN"])
    assert.deepEqual([text.code, text.err], [0, ""])
    assert.match(text.out, /^node1 {2}10 events to 2026-01-15T09:30:09\.000Z {2}.* head 10 [0-9a-f]{64}\n/u)
    assert.match(text.out, /\nPods\nNAMESPACE +NAME +STATUS .*\ndefault +web +Error +0\/1 +1 /u)
    assert.match(
      text.out,
      /\nNewest events\n.* ContainerExited .*\n.* ContainerKillRequested .*\n.* ProbeFailed [^\n]*\n$/u
    )
    const json = await chronode("deno", [...words, "--at", "e3", "-o", "json"])
    const { sequence, pods, containers, newest } = JSON.parse(json.out)
    assert.deepEqual([sequence, pods[0].name, containers[0].pod, newest[0].id], [3, "web", "web", "e3"])
    const none = await chronode("bun", [...words, "--at", "2020-01-01"])
    assert.deepEqual([none.code, none.out], [1, ""])
    assert.match(none.err, /holds no events up to then/u)
  })
})
