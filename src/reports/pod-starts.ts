/**
 * The starts of pods as traces: from the manifest that was read to the pod that is ready, a span for each step (admission,
 * sandbox, image, and for each container creation, start and readiness). What went wrong on the way stands in span
 * events. Pure: a fold over the events of one node, in the order of the log.
 *
 * Attributes bear the names of OpenTelemetry's semantic conventions where there are such:
 * https://opentelemetry.io/docs/specs/semconv/registry/attributes/ (k8s, container, cloudevents, error).
 */
import { actorPath, sourceOf } from "../events/actor-id.ts"
import { byTag, type NodeEvent, tell } from "../events/catalogue.ts"
import { millis, typeName } from "../events/definition.ts"
import type { RecordedEvent, UnknownEvent } from "../events/envelope.ts"

export type Attributes = Readonly<Record<string, string | number | boolean>>

export interface SpanEvent {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly attributes: Attributes
}

export interface Span {
  /** Unique in all traces, and the same whenever the same log is read. */
  readonly key: string
  /** Key of the span above; undefined: it is the whole start. */
  readonly parent: string | undefined
  /** One of few: names in it are attributes. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
  readonly attributes: Attributes
  readonly events: ReadonlyArray<SpanEvent>
  readonly droppedEvents: number
  /** Why it failed. */
  readonly error: string | undefined
}

export interface PodStartTrace {
  readonly key: string
  /** Id of the event by which the pod was admitted. */
  readonly admission: string
  readonly node: string
  /** W3C trace context of the event that it began with. */
  readonly traceparent: string | undefined
  /** The whole start first. */
  readonly spans: ReadonlyArray<Span>
}

/** Events of one span; OpenTelemetry's own limit. */
export const maxSpanEvents = 128
/** Spans of one start: a container that crashes for days does not grow a trace without bound. */
export const maxSpans = 512
/** Manifests whose time of reading is remembered. */
const maxManifests = 1_000

type Recorded = RecordedEvent<NodeEvent | UnknownEvent>

interface OpenSpan {
  readonly key: string
  readonly parent: string | undefined
  name: string
  readonly start: number
  readonly attributes: Record<string, string | number | boolean>
  readonly events: Array<SpanEvent>
  droppedEvents: number
  error: string | undefined
}

/** Which steps there are; those of containers are followed by the container's name. */
type Step =
  | "root"
  | "admission"
  | "sandbox"
  | `image ${string}`
  | `${"container" | "create" | "start" | "ready"} ${string}`

/** By which an event is found again. */
export const eventAttributes = (recorded: Recorded): Record<string, string> => {
  const { actor, event, id, node } = recorded
  const definition = byTag.get(event._tag)
  return {
    "cloudevents.event_id": id,
    "cloudevents.event_source": sourceOf(node, actorPath(actor)),
    ...(definition === undefined ? {} : { "cloudevents.event_type": typeName(definition) })
  }
}

/** The trace of a pod's start and the span that is all of it, as keys, by the event of its admission. */
export const startOf = ({ actor, correlation, id }: Pick<Recorded, "actor" | "correlation" | "id">) => {
  const uid = correlation ?? actorPath(actor)
  const key = `${uid}/${id}`
  return { uid, key, root: `${key}/${id}/root` }
}

/** One pod from its admission on. */
class PodStart {
  readonly uid: string
  private readonly trace: Omit<PodStartTrace, "spans">
  private readonly open = new Map<Step, OpenSpan>()
  private readonly closed: Array<Span> = []
  private droppedSpans = 0
  /** Images that it waits for. */
  readonly images = new Set<string>()

  constructor(admitted: Recorded, began: number) {
    const { id, node, traceparent } = admitted
    const { uid, key } = startOf(admitted)
    this.uid = uid
    this.trace = { key, admission: id, node, traceparent }
    this.begin("root", undefined, "pod start", began, admitted, {})
  }

  /** `recorded`: the event that it begins with. */
  begin(step: Step, parent: Step | undefined, name: string, at: number, recorded: Recorded, more: Attributes): void {
    const above = parent === undefined ? undefined : this.open.get(parent)
    if (this.closed.length + this.open.size >= maxSpans) {
      this.droppedSpans++
      return
    }
    const { namespace, name: pod } = recorded.actor
    this.open.set(step, {
      key: `${this.trace.key}/${recorded.id}/${step}`,
      parent: above?.key,
      name,
      // What the runtime dates may be a little earlier than what the agent does.
      start: Math.max(at, above?.start ?? at),
      attributes: {
        ...(recorded.actor.kind === "pod" ? { "k8s.namespace.name": namespace, "k8s.pod.name": pod } : {}),
        "k8s.pod.uid": this.uid,
        ...eventAttributes(recorded),
        ...more
      },
      events: [],
      droppedEvents: 0,
      error: undefined
    })
  }

  has(step: Step): boolean {
    return this.open.has(step)
  }

  set(step: Step, attributes: Attributes, name?: string): void {
    const span = this.open.get(step)
    if (span === undefined) return
    Object.assign(span.attributes, attributes)
    if (name !== undefined) span.name = name
  }

  /** An event on the first of these steps that is under way, at last on the whole start. */
  note(steps: ReadonlyArray<Step>, recorded: Recorded, error?: string): void {
    const span = this.open.get(steps.find((step) => this.open.has(step)) ?? "root")
    if (span === undefined || recorded.event._tag === "Unknown") return
    if (error !== undefined) span.error = error
    if (span.events.length >= maxSpanEvents) {
      span.droppedEvents++
      return
    }
    const attributes = {
      ...eventAttributes(recorded),
      "chronode.message": tell(recorded.event),
      ...(error === undefined ? {} : { "error.type": recorded.event._tag })
    }
    span.events.push({ name: recorded.event._tag, at: millis(recorded.time), attributes })
  }

  finish(step: Step, at: number): void {
    const span = this.open.get(step)
    if (span === undefined) return
    this.open.delete(step)
    this.closed.push({ ...span, end: Math.max(at, span.start) })
  }

  /** `problem`: it ended without being ready. */
  end(at: number, problem?: string): PodStartTrace {
    const root = this.open.get("root")
    for (const step of [...this.open.keys()].reverse()) if (step !== "root") this.finish(step, at)
    const last = this.closed.reduce((latest, { end }) => Math.max(latest, end), at)
    if (root !== undefined) {
      root.error ??= problem
      root.attributes["chronode.pod.ready"] = problem === undefined
      if (problem === undefined) root.error = undefined
      if (this.droppedSpans > 0) root.attributes["chronode.dropped_spans"] = this.droppedSpans
    }
    this.finish("root", last)
    return {
      ...this.trace,
      spans: [...this.closed].sort((a, b) => Number(b.parent === undefined) - Number(a.parent === undefined))
    }
  }
}

/** Fed with every event of a log in its order, it answers the starts that end with each. */
export class PodStarts {
  private readonly starts = new Map<string, PodStart>()
  private readonly manifests = new Map<string, number>()
  private last = 0

  apply(recorded: Recorded): ReadonlyArray<PodStartTrace> {
    const { actor, event } = recorded
    const at = millis(recorded.time)
    this.last = Math.max(this.last, at)
    if (event._tag === "Unknown") return []
    if (event._tag === "ManifestRead") {
      const [oldest] = this.manifests.keys()
      if (this.manifests.size >= maxManifests && oldest !== undefined) this.manifests.delete(oldest)
      this.manifests.set(recorded.id, at)
      return []
    }
    if (actor.kind === "image") {
      for (const [pod, start] of this.starts) this.image(start, pod, event, at, recorded)
      return []
    }
    if (event._tag === "ProbeFailed") {
      const start = [...this.starts.values()].find(({ uid }) => uid === event.podUid)
      start?.note([`ready ${event.container}`], recorded)
      return []
    }
    return actor.kind === "pod" ? this.pod(`${actor.namespace}/${actor.name}`, event, at, recorded) : []
  }

  /** The starts that were under way where the log ends. */
  end(): ReadonlyArray<PodStartTrace> {
    const traces = [...this.starts.values()].map((start) =>
      start.end(this.last, "the log ends before the pod is ready")
    )
    this.starts.clear()
    return traces
  }

  private finish(pod: string, at: number, problem?: string): ReadonlyArray<PodStartTrace> {
    const start = this.starts.get(pod)
    this.starts.delete(pod)
    return start === undefined ? [] : [start.end(at, problem)]
  }

  private image(start: PodStart, pod: string, event: NodeEvent, at: number, recorded: Recorded): void {
    if (!("image" in event)) return
    const step: Step = `image ${event.image}`
    const begin = (name: string): void =>
      start.begin(step, "root", name, at, recorded, { "container.image.name": event.image })
    switch (event._tag) {
      case "ImageRequested":
        if (event.pod !== pod) return
        start.images.add(event.image)
        begin("image lookup")
        return
      case "ImagePullStarted":
        if (!start.images.has(event.image)) return
        if (!start.has(step)) begin("image pull")
        start.set(step, { "chronode.image.attempt": event.attempt }, "image pull")
        return
      case "ImagePullFailed":
        if (!start.images.has(event.image)) return
        start.note([step], recorded, `${event.reason}: ${event.message}`)
        start.finish(step, at)
        return
      case "ImageFound":
      case "ImagePulled":
        if (!start.images.delete(event.image)) return
        start.set(step, { "container.image.id": event.imageId })
        start.finish(step, at)
    }
  }

  private pod(pod: string, event: NodeEvent, at: number, recorded: Recorded): ReadonlyArray<PodStartTrace> {
    if (event._tag === "PodAdmitted") {
      const cut = this.finish(pod, at, "another definition took its place")
      const read = recorded.cause === undefined ? undefined : this.manifests.get(recorded.cause)
      const start = new PodStart(recorded, read ?? at)
      this.starts.set(pod, start)
      start.begin("admission", "root", "admission", read ?? at, recorded, { "chronode.qos_class": event.qosClass })
      start.finish("admission", at)
      return cut
    }
    const start = this.starts.get(pod)
    if (start === undefined) return []
    switch (event._tag) {
      case "SandboxRequested":
        start.begin("sandbox", "root", "sandbox create", at, recorded, { "chronode.sandbox.attempt": event.attempt })
        return []
      case "SandboxCreated":
        start.set("sandbox", { "chronode.sandbox.id": event.sandboxId })
        start.finish("sandbox", at)
        return []
      case "SandboxFailed":
        start.note(["sandbox"], recorded, event.message)
        start.finish("sandbox", at)
        return []
      case "SandboxLost":
      case "ContainerWaiting":
      case "ContainerBackOffStarted":
      case "PodOperationFailed":
      case "PodVolumeReady":
        start.note([], recorded)
        return []
      case "PodConditionChanged":
        return event.condition === "Ready" && event.status ? this.finish(pod, at) : []
      case "PodPhaseChanged":
        if (event.to === "Succeeded") return this.finish(pod, at)
        return event.to === "Failed" ? this.finish(pod, at, "the pod failed") : []
      case "PodTerminationRequested":
      case "PodRemoved":
        return this.finish(pod, at, "the pod was ended before it was ready")
      default:
        this.container(start, event, at, recorded)
        return []
    }
  }

  private container(start: PodStart, event: NodeEvent, at: number, recorded: Recorded): void {
    if (!("container" in event)) return
    const { container } = event
    const whole: Step = `container ${container}`
    const create: Step = `create ${container}`
    const starting: Step = `start ${container}`
    const ready: Step = `ready ${container}`
    const named = { "k8s.container.name": container }
    switch (event._tag) {
      case "ContainerStartRequested": {
        const counted = { ...named, "k8s.container.restart_count": event.attempt }
        start.begin(whole, "root", "container", at, recorded, { ...counted, "container.image.id": event.imageId })
        start.begin(create, whole, "container create", at, recorded, counted)
        return
      }
      case "ContainerCreated":
        start.set(whole, { "container.id": event.containerId })
        start.finish(create, at)
        start.begin(starting, whole, "container start", at, recorded, { ...named, "container.id": event.containerId })
        return
      case "ContainerStarted":
        start.finish(create, at)
        start.finish(starting, at)
        start.begin(ready, whole, "container ready", at, recorded, { ...named, "container.id": event.containerId })
        return
      case "ContainerStartFailed":
        start.note([starting, create], recorded, `${event.reason}: ${event.message}`)
        for (const step of [starting, create, whole]) start.finish(step, at)
        return
      case "ContainerReadinessChanged":
        if (event.ready) for (const step of [ready, whole]) start.finish(step, at)
        return
      case "ContainerKillRequested":
        start.note([ready, whole], recorded)
        return
      case "ContainerExited":
        // One that is to end by itself, as init containers are, is never ready.
        start.set(ready, { "chronode.container.exit_code": event.exitCode }, "container run")
        start.note([ready, whole], recorded, event.exitCode === 0 ? undefined : `exit code ${event.exitCode}`)
        for (const step of [ready, whole]) start.finish(step, at)
    }
  }
}
