/**
 * Counters, gauges and histograms, written in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Series are made by those who count, never by a request.
 */

export type Labels = Readonly<Record<string, string>>

export interface Counter {
  readonly add: (amount: number, labels?: Labels) => void
}
export interface Gauge {
  readonly set: (value: number, labels?: Labels) => void
}
export interface Histogram {
  readonly observe: (value: number, labels?: Labels) => void
}

export interface Description {
  readonly name: string
  /** One sentence. */
  readonly help: string
  /** Of series that are there from the start, with zero. Absent: one without labels. */
  readonly series?: ReadonlyArray<Labels>
}

export interface Registry {
  readonly counter: (description: Description) => Counter
  readonly gauge: (description: Description) => Gauge
  /** @param buckets upper bounds, rising */
  readonly histogram: (description: Description, buckets: ReadonlyArray<number>) => Histogram
  /** A gauge or counter whose value is looked up when it is asked for. */
  readonly lookedUp: (description: Description, type: "gauge" | "counter", look: () => number) => void
  /** All families but those whose names are hidden. */
  readonly text: (isHidden?: (name: string) => boolean) => string
}

export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** Series of one family; what is beyond is not counted: a label that grows without bound must not take the memory. */
export const maxSeries = 1_000

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const keyOf = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",")

const braces = (...parts: ReadonlyArray<string>): string => {
  const inner = parts.filter((part) => part !== "").join(",")
  return inner === "" ? "" : `{${inner}}`
}

const numberText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value)

interface Family {
  readonly description: Description
  readonly type: "counter" | "gauge" | "histogram"
  readonly lines: () => ReadonlyArray<string>
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
    const all = new Map<string, S>()
    const of = (labels: Labels = {}): S | undefined => {
      const key = keyOf(labels)
      const known = all.get(key)
      if (known !== undefined || all.size >= maxSeries) return known
      const made = make()
      all.set(key, made)
      return made
    }
    for (const labels of description.series ?? [{}]) of(labels)
    return { all, of }
  }

  const scalar = (description: Description, type: "counter" | "gauge") => {
    const { all, of } = seriesOf(description, () => ({ value: 0 }))
    const lines = () => [...all].map(([key, { value }]) => `${description.name}${braces(key)} ${numberText(value)}`)
    families.push({ description, type, lines })
    return of
  }

  return {
    counter: (description) => {
      const of = scalar(description, "counter")
      return {
        add: (amount, labels) => {
          const series = of(labels)
          if (series !== undefined) series.value += amount
        }
      }
    },
    gauge: (description) => {
      const of = scalar(description, "gauge")
      return {
        set: (value, labels) => {
          const series = of(labels)
          if (series !== undefined) series.value = value
        }
      }
    },
    histogram: (description, buckets) => {
      const { name } = description
      const { all, of } = seriesOf(
        description,
        (): HistogramSeries => ({ counts: new Float64Array(buckets.length + 1), sum: 0 })
      )
      const lines = () =>
        [...all].flatMap(([key, { counts, sum }]) => {
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
      families.push({ description, type: "histogram", lines })
      return {
        observe: (value, labels) => {
          const series = of(labels)
          if (series === undefined) return
          const bucket = buckets.findIndex((bound) => value <= bound)
          const at = bucket === -1 ? buckets.length : bucket
          series.counts[at] = (series.counts[at] as number) + 1
          series.sum += value
        }
      }
    },
    lookedUp: (description, type, look) => {
      const key = keyOf(description.series?.[0] ?? {})
      families.push({
        description,
        type,
        lines: () => [`${description.name}${braces(key)} ${numberText(look())}`]
      })
    },
    text: (isHidden = () => false) =>
      families
        .filter(({ description }) => !isHidden(description.name))
        .map(({ description: { name, help }, type, lines }) =>
          [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines(), ""].join("\n")
        )
        .join("")
  }
}

/** `count` bounds, each `factor` times the one before. */
export const exponentialBuckets = (first: number, factor: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => first * factor ** i)

/** `count` bounds, each `step` more than the one before. */
export const linearBuckets = (first: number, step: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => first + step * i)
