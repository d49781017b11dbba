/**
 * The stream as the publisher sees it: one JetStream stream of one node, over connections that come and go. Nothing of
 * a server beyond 2.9 is assumed. What every implementation must keep stands in
 * test/adapters/nats/event-stream-contract.ts.
 *
 * A session is one connection. It never reconnects by itself: when it breaks, everything under way in it fails at once
 * (`Unavailable`) and the publisher opens another one and asks the stream where to go on. So nothing that an older
 * session had still buffered can arrive late.
 *
 * Order and once-only come from two expectations on every message. `Nats-Expected-Last-Sequence` gives it exactly one
 * place in the stream: if a message is lost on the way, all later ones are refused instead of being stored out of order.
 * Alone that is not enough: another client's message that takes the place of event 7 makes event 8 fit behind it. So
 * each message also names the one before it (`Nats-Expected-Last-Msg-Id`), and 8 is refused where 7 was.
 */
import { Context, type Effect, Schema, type Scope } from "effect"

/**
 * What went wrong, in words that a caller can act on. `Unavailable`: nobody answers or the connection broke;
 * `TimedOut`: connected, but no answer; `WrongLastSequence`: somebody else wrote to the stream, or a message of ours was
 * lost: ask the stream where it stands; `AuthorizationViolation`: the server does not accept our credentials (or they
 * could not be read); `PermissionDenied`: it accepts them, but not for this; `StreamAbsent`: no such stream;
 * `JetStreamDisabled`: the server or the account has no JetStream; `StreamRefused`: the server or the stream's settings
 * refuse what was asked; `Protocol`: the answer makes no sense.
 */
export class StreamError extends Schema.TaggedError<StreamError>()("StreamError", {
  reason: Schema.Literals([
    "Unavailable",
    "TimedOut",
    "WrongLastSequence",
    "AuthorizationViolation",
    "PermissionDenied",
    "StreamAbsent",
    "JetStreamDisabled",
    "StreamRefused",
    "Protocol"
  ]),
  /** Host and port, as far as known; never credentials. */
  server: Schema.String,
  message: Schema.String
}) {}

/** What a stream is created with. Applies to new streams only: an existing one is never changed. */
export interface StreamSettings {
  readonly name: string
  /** `chronode.<node>.>` */
  readonly subjects: ReadonlyArray<string>
  /** Seconds; 0: no limit. */
  readonly maxAgeSeconds: number
  /** Bytes; -1: no limit. */
  readonly maxBytes: number
  readonly replicas: number
  /** Refuse deletion of single messages; purging stays possible. */
  readonly denyDelete: boolean
}

/** Defaults: a week, half a gibibyte (about a million events), one replica. */
export const defaultLimits = {
  maxAgeSeconds: 7 * 24 * 3600,
  maxBytes: 512 * 1024 * 1024,
  replicas: 1,
  denyDelete: true
} as const satisfies Omit<StreamSettings, "name" | "subjects">

export interface StreamState {
  /** As the server writes it. Tells a recreated stream from the one that was. */
  readonly createdAt: string
  readonly messages: number
  /** Lowest sequence that may still be stored; `lastSequence + 1` when the stream is empty. */
  readonly firstSequence: number
  /** Of the last message ever stored; purging does not set it back. 0: none ever. */
  readonly lastSequence: number
}

export interface EnsuredStream {
  readonly created: boolean
  /** Where an existing stream's settings are not those asked for, in words. */
  readonly differences: ReadonlyArray<string>
  readonly state: StreamState
}

export interface StoredMessage {
  readonly streamSequence: number
  readonly subject: string
  /** Payload as UTF-8 text; bytes that are none become U+FFFD. */
  readonly line: string
  /**
   * Behind which stream sequence its publisher wanted it (`Nats-Expected-Last-Sequence`), where the server keeps that.
   * A copy that somebody else wrote stands at another place than it says.
   */
  readonly expectedAfter: number | undefined
}

/** The end of the stream, as a publisher knows it. */
export interface StreamEnd {
  /** Of the last message. */
  readonly sequence: number
  /** `Nats-Msg-Id` of the last message where it is our own of this session, else `undefined`: not checked. */
  readonly messageId: string | undefined
}

export interface OutgoingMessage {
  readonly subject: string
  /** `Nats-Msg-Id`: printable ASCII without spaces. */
  readonly id: string
  /** The payload: the journal's stored bytes. */
  readonly line: string
  /** `Chronode-Chain-Head`: the journal's chain after this event (src/events/journal/head-text.ts). */
  readonly chainHead?: string
}

/** What became of a window. */
export interface Settled {
  /**
   * How many messages, from the first on, the stream now holds. All of them, or fewer when the server told that it had
   * stored some of them earlier at another place (its duplicate window): go on behind them.
   */
  readonly messages: number
  /** The stream's last sequence after them. */
  readonly lastSequence: number
}

/** Milliseconds without any acknowledgement until what is under way is given up. */
export const publishTimeout = 2_000
/** Milliseconds for any other request. */
export const requestTimeout = 5_000
/** Milliseconds until a connection must stand. */
export const connectTimeout = 5_000
/** Messages in one call of `publish` at most. */
export const maxWindow = 256

type Call<A> = Effect.Effect<A, StreamError>

export interface StreamSession {
  /** Host and port. */
  readonly server: string
  /** `2.9.10` */
  readonly serverVersion: string
  /** Fails when the connection breaks; never succeeds. */
  readonly broken: Effect.Effect<never, StreamError>
  /** Creates the stream where it is absent; never changes an existing one. `StreamRefused` where it cannot serve. */
  readonly ensure: Call<EnsuredStream>
  /** `StreamAbsent` */
  readonly state: Call<StreamState>
  /** `undefined`: nothing is stored at this sequence (any more). */
  readonly message: (streamSequence: number) => Call<StoredMessage | undefined>
  /**
   * Sends messages to be stored right behind `end`, the last of those sent before. Answers when they are handed to the connection,
   * in the order of calls; the inner effect waits until the server has answered for all of them. It fails with the
   * error of the first that was not stored; none behind that one was stored then.
   */
  readonly publish: (messages: ReadonlyArray<OutgoingMessage>, end: StreamEnd) => Call<Call<Settled>>
}

export class EventStream extends Context.Service<
  EventStream,
  {
    readonly settings: StreamSettings
    /** What is dialled, without credentials. */
    readonly target: string
    /** One connection, open until the scope closes. Never waits longer than `connectTimeout` for one server. */
    readonly connect: Effect.Effect<StreamSession, StreamError, Scope.Scope>
  }
>()("chronode/EventStream") {}
