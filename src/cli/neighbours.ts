/**
 * What the commands need of live code. src/main.ts provides it, so that nothing here imports an adapter's live layer,
 * and loads each part only when a command asks for it.
 */
import type { Effect, Result, Scope, Stream } from "effect"
import type { ApiFinding, ApiSettings } from "../adapters/api/port.ts"
import type { ContainerRuntime, CriError } from "../adapters/cri/port.ts"
import type { Dataplane, DataplaneSettings, ProxyMode } from "../adapters/dataplane/port.ts"
import type { LogindShape } from "../adapters/logind/port.ts"
import type { ReadLog } from "../adapters/logs/port.ts"
import type { OutgoingMessage, StreamError } from "../adapters/nats/port.ts"
import type { OpenTraceExporter } from "../adapters/otel/port.ts"
import type { ConnectPort, RunProcess } from "../adapters/streaming/port.ts"
import type { JournalHead } from "../events/journal/port.ts"
import type { NatsOptions, NatsTarget } from "./nats-flags.ts"
import type { AgentOptions } from "./run/agent-options.ts"

/** Runs the agent until a signal or a fatal error; answers the exit code. */
export type RunAgent = (options: AgentOptions) => Promise<number>

/** `deadlines.quick` in milliseconds. */
export type OpenRuntime = (options: {
  readonly endpoint: string
  readonly deadlines: { readonly quick: number }
}) => Effect.Effect<ContainerRuntime["Service"], CriError, Scope.Scope>

/** Traces of other proxies on this machine, as people read them. */
export type OtherProxies = Effect.Effect<ReadonlyArray<string>>

/** What flags, environment or a context file say of NATS is wrong. `message` names which. */
export interface NatsOptionsProblem {
  readonly _tag: "NatsOptionError"
  readonly message: string
}

/** Puts flags, environment and context files together. */
export type ResolveNats = (options: NatsOptions) => Result.Result<NatsTarget, NatsOptionsProblem>

/** Connects and asks for JetStream. `server`: host and port, never credentials. */
export type ProbeNats = (
  options: NatsOptions
) => Effect.Effect<{ readonly server: string; readonly serverVersion: string }, StreamError | NatsOptionsProblem>

export interface NatsRequest {
  /** What to listen to, e.g. `chronode.*.pod.default.web.>`. */
  readonly subject: string
  /** Of what is in the stream already: everything, or what was published from this time on (milliseconds). */
  readonly since: number | undefined
  /** Go on with what is published from now on. */
  readonly follow: boolean
  /** Undefined: of every node. */
  readonly node: string | undefined
}

/** Lines of events, in the order of the stream. */
export type ReadNats = (
  options: NatsOptions,
  request: NatsRequest
) => Stream.Stream<string, StreamError | NatsOptionsProblem>

/** Heads of a node's chain, in the order of its stream; with the events themselves where they are asked for. */
export type ReadHeads = (
  options: NatsOptions,
  node: string,
  withEvents: boolean
) => Stream.Stream<JournalHead & { readonly line: string }, StreamError | NatsOptionsProblem>

export interface PlayedCounts {
  readonly published: number
  /** Acknowledged by a stream: as new; `duplicates`: as of an id that it had already. */
  readonly stored: number
  readonly duplicates: number
}

/** Publishes in the order of calls; waits while too many are under way. */
export interface NatsPlayback {
  readonly server: string
  /** Names of the streams that take the subjects. */
  readonly streams: ReadonlyArray<string>
  readonly publish: (message: OutgoingMessage) => Effect.Effect<void, StreamError>
  readonly settle: Effect.Effect<void, StreamError>
  readonly counts: () => PlayedCounts
}

/** @param subjects all that will be published to */
export type PlayNats = (
  options: NatsOptions,
  subjects: string
) => Effect.Effect<NatsPlayback, StreamError | NatsOptionsProblem, Scope.Scope>

/** The dataplane of a mode; nothing is changed by opening it. */
export type OpenDataplane = (
  mode: ProxyMode,
  settings: DataplaneSettings
) => Effect.Effect<Dataplane["Service"], never, Scope.Scope>

/** What would be wrong with the HTTP API on this machine: addresses, files. Nothing is changed by looking. */
export type ExamineApi = (settings: ApiSettings, now: number) => Promise<ReadonlyArray<ApiFinding>>

/** Answers whether nobody reads stdout any more. */
export type HasReaderLeft = () => boolean

export interface Neighbours {
  /** `bun 1.4.5` */
  readonly runtimeName: string
  readonly watchReader: () => Promise<HasReaderLeft>
  readonly runAgent: () => Promise<RunAgent>
  readonly openRuntime: () => Promise<OpenRuntime>
  readonly openDataplane: () => Promise<OpenDataplane>
  readonly otherProxies: () => Promise<OtherProxies>
  readonly examineApi: () => Promise<ExamineApi>
  readonly probeLogind: () => Promise<LogindShape["inhibit"]>
  readonly readLog: () => Promise<ReadLog>
  readonly runProcess: () => Promise<RunProcess>
  readonly connectPort: () => Promise<ConnectPort>
  readonly resolveNats: () => Promise<ResolveNats>
  readonly probeNats: () => Promise<ProbeNats>
  readonly readNats: () => Promise<ReadNats>
  readonly openTraces: () => Promise<OpenTraceExporter>
  readonly readHeads: () => Promise<ReadHeads>
  readonly playNats: () => Promise<PlayNats>
}
