/** Commands that read a journal, on a real one, as a user meets them. Each case starts the runtime itself. */
import assert from "node:assert/strict"
import { chmodSync, statSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { after, before, describe, it } from "node:test"
import { journalPath } from "../../src/cli/event-log/journal-path.ts"
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

const data = () => join(directory, "data")
const run = (runtime: Runtime, words: ReadonlyArray<string>, environment = {}) =>
  chronode(runtime, [...words, "--data-dir", data()], environment)
const lines = (text: string) => text.split("\n").filter((line) => line !== "")
const idsOf = (text: string) => lines(text).map((line) => JSON.parse(line).id)

for (const runtime of runtimesOf("bun")) {
  describe(`the journal's readers on ${runtime}`, () => {
    it("tell every event on a line of its own, in order", slow, async () => {
      const { code, out, err } = await run(runtime, ["events"])
      assert.deepEqual({ code, err }, { code: 0, err: "" })
      assert.equal(lines(out).length, story.length)
      assert.match(
        lines(out)[6]!,
        /WARN {3}pod default\/web +ContainerExited +app ended with exit code 137 \(signal 9\)$/u
      )
      assert.ok(!out.includes("\u001b"))
    })

    it("print the CloudEvents as they are stored, and only those that are wanted", slow, async () => {
      const all = await run(runtime, ["events", "-o", "json"])
      assert.deepEqual(
        idsOf(all.out),
        story.map(({ id }) => id)
      )
      assert.equal(JSON.parse(lines(all.out)[6]!).type, "dev.chronode.ContainerExited.v1")
      const ofPod = await run(runtime, ["events", "--from", "journal", "--pod", "default/web", "-o", "json"])
      assert.deepEqual(idsOf(ofPod.out), ["e2", "e3", "e4", "e5", "e6", "e7", "e8"])
      const ofTypes = await run(runtime, ["events", "--type", "ContainerExited,NodeStopped", "-o", "json"])
      assert.deepEqual(idsOf(ofTypes.out), ["e7", "e9"])
      const ofTime = await run(runtime, [
        ...["events", "--since", "2026-01-15T09:30:03Z", "--until", "2026-01-15T09:30:05Z", "-o", "json"]
      ])
      assert.deepEqual(idsOf(ofTime.out), ["e4", "e5", "e6"])
      const together = await run(runtime, [
        ...["events", "--pod", "default/web", "--type", "ProbeFailed", "--since", "2026-01-15T09:30:00Z", "-o", "json"]
      ])
      assert.deepEqual(idsOf(together.out), ["e4"])
      const wrong = await run(runtime, ["events", "--filter", "sevrity >= WARN"])
      assert.equal(wrong.code, 2)
      assert.match(wrong.err, /^chronode: --filter: column 1: no field 'sevrity'; did you mean severity\?\n/u)
    })

    it("follow until nobody reads them any more, also when nothing more happens", slow, async () => {
      const words = `events --follow --pod default/web --data-dir '${data()}'`
      const { code, out, err } = await startProgram(
        "bash",
        ["-c", `set -o pipefail; '${binary}' ${words} | head -n 1`],
        {
          CHRONODE_RUNTIME: runtime
        }
      ).finished
      assert.deepEqual({ code, err }, { code: 0, err: "" })
      assert.equal(lines(out).length, 1)
    })

    it("follow until --until, and print all that happened before it", slow, async () => {
      const own = join(directory, `until-${runtime}`)
      await writeJournal(own, story.slice(0, 3))
      const words = ["events", "--follow", "-o", "json", "--data-dir", own]
      const past = await chronode(runtime, [...words, "--until", "2026-01-15T09:30:03Z"])
      assert.deepEqual({ code: past.code, err: past.err }, { code: 0, err: "" })
      const all = story.slice(0, 3).map(({ id }) => id)
      assert.deepEqual(idsOf(past.out), all)
      const soon = await chronode(runtime, [...words, "--until", new Date(Date.now() + 1_500).toISOString()])
      assert.deepEqual({ code: soon.code, err: soon.err }, { code: 0, err: "" })
      assert.deepEqual(idsOf(soon.out), all)
    })

    it("follow what is written, and end with exit code 0 at Ctrl-C", slow, async () => {
      const own = join(directory, `follow-${runtime}`)
      await writeJournal(own, story.slice(0, 3))
      const following = startProgram(
        binary,
        ["events", "--follow", "-o", "json", "--filter", 'pod == "default/web" && sequence > 1', "--data-dir", own],
        { CHRONODE_RUNTIME: runtime }
      )
      await following.printed('"id":"e3"')
      await writeJournal(own, story.slice(3))
      await following.printed('"id":"e8"')
      following.signal("SIGINT")
      const { code, out, err } = await following.finished
      assert.deepEqual({ code, err }, { code: 0, err: "" })
      assert.deepEqual(idsOf(out), ["e2", "e3", "e4", "e5", "e6", "e7", "e8"])
    })

    it("say why, from the first cause to the restart, with the evidence", slow, async () => {
      const { code, out } = await run(runtime, ["why", "pod", "default/web"])
      assert.equal(code, 0)
      const [restarts, summary, chosen, , ...steps] = out.split("\n")
      assert.match(
        restarts ?? "",
        /^pod default\/web: restarted once since \d{2}:\d{2}:\d{2}: its liveness probe answered 500 once$/u
      )
      assert.equal(
        summary,
        "pod default/web: starting app (restart 1): it ended and its restart policy is Always. It was set off 4s before " +
          "by probe default/web.app.liveness: liveness probe of app failed (1/1): HTTP probe failed with statuscode: 500."
      )
      assert.equal(chosen, "(the latest restart, kill or failure of pod default/web; event e8)")
      assert.deepEqual(
        steps.filter((line) => /^\d{4}-/u.test(line)).map((line) => line.trim().split(/\s{2,}/u)[3]),
        [
          "ManifestRead",
          "PodAdmitted",
          "ContainerStarted",
          "ProbeFailed",
          "ProbeResultChanged",
          "ContainerKillRequested",
          "ContainerExited",
          "ContainerStartRequested"
        ]
      )
      assert.match(out, /^ {4}signal +9$/mu)
      assert.match(out, /^ {4}output +HTTP probe failed with statuscode: 500$/mu)
    })

    it("say why of one event, for a program", slow, async () => {
      const { code, out } = await run(runtime, ["why", "e6", "-o", "json"])
      assert.equal(code, 0)
      const answer = JSON.parse(out)
      assert.equal(answer.event, "e6")
      assert.equal(answer.trigger, "e4")
      assert.deepEqual(
        answer.steps.map(({ id }: { readonly id: string }) => id),
        ["e1", "e2", "e3", "e4", "e5", "e6"]
      )
    })

    it("say what is not there, with exit code 1 and what to do", slow, async () => {
      const noEvent = await run(runtime, ["why", "nothing"])
      assert.equal(noEvent.code, 1)
      assert.match(noEvent.err, /no event nothing in the journal[\s\S]*chronode events -o json/u)
      const noPod = await run(runtime, ["why", "pod", "default/nothing"])
      assert.equal(noPod.code, 1)
      assert.match(noPod.err, /no events of pod default\/nothing/u)
      const noJournal = await chronode(runtime, ["verify", "--journal", "--data-dir", join(directory, "elsewhere")])
      assert.equal(noJournal.code, 1)
      assert.match(noJournal.err, /there is no journal at .*elsewhere/u)
    })

    it("print the state that the journal leads to, now and before", slow, async () => {
      const now = await run(runtime, ["get", "containers", "-o", "json"])
      assert.equal(now.code, 0)
      assert.deepEqual(
        JSON.parse(now.out).map((c: { readonly name: string; readonly pod: string }) => `${c.pod}/${c.name}`),
        ["web/app"]
      )
      const table = await run(runtime, ["get", "pods"])
      assert.match(table.out, /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP\ndefault +web +0\/1 /u)
      const yaml = await run(runtime, ["get", "node", "-o", "yaml"])
      assert.match(yaml.out, /^name: node1\n/u)
      const before = await run(runtime, ["get", "pods", "--at", "2020-01-01"])
      assert.deepEqual([before.code, before.out, before.err], [0, "", "no pods\n"])
    })

    it("find the journal whole, and the first bad place of a changed one", slow, async () => {
      const whole = await run(runtime, ["verify", "--journal"])
      assert.equal(whole.code, 0)
      assert.match(
        whole.out,
        new RegExp(`^whole: the journal .*: ${story.length} events, sequences 1 to ${story.length}`, "u")
      )
      const own = join(directory, `broken-${runtime}`)
      await writeJournal(own, story)
      const db = new DatabaseSync(journalPath(own))
      db.exec("UPDATE events SET line = replace(line, '137', '000') WHERE sequence = 7")
      db.close()
      const broken = await chronode(runtime, ["verify", "--journal", "--data-dir", own])
      assert.equal(broken.code, 3)
      assert.match(broken.out, /^broken: the journal .*: at sequence 7: /u)
      const json = await chronode(runtime, ["verify", "--journal", "--data-dir", own, "-o", "json"])
      assert.deepEqual([json.code, JSON.parse(json.out).broken.sequence], [3, 7])
    })
  })
}

describe("the doctor", () => {
  it("names each check, says how to mend what fails, and exits 1 where something does", slow, async () => {
    const words = ["doctor", "--no-nats", "--cri", `unix://${join(directory, "none.sock")}`, "-o", "json"]
    const { code, out } = await run("bun", words)
    assert.equal(code, 1)
    const report = JSON.parse(out) as {
      readonly healthy: boolean
      readonly checks: ReadonlyArray<{ readonly name: string; readonly status: string; readonly mend?: string }>
    }
    assert.equal(report.healthy, false)
    const names = new Set(report.checks.map(({ name }) => name))
    for (const name of ["rights", "runtime", "network", "cgroups", "inotify", "data-dir", "disk", "journal", "clock"]) {
      assert.ok(names.has(name), name)
    }
    for (const { name, status, mend } of report.checks) assert.equal(status === "ok", mend === undefined, name)
    assert.equal(report.checks.find(({ name }) => name === "runtime")?.status, "fail")
  })

  it("sees a journal that others may read", slow, async () => {
    const own = join(directory, "open")
    await writeJournal(own, story.slice(0, 1))
    assert.equal(statSync(journalPath(own)).mode & 0o777, 0o600)
    chmodSync(journalPath(own), 0o644)
    const { out } = await chronode("bun", ["doctor", "--no-nats", "--data-dir", own, "-o", "json"])
    const check = JSON.parse(out).checks.find(({ name }: { readonly name: string }) => name === "journal")
    assert.deepEqual([check.status, check.mend], ["warn", `chmod 600 ${journalPath(own)}`])
  })

  it("says where NATS does not answer, and never its password", slow, async () => {
    const { out } = await run("bun", ["doctor", "--nats", "nats://user:hunter2@127.0.0.1:1", "-o", "json"])
    const check = JSON.parse(out).checks.find(({ name }: { readonly name: string }) => name === "nats")
    assert.equal(check.status, "fail")
    assert.match(check.found, /127\.0\.0\.1:1/u)
    assert.ok(!out.includes("hunter2"))
  })
})
