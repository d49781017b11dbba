/** The timeline of whole logs: causes, troubles, totals, what is unknown, and what was measured. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Result } from "effect"
import { actorId } from "../../../src/events/actor-id.ts"
import { decodeLine } from "../../../src/events/decode.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { causeElsewhere, noCause } from "../../../src/reports/timeline/model.ts"
import { serviceEvents } from "../../cli/service-story.ts"
import { recordedEvents } from "../../events/recorded.ts"
import { barsOf, laneText, timelineOf, timelineOfGiven } from "./given.ts"

const golden = fileURLToPath(new URL("../../golden/0.1.0/", import.meta.url))
const eventsOf = (name: string): ReadonlyArray<RecordedEvent> =>
  readFileSync(`${golden}${name}`, "utf8")
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => Result.getOrThrow(decodeLine(line)))

const place = { podUid: "u", container: "app", containerId: "c", probe: "liveness" } as const
const probe = actorId("probe", "default", "web.app.liveness")
const node = actorId("node", "", "node1")
const nodeStarted = {
  _tag: "NodeStarted",
  version: "0.1.0",
  host: "bun",
  kernel: "6",
  architecture: "amd64",
  cgroupVersion: "v2",
  bootId: "b",
  pid: 1,
  recording: "events",
  flags: [],
  recoveredEvents: 0,
  recoveredActors: 0
} as const

describe("a timeline", () => {
  it("is empty of an empty log", () => {
    const { bars, from, lanes, marks, to, totals } = timelineOf([])
    assert.deepEqual({ bars, from, lanes, to, at: marks.at }, { bars: [], from: 0, lanes: [], to: 0, at: [] })
    assert.equal(totals.events, 0)
  })

  it("points each event at its cause, or says that it is elsewhere", () => {
    const event = { _tag: "ProbeStopped", ...place, reason: "" } as const
    const { marks } = timelineOfGiven([
      { event, actor: probe },
      { event, actor: probe, cause: "e1" },
      { event, actor: probe, cause: "pruned" }
    ])
    assert.deepEqual(marks.cause, [noCause, 0, causeElsewhere])
  })

  it("shows Services with their endpoints below them, and the proxy beside the node", () => {
    const timeline = timelineOf(serviceEvents)
    assert.deepEqual(
      timeline.lanes.filter(({ kind }) => ["proxy", "service", "endpoint"].includes(kind)).map(({ name }) => name),
      [
        "services",
        "default/api",
        "http.10.88.0.2:8080",
        "http.[fd00::7]:8080",
        "default/other",
        "default/quiet",
        "default/web",
        "http.10.88.0.2:8080",
        "http.10.88.0.3:8080"
      ]
    )
    assert.deepEqual(barsOf(timeline, "service default/web"), ["waiting 1-4", "ready 4-…"])
    assert.deepEqual(barsOf(timeline, "service default/other"), ["rejected 5-…"])
    assert.deepEqual(barsOf(timeline, "service default/web http.10.88.0.3:8080"), ["ready 3-8", "not ready 8-20"])
    assert.deepEqual(barsOf(timeline, "proxy services"), ["ready 0-24", "failed 24-…"])
    const troubles = timeline.troubles.filter(({ kind }) => kind === "service").map(({ event }) => `e${event + 1}`)
    assert.deepEqual(troubles, ["e6", "e15", "e16"])
  })

  it("shows events of unknown types in the lane of their actor", () => {
    const [first] = recordedEvents([{ event: { _tag: "PodRemoved", uid: "u" } }])
    const unknown: RecordedEvent = {
      ...first!,
      event: { _tag: "Unknown", type: "dev.chronode.PodDreamt.v3", data: { of: "sheep" } }
    }
    const timeline = timelineOf([unknown])
    assert.deepEqual(timeline.tags, ["PodDreamt"])
    assert.equal(laneText(timeline, timeline.marks.lane[0]!), "default/web")
    assert.equal(timeline.totals.unknown, 1)
  })

  it("tells a probe's course, and what it measured", () => {
    const failed = (consecutive: number) =>
      ({
        _tag: "ProbeFailed",
        ...place,
        consecutive,
        threshold: 2,
        output: "500",
        timedOut: false,
        duration: 7
      }) as const
    const timeline = timelineOfGiven(
      [
        { _tag: "ProbeStarted", ...place, spec: {}, host: "h", target: "GET /" } as const,
        failed(1),
        { _tag: "ProbeSucceeded", ...place, consecutive: 1, threshold: 1, output: "", duration: 2 } as const,
        failed(1),
        failed(2),
        {
          _tag: "ProbeResultChanged",
          ...place,
          from: "success",
          to: "failure",
          consecutive: 2,
          threshold: 2,
          output: ""
        } as const,
        { _tag: "ProbeStopped", ...place, reason: "" } as const
      ].map((event) => ({ event, actor: probe }))
    )
    assert.deepEqual(barsOf(timeline, "default/web app liveness"), [
      "passing 0-1",
      "failing 1-2",
      "passing 2-3",
      "failing 3-5",
      "failed 5-6"
    ])
    assert.deepEqual(
      timeline.series.map(({ lane, name, unit, value }) => [laneText(timeline, lane), name, unit, value]),
      [["default/web app liveness", "time to answer", "ms", [7, 2, 7, 7]]]
    )
    assert.equal(timeline.totals.probeFailures, 1)
  })

  it("shows that the agent was down between its last event and its next start", () => {
    const timeline = timelineOfGiven([
      { event: nodeStarted, actor: node },
      { event: { _tag: "PodRemoved", uid: "u" } },
      { event: nodeStarted, actor: node, after: 9 },
      { event: { _tag: "NodeStopped", reason: "SIGTERM" }, actor: node, after: 12 },
      { event: nodeStarted, actor: node, after: 15 }
    ])
    assert.deepEqual(barsOf(timeline, "node node1"), [
      "ready 0-1",
      "down 1-9",
      "ready 9-12",
      "stopped 12-15",
      "ready 15-…"
    ])
  })

  it("tells of a recorded incident how often it restarted, and why", () => {
    const { pods, totals, troubles, marks, tags } = timelineOf(eventsOf("liveness-kill.ndjson"))
    assert.deepEqual({ ...totals }, { events: 64, pods: 1, restarts: 2, failures: 2, probeFailures: 2, unknown: 0 })
    assert.match(pods[0]!.sentence, /^restarted twice: its liveness probe GET http:\/\/\S+ answered 503 three times$/u)
    assert.deepEqual(
      troubles.slice(0, 3).map(({ event }) => tags[marks.tag[event]!]),
      ["ProbeResultChanged", "ContainerExited", "ContainerStartRequested"]
    )
  })

  for (const file of readdirSync(golden).filter((name) => name.endsWith(".ndjson")))
    it(`of ${file} holds every event, each in a lane, and bars that follow each other`, () => {
      const events = eventsOf(file)
      const { bars, lanes, marks, tags } = timelineOf(events)
      assert.equal(marks.at.length, events.length)
      for (const [i, lane] of marks.lane.entries()) {
        assert.ok(lanes[lane] !== undefined, `event ${i}`)
        assert.ok(marks.cause[i]! < i)
        assert.ok(tags[marks.tag[i]!] !== undefined)
      }
      for (const [lane, { parent }] of lanes.entries()) assert.ok(parent < lane, "parents come first")
      for (const [i, bar] of bars.entries()) {
        const before = bars[i - 1]
        if (before?.lane === bar.lane) assert.ok(before.to <= bar.from)
        assert.ok(bar.from <= bar.to)
      }
    })
})
