/** Which events a command is asked for: `--pod`, `--type`, `--since`, `--until` and `--filter`. */
import { type ActorId, actorId } from "../events/actor-id.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import { UsageError } from "./exit.ts"
import type { Condition } from "./filter/expression.ts"
import { type PodName, PodsByUid, podText } from "./filter/pods.ts"
import { narrower, type Selection } from "./filter/selection.ts"
import { parseTypes, tagOf } from "./filter/tags.ts"
import { timeFlag } from "./times.ts"

export { isOfPod, type PodName, podOf } from "./filter/pods.ts"
export { parseTypes, tagOf, tagOfType, unknownType } from "./filter/tags.ts"

/** What the flags say; all of it holds together. */
export interface EventFilter extends Selection {
  /** The expression of `--filter`. */
  readonly condition?: Condition
  /** Also every `NodeStarted`, which says how the agent decided from there on. For exports of a pod. */
  readonly starts?: boolean
}

export interface FilterFlags {
  readonly pod?: string
  readonly type?: string
  readonly since?: string
  readonly until?: string
  readonly filter?: string
}

/** `NS/NAME`; a name alone stands for `default/NAME`. `kind`: what it is to name. */
export const parsePodName = (text: string, kind = "pod"): PodName => {
  const parts = text.split("/")
  const [namespace, name] = parts.length === 1 ? ["default", parts[0]] : parts
  if (parts.length > 2 || !namespace || !name) throw new UsageError(`'${text}' is no ${kind}; write NAMESPACE/NAME`)
  return { namespace, name }
}

/** @param now milliseconds since the epoch */
const parseFlags = (flags: FilterFlags, now: number): EventFilter => {
  const since = timeFlag("--since", flags.since, now)
  const until = timeFlag("--until", flags.until, now)
  if (since !== undefined && until !== undefined && since > until) throw new UsageError("--since is later than --until")
  return {
    ...(flags.pod === undefined ? {} : { pod: parsePodName(flags.pod) }),
    ...(flags.type === undefined ? {} : { types: parseTypes(flags.type) }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until })
  }
}

/** What the flags say. The expression language is loaded only where there is an expression: 60 ms that others need not wait for. */
export const parseFilter = async (flags: FilterFlags, now: number): Promise<EventFilter> => {
  const filter = parseFlags(flags, now)
  if (flags.filter === undefined) return filter
  const { parseExpression } = await import("./filter/expression.ts")
  return { ...filter, condition: parseExpression(flags.filter, now) }
}

/**
 * What a store can select by; all that matches is within it. Where the expression asks for pods, all events have to be
 * seen: those of a pod itself teach which uid is whose.
 */
export const selectionOf = ({ condition, ...flags }: EventFilter): Selection =>
  condition === undefined
    ? flags
    : condition.needsPods && flags.pod === undefined
      ? {}
      : narrower(flags, condition.narrowing)

/** What was asked for, for the header of a file: absolute, so that it still means the same tomorrow. */
export const filterWords = ({
  pod,
  types,
  since,
  until,
  condition
}: EventFilter): Readonly<Record<string, unknown>> => ({
  ...(pod === undefined ? {} : { pod: podText(pod) }),
  ...(types === undefined ? {} : { types: [...types] }),
  ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
  ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
  ...(condition === undefined ? {} : { filter: condition.expression }),
  ...(condition?.now === undefined ? {} : { now: new Date(condition.now).toISOString() })
})

/** What stderr is to hear of an expression that could not be decided on some events. */
export const filterRemarks = ({ condition }: EventFilter): ReadonlyArray<string> => {
  const { events, first } = condition?.undecided() ?? { events: 0, first: "" }
  return events === 0
    ? []
    : [`chronode: --filter could not be decided on ${events} events, which are left out; the first: ${first}`]
}

export const podActor = (pod: PodName): ActorId => actorId("pod", pod.namespace, pod.name)

/**
 * A test for events, to be fed in the order of the log: it learns pods' uids from the pods' own events, and then knows
 * by their correlation what else belongs to them.
 *
 * @param pods what is known of uids from before
 */
export const matcher = (filter: EventFilter, pods = new PodsByUid()): ((recorded: RecordedEvent) => boolean) => {
  const { types, since, until, condition } = filter
  const pod = filter.pod === undefined ? undefined : podText(filter.pod)
  return (recorded) => {
    if (filter.starts === true && recorded.event._tag === "NodeStarted") return true
    const owner = pod === undefined && condition === undefined ? "" : pods.of(recorded)
    if (pod !== undefined && owner !== pod) return false
    if (types !== undefined && !types.has(tagOf(recorded))) return false
    if (since !== undefined || until !== undefined) {
      const at = Date.parse(recorded.time)
      if ((since !== undefined && at < since) || (until !== undefined && at > until)) return false
    }
    return condition === undefined || condition.matches(recorded, owner)
  }
}
