/** Mouse, wheel, pen and fingers on the lanes, told in words: point, press, pan, zoom. */

export interface Gestures {
  /** Positions are pixels from the element's corner. */
  readonly hover: (x: number, y: number) => void
  readonly leave: () => void
  readonly press: (x: number, y: number) => void
  /** Pressed twice. */
  readonly enter: (x: number, y: number) => void
  readonly pan: (pixels: number) => void
  readonly zoom: (factor: number, x: number) => void
}

/** Movement below this is a press, pixels. */
const slack = 4
const wheelZoom = 0.0022
/** A wheel that counts lines or pages, in pixels each (`WheelEvent.deltaMode`). */
const wheelUnits = [1, 16, 400] as const

export const pointerGestures = (element: HTMLElement, gestures: Gestures): void => {
  const place = (event: MouseEvent): readonly [x: number, y: number] => {
    const box = element.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  /** Fingers and buttons that are down, by pointer. */
  const down = new Map<number, { x: number; y: number }>()
  let moved = 0

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return
    const [x, y] = place(event)
    if (down.size === 0) moved = 0
    down.set(event.pointerId, { x, y })
    element.setPointerCapture(event.pointerId)
  })
  element.addEventListener("pointermove", (event) => {
    const [x, y] = place(event)
    const last = down.get(event.pointerId)
    if (last === undefined) return gestures.hover(x, y)
    moved += Math.abs(x - last.x) + Math.abs(y - last.y)
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1]
    if (other !== undefined) {
      const [before, now] = [Math.abs(last.x - other.x), Math.abs(x - other.x)]
      if (before > 10 && now > 10) gestures.zoom(before / now, (x + other.x) / 2)
    } else if (moved > slack) gestures.pan(x - last.x)
    down.set(event.pointerId, { x, y })
  })
  const up = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) return
    const [x, y] = place(event)
    if (event.type === "pointerup" && moved <= slack && down.size === 0) gestures.press(x, y)
  }
  element.addEventListener("pointerup", up)
  element.addEventListener("pointercancel", up)
  element.addEventListener("pointerleave", () => gestures.leave())
  element.addEventListener("dblclick", (event) => gestures.enter(...place(event)))
  element.addEventListener(
    "wheel",
    (event) => {
      const unit = wheelUnits[event.deltaMode] ?? 1
      // A pinch on a touch pad arrives as a wheel with Ctrl.
      if (event.ctrlKey || event.metaKey || event.altKey) {
        event.preventDefault()
        return gestures.zoom(Math.exp(event.deltaY * unit * wheelZoom), place(event)[0])
      }
      const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX
      if (Math.abs(sideways) <= Math.abs(event.deltaY) && !event.shiftKey) return
      event.preventDefault()
      gestures.pan(-sideways * unit)
    },
    { passive: false }
  )
}
