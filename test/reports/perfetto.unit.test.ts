/**
 * The trace by the rules of the Trace Event Format: every event has its phase, process and thread; slices of a thread nest;
 * each flow begins and ends in a slice, and ends once.
 */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Result } from "effect"
import { decodeLine } from "../../src/events/decode.ts"
import { perfettoTrace } from "../../src/reports/perfetto.ts"
import type { Timeline } from "../../src/reports/timeline/model.ts"
import { timelineOf } from "./timeline/given.ts"

interface TraceEvent {
  readonly ph: "X" | "i" | "s" | "f" | "M"
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly id?: number
  readonly bp?: string
  readonly s?: string
  readonly args?: Readonly<Record<string, unknown>>
}

const golden = fileURLToPath(new URL("../golden/0.1.0/", import.meta.url))
const timelineOfFile = (name: string): Timeline =>
  timelineOf(
    readFileSync(`${golden}${name}`, "utf8")
      .split("\n")
      .slice(1)
      .filter((line) => line !== "")
      .map((line) => Result.getOrThrow(decodeLine(line)))
  )
const traceOf = (timeline: Timeline): ReadonlyArray<TraceEvent> =>
  JSON.parse([...perfettoTrace(timeline, (event) => JSON.stringify({ event }))].join("")).traceEvents

const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}/${tid}`
const endOf = ({ dur = 0, ts = 0 }: TraceEvent): number => ts + dur

/** In the order in which a reader takes them: by time, then as they stand. */
const byTime = (events: ReadonlyArray<TraceEvent>): ReadonlyArray<TraceEvent> =>
  events.filter((event) => event.ph !== "M").toSorted((a, b) => a.ts! - b.ts!)

describe("a trace", () => {
  for (const file of readdirSync(golden).filter((name) => name.endsWith(".ndjson")))
    it(`of ${file} nests its slices and pairs its flows`, () => {
      const timeline = timelineOfFile(file)
      const trace = traceOf(timeline)
      const open = new Map<string, Array<TraceEvent>>()
      const flows = new Map<number, TraceEvent>()
      let flowEnds = 0
      for (const event of byTime(trace)) {
        assert.ok(Number.isInteger(event.ts) && event.ts! >= 0, `whole microseconds: ${event.ts}`)
        const thread = threadOf(event)
        const stack = open.get(thread) ?? []
        while (stack.length > 0 && endOf(stack.at(-1)!) <= event.ts!) stack.pop()
        if (event.ph === "X") {
          const outer = stack.at(-1)
          assert.ok(event.dur! > 0)
          assert.ok(outer === undefined || endOf(event) <= endOf(outer), `${event.name} reaches out of ${outer?.name}`)
          open.set(thread, [...stack, event])
        }
        if (event.ph === "i") assert.equal(event.s, "t")
        if (event.ph === "s" || event.ph === "f") {
          assert.ok(stack.length > 0, `flow ${event.id} is in a slice of ${thread}`)
          if (event.ph === "s") {
            assert.ok(!flows.has(event.id!), "an id begins once")
            flows.set(event.id!, event)
          } else {
            assert.equal(event.bp, "e")
            assert.ok(flows.get(event.id!)!.ts! <= event.ts!)
            assert.ok(flows.delete(event.id!), "and ends once")
            flowEnds += 1
          }
        }
      }
      assert.equal(flows.size, 0, "every flow ends")
      assert.equal(flowEnds, timeline.marks.cause.filter((cause) => cause >= 0).length)
      const told = trace.filter(({ args }) => args?.event !== undefined)
      assert.equal(told.length, timeline.marks.at.length, "every event is there")
    })

  it("names a process for the node and for each pod, and a thread for each lane", () => {
    const timeline = timelineOfFile("liveness-kill.ndjson")
    const names = (what: string) =>
      traceOf(timeline)
        .filter(({ name, ph }) => ph === "M" && name === what)
        .map(({ args }) => args?.name)
    assert.deepEqual(names("process_name"), ["node sim", "pod default/web"])
    assert.deepEqual(names("thread_name").slice(-4), [
      "pod default/web",
      "sandbox",
      "container app",
      "probe liveness of app"
    ])
    assert.equal(names("thread_name").length, timeline.lanes.length)
  })

  it("holds states as slices of their length", () => {
    const trace = traceOf(timelineOfFile("liveness-kill.ndjson"))
    const backOff = trace.find(({ name }) => name === "back-off")
    assert.deepEqual([backOff?.ph, Math.round(backOff!.dur! / 1e6)], ["X", 10])
  })

  it("is whole JSON for a log without events", () => {
    assert.deepEqual(
      traceOf(timelineOf([])).map(({ name }) => name),
      ["process_name", "process_sort_index"]
    )
  })
})
