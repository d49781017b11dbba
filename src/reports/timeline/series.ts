/** Numbers that events measured, gathered as series for charts. A new event with a number worth a chart gets a line here. */
import type { NodeEvent } from "../../events/catalogue.ts"
import type { Series } from "./model.ts"

interface Measured {
  readonly name: string
  readonly unit: Series["unit"]
  readonly value: number
}

/** What an event measured; undefined: nothing. */
const measuredBy = (event: NodeEvent): Measured | undefined => {
  switch (event._tag) {
    case "ProbeFailed":
    case "ProbeSucceeded":
      return { name: "time to answer", unit: "ms", value: event.duration }
    case "ImagePulled":
      return { name: "time to pull", unit: "ms", value: event.duration }
    case "AdmissionClosed":
    case "AdmissionOpened":
      return { name: "free disk", unit: "bytes", value: event.freeBytes }
    case "StreamConnected":
      return { name: "events behind", unit: "events", value: event.lag }
    default:
      return undefined
  }
}

interface Growing extends Series {
  readonly at: Array<number>
  readonly value: Array<number>
  readonly event: Array<number>
}

export class SeriesGatherer {
  private readonly series = new Map<string, Growing>()

  apply(event: NodeEvent, lane: number, at: number, index: number): void {
    const measured = measuredBy(event)
    if (measured === undefined) return
    const key = `${lane} ${measured.name}`
    let growing = this.series.get(key)
    if (growing === undefined) {
      growing = { name: measured.name, unit: measured.unit, lane, at: [], value: [], event: [] }
      this.series.set(key, growing)
    }
    growing.at.push(at)
    growing.value.push(measured.value)
    growing.event.push(index)
  }

  all(): ReadonlyArray<Series> {
    return [...this.series.values()]
  }
}
