/** The page's help: keys, the colours of states, the shapes of marks. */
import { type StateName, states, type Tone } from "../timeline/model.ts"
import { button, el } from "./dom.ts"

const keys: ReadonlyArray<readonly [keys: string, meaning: string]> = [
  ["/", "search; Esc leaves and clears it"],
  ["← →", "event before, next event, in the lane"],
  ["↑ ↓", "lane above, lane below"],
  ["Enter", "open the event, fold or unfold a pod"],
  ["Esc", "close what is open"],
  ["n p", "next trouble, trouble before"],
  ["w", "to the cause of the event"],
  ["+ − 0", "zoom in, out, whole log"],
  ["Shift ← →", "move in time"],
  ["c", "arrows from cause to effect"],
  ["u", "UTC or local time"],
  ["t", "light or dark"],
  ["Tab", "lists, timeline, event"],
  ["?", "this help"]
]

const pointer: ReadonlyArray<readonly [what: string, meaning: string]> = [
  ["Drag", "move in time"],
  ["Ctrl + wheel, pinch", "zoom"],
  ["Shift + wheel", "move in time"],
  ["Drag over the chart", "zoom to that part"],
  ["Double click", "look at an event closely"]
]

const toneWords: Readonly<Record<Tone, string>> = {
  good: "well",
  active: "runs, not ready yet",
  progress: "on its way",
  pulling: "pulls an image",
  warn: "not ready, failing",
  backoff: "waits to try again",
  bad: "failed",
  ending: "ends",
  done: "done",
  idle: "waits"
}

const table = (title: string, rows: ReadonlyArray<readonly [string, string]>): HTMLElement =>
  el(
    "section",
    {},
    el("h3", {}, title),
    el("dl", {}, ...rows.flatMap(([name, meaning]) => [el("dt", {}, el("kbd", {}, name)), el("dd", {}, meaning)]))
  )

export const legend = (): HTMLElement => {
  const of = (tone: Tone): string =>
    (Object.keys(states) as ReadonlyArray<StateName>).filter((state) => states[state] === tone).join(", ")
  return el(
    "section",
    {},
    el("h3", {}, "Colours of states"),
    el(
      "dl",
      { class: "legend" },
      ...(Object.keys(toneWords) as ReadonlyArray<Tone>).flatMap((tone) => [
        el("dt", {}, el("span", { class: `swatch tone-${tone}` })),
        el("dd", {}, toneWords[tone], el("span", { class: "muted" }, of(tone)))
      ])
    )
  )
}

export const makeHelp = (writtenBy: string): { readonly element: HTMLDialogElement; readonly open: () => void } => {
  const close = button("Close (Esc)", { class: "quiet" }, () => element.close(), "Close")
  const element = el(
    "dialog",
    { class: "help", "aria-label": "Keys and help" },
    el("div", { class: "head" }, el("h2", {}, "Keys and help"), close),
    el("div", { class: "columns" }, table("Keys", keys), el("div", {}, table("Mouse and touch", pointer), legend())),
    el(
      "p",
      { class: "muted" },
      `Written by ${writtenBy}. Search understands words, "two words", type:ContainerExited, pod:default/web, kind:probe and severity:warn. This file loads nothing from anywhere.`
    )
  )
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close()
  })
  return { element, open: () => (element.open ? element.close() : element.showModal()) }
}
