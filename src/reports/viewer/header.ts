/** The top of the page: whose log this is, from when to when, how much went wrong; search, filter, zoom and switches. */
import { button, el, icon, plain } from "./dom.ts"
import type { Store } from "./state.ts"
import { lengthText, spanText } from "./times.ts"

export interface HeaderActions {
  readonly help: () => void
  readonly theme: () => void
  readonly trouble: (by: 1 | -1) => void
}

const figure = (value: number, one: string, many: string, className = ""): HTMLElement =>
  el(
    "div",
    { class: `figure ${value > 0 ? className : ""}` },
    el("b", {}, value.toLocaleString("en")),
    el("span", {}, value === 1 ? one : many)
  )

export class Header {
  readonly element: HTMLElement
  private readonly search: HTMLInputElement
  private readonly found = el("output", { class: "found", "aria-live": "polite" })

  constructor(store: Store, actions: HeaderActions) {
    const { file, from, node, remarks, to, totals } = store.report.head
    const span = el("span", { class: "span" })
    const zone = button("Times in UTC or local (u)", { class: "quiet", title: "UTC or local time (u)" }, () =>
      store.set({ isUtc: !store.state.isUtc })
    )
    const showTimes = (): void => {
      span.textContent =
        totals.events === 0 ? "no events" : `${spanText(from, to, store.zone)} · ${lengthText(to - from)}`
      zone.textContent = store.state.isUtc ? "UTC" : "Local"
    }
    showTimes()
    this.search = el("input", {
      type: "search",
      placeholder: "Search events …",
      "aria-label": "Search: words, or type: pod: kind: severity:",
      title: "Words, or type:ContainerExited pod:default/web kind:probe severity:warn",
      spellcheck: "false",
      autocomplete: "off"
    })
    this.search.addEventListener("input", () => store.set({ search: this.search.value }))
    const severity = el("div", { class: "choice", role: "group", "aria-label": "Least severity" })
    const choices = [
      [0, "All"],
      [2, "Info"],
      [3, "Warnings"],
      [4, "Errors"]
    ] as const
    severity.append(
      ...choices.map(([least, text]) =>
        button(`Show ${text.toLowerCase()}`, { "data-least": String(least) }, () => store.set({ least }), text)
      )
    )
    const causes = button(
      "Arrows from cause to effect (c)",
      { class: "toggle", title: "Arrows from cause to effect (c)" },
      () => store.set({ causes: !store.state.causes }),
      icon("M3 4c6 0 4 8 10 8M10 9l3 3-3 3"),
      el("span", {}, "Causes")
    )
    const showChoices = (): void => {
      for (const choice of severity.children)
        choice.setAttribute("aria-pressed", String(choice.getAttribute("data-least") === String(store.state.least)))
      causes.setAttribute("aria-pressed", String(store.state.causes))
      const { searching, shown, shownCount } = store.state
      this.found.textContent =
        shown === undefined
          ? ""
          : `${shownCount.toLocaleString("en")} of ${totals.events.toLocaleString("en")}${searching ? " …" : ""}`
    }
    showChoices()
    this.element = el(
      "header",
      {},
      el(
        "div",
        { class: "summary" },
        el(
          "div",
          { class: "names" },
          el("h1", {}, node === "" ? "Incident" : plain(node)),
          el("p", {}, span, el("span", { class: "file" }, plain(file)))
        ),
        el(
          "div",
          { class: "figures" },
          figure(totals.pods, "pod", "pods"),
          figure(totals.restarts, "restart", "restarts", "warn"),
          figure(totals.failures, "failed exit", "failed exits", "error"),
          figure(totals.probeFailures, "probe failed", "probes failed", "warn"),
          figure(totals.events, "event", "events")
        ),
        el(
          "div",
          { class: "switches" },
          zone,
          button(
            "Light or dark (t)",
            { class: "quiet", title: "Light or dark (t)" },
            actions.theme,
            icon("M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12")
          ),
          button(
            "Keys and help (?)",
            { class: "quiet", title: "Keys and help (?)" },
            actions.help,
            icon("M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.3 8.7 8 9 8 10M8 12.6v.4")
          )
        )
      ),
      ...(remarks.length === 0
        ? []
        : [el("ul", { class: "remarks" }, ...remarks.map((remark) => el("li", {}, plain(remark))))]),
      el(
        "div",
        { class: "tools", role: "toolbar", "aria-label": "Search, filter and zoom" },
        el(
          "label",
          { class: "search" },
          icon("M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.8 10.8L14 14"),
          this.search,
          el("kbd", { "aria-hidden": "true" }, "/")
        ),
        severity,
        this.found,
        el("span", { class: "gap" }),
        causes,
        el(
          "div",
          { class: "choice", role: "group", "aria-label": "Trouble and zoom" },
          button(
            "Trouble before (p)",
            { title: "Trouble before (p)" },
            () => actions.trouble(-1),
            icon("M10 3L5 8l5 5")
          ),
          button("Next trouble (n)", { title: "Next trouble (n)" }, () => actions.trouble(1), icon("M6 3l5 5-5 5"))
        ),
        el(
          "div",
          { class: "choice", role: "group", "aria-label": "Zoom" },
          button("Zoom out (−)", { title: "Zoom out (−)" }, () => store.zoom(zoomStep), icon("M3 8h10")),
          button("Zoom in (+)", { title: "Zoom in (+)" }, () => store.zoom(1 / zoomStep), icon("M3 8h10M8 3v10")),
          button("Whole log (0)", { title: "Whole log (0)" }, () => fit(store), "Fit")
        )
      )
    )
    store.listen((changed) => {
      if (changed.has("isUtc")) showTimes()
      showChoices()
      if (changed.has("search") && this.search.value !== store.state.search) this.search.value = store.state.search
    })
  }

  focusSearch(): void {
    this.search.focus()
    this.search.select()
  }
}

export const zoomStep = 1.6
export const fit = (store: Store): void => {
  const { from, to } = store.whole()
  store.setView(from, to)
}
