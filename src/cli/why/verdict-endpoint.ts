/** How it is with an endpoint at the end of a log: one sentence, and the event that it comes from. */
import { endpointStateText } from "../../actors/service/view.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { EndpointConditions } from "../../events/service-shape.ts"
import { clockAgainst } from "../times.ts"
import type { Verdict } from "./verdict.ts"

export interface EndpointPlace {
  readonly namespace: string
  readonly service: string
  readonly portName: string
  readonly address: string
  readonly port: number
}

const ready: EndpointConditions = { ready: true, serving: true, terminating: false }
const unready: EndpointConditions = { ready: false, serving: false, terminating: false }

/** Feed the events of one endpoint, in the order of the log. */
export class EndpointCourse {
  readonly place: EndpointPlace
  private state: string | undefined
  private from = ""
  private node = ""
  private turned: RecordedEvent | undefined
  private last: RecordedEvent | undefined

  constructor(place: EndpointPlace) {
    this.place = place
  }

  /** Of which endpoint an event tells; undefined: of none. */
  static placeOf({ actor, event }: RecordedEvent): EndpointPlace | undefined {
    if (actor.kind !== "endpoint" || !("portName" in event)) return undefined
    const { service, portName, address, port } = event
    return { namespace: actor.namespace, service, portName, address, port }
  }

  apply(recorded: RecordedEvent): void {
    const { event } = recorded
    this.last = recorded
    switch (event._tag) {
      case "EndpointAdded":
      case "EndpointChanged":
        this.from = event.from
        this.node = event.node ?? ""
        this.turn(endpointStateText(event), recorded)
        return
      case "EndpointReady":
        this.turn(endpointStateText(ready), recorded)
        return
      case "EndpointUnready":
        this.turn(endpointStateText(unready), recorded)
        return
      case "EndpointDraining":
        this.turn(endpointStateText({ ready: false, serving: event.serving, terminating: true }), recorded)
        return
      case "EndpointRemoved":
        this.turn("gone", recorded)
        return
    }
  }

  private turn(state: string, recorded: RecordedEvent): void {
    if (this.state === state) return
    this.state = state
    this.turned = recorded
  }

  get isGone(): boolean {
    return this.state === "gone"
  }
  get isReady(): boolean {
    return this.state === "ready"
  }
  get isDraining(): boolean {
    return this.state === "draining"
  }
  /** The event that made it what it is. */
  get about(): RecordedEvent | undefined {
    return this.turned
  }

  /** `end`: what times are told against, where it is not the last event of this endpoint. */
  verdict(end?: string): Verdict {
    const since = this.turned === undefined ? "" : ` since ${clockAgainst(this.turned.time, end ?? this.last?.time)}`
    const where = this.node === "" ? "" : ` on ${this.node}`
    return { text: `${this.state ?? "unknown"}${since} (${this.from || "unknown origin"}${where})`, about: this.turned }
  }
}
