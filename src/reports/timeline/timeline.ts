/**
 * The projection of a log to a timeline: feed it the events in the order of the log. Pure: the same log gives the same
 * timeline, on every runtime. A log may begin in the middle; what is not told is not drawn.
 */
import type { NodeEvent } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { Restarts, timesText } from "../../events/restarts.ts"
import { Bars } from "./bars.ts"
import { Lanes } from "./lanes.ts"
import { causeElsewhere, noCause, type PodSummary, severityNames, type Timeline, type Trouble } from "./model.ts"
import { applyOther } from "./other-bars.ts"
import { PodBars } from "./pod-bars.ts"
import { SeriesGatherer } from "./series.ts"
import { TroubleFinder } from "./troubles.ts"

const knownType = /^dev\.chronode\.([A-Za-z]+)\.v\d+$/u
const isKnown = (recorded: RecordedEvent): recorded is RecordedEvent<NodeEvent> => recorded.event._tag !== "Unknown"

/** The short name of an event's type; the whole type where it is not one of ours. */
export const tagOf = ({ event }: RecordedEvent): string =>
  event._tag === "Unknown" ? (knownType.exec(event.type)?.[1] ?? event.type) : event._tag

export class TimelineBuilder {
  private readonly lanes = new Lanes()
  private readonly bars = new Bars()
  private readonly podBars = new PodBars(this.lanes, this.bars)
  private readonly troubleFinder = new TroubleFinder()
  private readonly seriesGatherer = new SeriesGatherer()
  private readonly marks = {
    at: [] as Array<number>,
    lane: [] as Array<number>,
    tag: [] as Array<number>,
    severity: [] as Array<number>,
    cause: [] as Array<number>
  }
  private readonly tags = new Map<string, number>()
  private readonly troubles: Array<Trouble> = []
  private readonly positions = new Map<string, number>()
  private readonly restarts = new Map<number, Restarts>()
  private readonly uids = new Set<string>()
  private node = ""
  private from = Number.POSITIVE_INFINITY
  private to = Number.NEGATIVE_INFINITY
  private before = 0
  private unknown = 0

  /** Answers the event's position. */
  apply(recorded: RecordedEvent): number {
    const { marks } = this
    const index = marks.at.length
    const at = millis(recorded.time)
    const lane = this.lanes.of(recorded)
    if (this.node === "") this.node = recorded.node
    if (at < this.from) this.from = at
    if (at > this.to) this.to = at
    marks.at.push(at)
    marks.lane.push(lane)
    marks.tag.push(this.tagNumber(tagOf(recorded)))
    marks.severity.push(severityNames.indexOf(recorded.severity))
    marks.cause.push(recorded.cause === undefined ? noCause : (this.positions.get(recorded.cause) ?? causeElsewhere))
    this.positions.set(recorded.id, index)
    if (isKnown(recorded)) this.applyKnown(recorded, lane, at, index)
    else this.unknown += 1
    this.before = at
    return index
  }

  end(): Timeline {
    const isEmpty = this.marks.at.length === 0
    const { lanes, position } = this.lanes.sorted()
    const placed = (lane: number): number => position[lane] as number
    const bars = this.bars
      .all(this.to)
      .map((bar) => ({ ...bar, lane: placed(bar.lane) }))
      .sort((a, b) => a.lane - b.lane || a.from - b.from || a.event - b.event)
    const count = (kind: Trouble["kind"]): number => this.troubles.filter((trouble) => trouble.kind === kind).length
    return {
      node: this.node,
      from: isEmpty ? 0 : this.from,
      to: isEmpty ? 0 : this.to,
      lanes,
      bars,
      marks: { ...this.marks, lane: this.marks.lane.map(placed) },
      tags: [...this.tags.keys()],
      troubles: this.troubles,
      series: this.seriesGatherer.all().map((series) => ({ ...series, lane: placed(series.lane) })),
      pods: [...this.restarts].map(([lane, restarts]) => summary(placed(lane), restarts)),
      totals: {
        events: this.marks.at.length,
        pods: this.uids.size,
        restarts: count("restart"),
        failures: count("exit"),
        probeFailures: count("probe"),
        unknown: this.unknown
      }
    }
  }

  private applyKnown(recorded: RecordedEvent<NodeEvent>, lane: number, at: number, index: number): void {
    const { actor, event } = recorded
    const kind = this.troubleFinder.kindOf(event, lane)
    if (kind !== undefined) this.troubles.push({ event: index, kind })
    this.seriesGatherer.apply(event, lane, at, index)
    if (actor.kind === "pod") this.podBars.apply(recorded, lane, at, index)
    else applyOther(this.bars, event, lane, at, index, this.before)
    if (actor.kind === "image") this.podBars.applyImage(event, at, index)
    if (actor.kind !== "pod" && actor.kind !== "probe") return
    const pod = this.lanes.podOf(lane)
    if (pod < 0) return
    if (event._tag === "PodAdmitted") this.uids.add(event.pod.metadata.uid)
    let restarts = this.restarts.get(pod)
    if (restarts === undefined) {
      restarts = new Restarts()
      this.restarts.set(pod, restarts)
    }
    restarts.apply(recorded)
  }

  private tagNumber(tag: string): number {
    const known = this.tags.get(tag)
    if (known !== undefined) return known
    const number = this.tags.size
    this.tags.set(tag, number)
    return number
  }
}

const summary = (lane: number, restarts: Restarts): PodSummary => {
  const found = restarts.summary()
  if (found === undefined) return { lane, restarts: 0, sentence: "" }
  const last = found.alike || found.count === 1 ? "" : "last because "
  return { lane, restarts: found.count, sentence: `restarted ${timesText(found.count)}: ${last}${found.why}` }
}
