/** Families of metrics as the library takes them. Sums and histograms count from the beginning of the agent. */
import { ValueType } from "@opentelemetry/api"
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics
} from "@opentelemetry/sdk-metrics"
import type { FamilyValues } from "../metrics/registry.ts"
import { type Origin, originOf } from "./exchange.ts"
import { hrTime } from "./ids.ts"
import type { MetricsReport } from "./port.ts"

/** The unit that the name ends with, in UCUM's words. */
const unitOf = (name: string): string =>
  /_seconds(?:_total)?$/u.test(name) ? "s" : /_bytes(?:_total)?$/u.test(name) ? "By" : ""

const toMetric = (family: FamilyValues, { startedAt, at }: MetricsReport): MetricData => {
  const { name, help } = family
  const descriptor = { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE }
  const times = { startTime: hrTime(startedAt), endTime: hrTime(at) }
  const aggregationTemporality = AggregationTemporality.CUMULATIVE
  if (family.type === "histogram") {
    return {
      descriptor,
      aggregationTemporality,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: family.samples.map(({ labels, counts, sum }) => ({
        ...times,
        attributes: labels,
        value: {
          buckets: { boundaries: [...family.bounds], counts: [...counts] },
          count: counts.reduce((all, count) => all + count, 0),
          sum
        }
      }))
    }
  }
  const dataPoints = family.samples.map(({ labels, value }) => ({ ...times, attributes: labels, value }))
  return family.type === "counter"
    ? { descriptor, aggregationTemporality, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { descriptor, aggregationTemporality, dataPointType: DataPointType.GAUGE, dataPoints }
}

const isTold = ({ samples }: FamilyValues): boolean => samples.length > 0

const resourceMetrics = (report: MetricsReport, { resource, scope }: Origin): ResourceMetrics => ({
  resource,
  scopeMetrics: [{ scope, metrics: report.families.filter(isTold).map((family) => toMetric(family, report)) }]
})

/** The last of them: each tells all. */
export const toResourceMetrics = (reports: ReadonlyArray<MetricsReport>, version: string): ResourceMetrics => {
  const report = reports.at(-1) ?? { node: "", startedAt: 0, at: 0, families: [] }
  return resourceMetrics(report, originOf(report.node, version))
}
