/**
 * What `why service` answers in its first line: how it is with a Service at the end of a log, and what that comes from. From
 * the Service's own events, those of its endpoints and of the proxy.
 */
import { isProxied } from "../../actors/service/rules/service-port.ts"
import { problemsText } from "../../actors/service/view.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { hostPort } from "../../events/ip-address.ts"
import type { ServiceSpec } from "../../events/service-shape.ts"
import type { PodName } from "../filter.ts"
import { oneLine } from "../text.ts"
import { clockAgainst, formatLength } from "../times.ts"
import type { Verdict } from "./verdict.ts"
import { EndpointCourse } from "./verdict-endpoint.ts"

/** Endpoints that are named each; of the others it is said how many there are. */
const maxNamed = 3

interface Declared {
  readonly spec: ServiceSpec
  readonly event: RecordedEvent
}

/** Feed the events of Services, endpoints and the proxy, in the order of the log. */
export class ServiceVerdict {
  private readonly service: PodName
  private readonly key: string
  private readonly endpoints = new Map<string, EndpointCourse>()
  private readonly refused = new Map<string, RecordedEvent>()
  private declared: Declared | undefined
  private rejected: RecordedEvent | undefined
  private programmed: RecordedEvent | undefined
  /** The first time that the kernel had it since it was declared. */
  private served: RecordedEvent | undefined
  private removed: RecordedEvent | undefined
  private unavailable: RecordedEvent | undefined
  private failure: RecordedEvent | undefined
  /** The latest event of an endpoint that went or turned away from being ready. */
  private lost: RecordedEvent | undefined
  private last = ""

  constructor(service: PodName) {
    this.service = service
    this.key = `${service.namespace}/${service.name}`
  }

  apply(recorded: RecordedEvent): void {
    const { actor } = recorded
    this.last = recorded.time
    if (actor.kind === "proxy") this.learnProxy(recorded)
    else if (actor.namespace !== this.service.namespace) return
    else if (actor.kind === "endpoint") this.learnEndpoint(recorded)
    else if (actor.kind === "service" && actor.name === this.service.name) this.learnService(recorded)
  }

  private learnProxy(recorded: RecordedEvent): void {
    const { event } = recorded
    switch (event._tag) {
      case "ProxyUnavailable":
        this.unavailable = recorded
        return
      case "ProxyStarted":
        this.unavailable = undefined
        return
      case "DataplaneFailed":
        this.failure = event.services.includes(this.key) ? recorded : undefined
        return
      case "DataplaneRecovered":
        this.failure = undefined
        return
    }
  }

  private learnEndpoint(recorded: RecordedEvent): void {
    const place = EndpointCourse.placeOf(recorded)
    if (place?.service !== this.service.name) return
    const key = `${place.portName} ${hostPort(place.address, place.port)}`
    const course = this.endpoints.get(key) ?? new EndpointCourse(place)
    const wasReady = course.isReady
    course.apply(recorded)
    if (wasReady && !course.isReady) this.lost = recorded
    if (course.isGone) this.endpoints.delete(key)
    else this.endpoints.set(key, course)
  }

  private learnService(recorded: RecordedEvent): void {
    const { event } = recorded
    switch (event._tag) {
      case "ServiceDeclared":
      case "ServiceChanged":
        if (event._tag === "ServiceDeclared") this.served = undefined
        this.declared = { spec: event.spec, event: recorded }
        this.rejected = undefined
        this.removed = undefined
        return
      case "ServiceRejected":
        this.rejected = recorded
        this.removed = undefined
        return
      case "ServiceRemoved":
        this.removed = recorded
        this.declared = undefined
        this.rejected = undefined
        this.programmed = undefined
        this.refused.clear()
        return
      case "ServiceProgrammed":
        if (this.declared === undefined) return
        this.programmed = recorded
        this.served ??= recorded
        return
      case "EndpointRejected":
        this.refused.set(`${event.slice} ${event.field ?? event.address}`, recorded)
        return
    }
  }

  private clock(time: string): string {
    return clockAgainst(time, this.last)
  }

  /** Undefined: the log knows nothing of it. */
  verdict(): { readonly text: string; readonly about: RecordedEvent } | undefined {
    const found = this.found()
    return found?.about === undefined ? undefined : { text: oneLine(found.text), about: found.about }
  }

  private found(): Verdict | undefined {
    const { removed, rejected, declared } = this
    if (removed !== undefined)
      return { text: `not declared any more since ${this.clock(removed.time)}`, about: removed }
    if (rejected?.event._tag === "ServiceRejected") {
      const { file, problems } = rejected.event
      const what = problemsText(problems)
      const since = this.clock(rejected.time)
      return declared === undefined
        ? { text: `rejected since ${since}: ${what} (${file})`, about: rejected }
        : {
            text: `its change is rejected since ${since}: ${what} (${file}); what was declared before stays in force`,
            about: rejected
          }
    }
    if (declared === undefined) {
      // Endpoints of a Service that nobody declares, or a slice of the log without its declaration.
      const known = this.programmed ?? [...this.endpoints.values()].at(0)?.about
      return known === undefined ? undefined : { text: "its declaration is not in this log", about: known }
    }
    return this.aloof(declared) ?? this.hindered() ?? this.reached(declared)
  }

  /** Nothing of it is to be in the kernel. */
  private aloof({ spec, event }: Declared): Verdict | undefined {
    if (spec.proxyName !== undefined)
      return {
        text: `left to another proxy, ${spec.proxyName} (label service.kubernetes.io/service-proxy-name)`,
        about: event
      }
    if (isProxied(spec)) return undefined
    return spec.type === "ExternalName"
      ? { text: "an ExternalName: a name for DNS, nothing to put into the kernel", about: event }
      : { text: `headless: no cluster IP to put into the kernel; ${this.countText()}`, about: event }
  }

  private hindered(): Verdict | undefined {
    const { unavailable, failure } = this
    if (unavailable?.event._tag === "ProxyUnavailable") {
      const { mode, missing } = unavailable.event
      const what = missing.map((m) => `${m.what} (${m.remedy})`).join("; ")
      const since = this.clock(unavailable.time)
      return {
        text: `not served: Services cannot be put into the kernel by ${mode} since ${since}: ${what}`,
        about: unavailable
      }
    }
    if (failure?.event._tag !== "DataplaneFailed") return undefined
    const { message, attempt, retryAt } = failure.event
    const tried = `tried ${attempt === 1 ? "once" : `${attempt} times`}, again at ${this.clock(retryAt)}`
    return {
      text: `its last change is not in the kernel since ${this.clock(failure.time)}: ${message} (${tried})`,
      about: failure
    }
  }

  private reached({ spec, event }: Declared): Verdict {
    const { programmed, served } = this
    const refused = this.refusedText()
    if (programmed === undefined || served === undefined)
      return { text: `declared at ${this.clock(event.time)}, and not in the kernel yet${refused}`, about: event }
    const all = [...this.endpoints.values()]
    if (all.some((course) => course.isReady || course.isDraining)) {
      const about = programmed
      return {
        text: `served since ${this.clock(served.time)} by ${this.countText()}${this.tookText()}${refused}`,
        about
      }
    }
    if (all.length > 0) {
      const about = this.lost ?? all.at(-1)?.about ?? programmed
      return { text: `no endpoint is ready, connections are rejected: ${this.namedText(all)}${refused}`, about }
    }
    const selector = Object.entries(spec.selector ?? {}).map(([label, value]) => `${label}=${value}`)
    const why =
      selector.length === 0
        ? "it has no selector, and no EndpointSlice with the label kubernetes.io/service-name names it"
        : `no pod of this node with an address has the labels ${selector.join(",")}, and no EndpointSlice names it`
    return { text: `has no endpoints, connections are rejected: ${why}${refused}`, about: this.lost ?? event }
  }

  private namedText(courses: ReadonlyArray<EndpointCourse>): string {
    const named = courses.slice(0, maxNamed).map((course) => {
      const { address, port } = course.place
      return `${hostPort(address, port)} ${course.verdict(this.last).text}`
    })
    const rest = courses.length - named.length
    return `${named.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`
  }

  private countText(): string {
    const all = [...this.endpoints.values()]
    const ready = all.filter((course) => course.isReady).length
    const draining = all.filter((course) => course.isDraining).length
    const rest = all.filter((course) => !course.isReady)
    const count = `${ready} of ${all.length} ${all.length === 1 ? "endpoint" : "endpoints"}`
    const last = ready === 0 && draining > 0 ? `; only such are left that are being ended and still answer` : ""
    return `${count}${rest.length === 0 ? "" : ` (${this.namedText(rest)})`}${last}`
  }

  private tookText(): string {
    const event = this.programmed?.event
    if (event?._tag !== "ServiceProgrammed") return ""
    return `; the last change was in the kernel after ${formatLength(event.latency)}`
  }

  private refusedText(): string {
    const refused = [...this.refused.values()]
    const [first] = refused
    if (first?.event._tag !== "EndpointRejected") return ""
    const more = refused.length === 1 ? "" : `, and ${refused.length - 1} more`
    return `; an endpoint of slice ${first.event.slice} cannot be used: ${first.event.message}${more}`
  }
}
