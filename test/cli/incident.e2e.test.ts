/** An incident's way: exported from a journal, verified, replayed and asked, offline. Each case starts the runtime itself. */
import assert from "node:assert/strict"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { binary, chronode, type Runtime, runtimesOf, startProgram } from "./program.ts"
import { story } from "./story.ts"
import { writeJournal } from "./write-journal.ts"

const slow = { timeout: 60_000 }
let directory = ""
before(async () => {
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  await writeJournal(join(directory, "data"), story)
})
after(() => rm(directory, { recursive: true, force: true }))

const at = (name: string) => join(directory, name)
const exported = async (runtime: Runtime, name: string, ...words: ReadonlyArray<string>) => {
  const file = at(`${runtime}-${name}`)
  const finished = await chronode(runtime, ["export", "--out", file, "--data-dir", at("data"), ...words])
  assert.equal(finished.code, 0, finished.err)
  return file
}
/** A copy with its lines changed. */
const changed = (file: string, name: string, change: (lines: Array<string>) => ReadonlyArray<string>): string => {
  const copy = `${file}-${name}`
  writeFileSync(copy, change(readFileSync(file, "utf8").split("\n")).join("\n"))
  return copy
}
const idsOf = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).id)

for (const runtime of runtimesOf("deno")) {
  describe(`an incident on ${runtime}`, () => {
    it("is written for its owner only, says what it holds, and is not written over unasked", slow, async () => {
      const file = at(`${runtime}-whole.ndjson`)
      const words = ["export", "--out", file, "--data-dir", at("data")]
      const first = await chronode(runtime, words)
      assert.deepEqual(first, { code: 0, out: `${file}: 10 events, sequences 1 to 10\n`, err: "" })
      assert.equal(statSync(file).mode & 0o777, 0o600)
      const again = await chronode(runtime, words)
      assert.equal(again.code, 1)
      assert.match(again.err, /exists already[\s\S]*--force replaces it/u)
      const forced = await chronode(runtime, [...words, "--force", "-o", "json", "--since", "2026-01-15T09:30:08Z"])
      assert.equal(forced.code, 0)
      const { events, filter, node } = JSON.parse(forced.out)
      assert.deepEqual(
        { events, filter, node },
        { events: 2, filter: { since: "2026-01-15T09:30:08.000Z" }, node: "node1" }
      )
    })

    it("is whole, also when it is a slice, and a slice of a slice", slow, async () => {
      const all = await exported(runtime, "a.ndjson")
      assert.match(
        (await chronode(runtime, ["verify", all])).out,
        /^whole: .*: 10 events, sequences 1 to 10, head [0-9a-f]{64}\n$/u
      )
      const pod = await exported(runtime, "b.ndjson", "--pod", "default/web", "--type", "ProbeFailed,ContainerExited")
      const report = JSON.parse((await chronode(runtime, ["verify", pod, "-o", "json"])).out)
      assert.deepEqual([report.whole, report.events, report.firstSequence, report.lastSequence], [true, 2, 4, 7])
      const bad = await exported(
        runtime,
        "w.ndjson",
        "--type",
        "ContainerExited,NodeStopped",
        "--filter",
        "severity >= WARN"
      )
      const [header, state, only, ...rest] = readFileSync(bad, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.deepEqual(header.data.filter, { types: ["ContainerExited", "NodeStopped"], filter: "severity >= WARN" })
      assert.deepEqual([state.source, state.data.actorSequence], ["/nodes/node1/pod/default/web", 3])
      assert.deepEqual([only.id, rest], ["e7", []])
      assert.equal((await chronode(runtime, ["verify", bad])).code, 0)
      const slice = at(`${runtime}-c.ndjson`)
      const sliced = await chronode(runtime, ["export", "--from", all, "--out", slice, "--pod", "default/web"])
      assert.equal(sliced.code, 0, sliced.err)
      const verified = await chronode(runtime, ["verify", slice, "-o", "json"])
      assert.deepEqual([verified.code, JSON.parse(verified.out).header.filter], [0, { pod: "default/web" }])
      const again = JSON.parse(
        (
          await chronode(runtime, [
            "export",
            "--from",
            slice,
            "--out",
            `${slice}-2`,
            "--type",
            "ProbeFailed",
            "-o",
            "json"
          ])
        ).out
      )
      assert.deepEqual(again.filter, { types: ["ProbeFailed"], of: { pod: "default/web" } })
      assert.deepEqual(idsOf((await chronode(runtime, ["events", "--from", slice, "-o", "json"])).out), [
        ...["e2", "e3", "e4", "e5", "e6", "e7", "e8"]
      ])
    })

    it("that was changed anywhere is broken: exit code 3, and the first bad position", slow, async () => {
      const file = await exported(runtime, "d.ndjson")
      const cases: ReadonlyArray<
        readonly [name: string, change: (lines: Array<string>) => ReadonlyArray<string>, place: RegExp]
      > = [
        ["flipped", (l) => l.map((line) => line.replace('"exitCode":137', '"exitCode":136')), /line 8 \(sequence 7\)/u],
        ["missing", (l) => l.filter((_, i) => i !== 4), /line 5 \(sequence 5\)/u],
        ["swapped", (l) => [...l.slice(0, 3), l[4]!, l[3]!, ...l.slice(5)], /line 4 \(sequence 4\)/u],
        ["cut", (l) => l.slice(0, 6), /line 7/u],
        ["torn", (l) => l.map((line, i) => (i === 5 ? line.slice(0, 40) : line)), /line 6/u]
      ]
      for (const [name, change, place] of cases) {
        const { code, out } = await chronode(runtime, ["verify", changed(file, name, change)])
        assert.equal(code, 3, `${name}: ${out}`)
        assert.match(out, /^broken: /u)
        assert.match(out, place, name)
      }
    })

    it("tells its story and its end offline", slow, async () => {
      const file = await exported(runtime, "e.ndjson")
      const { code, out, err } = await chronode(runtime, ["replay", file])
      assert.deepEqual([code, err], [0, ""])
      assert.match(out, /ContainerExited +app ended with exit code 137 \(signal 9\)\n/u)
      assert.match(out, /\n10 events over 9s, to 2026-01-15T09:30:09\.000Z\. The state then:\n/u)
      assert.match(out, /\nPods\nNAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP\ndefault +web /u)
      const some = await chronode(runtime, ["replay", file, "--pod", "default/web", "--filter", "data.exitCode != 0"])
      assert.match(some.out, /^[^\n]* ContainerExited +app ended [^\n]*\n\n10 events over 9s/u)
      assert.equal(some.out.slice(-65), out.slice(-65))
      const json = JSON.parse((await chronode(runtime, ["replay", file, "-o", "json"])).out)
      assert.deepEqual([json.node, json.events, json.state.pods[0].name], ["node1", 10, "web"])
    })

    it("has a state at its end, at a time and after an event, with the hash that replay prints", slow, async () => {
      const file = await exported(runtime, "state.ndjson")
      const state = async (...words: ReadonlyArray<string>) => {
        const { code, out, err } = await chronode(runtime, ["state", file, "-o", "json", ...words])
        assert.deepEqual({ code, err }, { code: 0, err: "" })
        return JSON.parse(out)
      }
      const end = await state()
      assert.deepEqual([end.node, end.sequence, end.events], ["node1", 10, 10])
      assert.deepEqual(Object.keys(end.actors), [...Object.keys(end.actors)].sort())
      const replayed = await chronode(runtime, ["replay", file])
      assert.ok(replayed.out.endsWith(`\nstate: ${end.stateHash}\n`))
      const early = await state("--at", "e3")
      assert.deepEqual([early.sequence, early.time], [3, "2026-01-15T09:30:02.000Z"])
      assert.equal(early.actors["pod/default/web"].actorSequence, 2)
      assert.notEqual(early.stateHash, end.stateHash)
      const one = await state("--pod", "default/web")
      assert.deepEqual(Object.keys(one.actors), ["pod/default/web"])
      assert.equal(one.stateHash, end.stateHash)
      const yaml = await chronode(runtime, ["state", file, "--at", "e3"])
      assert.match(yaml.out, /^node: node1\ntime: 2026-01-15T09:30:02\.000Z\nsequence: 3\n/u)
      const until = await chronode(runtime, ["replay", file, "--until", "e3", "-o", "json"])
      assert.equal(JSON.parse(until.out).stateHash, early.stateHash)
      for (const [words, said] of [
        [["state", file, "--at", "e99"], /no event e99 in .*state\.ndjson/u],
        [["replay", file, "--until", "e99"], /no event e99 in/u],
        [["state", file, "--pod", "default/gone"], /no pod default\/gone lives in/u],
        [["state", file, "--at", "2020-01-01"], /holds no events up to then/u],
        [["state", at("nowhere.ndjson")], /nowhere\.ndjson/u]
      ] as const) {
        const { code, err } = await chronode(runtime, words)
        assert.equal(code, 1)
        assert.match(err, said)
      }
    })

    it("differs between two of its points, field by field", slow, async () => {
      const file = await exported(runtime, "diff.ndjson")
      const text = await chronode(runtime, ["diff", `${file}@e3`, `${file}@e7`])
      assert.deepEqual({ code: text.code, err: text.err }, { code: 0, err: "" })
      assert.match(text.out, /^A {2}.*diff\.ndjson, up to sequence 3 \(.*\nB {2}.*, up to sequence 7 /u)
      assert.match(text.out, /\npod default\/web\n[\s\S]*containers\.app\.status +running → exited\n/u)
      const json = await chronode(runtime, ["diff", `${file}@e3`, `${file}@e7`, "-o", "json"])
      const { a, b, equal, differences } = JSON.parse(json.out)
      assert.deepEqual([a.sequence, b.sequence, equal], [3, 7, false])
      const pod = differences.find((d: { readonly actor: string }) => d.actor === "pod/default/web")
      assert.ok(
        pod.fields.some(
          (f: object) => JSON.stringify(f) === '{"field":"containers.app.status","a":"running","b":"exited"}'
        )
      )
      const same = await chronode(runtime, ["diff", file, file])
      assert.match(same.out, /\nthe same state\n$/u)
      // Whatever was recorded there: another node is not this one at another time.
      const golden = fileURLToPath(new URL("../golden/0.1.0/liveness-kill.ndjson", import.meta.url))
      const other = await chronode(runtime, ["diff", file, golden])
      assert.equal(other.code, 1)
      assert.match(other.err, /is of node node1, .* of node sim\n/u)
    })

    it("is cut out around an event, and names an event that is not there", slow, async () => {
      const all = await exported(runtime, "around-all.ndjson")
      const words = ["--from", all, "--around", "e6", "--window", "1s"]
      const slice = await exported(runtime, "around.ndjson", ...words)
      const events = await chronode(runtime, ["events", "--from", slice, "-o", "json"])
      assert.deepEqual(idsOf(events.out), ["e5", "e6", "e7"])
      assert.equal((await chronode(runtime, ["verify", slice])).code, 0)
      const whole = await exported(
        runtime,
        "around-5m.ndjson",
        "--from",
        all,
        "--around",
        "e6",
        "--pod",
        "default/web.v2"
      )
      assert.deepEqual(idsOf((await chronode(runtime, ["events", "--from", whole, "-o", "json"])).out), ["e10"])
      const file = at(`${runtime}-none.ndjson`)
      const none = await chronode(runtime, ["export", "--out", file, "--from", all, "--around", "e99"])
      assert.equal(none.code, 1)
      assert.match(none.err, /no event e99 in .*around-all\.ndjson/u)
      assert.ok(!existsSync(file))
    })

    it("says why of one container", slow, async () => {
      const file = await exported(runtime, "why.ndjson")
      const ofPod = await chronode(runtime, ["why", "pod", "default/web", "--from", file, "-o", "json"])
      const words = ["why", "container", "default/web/app", "--from", file, "-o", "json"]
      const { summary, chosen, steps } = JSON.parse((await chronode(runtime, words)).out)
      assert.equal(chosen, "the latest restart, kill or failure of container default/web/app")
      assert.deepEqual({ summary, steps }, (({ summary, steps }) => ({ summary, steps }))(JSON.parse(ofPod.out)))
      const none = await chronode(runtime, ["why", "container", "default/web/side", "--from", file])
      assert.equal(none.code, 1)
      assert.match(none.err, /no events of container default\/web\/side in .*\n.*chronode get containers/u)
    })

    it("stops at a time, as it was printed or in UTC", slow, async () => {
      const file = await exported(runtime, "f.ndjson")
      const json = await chronode(runtime, ["replay", file, "-o", "json", "--until", "2100-01-01"])
      assert.equal(JSON.parse(json.out).events, 10)
      const early = await chronode(runtime, ["replay", file, "-o", "json", "--until", "2026-01-15T09:30:02Z"])
      // Events count from when they were recorded: these were all recorded when the test began.
      assert.equal(JSON.parse(early.out).events, 0)
    })

    it("gives the same answers to why as the journal", slow, async () => {
      const file = await exported(runtime, "g.ndjson")
      const fromFile = await chronode(runtime, ["why", "pod", "default/web", "--from", file])
      const fromJournal = await chronode(runtime, ["why", "pod", "default/web", "--data-dir", at("data")])
      assert.deepEqual(fromFile, fromJournal)
      assert.equal(fromFile.code, 0)
      const slice = await exported(runtime, "h.ndjson", "--since", "2026-01-15T09:30:05Z")
      const { out } = await chronode(runtime, ["why", "e8", "--from", slice])
      assert.match(out, /caused by event e5, which this log does not hold/u)
    })

    it("shows events of a newer version raw, and says how many there are", slow, async () => {
      const file = at(`${runtime}-newer.ndjson`)
      const known = await exported(runtime, "i.ndjson")
      const [, line] = readFileSync(known, "utf8").split("\n")
      const event = { ...JSON.parse(line!), type: "dev.chronode.PodTeleported.v2", data: { to: "mars" } }
      delete event.chainprev
      delete event.chainhash
      writeFileSync(file, `${JSON.stringify(event)}\n`)
      const events = await chronode(runtime, ["events", "--from", file])
      assert.equal(events.code, 0)
      assert.match(events.out, /PodTeleported +\(unknown type dev\.chronode\.PodTeleported\.v2\) \{"to":"mars"\}\n$/u)
      const replayed = await chronode(runtime, ["replay", file])
      assert.equal(replayed.code, 0)
      assert.match(replayed.out, /1 of types that this version does not know/u)
      const verified = await chronode(runtime, ["verify", file])
      assert.equal(verified.code, 1)
      assert.match(verified.out, /has no hash chain/u)
    })

    it("with a line that is no event names the line, goes on, and exits 1", slow, async () => {
      const file = changed(await exported(runtime, "j.ndjson"), "bad", (l) =>
        l.map((line, i) => (i === 2 ? "{" : line))
      )
      const events = await chronode(runtime, ["events", "--from", file, "-o", "json"])
      assert.equal(events.code, 1)
      assert.equal(idsOf(events.out).length, 9)
      assert.match(events.err, /^chronode: line 3 is no event: /u)
    })

    it("that is none is refused by name, with exit code 1", slow, async () => {
      writeFileSync(at("empty"), "")
      writeFileSync(at("text"), "hello\n")
      for (const [file, said] of [
        [at("nothing"), /nothing cannot be read/u],
        [at("empty"), /is empty/u],
        [at("text"), /holds no event/u],
        [at("data/journal/journal.sqlite"), /SQLite database/u]
      ] as const) {
        const { code, err } = await chronode(runtime, ["replay", file])
        assert.equal(code, 1, file)
        assert.match(err, said)
      }
    })

    it("can be looked at through head", slow, async () => {
      const file = await exported(runtime, "k.ndjson")
      const { code, out, err } = await startProgram(
        "bash",
        ["-c", `set -o pipefail; '${binary}' events --from '${file}' -o json | head -n 2`],
        { CHRONODE_RUNTIME: runtime }
      ).finished
      assert.deepEqual([code, idsOf(out), err], [0, ["e1", "e2"], ""])
    })
  })
}
