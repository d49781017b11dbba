/** `chronode proxy cleanup`: what it takes out of which mode, what it leaves alone, and what it says. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Effect, Stream } from "effect"
import { DataplaneError, type DataplaneSettings, type ProxyMode } from "../../src/adapters/dataplane/port.ts"
import { journalPath } from "../../src/cli/event-log/journal-path.ts"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { makeSqliteJournal } from "../../src/events/journal/sqlite.ts"
import { recordedEvents } from "../events/recorded.ts"
import { runMain } from "./in-process.ts"
import { writeJournal } from "./write-journal.ts"

let directory = ""
before(async () => {
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
})
after(() => rm(directory, { recursive: true, force: true }))

type Cleanup = Effect.Effect<ReadonlyArray<string>, DataplaneError>

const failing = (reason: DataplaneError["reason"], message: string): Cleanup =>
  Effect.fail(new DataplaneError({ reason, operation: "clean up", message }))

/** Dataplanes that have, or do not have, something to remove. */
const run = async (dataDir: string, cleanups: Partial<Record<ProxyMode, Cleanup>>, ...words: ReadonlyArray<string>) => {
  const opened: Array<readonly [ProxyMode, DataplaneSettings]> = []
  const result = await runMain(["proxy", "cleanup", "--data-dir", join(directory, dataDir), ...words], {
    openDataplane: async () => (mode, settings) => {
      opened.push([mode, settings])
      return Effect.succeed({
        mode,
        missing: Effect.succeed([]),
        prepare: Effect.succeed([]),
        resync: () => Effect.die("not asked for"),
        apply: () => Effect.die("not asked for"),
        disturbances: Stream.never,
        cleanup: cleanups[mode] ?? Effect.succeed([])
      })
    }
  })
  return { ...result, opened }
}

const proxy = actorId("proxy", "", "services")
const started = (mode: ProxyMode): NodeEvent => ({
  _tag: "ProxyStarted",
  mode,
  families: ["IPv4"],
  nodePortAddresses: [],
  settings: {}
})
const history = (...events: ReadonlyArray<NodeEvent>) =>
  recordedEvents(events.map((event) => ({ event, actor: proxy, correlation: "proxy" }))).map(
    ({ sequence: _, recordedTime: __, node: ___, ...draft }) => draft
  )

describe("proxy cleanup", () => {
  it("removes what nftables and ipvs have of ours, and leaves iptables alone, whose chains may be kube-proxy's", async () => {
    const { code, out, opened } = await run("none", {
      nftables: Effect.succeed(["table ip chronode", "table ip6 chronode"])
    })
    assert.equal(code, 0)
    assert.deepEqual(
      opened.map(([mode, { name }]) => [mode, name]),
      [
        ["nftables", "chronode"],
        ["ipvs", "chronode"]
      ]
    )
    assert.match(out, /^nftables: removed table ip chronode, table ip6 chronode$/mu)
    assert.match(out, /^ipvs: nothing was there$/mu)
    assert.match(out, /^iptables: left alone: its chains have the names of kube-proxy's/mu)
  })

  it("removes iptables' chains where the journal says that they are ours, or on demand", async () => {
    await writeJournal(join(directory, "used"), history(started("iptables"), started("nftables")))
    const chains = { iptables: Effect.succeed(["12 chains of nat"]) }
    const used = await run("used", chains)
    assert.match(used.out, /^iptables: removed 12 chains of nat$/mu)
    const asked = await run("none", chains, "--proxy-mode", "iptables")
    assert.equal(asked.out, "iptables: removed 12 chains of nat\n")
  })

  it("says which kernel parameters stay as they were set", async () => {
    const events: ReadonlyArray<NodeEvent> = [
      started("ipvs"),
      { _tag: "SysctlChanged", name: "net.ipv4.ip_forward", before: "0", value: "1" },
      { _tag: "SysctlChanged", name: "net.ipv4.ip_forward", before: "1", value: "1" }
    ]
    await writeJournal(join(directory, "sysctls"), history(...events))
    const { out } = await run("sysctls", {})
    assert.match(out, /^left as it is: net\.ipv4\.ip_forward = 1 \(was 0\)$/mu)
    const document = JSON.parse((await run("sysctls", {}, "-o", "json")).out)
    assert.deepEqual(document.keptSysctls, [{ name: "net.ipv4.ip_forward", value: "1", before: "0" }])
    assert.deepEqual(document.modes.ipvs, { removed: [] })
  })

  it("goes on with the others where one fails, and exits 1", async () => {
    const { code, out } = await run("none", {
      nftables: failing("NoPermission", "nft: Operation not permitted: run it as root"),
      ipvs: failing("Unsupported", "this kernel has no IPVS")
    })
    assert.equal(code, 1)
    assert.match(out, /^nftables: failed: nft: Operation not permitted: run it as root$/mu)
    assert.match(out, /^ipvs: left alone: this kernel has no IPVS$/mu)
    const asked = await run("none", { ipvs: failing("Unsupported", "this kernel has no IPVS") }, "--proxy-mode", "ipvs")
    assert.deepEqual([asked.code, asked.out], [1, "ipvs: failed: this kernel has no IPVS\n"])
  })

  it("takes another name, and keeps it within what the kernel takes", async () => {
    const { opened } = await run("none", {}, "--dataplane-name", "demo", "--proxy-mode", "nftables")
    assert.equal(opened[0]?.[1].name, "demo")
    const wrong = await run("none", {}, "--dataplane-name", "much too long")
    assert.equal(wrong.code, 2)
    assert.match(wrong.err, /--dataplane-name/u)
  })

  it("does nothing while an agent runs on the data directory, unless it is forced", async () => {
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          yield* makeSqliteJournal({ path: journalPath(join(directory, "busy")), node: "node1", reserveBytes: 0 })
          const refused = yield* Effect.promise(() => run("busy", {}))
          assert.equal(refused.code, 1)
          assert.deepEqual(refused.opened, [])
          assert.match(refused.err, /an agent runs on .*busy \(process \d+, since .*\), and would put back/u)
          assert.match(refused.err, /--force removes all the same/u)
          const forced = yield* Effect.promise(() => run("busy", {}, "--force"))
          assert.equal(forced.code, 0)
          assert.match(forced.err, /runs on .*; it puts back what Services need/u)
        })
      )
    )
    const afterwards = await run("busy", {})
    assert.equal(afterwards.code, 0, afterwards.err)
  })

  it("has help with its flags and exit codes", async () => {
    const { code, out } = await runMain(["proxy", "cleanup", "--help"], {})
    assert.equal(code, 0)
    for (const flag of ["--proxy-mode", "--dataplane-name", "--force", "--output", "--data-dir"])
      assert.ok(out.includes(flag), flag)
    assert.match(out, /Exit code 1/u)
    assert.match((await runMain(["proxy", "--help"], {})).out, /cleanup/u)
  })
})
