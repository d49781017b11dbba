/** Which lane an event belongs to: found by its actor, and within a pod by the container that it tells of. */
import type { ActorId } from "../../events/actor-id.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { type Lane, type LaneKind, laneKinds } from "./model.ts"

interface Entry {
  readonly kind: LaneKind
  readonly name: string
  readonly parent: number
}

interface ActorLanes {
  readonly own: number
  readonly containers: Map<string, number>
  sandbox: number | undefined
}

/** Kinds of actors that have one lane each, below no other. */
const alone: ReadonlySet<string> = new Set(["node", "runtime", "source", "stream", "eviction", "proxy", "image"])

/** The last part of a dotted name, and what is before it; volumes and probes hold no dot in their own part, pods may. */
const cut = (name: string): readonly [before: string, last: string] => {
  const dot = name.lastIndexOf(".")
  return dot <= 0 ? ["", name] : [name.slice(0, dot), name.slice(dot + 1)]
}

/** Names with numbers in them are read in the order of the numbers: `web-2` before `web-10`. */
const sortKey = (name: string): string => name.replace(/\d+/gu, (digits) => digits.padStart(20, "0"))

export class Lanes {
  private readonly entries: Array<Entry> = []
  private readonly known = new Map<string, number>()
  /** Actors are one object for all their events: most look-ups end here. */
  private readonly byActor = new WeakMap<ActorId, ActorLanes>()

  /** Of an event: its container's or sandbox's where it tells of one, else its actor's. */
  of({ actor, event }: RecordedEvent): number {
    let lanes = this.byActor.get(actor)
    if (lanes === undefined) {
      lanes = { own: this.ofActor(actor), containers: new Map(), sandbox: undefined }
      this.byActor.set(actor, lanes)
    }
    if ((actor.kind !== "pod" && actor.kind !== "api") || event._tag === "Unknown") return lanes.own
    if ("container" in event) {
      const known = lanes.containers.get(event.container)
      if (known !== undefined) return known
      const lane = this.container(actor.namespace, actor.name, event.container)
      lanes.containers.set(event.container, lane)
      return lane
    }
    if (!event._tag.startsWith("Sandbox")) return lanes.own
    lanes.sandbox ??= this.sandbox(actor.namespace, actor.name)
    return lanes.sandbox
  }

  pod(namespace: string, name: string): number {
    return this.place("pod", `${namespace}/${name}`, -1)
  }
  container(namespace: string, pod: string, name: string): number {
    return this.place("container", name, this.pod(namespace, pod))
  }
  service(namespace: string, name: string): number {
    return this.place("service", `${namespace}/${name}`, -1)
  }
  sandbox(namespace: string, pod: string): number {
    return this.place("sandbox", "sandbox", this.pod(namespace, pod))
  }

  kindOf(lane: number): LaneKind {
    return (this.entries[lane] as Entry).kind
  }
  /** The pod's lane that a lane is, or is below; -1: none. */
  podOf(lane: number): number {
    let at = lane
    while (at >= 0 && this.kindOf(at) !== "pod") at = (this.entries[at] as Entry).parent
    return at
  }

  /** Lanes in the order in which they are read, and for each that was handed out where it is there. */
  sorted(): { readonly lanes: ReadonlyArray<Lane>; readonly position: ReadonlyArray<number> } {
    const below = new Map<number, Array<number>>()
    this.entries.forEach(({ parent }, lane) => {
      below.set(parent, [...(below.get(parent) ?? []), lane])
    })
    const lanes: Array<Lane> = []
    const position: Array<number> = new Array(this.entries.length).fill(-1)
    const rank = (lane: number): number => laneKinds.indexOf((this.entries[lane] as Entry).kind)
    const nameOf = (lane: number): string => (this.entries[lane] as Entry).name
    const add = (parent: number, depth: number): void => {
      const children = below.get(parent) ?? []
      // Containers stay in the order of the pod's definition; what has no order is read by name.
      const byName = (a: number, b: number): number =>
        this.kindOf(a) === "container" ? a - b : sortKey(nameOf(a)) < sortKey(nameOf(b)) ? -1 : 1
      for (const lane of children.toSorted((a, b) => rank(a) - rank(b) || byName(a, b))) {
        const { kind, name } = this.entries[lane] as Entry
        position[lane] = lanes.length
        lanes.push({ kind, name, depth, parent: parent < 0 ? -1 : (position[parent] as number) })
        add(lane, depth + 1)
      }
    }
    add(-1, 0)
    return { lanes, position }
  }

  private ofActor({ kind, namespace, name }: ActorId): number {
    if (kind === "pod") return this.pod(namespace, name)
    // Who is in a pod is part of its course; whom the server refused, of the node's.
    if (kind === "api") return namespace === "" ? this.place("node", name, -1) : this.pod(namespace, name)
    if (alone.has(kind)) return this.place(kind as LaneKind, name, -1)
    if (kind === "service") return this.service(namespace, name)
    if (kind === "endpoint") {
      // `<service>.<port>.<address>`: a Service's name has no dot, an address may.
      const dot = name.indexOf(".")
      return this.place("endpoint", name.slice(dot + 1), dot <= 0 ? -1 : this.service(namespace, name.slice(0, dot)))
    }
    const [owner, own] = cut(name)
    if (kind === "volume") return this.place("volume", own, owner === "" ? -1 : this.pod(namespace, owner))
    // What becomes of a container's log is part of the container's course.
    if (kind === "log") return owner === "" ? this.place("container", own, -1) : this.container(namespace, owner, own)
    const [pod, container] = cut(owner)
    return this.place("probe", own, pod === "" ? -1 : this.container(namespace, pod, container))
  }

  private place(kind: LaneKind, name: string, parent: number): number {
    const key = `${parent}\n${kind}\n${name}`
    const known = this.known.get(key)
    if (known !== undefined) return known
    const lane = this.entries.length
    this.entries.push({ kind, name, parent })
    this.known.set(key, lane)
    return lane
  }
}
