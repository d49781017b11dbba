/** The small shapes of the lanes: heads of arrows, marks of events, texts that fit. */
import type { Colours } from "./colours.ts"

/** A point at `x`, `y` that looks along `dx` or `dy`. */
export const arrowhead = (context: CanvasRenderingContext2D, x: number, y: number, dx: number, dy: number): void => {
  context.beginPath()
  context.moveTo(x, y)
  context.lineTo(x - 5 * dx - 3 * dy, y - 5 * dy - 3 * dx)
  context.lineTo(x - 5 * dx + 3 * dy, y - 5 * dy + 3 * dx)
  context.fill()
}

export const drawMark = (
  context: CanvasRenderingContext2D,
  colours: Colours,
  x: number,
  y: number,
  severity: number
): void => {
  context.fillStyle = colours.severity[severity] as string
  context.beginPath()
  if (severity >= 3) {
    const size = 4.5
    context.moveTo(x, y - size)
    context.lineTo(x + size, y)
    context.lineTo(x, y + size)
    context.lineTo(x - size, y)
  } else context.arc(x, y, severity === 2 ? 2.5 : 1.75, 0, Math.PI * 2)
  context.fill()
}

/** Text that was measured before, by width; emptied when it grows. */
const fittedTexts = new Map<string, string>()
const maxFitted = 5000

/** The text, shortened with … to fit into `room` pixels. */
export const fitted = (context: CanvasRenderingContext2D, text: string, room: number): string => {
  const key = `${context.font}|${Math.floor(room)}|${text}`
  const known = fittedTexts.get(key)
  if (known !== undefined) return known
  let short = text
  if (context.measureText(text).width > room) {
    let [low, high] = [0, text.length]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (context.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle
      else high = middle - 1
    }
    short = low === 0 ? "" : `${text.slice(0, low)}…`
  }
  if (fittedTexts.size >= maxFitted) fittedTexts.clear()
  fittedTexts.set(key, short)
  return short
}
