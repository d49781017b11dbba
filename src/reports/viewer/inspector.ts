/** One event, opened: what it says, why it happened, what it led to, what was measured, and all that is stored of it. */
import { causeElsewhere, noCause } from "../timeline/model.ts"
import { seriesCharts } from "./charts.ts"
import { button, el, icon, plain } from "./dom.ts"
import { legend } from "./help.ts"
import { jsonTree } from "./json.ts"
import { copyButton } from "./side.ts"
import type { Store } from "./state.ts"
import { lengthText, local, momentText, utc } from "./times.ts"

const severityWords = ["trace", "debug", "info", "warning", "error"] as const
const severityClass = ["trace", "debug", "info", "warn", "error"] as const
/** Steps of a chain that can be listed. */
const maxSteps = 500
/** Steps of a long chain that are listed at once. */
const recentSteps = 6
const maxEffects = 40

export class Inspector {
  readonly element: HTMLElement
  private readonly store: Store
  private readonly body = el("div", { class: "inspected" })
  private takeDown: () => void = () => {}
  private showing = -2

  constructor(store: Store, close: () => void) {
    this.store = store
    const closing = button(
      "Close the event (Esc)",
      { class: "quiet close", title: "Close (Esc)" },
      close,
      icon("M4 4l8 8M12 4l-8 8")
    )
    this.element = el("aside", { class: "inspector", "aria-label": "Event", tabindex: "-1" }, closing, this.body)
    store.listen((changed) => {
      if (changed.has("event") || changed.has("lane") || changed.has("isUtc")) this.show()
    })
    this.show()
  }

  focus(): void {
    this.element.focus()
  }

  /** Sentences have come, or the theme has changed. */
  refresh(): void {
    this.showing = -2
    this.show()
  }

  private show(): void {
    const { event, lane } = this.store.state
    this.takeDown()
    this.takeDown = () => {}
    if (event < 0) {
      this.body.replaceChildren(...this.nothing(lane))
      this.chart(lane)
    } else {
      this.body.replaceChildren(...this.opened(event))
      this.chart(this.store.report.lane[event]!)
      void this.showStored(event)
      if (event !== this.showing) this.element.scrollTop = 0
    }
    this.showing = event
  }

  private chart(lane: number): void {
    const place = this.body.querySelector<HTMLElement>(".charts")
    if (lane >= 0 && place !== null) this.takeDown = seriesCharts(this.store, lane, place)
  }

  private nothing(lane: number): ReadonlyArray<Node> {
    const { report } = this.store
    const hint = el(
      "p",
      { class: "hint" },
      "Choose an event or a bar to see what it says, why it happened and what it led to."
    )
    if (lane < 0) return [hint, legend()]
    const { kind } = report.head.lanes[lane]!
    const told = report.head.pods.find((pod) => pod.lane === lane)?.sentence ?? ""
    return [
      el("p", { class: "kind" }, kind),
      el("h2", {}, plain(report.laneText(lane))),
      ...(told === "" ? [] : [el("p", { class: "said" }, plain(told))]),
      el("p", { class: "muted" }, `${report.byLane.of(lane).length.toLocaleString("en")} events`),
      el("div", { class: "charts" }),
      hint
    ]
  }

  private opened(event: number): ReadonlyArray<Node> {
    const { report, zone } = this.store
    const at = report.at[event]!
    const severity = report.severity[event]!
    const otherZone = zone === utc ? `local ${momentText(at, local)}` : `UTC ${momentText(at, utc)}`
    const chain = report.chainOf(event, maxSteps)
    const effects = report.effectsOf(event)
    return [
      el(
        "p",
        { class: "kind" },
        el("span", { class: `badge ${severityClass[severity]}` }, severityWords[severity]!),
        plain(report.laneText(report.lane[event]!))
      ),
      el("h2", {}, plain(report.tagOf(event))),
      el("p", { class: "said" }, plain(report.sentence(event))),
      el(
        "p",
        { class: "when" },
        el("time", { datetime: new Date(at).toISOString() }, momentText(at, zone)),
        el("span", { class: "muted" }, otherZone)
      ),
      el("h3", {}, "Why"),
      this.chain(chain),
      ...(effects.length === 0
        ? []
        : [
            el("h3", {}, "Led to", el("span", { class: "count" }, String(effects.length))),
            el(
              "ol",
              { class: "chain effects" },
              ...[...effects.subarray(0, maxEffects)].map((effect) => this.step(effect))
            ),
            ...(effects.length > maxEffects
              ? [el("p", { class: "muted" }, `and ${effects.length - maxEffects} more`)]
              : [])
          ]),
      el("div", { class: "charts" }),
      el("div", { class: "stored", "aria-busy": "true" })
    ]
  }

  /** The causes, oldest first; of a long chain the last ones, and the others when they are asked for. */
  private chain(chain: ReadonlyArray<number>): HTMLElement {
    const { report } = this.store
    const event = chain.at(-1)!
    const before = report.cause[chain[0]!]!
    const steps = chain.slice(0, -1)
    if (steps.length === 0)
      return el(
        "p",
        { class: "muted" },
        before === causeElsewhere
          ? "Its cause is not in this log."
          : "It has no cause in the log: it came from outside."
      )
    const list = el("ol", { class: "chain" })
    const fill = (first: number): void => {
      const more = button(`Show ${first} older causes`, { class: "more" }, () => fill(0), `… ${first} older causes`)
      list.replaceChildren(
        ...(first > 0 ? [el("li", { class: "muted" }, more)] : []),
        ...(first === 0 && before !== noCause
          ? [el("li", { class: "muted" }, before < 0 ? "… a cause that is not in this log" : "… causes before these")]
          : []),
        ...steps.slice(first).map((step, n) => this.step(step, steps[first + n + 1] ?? event)),
        el(
          "li",
          { class: `here ${severityClass[report.severity[event]!]}`, "aria-current": "step" },
          el("span", { class: "what" }, plain(report.tagOf(event)))
        )
      )
    }
    fill(steps.length > recentSteps + 1 ? steps.length - recentSteps : 0)
    return list
  }

  /** @param next the step that it caused, to tell how long after */
  private step(event: number, next?: number): HTMLElement {
    const { report } = this.store
    const after = next === undefined ? undefined : report.at[next]! - report.at[event]!
    const label = `${report.tagOf(event)}: ${report.sentence(event)}`
    return el(
      "li",
      { class: severityClass[report.severity[event]!]! },
      button(
        plain(label),
        {},
        () => this.store.select(event),
        el("span", { class: "what" }, plain(report.tagOf(event))),
        el("span", { class: "where" }, plain(report.laneText(report.lane[event]!))),
        el("span", { class: "said" }, plain(report.sentence(event)))
      ),
      ...(after === undefined || after < 1 ? [] : [el("span", { class: "after" }, `${lengthText(after)} later`)])
    )
  }

  private async showStored(event: number): Promise<void> {
    const line = await this.store.report.line(event)
    const place = this.body.querySelector<HTMLElement>(".stored")
    if (event !== this.store.state.event || place === null) return
    place.removeAttribute("aria-busy")
    let stored: Record<string, unknown>
    try {
      stored = JSON.parse(line) as Record<string, unknown>
    } catch {
      place.replaceChildren(el("pre", {}, plain(line)))
      return
    }
    const { command, data, ...envelope } = stored
    const id = String(stored.id)
    place.replaceChildren(
      el("h3", {}, "Data"),
      jsonTree(data),
      ...(typeof command === "string" ? [folded("The command that was decided", jsonTree(parsed(command)))] : []),
      folded("Envelope", jsonTree(envelope)),
      el(
        "div",
        { class: "copies" },
        copyButton("Copy id", () => id),
        copyButton("Copy event", () => line),
        copyButton("Copy “why” command", () => `chronode why ${id} --from ${quoted(this.store.report.head.file)}`)
      )
    )
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
/** A word for a shell. */
const quoted = (text: string): string => (/^[\w./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

const folded = (title: string, content: Node): HTMLElement => el("details", {}, el("summary", {}, title), content)
