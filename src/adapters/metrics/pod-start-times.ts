/**
 * How long starts of pods take, from their events (`pkg/kubelet/util/pod_startup_latency_tracker.go`): from the manifest that
 * was read to the pod that runs, and the same without the time in which images were pulled and init containers ran.
 */
import { actorPath } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"

/** Starts that are followed at one time, and manifests whose reading is remembered. */
export const maxFollowed = 1_000

export interface PodStarted {
  /** Seconds from the manifest that was read to the phase Running. */
  readonly total: number
  /** The same without pulls and init containers. */
  readonly sli: number
  /** It has a network of its own. */
  readonly hasNetwork: boolean
}

/** Time from the first beginning to the last end of something; milliseconds since the epoch. */
interface Span {
  first: number
  last: number
}

interface Start {
  readonly began: number
  readonly uid: string
  readonly hasNetwork: boolean
  readonly initContainers: ReadonlySet<string>
  readonly images: Set<string>
  pulls: Span | undefined
  inits: Span | undefined
}

const widen = (span: Span | undefined, first: number, last: number): Span =>
  span === undefined ? { first, last } : { first: Math.min(span.first, first), last: Math.max(span.last, last) }

/** Milliseconds that two spans cover together. */
const covered = (a: Span | undefined, b: Span | undefined): number => {
  const length = (span: Span | undefined): number => (span === undefined ? 0 : Math.max(0, span.last - span.first))
  const overlap = a === undefined || b === undefined ? 0 : Math.min(a.last, b.last) - Math.max(a.first, b.first)
  return length(a) + length(b) - Math.max(0, overlap)
}

const remember = <V>(map: Map<string, V>, key: string, value: V): void => {
  const [oldest] = map.keys()
  if (map.size >= maxFollowed && !map.has(key) && oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}

export class PodStartTimes {
  private readonly manifests = new Map<string, number>()
  private readonly starts = new Map<string, Start>()
  private readonly pulls = new Map<string, number>()

  /** When the event that led to this one happened, if that was the reading of a manifest; milliseconds since the epoch. */
  seenAt(recorded: RecordedEvent<NodeEvent>): number | undefined {
    return recorded.cause === undefined ? undefined : this.manifests.get(recorded.cause)
  }

  /** Answers the start that is over with this event. */
  apply(recorded: RecordedEvent<NodeEvent>): PodStarted | undefined {
    const { actor, event, id } = recorded
    switch (event._tag) {
      case "ManifestRead":
        remember(this.manifests, id, millis(recorded.time))
        return undefined
      case "PodAdmitted": {
        const { spec, metadata } = event.pod
        const at = millis(recorded.time)
        remember(this.starts, actorPath(actor), {
          began: this.seenAt(recorded) ?? at,
          uid: metadata.uid,
          hasNetwork: spec.hostNetwork !== true,
          // Sidecars run on: only what ends before the rest begins is waited for.
          initContainers: new Set(
            (spec.initContainers ?? [])
              .filter(({ restartPolicy }) => restartPolicy !== "Always")
              .map(({ name }) => name)
          ),
          images: new Set([...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => image)),
          pulls: undefined,
          inits: undefined
        })
        return undefined
      }
      case "PodTerminationRequested":
      case "PodRemoved":
        this.starts.delete(actorPath(actor))
        return undefined
      case "ImagePullStarted":
        remember(this.pulls, event.image, millis(recorded.time))
        return undefined
      case "ImagePulled":
        this.pulled(event.image, millis(recorded.time))
        return undefined
      case "ContainerStarted":
      case "ContainerExited": {
        const start = this.starts.get(actorPath(actor))
        if (start?.initContainers.has(event.container) === true) {
          const at = millis(recorded.time)
          start.inits = widen(start.inits, at, at)
        }
        return undefined
      }
      case "PodPhaseChanged":
        return event.to === "Pending" ? undefined : this.running(actorPath(actor), event.to, millis(recorded.time))
      default:
        return undefined
    }
  }

  private pulled(image: string, at: number): void {
    const began = this.pulls.get(image)
    this.pulls.delete(image)
    if (began === undefined) return
    for (const start of this.starts.values())
      if (start.images.has(image)) start.pulls = widen(start.pulls, Math.max(began, start.began), at)
  }

  private running(pod: string, phase: string, at: number): PodStarted | undefined {
    const start = this.starts.get(pod)
    this.starts.delete(pod)
    if (start === undefined || phase !== "Running") return undefined
    const total = Math.max(0, at - start.began)
    const sli = Math.max(0, total - covered(start.pulls, start.inits))
    return { total: total / 1000, sli: sli / 1000, hasNetwork: start.hasNetwork }
  }
}
