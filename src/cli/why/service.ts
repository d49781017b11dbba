/**
 * `chronode why service NS/NAME` and `why endpoint IP:PORT`: how it is with a Service, or with a server behind one, and which
 * event that comes from. One pass over the events of Services, endpoints and the proxy.
 */
import { Effect, Result, Stream } from "effect"
import { catalogue } from "../../events/catalogue.ts"
import { hostPort, parseHostPort } from "../../events/ip-address.ts"
import type { EventLog } from "../event-log/log.ts"
import { CommandFailed, UsageError } from "../exit.ts"
import type { PodName } from "../filter.ts"
import type { Question } from "./question.ts"
import { EndpointCourse, type EndpointPlace } from "./verdict-endpoint.ts"
import { ServiceVerdict } from "./verdict-service.ts"

const kinds: ReadonlySet<string> = new Set(["service", "endpoint", "proxy"])
const types: ReadonlySet<string> = new Set(catalogue.filter(({ kind }) => kinds.has(kind)).map(({ tag }) => tag))

/** `10.0.0.1:80`, `[fd00::1]:80`; without a port all of the address. */
export interface EndpointAddress {
  readonly address: string
  readonly port?: number
}

export const parseEndpoint = (text: string): EndpointAddress => {
  const found = parseHostPort(text)
  if (found === undefined)
    throw new UsageError(`'${text}' is no address; write IP:PORT, [IPV6]:PORT, or the IP alone for all its ports`)
  return found
}

export const questionOfService = (log: EventLog, service: PodName): Effect.Effect<Question, CommandFailed> =>
  Effect.gen(function* () {
    const course = new ServiceVerdict(service)
    yield* Stream.runForEachArray(log.read({ types }, false), (lines) =>
      Effect.sync(() => {
        for (const { event } of lines) if (Result.isSuccess(event)) course.apply(event.success)
      })
    )
    const verdict = course.verdict()
    const text = `service ${service.namespace}/${service.name}`
    if (verdict === undefined)
      return yield* Effect.fail(
        new CommandFailed(`no events of ${text} in ${log.name}`, "Services are listed by: chronode get services")
      )
    return { event: verdict.about, chosen: "what that comes from", answer: `${text}: ${verdict.text}` }
  })

const nameOf = ({ namespace, service, portName }: EndpointPlace): string =>
  `${namespace}/${service}${portName === "" ? "" : `:${portName}`}`

/** One question for each Service and port that the address stands, or stood, behind. */
export const questionsOfEndpoint = (
  log: EventLog,
  { address, port }: EndpointAddress
): Effect.Effect<ReadonlyArray<Question>, CommandFailed> =>
  Effect.gen(function* () {
    const courses = new Map<string, EndpointCourse>()
    yield* Stream.runForEachArray(log.read({ types }, false), (lines) =>
      Effect.sync(() => {
        for (const { event } of lines) {
          if (Result.isFailure(event)) continue
          const place = EndpointCourse.placeOf(event.success)
          if (place?.address !== address || (port !== undefined && place.port !== port)) continue
          const key = `${nameOf(place)} ${place.port}`
          const course = courses.get(key) ?? new EndpointCourse(place)
          courses.set(key, course)
          course.apply(event.success)
        }
      })
    )
    if (courses.size === 0) {
      const text = port === undefined ? address : hostPort(address, port)
      return yield* Effect.fail(
        new CommandFailed(`no events of endpoint ${text} in ${log.name}`, "they are listed by: chronode get endpoints")
      )
    }
    return [...courses.values()]
      .sort((a, b) => (nameOf(a.place) < nameOf(b.place) ? -1 : 1))
      .flatMap((course) => {
        const { text, about } = course.verdict()
        const { place } = course
        const answer = `endpoint ${hostPort(place.address, place.port)} of ${nameOf(place)}: ${text}`
        return about === undefined ? [] : [{ event: about, chosen: "what that comes from", answer }]
      })
  })
