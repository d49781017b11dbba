/** Points and lengths of time for people, and where the marks of a time axis stand. Pure: the zone is given. */

/** Minutes to add to UTC at a moment; 0 for UTC itself. */
export type Zone = (at: number) => number
export const utc: Zone = () => 0
export const local: Zone = (at) => -new Date(at).getTimezoneOffset()

const shifted = (at: number, zone: Zone): Date => new Date(at + zone(at) * 60_000)

/** `2026-11-24` */
export const dayText = (at: number, zone: Zone): string => shifted(at, zone).toISOString().slice(0, 10)
/** `17:10:49.243` */
export const clockText = (at: number, zone: Zone): string => shifted(at, zone).toISOString().slice(11, 23)
/** `2026-11-24 17:10:49.243` */
export const momentText = (at: number, zone: Zone): string => `${dayText(at, zone)} ${clockText(at, zone)}`

/** From when to when, the day once where it is the same. */
export const spanText = (from: number, to: number, zone: Zone): string => {
  const isOneDay = dayText(from, zone) === dayText(to, zone)
  return `${momentText(from, zone)} → ${isOneDay ? clockText(to, zone) : momentText(to, zone)}`
}

/** `350 ms`, `4.2 s`, `3 min 10 s`, `2 h 5 min`, `3 d 4 h` */
export const lengthText = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  if (millis < 60_000) return `${(millis / 1000).toFixed(millis < 10_000 ? 1 : 0).replace(/\.0$/u, "")} s`
  const units: ReadonlyArray<readonly [millis: number, name: string]> = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"]
  ]
  const at = units.findIndex(([size]) => millis >= size)
  const [size, name] = units[at] as readonly [number, string]
  const next = units[at + 1]
  const rest = next === undefined ? 0 : Math.floor((millis % size) / next[0])
  return `${Math.floor(millis / size)} ${name}${rest === 0 || next === undefined ? "" : ` ${rest} ${next[1]}`}`
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
/** Distances of the axis' marks, milliseconds. */
const steps: ReadonlyArray<number> = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * day)
]

export interface Tick {
  readonly at: number
  readonly label: string
  /** It begins a day: the label is the date. */
  readonly isDay: boolean
}

/** Marks for a span, at most `most` of them. */
export const ticks = (from: number, to: number, most: number, zone: Zone): ReadonlyArray<Tick> => {
  const span = to - from
  const step = steps.find((size) => span / size <= most) ?? (steps.at(-1) as number)
  const offset = zone(from) * minute
  const marks: Array<Tick> = []
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) {
    const isDay = (at + offset) % day === 0
    const clock = clockText(at, zone)
    const label = isDay
      ? dayText(at, zone)
      : step < second
        ? clock
        : step < minute
          ? clock.slice(0, 8)
          : clock.slice(0, 5)
    marks.push({ at, label, isDay })
  }
  return marks
}
