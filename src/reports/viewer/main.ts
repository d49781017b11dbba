/** The page of a report: reads its data, puts its parts together, and tells screen readers what is selected. */
import { Overview } from "./charts.ts"
import { Report } from "./data.ts"
import { el, plain } from "./dom.ts"
import { Header } from "./header.ts"
import { makeHelp } from "./help.ts"
import { Inspector } from "./inspector.ts"
import { listenToKeys } from "./keys.ts"
import { Panel } from "./panel.ts"
import { Search } from "./search.ts"
import { SidePanel } from "./side.ts"
import { Store } from "./state.ts"
import { momentText } from "./times.ts"

const start = async (app: HTMLElement): Promise<void> => {
  const report = await Report.read()
  const store = new Store(report)
  const search = new Search(store)
  const help = makeHelp(report.head.writtenBy)
  const panel = new Panel(store)
  const overview = new Overview(store)
  const side = new SidePanel(store)
  const close = (): void => {
    if (store.state.event >= 0) store.set({ event: -1 })
    else if (store.state.search !== "" || store.state.least > 0) store.set({ search: "", least: 0 })
    else store.set({ lane: -1 })
    panel.focus()
  }
  const inspector = new Inspector(store, close)
  const repaint = (): void => {
    panel.repaint()
    overview.build()
    inspector.refresh()
  }
  const theme = (): void => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark"
    repaint()
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint)
  const trouble = (by: 1 | -1): void => side.stepTrouble(by)
  const header = new Header(store, { help: help.open, theme, trouble })
  const status = el("p", { class: "visually-hidden", role: "status", "aria-live": "polite" })
  const showOpened = (): void => {
    app.dataset.event = store.state.event >= 0 ? "open" : "none"
  }
  showOpened()
  store.listen((changed) => {
    if (!changed.has("event") && !changed.has("lane")) return
    showOpened()
    const { event, lane } = store.state
    status.textContent =
      event >= 0
        ? `${event + 1} of ${report.size}. ${momentText(report.at[event]!, store.zone)}. ${plain(`${report.tagOf(event)}, ${report.laneText(report.lane[event]!)}: ${report.sentence(event)}`)}`
        : lane >= 0
          ? plain(`${report.head.lanes[lane]!.kind} ${report.laneText(lane)}`)
          : ""
  })
  listenToKeys(store, {
    focusSearch: () => header.focusSearch(),
    focusInspector: () => inspector.focus(),
    focusTimeline: () => panel.focus(),
    visibleLanes: () => panel.visibleLanes(),
    neighbour: (by) => side.neighbour(by),
    help: help.open,
    close,
    theme,
    trouble
  })
  const main = el(
    "main",
    {},
    side.element,
    el("div", { class: "centre" }, overview.element, panel.element),
    inspector.element
  )
  app.replaceChildren(header.element, main, status, help.element)
  await report.readSentences()
  search.run()
  side.show()
  inspector.refresh()
  app.dataset.ready = "yes"
  performance.mark("chronode-ready")
}

const isDark = (): boolean => {
  const { theme } = document.documentElement.dataset
  return theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark"
}

const app = document.getElementById("app")
if (app !== null)
  start(app).catch((error: unknown) => {
    app.replaceChildren(
      el(
        "p",
        { class: "failed", role: "alert" },
        `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}. It may be incomplete; write it again.`
      )
    )
    throw error
  })
