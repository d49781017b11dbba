/**
 * Counters, gauges and histograms, written in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Series are made by those who count, never by a request.
 */

export type Labels = Readonly<Record<string, string>>

export interface Counter {
  readonly add: (amount: number, labels?: Labels) => void
  readonly forget: Forget
}
export interface Gauge {
  readonly set: (value: number, labels?: Labels) => void
  readonly forget: Forget
}
export interface Histogram {
  readonly observe: (value: number, labels?: Labels) => void
  readonly forget: Forget
}
/** Drops the series that are told no more: those whose labels it says so of. */
export type Forget = (isGone: (labels: Labels) => boolean) => void

export type FamilyType = "counter" | "gauge" | "histogram"

export interface Description {
  readonly name: string
  /** One sentence. */
  readonly help: string
  /** Of series that are there from the start, with zero. Absent: one without labels. */
  readonly series?: ReadonlyArray<Labels>
  /** Series that it may have; what is beyond is not counted. Absent: `maxSeries`. */
  readonly maxSeries?: number
}

/** One value with its labels. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
}

export interface HistogramSample {
  readonly labels: Labels
  /** By bucket, not summed up; the last is beyond all bounds. */
  readonly counts: ReadonlyArray<number>
  readonly sum: number
}

/** A family as it is now, for those who tell it in another way than as text. */
export type FamilyValues = { readonly name: string; readonly help: string } & (
  | { readonly type: "counter" | "gauge"; readonly samples: ReadonlyArray<Sample> }
  | {
      readonly type: "histogram"
      readonly bounds: ReadonlyArray<number>
      readonly samples: ReadonlyArray<HistogramSample>
    }
)

/** A value, or one for each of several series; a series that comes twice is told once. */
export type LookedUp = number | ReadonlyArray<Sample>

export interface Registry {
  readonly counter: (description: Description) => Counter
  readonly gauge: (description: Description) => Gauge
  /** @param buckets upper bounds, rising */
  readonly histogram: (description: Description, buckets: ReadonlyArray<number>) => Histogram
  /** A gauge or counter whose values are looked up when they are asked for. */
  readonly lookedUp: (description: Description, type: "gauge" | "counter", look: () => LookedUp) => void
  /** All families that have series, but those whose names are hidden. */
  readonly text: (isHidden?: (name: string) => boolean) => string
  readonly values: () => ReadonlyArray<FamilyValues>
  /** Name, type and help of all families, for documentation. */
  readonly families: () => ReadonlyArray<{ readonly name: string; readonly type: FamilyType; readonly help: string }>
}

export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** Series of one family; what is beyond is not counted: a label that grows without bound must not take the memory. */
export const maxSeries = 1_000

const escapeLabel = (value: string): string =>
  /["\\\n]/u.test(value) ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : value
const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

/** `a="1",b="2"`: labels as they stand between the braces. */
export const labelText = (labels: Labels): string => {
  let text = ""
  for (const name in labels) text += `${text === "" ? "" : ","}${name}="${escapeLabel(labels[name] as string)}"`
  return text
}

const braces = (...parts: ReadonlyArray<string>): string => {
  const inner = parts.filter((part) => part !== "").join(",")
  return inner === "" ? "" : `{${inner}}`
}

export const numberText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value)

/** The two lines before the values of a family. */
export const familyHead = (name: string, type: FamilyType, help: string): string =>
  `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`

interface Family {
  readonly description: Description
  readonly type: FamilyType
  readonly lines: () => ReadonlyArray<string>
  readonly values: () => FamilyValues
}

interface Series<S> {
  readonly labels: Labels
  readonly held: S
}

interface HistogramSeries {
  /** By bucket, not yet summed up; the last is beyond all bounds. */
  readonly counts: Float64Array
  sum: number
}

export const makeRegistry = (): Registry => {
  const families: Array<Family> = []

  /** Series by their labels as text, made at first use. */
  const seriesOf = <S>(description: Description, make: () => S) => {
    const all = new Map<string, Series<S>>()
    const most = description.maxSeries ?? maxSeries
    const of = (labels: Labels = {}): S | undefined => {
      const key = labelText(labels)
      const known = all.get(key)
      if (known !== undefined) return known.held
      if (all.size >= most) return undefined
      const held = make()
      all.set(key, { labels, held })
      return held
    }
    for (const labels of description.series ?? [{}]) of(labels)
    const forget: Forget = (isGone) => {
      for (const [key, { labels }] of all) if (isGone(labels)) all.delete(key)
    }
    return { all, of, forget }
  }

  const scalar = (description: Description, type: "counter" | "gauge") => {
    const { all, of, forget } = seriesOf(description, () => ({ value: 0 }))
    const { name, help } = description
    families.push({
      description,
      type,
      lines: () => Array.from(all, ([key, { held }]) => `${name}${braces(key)} ${numberText(held.value)}`),
      values: () => ({
        name,
        help,
        type,
        samples: Array.from(all.values(), ({ labels, held }) => ({ labels, value: held.value }))
      })
    })
    return { of, forget }
  }

  return {
    counter: (description) => {
      const { of, forget } = scalar(description, "counter")
      return {
        add: (amount, labels) => {
          const series = of(labels)
          if (series !== undefined) series.value += amount
        },
        forget
      }
    },
    gauge: (description) => {
      const { of, forget } = scalar(description, "gauge")
      return {
        set: (value, labels) => {
          const series = of(labels)
          if (series !== undefined) series.value = value
        },
        forget
      }
    },
    histogram: (description, buckets) => {
      const { name, help } = description
      const { all, of, forget } = seriesOf(
        description,
        (): HistogramSeries => ({ counts: new Float64Array(buckets.length + 1), sum: 0 })
      )
      const lines = () =>
        [...all].flatMap(([key, { held }]) => {
          const { counts, sum } = held
          let below = 0
          const told = buckets.map((bound, i) => {
            below += counts[i] as number
            return `${name}_bucket${braces(key, `le="${bound}"`)} ${below}`
          })
          const count = below + (counts[buckets.length] as number)
          return [
            ...told,
            `${name}_bucket${braces(key, 'le="+Inf"')} ${count}`,
            `${name}_sum${braces(key)} ${numberText(sum)}`,
            `${name}_count${braces(key)} ${count}`
          ]
        })
      const values = (): FamilyValues => ({
        name,
        help,
        type: "histogram",
        bounds: buckets,
        samples: Array.from(all.values(), ({ labels, held }) => ({ labels, counts: [...held.counts], sum: held.sum }))
      })
      families.push({ description, type: "histogram", lines, values })
      return {
        observe: (value, labels) => {
          const series = of(labels)
          if (series === undefined) return
          const bucket = buckets.findIndex((bound) => value <= bound)
          const at = bucket === -1 ? buckets.length : bucket
          series.counts[at] = (series.counts[at] as number) + 1
          series.sum += value
        },
        forget
      }
    },
    lookedUp: (description, type, look) => {
      const { name, help } = description
      const fixed = description.series?.[0] ?? {}
      const samples = (): ReadonlyArray<Sample> => {
        const found = look()
        return typeof found === "number" ? [{ labels: fixed, value: found }] : found
      }
      const lines = () => {
        const texts = new Map<string, string>()
        for (const { labels, value } of samples()) {
          const key = labelText(labels)
          if (!texts.has(key)) texts.set(key, `${name}${braces(key)} ${numberText(value)}`)
        }
        return [...texts.values()]
      }
      families.push({ description, type, lines, values: () => ({ name, help, type, samples: samples() }) })
    },
    text: (isHidden = () => false) => {
      let text = ""
      for (const { description, type, lines } of families) {
        if (isHidden(description.name)) continue
        const told = lines()
        if (told.length > 0) text += `${familyHead(description.name, type, description.help)}${told.join("\n")}\n`
      }
      return text
    },
    values: () => families.map(({ values }) => values()),
    families: () => families.map(({ description: { name, help }, type }) => ({ name, type, help }))
  }
}

/** `count` bounds, each `factor` times the one before. */
export const exponentialBuckets = (first: number, factor: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => first * factor ** i)

/** `count` bounds, each `step` more than the one before. */
export const linearBuckets = (first: number, step: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => first + step * i)

/** Prometheus' own, seconds (`prometheus.DefBuckets`). */
export const defaultBuckets: ReadonlyArray<number> = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
