/** What the proxy's actor is told by the loop that puts Services into the kernel. */
import { Schema } from "effect"
import {
  DataplaneDrifted,
  DataplaneFailed,
  DataplaneSynced,
  ListenerFailed,
  ProxyStarted,
  ProxyUnavailable,
  StaleFlowsRemoved
} from "../../events/kinds/proxy.ts"

const text = Schema.String
const opt = Schema.optionalKey
const at = Schema.Finite

/** The mode can be used. Becomes `ProxyStarted` as it is. */
export const ReportStarted = Schema.TaggedStruct("ReportStarted", { at, ...ProxyStarted.fields })
export const ReportUnavailable = Schema.TaggedStruct("ReportUnavailable", { at, ...ProxyUnavailable.fields })
/** A kernel parameter was set, or could not be. */
export const ReportSysctl = Schema.TaggedStruct("ReportSysctl", {
  at,
  name: text,
  before: opt(text),
  value: text,
  failure: opt(text)
})
/** Everything was compared with the kernel and is right. */
export const ReportSynced = Schema.TaggedStruct("ReportSynced", { at, ...DataplaneSynced.fields })
/** Somebody else's changes were put right. */
export const ReportDrift = Schema.TaggedStruct("ReportDrift", { at, ...DataplaneDrifted.fields })
export const ReportFailed = Schema.TaggedStruct("ReportFailed", { at, ...DataplaneFailed.fields })
/** What had been refused is in force, or is not wanted any more. */
export const ReportRecovered = Schema.TaggedStruct("ReportRecovered", { at })
export const ReportStaleFlows = Schema.TaggedStruct("ReportStaleFlows", { at, ...StaleFlowsRemoved.fields })

/** All HTTP servers of the proxy, as they are now. */
export const ReportListeners = Schema.TaggedStruct("ReportListeners", {
  at,
  listeners: Schema.Array(
    Schema.Struct({
      server: ListenerFailed.fields.server,
      address: text,
      service: opt(text),
      failure: opt(Schema.Struct({ message: text, remedy: text }))
    })
  )
})

export const ProxyCommand = Schema.Union([
  ReportStarted,
  ReportUnavailable,
  ReportSysctl,
  ReportSynced,
  ReportDrift,
  ReportFailed,
  ReportRecovered,
  ReportStaleFlows,
  ReportListeners
])
export type ProxyCommand = typeof ProxyCommand.Type
