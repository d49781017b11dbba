/** The side panel: what went wrong, by pod; and all events that are shown. */
import { button, el, plain } from "./dom.ts"
import { List, type ListRow } from "./list.ts"
import type { Side, Store } from "./state.ts"
import { clockText, dayText } from "./times.ts"

const severityClass = ["trace", "debug", "info", "warn", "error"] as const

/** What stands for a kind of trouble, and how a person calls it. */
const troubleWords: Readonly<Record<string, string>> = {
  restart: "restart",
  exit: "container failed",
  probe: "probe failed",
  start: "cannot start",
  image: "image missing",
  volume: "volume",
  pod: "pod",
  hook: "hook failed",
  log: "log",
  source: "manifest",
  service: "service",
  node: "node"
}

type Problem =
  /** A pod with its sentence, or what belongs to no pod. */
  | { readonly _tag: "Head"; readonly title: string; readonly sentence: string; readonly count: number }
  | { readonly _tag: "Trouble"; readonly event: number; readonly kind: string }

/** The troubles of each pod under its name, the pods with most restarts first. */
const problemsOf = (store: Store): ReadonlyArray<Problem> => {
  const { head, lane, podOf, trouble } = store.report
  const groups = new Map<number, Array<Problem>>()
  trouble.event.forEach((event, n) => {
    const pod = podOf[lane[event]!]!
    const group = groups.get(pod) ?? []
    group.push({ _tag: "Trouble", event, kind: head.troubleKinds[trouble.kind[n]!]! })
    groups.set(pod, group)
  })
  const summaries = new Map(head.pods.map((pod) => [pod.lane, pod]))
  const restarts = (pod: number): number => summaries.get(pod)?.restarts ?? -1
  return [...groups]
    .sort(([a], [b]) => restarts(b) - restarts(a) || a - b)
    .flatMap(([pod, troubles]) => {
      const title = pod < 0 ? "Node" : head.lanes[pod]!.name
      const sentence = pod < 0 ? "what belongs to no pod" : summaries.get(pod)?.sentence || "never restarted"
      return [{ _tag: "Head" as const, title, sentence, count: troubles.length }, ...troubles]
    })
}

const problemHeight = 56
const eventHeight = 52

export class SidePanel {
  readonly element: HTMLElement
  private readonly store: Store
  private readonly problems: ReadonlyArray<Problem>
  /** Positions of the events that are shown. */
  private events: Uint32Array = new Uint32Array()
  private readonly problemList: List
  private readonly eventList: List
  private readonly tabs: Readonly<Record<Side, HTMLButtonElement>>
  private readonly empty = el("p", { class: "empty" })

  constructor(store: Store) {
    this.store = store
    this.problems = problemsOf(store)
    this.problemList = new List({
      id: "problems",
      label: "What went wrong",
      rowHeight: problemHeight,
      row: (index) => this.problemRow(index),
      choose: (index) => {
        const problem = this.problems[index]!
        const next = problem._tag === "Trouble" ? problem : this.problems[index + 1]
        if (next?._tag === "Trouble") store.goTo(next.event)
      }
    })
    this.eventList = new List({
      id: "events",
      label: "Events",
      rowHeight: eventHeight,
      row: (index) => this.eventRow(this.events[index]!),
      choose: (index) => store.select(this.events[index]!)
    })
    const tab = (side: Side, text: string): HTMLButtonElement =>
      el("button", { type: "button", role: "tab", id: `tab-${side}`, "aria-controls": side }, text)
    this.tabs = { problems: tab("problems", "What went wrong"), events: tab("events", "Events") }
    for (const [side, element] of Object.entries(this.tabs))
      element.addEventListener("click", () => store.set({ side: side as Side }))
    const bar = el(
      "div",
      { class: "tabs", role: "tablist", "aria-label": "Lists" },
      this.tabs.problems,
      this.tabs.events
    )
    bar.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return
      store.set({ side: store.state.side === "events" ? "problems" : "events" })
      this.tabs[store.state.side].focus()
      event.stopPropagation()
    })
    this.element = el(
      "aside",
      { class: "side", "aria-label": "Lists" },
      bar,
      this.problemList.element,
      this.eventList.element,
      this.empty
    )
    store.listen((changed) => {
      if (changed.has("shown")) this.filter()
      if (["event", "shown", "side", "isUtc", "searching"].some((key) => changed.has(key as never))) this.show()
    })
    this.filter()
    this.show()
  }

  focus(): void {
    ;(this.store.state.side === "events" ? this.eventList : this.problemList).element.focus()
  }

  /** The trouble after (1) or before (-1) the selected event. */
  stepTrouble(by: 1 | -1): void {
    const events = [...this.store.report.trouble.event]
    const { event } = this.store.state
    const next = by === 1 ? events.find((e) => e > event) : events.findLast((e) => e < event || event < 0)
    if (next !== undefined) this.store.goTo(next)
  }

  /** The shown event after or before the selected one; undefined: there is none. */
  neighbour(by: 1 | -1): number | undefined {
    const at = this.positionOf(this.store.state.event)
    return at === undefined ? this.events[by === 1 ? 0 : this.events.length - 1] : this.events[at + by]
  }

  /** Sentences have come, or the theme or zone has changed. */
  show(): void {
    const { side, event, searching } = this.store.state
    for (const [name, tab] of Object.entries(this.tabs)) {
      tab.setAttribute("aria-selected", String(name === side))
      tab.tabIndex = name === side ? 0 : -1
    }
    const troubles = this.store.report.trouble.event.length
    this.tabs.problems.replaceChildren("What went wrong", el("span", { class: "count" }, countText(troubles)))
    this.tabs.events.replaceChildren("Events", el("span", { class: "count" }, countText(this.events.length)))
    this.problemList.element.hidden = side !== "problems"
    this.eventList.element.hidden = side !== "events"
    const current = this.problems.findIndex((p) => p._tag === "Trouble" && p.event === event)
    this.problemList.show(this.problems.length, current)
    this.eventList.show(this.events.length, this.positionOf(event) ?? -1)
    const isEmpty = side === "problems" ? this.problems.length === 0 : this.events.length === 0
    this.empty.hidden = !isEmpty
    this.empty.textContent =
      side === "problems"
        ? "Nothing went wrong in this log."
        : searching
          ? "Searching the stored events …"
          : "No event matches."
  }

  private filter(): void {
    const { report, state } = this.store
    const { shown } = state
    const all = Uint32Array.from({ length: report.size }, (_, event) => event)
    this.events = shown === undefined ? all : all.filter((event) => shown[event] === 1)
  }

  private positionOf(event: number): number | undefined {
    let [low, high] = [0, this.events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.events[middle]! < event) low = middle + 1
      else high = middle
    }
    return this.events[low] === event && event >= 0 ? low : undefined
  }

  private problemRow(index: number): ListRow {
    const problem = this.problems[index]!
    if (problem._tag === "Head") {
      const title = el(
        "span",
        { class: "title" },
        plain(problem.title),
        el("span", { class: "count" }, String(problem.count))
      )
      return {
        className: "head",
        content: [title, el("span", { class: "said", title: plain(problem.sentence) }, plain(problem.sentence))]
      }
    }
    const { report } = this.store
    return this.row(
      problem.event,
      troubleWords[problem.kind] ?? problem.kind,
      report.head.lanes[report.lane[problem.event]!]!.name,
      3
    )
  }

  private eventRow(event: number): ListRow {
    const { report } = this.store
    return this.row(event, report.tagOf(event), report.laneText(report.lane[event]!))
  }

  /** @param least the severity that it is shown with at least: a restart is no small thing, though its event is plain */
  private row(event: number, what: string, where: string, least = 0): ListRow {
    const { report, zone } = this.store
    const at = report.at[event]!
    return {
      className: severityClass[Math.max(report.severity[event]!, least)]!,
      content: [
        el(
          "span",
          { class: "title" },
          el("span", { class: "what" }, plain(what)),
          el("span", { class: "where" }, plain(where)),
          el("time", { datetime: new Date(at).toISOString(), title: dayText(at, zone) }, clockText(at, zone))
        ),
        el("span", { class: "said" }, plain(report.sentence(event)))
      ]
    }
  }
}

/** `9,999`, `100K`: for a narrow place. */
const countText = (count: number): string =>
  new Intl.NumberFormat("en", { notation: count < 10_000 ? "standard" : "compact" }).format(count)

export const copyButton = (label: string, text: () => string): HTMLButtonElement => {
  const copy = button(label, { class: "quiet" }, () => {
    void navigator.clipboard.writeText(text()).then(
      () => say("Copied"),
      () => say("The browser did not allow to copy")
    )
  })
  const say = (word: string): void => {
    copy.textContent = word
    setTimeout(() => copy.replaceChildren(label), 1200)
  }
  copy.textContent = label
  return copy
}
