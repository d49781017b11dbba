/** What the keyboard does, wherever the focus is not in a text or a list. */
import { firstFrom } from "./groups.ts"
import { fit, zoomStep } from "./header.ts"
import { toggled } from "./panel.ts"
import type { Store } from "./state.ts"

export interface KeyActions {
  readonly focusSearch: () => void
  readonly focusInspector: () => void
  readonly focusTimeline: () => void
  readonly close: () => void
  readonly help: () => void
  readonly theme: () => void
  readonly trouble: (by: 1 | -1) => void
  /** The shown event after or before the selected one. */
  readonly neighbour: (by: 1 | -1) => number | undefined
  readonly visibleLanes: () => ReadonlyArray<number>
}

/** Part of the view that a step moves by. */
const panStep = 0.2

/** The shown event next to the selected one in its lane; in all lanes where none is chosen. */
const stepInLane = (store: Store, actions: KeyActions, by: 1 | -1): void => {
  const { event, lane, shown } = store.state
  const { at, byLane } = store.report
  if (lane < 0) {
    const next = actions.neighbour(by)
    if (next !== undefined) store.select(next)
    return
  }
  const members = byLane.of(lane)
  const own = members.indexOf(event)
  const { from, to } = store.state.view
  let i = own >= 0 ? own + by : by === 1 ? firstFrom(members, at, from) : firstFrom(members, at, to) - 1
  while (i >= 0 && i < members.length && shown !== undefined && shown[members[i]!] !== 1) i += by
  const next = members[i]
  if (next !== undefined) store.select(next)
}

/** The lane above or below; the event there that is nearest in time is selected, if one was selected before. */
const stepLane = (store: Store, actions: KeyActions, by: 1 | -1): void => {
  const lanes = actions.visibleLanes()
  const at = lanes.indexOf(store.state.lane)
  const lane = lanes[at < 0 ? (by === 1 ? 0 : lanes.length - 1) : Math.min(Math.max(at + by, 0), lanes.length - 1)]
  if (lane === undefined || lane === store.state.lane) return
  const { event, shown } = store.state
  const { byLane, at: times } = store.report
  if (event < 0) {
    store.set({ lane })
    return
  }
  const members = byLane.of(lane).filter((member) => shown === undefined || shown[member] === 1)
  const i = firstFrom(members, times, times[event]!)
  const [before, after] = [members[i - 1], members[i]]
  const isBefore =
    after === undefined || (before !== undefined && times[event]! - times[before]! < times[after]! - times[event]!)
  const near = isBefore ? before : after
  if (near === undefined) store.set({ lane, event: -1 })
  else store.select(near)
}

export const listenToKeys = (store: Store, actions: KeyActions): void => {
  const plainKeys: Readonly<Record<string, () => void>> = {
    "/": actions.focusSearch,
    "?": actions.help,
    Escape: actions.close,
    ArrowLeft: () => stepInLane(store, actions, -1),
    ArrowRight: () => stepInLane(store, actions, 1),
    ArrowUp: () => stepLane(store, actions, -1),
    ArrowDown: () => stepLane(store, actions, 1),
    Home: () => fit(store),
    Enter: () => {
      const { event, folded, lane } = store.state
      if (event >= 0) actions.focusInspector()
      else if (lane >= 0 && store.report.head.lanes[lane]!.kind === "pod") store.set({ folded: toggled(folded, lane) })
      else stepInLane(store, actions, 1)
    },
    n: () => actions.trouble(1),
    p: () => actions.trouble(-1),
    w: () => {
      const cause = store.report.cause[store.state.event] ?? -1
      if (cause >= 0) store.select(cause)
    },
    c: () => store.set({ causes: !store.state.causes }),
    u: () => store.set({ isUtc: !store.state.isUtc }),
    t: actions.theme,
    "+": () => store.zoom(1 / zoomStep),
    "=": () => store.zoom(1 / zoomStep),
    "-": () => store.zoom(zoomStep),
    "−": () => store.zoom(zoomStep),
    "0": () => fit(store)
  }
  const shiftKeys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => store.pan(-panStep),
    ArrowRight: () => store.pan(panStep)
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const target = event.target as HTMLElement
    if (document.querySelector("dialog[open]") !== null) return
    if (target instanceof HTMLInputElement) {
      if (event.key === "Escape") {
        // The first clears, the second leaves. At once: the second may come before the next frame.
        if (target.value === "") target.blur()
        target.value = ""
        store.set({ search: "" })
      } else if (event.key === "Enter" || event.key === "ArrowDown") {
        const first = actions.neighbour(1)
        if (store.state.event < 0 && first !== undefined) store.select(first)
        actions.focusTimeline()
      } else return
      event.preventDefault()
      return
    }
    // A pressed button does what it says.
    if (event.key === "Enter" && target.closest("button, summary, a") !== null) return
    const act = (event.shiftKey ? shiftKeys[event.key] : undefined) ?? plainKeys[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
}
