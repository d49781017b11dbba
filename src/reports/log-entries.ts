/**
 * Events as lines of a log for an OpenTelemetry collector: what happened in words, where, and of which trace it is a part. Pure: a
 * fold over the events of one node, in the order of the log.
 */
import { byTag, type NodeEvent, tell } from "../events/catalogue.ts"
import { millis, type Severity, typeName } from "../events/definition.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import { type Attributes, eventAttributes, startOf } from "./pod-starts.ts"

export interface LogLine {
  readonly node: string
  readonly at: number
  readonly observedAt: number
  readonly severity: Severity
  readonly name: string
  readonly body: string
  readonly attributes: Attributes
  readonly trace: { readonly key: string; readonly traceparent: string | undefined; readonly span: string } | undefined
}

/** Pods whose trace is remembered. */
const maxPods = 10_000
/** Characters of a field of an event that becomes an attribute. */
const maxCharacters = 1_024

/** The event's own fields as far as they are single values. */
const fieldsOf = (event: NodeEvent): Attributes => {
  const attributes: Record<string, string | number | boolean> = {}
  for (const [field, value] of Object.entries(event)) {
    if (field === "_tag") continue
    if (typeof value === "string") attributes[`chronode.${field}`] = value.slice(0, maxCharacters)
    else if (typeof value === "number" || typeof value === "boolean") attributes[`chronode.${field}`] = value
  }
  return attributes
}

export class LogLines {
  /** By uid: the start that a pod's events belong to. */
  private readonly pods = new Map<string, NonNullable<LogLine["trace"]>>()

  /** Fed with every event of a log in its order. */
  apply(recorded: RecordedEvent<NodeEvent>): LogLine {
    const { actor, correlation, event, node, traceparent } = recorded
    if (event._tag === "PodAdmitted") this.admitted(recorded)
    const trace = correlation === undefined ? undefined : this.pods.get(correlation)
    if (event._tag === "PodRemoved" && correlation !== undefined) this.pods.delete(correlation)
    const definition = byTag.get(event._tag)
    return {
      node,
      at: millis(recorded.time),
      observedAt: millis(recorded.recordedTime),
      severity: recorded.severity,
      name: definition === undefined ? event._tag : typeName(definition),
      body: tell(event),
      attributes: {
        ...eventAttributes(recorded),
        "chronode.sequence": recorded.sequence,
        "chronode.actor": actor.kind,
        ...(actor.namespace === "" ? {} : { "k8s.namespace.name": actor.namespace }),
        ...(actor.kind === "pod" ? { "k8s.pod.name": actor.name } : {}),
        ...(correlation === undefined ? {} : { "k8s.pod.uid": correlation }),
        ...(recorded.cause === undefined ? {} : { "chronode.cause": recorded.cause }),
        ...fieldsOf(event)
      },
      trace: trace === undefined || traceparent === undefined ? trace : { ...trace, traceparent }
    }
  }

  private admitted(recorded: RecordedEvent<NodeEvent>): void {
    const { uid, key, root } = startOf(recorded)
    const [oldest] = this.pods.keys()
    if (this.pods.size >= maxPods && oldest !== undefined) this.pods.delete(oldest)
    this.pods.set(uid, { key, traceparent: recorded.traceparent, span: root })
  }
}
