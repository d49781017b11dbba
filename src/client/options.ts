/** What a subscriber asks for, and the NATS subjects that this comes to. */
import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node"
import { nodeToken } from "../events/actor-id.ts"
import type { ActorKind } from "../events/actor-kinds.ts"
import type { EventTag } from "./event.ts"

/** Several values of one field are alternatives; all fields that are given hold together. */
export interface EventSelection<Tag extends EventTag = EventTag> {
  /** Of which node; left out: of all whose streams can be seen. */
  readonly node?: string
  readonly kind?: ActorKind | ReadonlyArray<ActorKind>
  /** Of pods, probes and volumes. */
  readonly namespace?: string | ReadonlyArray<string>
  /** A pod's name; a probe's is `<pod>.<container>.<probe>`, a volume's `<pod>.<volume>`. */
  readonly name?: string | ReadonlyArray<string>
  /** `ContainerExited`, … */
  readonly type?: Tag | ReadonlyArray<Tag>
}

/** Where to begin; of a durable consumer that exists already this says nothing. */
export type StartAt =
  /** With the oldest event that is stored, the default. */
  | "first"
  /** With what is published from now on. */
  | "new"
  /** With what was published at this time or later. */
  | { readonly time: Date }
  /** With this place in the stream: `streamSequence + 1` of the last event that was dealt with. One stream only. */
  | { readonly streamSequence: number }

export interface SubscribeOptions<Tag extends EventTag = EventTag> extends EventSelection<Tag> {
  /** Servers, and whatever else the NATS client takes; or a connection, which is not closed in the end. Default: `nats://127.0.0.1:4222`. */
  readonly connect?: ConnectionOptions | NatsConnection
  /** JetStream domain. */
  readonly domain?: string
  /** Name of the stream, where it is not the agent's own: a hub's, or one that takes replays. */
  readonly stream?: string
  /** What subjects begin with where `chronode replay --publish` made them: `replay`. Needs `stream`. */
  readonly subjectPrefix?: string
  /**
   * Name of a durable consumer: the server remembers what was acknowledged, over restarts of this program. Each event
   * has to be acknowledged then. Without it nothing is remembered, and acknowledging does nothing.
   */
  readonly durable?: string
  readonly from?: StartAt
  /** Events asked for ahead of what the loop has taken, 1 to 10,000; default 256. Bounds memory. */
  readonly buffer?: number
  /** Milliseconds until an event that was not acknowledged comes again (durable only); default 30,000. */
  readonly ackWait?: number
  /** Wait for streams that are not there yet, instead of failing. */
  readonly wait?: boolean
  /** Ends the loop in good order. */
  readonly signal?: AbortSignal
  /** Hears of messages that are no events: they are left out (and acknowledged). Default: a line on stderr. */
  readonly onNoEvent?: (problem: string, message: { readonly subject: string; readonly text: string }) => void
}

const listOf = <A>(value: A | ReadonlyArray<A> | undefined): ReadonlyArray<A> | undefined =>
  value === undefined ? undefined : ((Array.isArray(value) ? value : [value]) as ReadonlyArray<A>)

export interface SubjectFilter {
  /** The narrowest single subject that holds all that is wanted: servers before 2.10 take no second one. */
  readonly subject: string
  /** Whether a subject that matches it is really wanted. */
  readonly wants: (subject: string) => boolean
}

/** `chronode.<node>.<kind>.<namespace>.<name>.<Type>`, behind a prefix of so many tokens. */
export const subjectFilter = (selection: EventSelection, subjectPrefix: string): SubjectFilter => {
  const prefix = subjectPrefix === "" ? [] : subjectPrefix.replace(/\.$/u, "").split(".")
  const wanted = [
    listOf(selection.node)?.map(nodeToken),
    listOf(selection.kind),
    listOf(selection.namespace)?.map(nodeToken),
    listOf(selection.name)?.map(nodeToken),
    listOf(selection.type)
  ]
  for (const [index, values] of wanted.entries()) {
    const field = ["node", "kind", "namespace", "name", "type"][index]
    if (values?.length === 0) throw new TypeError(`${field}: an empty list selects nothing`)
  }
  const tokens = wanted.map((values) => (values?.length === 1 ? (values[0] as string) : "*"))
  const sets = wanted.map((values) => (values === undefined ? undefined : new Set<string>(values)))
  const first = prefix.length + 1
  return {
    subject: [...prefix, "chronode", ...tokens].join(".").replace(/(?:\.\*)+$/u, ".>"),
    wants: (subject) => {
      const parts = subject.split(".")
      return sets.every((set, index) => set === undefined || set.has(parts[first + index] ?? ""))
    }
  }
}
