/**
 * Prometheus' text format 0.0.4, read strictly (https://prometheus.io/docs/instrumenting/exposition_formats/): what a lenient
 * reader lets pass is an error here.
 */
import assert from "node:assert/strict"

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Milliseconds since the epoch. */
  readonly time: number | undefined
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly series: ReadonlyArray<Series>
}

const linePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$/u
const labelPattern = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/u
const valuePattern = /^(?:[+-]Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/u

const unescaped = (text: string): string =>
  text.replace(/\\([\\"n])/gu, (_, character: string) => (character === "n" ? "\n" : character))

const labelsOf = (text: string, line: string): Readonly<Record<string, string>> => {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== "") {
    const match = labelPattern.exec(rest)
    assert.ok(match, `labels of ${line}`)
    const [whole, name = "", value = ""] = match
    assert.ok(!(name in labels), `label ${name} twice: ${line}`)
    assert.ok(!name.startsWith("__"), `reserved label: ${line}`)
    labels[name] = unescaped(value)
    rest = rest.slice(whole.length)
  }
  return labels
}

const numberIn = (text: string, line: string): number => {
  assert.match(text, valuePattern, line)
  return text.endsWith("Inf") ? Number(text.replace("Inf", "Infinity")) : Number(text)
}

const suffixes: Readonly<Record<string, ReadonlyArray<string>>> = {
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
  counter: [""],
  gauge: [""]
}

const checkHistogram = ({ name, series }: Family): void => {
  const groups = new Map<string, Array<Series>>()
  for (const one of series) {
    const { le, ...labels } = one.labels
    const key = JSON.stringify(labels)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`)
    const count = group.find((one) => one.name === `${name}_count`)
    assert.ok(count !== undefined && group.some((one) => one.name === `${name}_sum`), `${name}${key}: sum and count`)
    const bounds = buckets.map(({ labels }) => Number((labels.le ?? "").replace("Inf", "Infinity")))
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `${name}${key}: bounds rise`
    )
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, `${name}${key}: +Inf`)
    const values = buckets.map(({ value }) => value)
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
      `${name}${key}: buckets are summed up`
    )
    assert.equal(values.at(-1), count.value, `${name}${key}: +Inf is the count`)
  }
}

/** Families in their order; throws an AssertionError with the line that is wrong. */
export const parsePrometheus = (text: string): ReadonlyArray<Family> => {
  assert.ok(text === "" || text.endsWith("\n"), "the last line ends")
  const families: Array<{ name: string; type: string; help: string; series: Array<Series> }> = []
  const names = new Set<string>()
  const seen = new Set<string>()
  let help: { readonly name: string; readonly text: string } | undefined
  for (const line of text.split("\n").slice(0, -1)) {
    const described = /^# (HELP|TYPE) (\S+) (.+)$/u.exec(line)
    if (described?.[1] === "HELP") {
      help = { name: described[2] ?? "", text: unescaped(described[3] ?? "") }
      continue
    }
    if (described?.[1] === "TYPE") {
      const [, , name = "", type = ""] = described
      assert.equal(help?.name, name, `HELP stands right before TYPE: ${line}`)
      assert.ok(!names.has(name), `${name} is described once`)
      assert.ok(type in suffixes, line)
      names.add(name)
      families.push({ name, type, help: help?.text ?? "", series: [] })
      help = undefined
      continue
    }
    const match = linePattern.exec(line)
    assert.ok(match, `no line of the format: ${line}`)
    const [, name = "", inner = "", value = "", time] = match
    const family = families.at(-1)
    assert.ok(
      family !== undefined && suffixes[family.type]?.some((suffix) => name === family.name + suffix) === true,
      `stands in its family: ${line}`
    )
    const labels = labelsOf(inner, line)
    const key = `${name}${JSON.stringify(Object.entries(labels).toSorted())}`
    assert.ok(!seen.has(key), `series comes twice: ${line}`)
    seen.add(key)
    family.series.push({
      name,
      labels,
      value: numberIn(value, line),
      time: time === undefined ? undefined : Number(time)
    })
  }
  assert.equal(help, undefined, "HELP without TYPE")
  for (const family of families) {
    assert.ok(family.series.length > 0, `${family.name} has series`)
    if (family.type === "histogram") checkHistogram(family)
    if (family.type === "counter")
      for (const { value } of family.series) assert.ok(value >= 0, `${family.name} is no counter`)
  }
  return families
}

/** The one value of a series with at least these labels. */
export const valueIn = (
  families: ReadonlyArray<Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number | undefined => {
  const found = families
    .flatMap(({ series }) => series)
    .filter((one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value))
  assert.ok(found.length < 2, `${name} ${JSON.stringify(labels)} is ${found.length} series`)
  return found[0]?.value
}
