/**
 * The node's HTTP API (kubelet's, port 10250) as the agent sees it: what it answers comes from outside through `NodeApi`, who
 * asked for what goes out through it. The adapter speaks HTTP and TLS, knows who somebody is and whether he may.
 */
import type { Effect } from "effect"
import type { EventsOf } from "../../events/catalogue.ts"
import type { apiEvents } from "../../events/kinds/api.ts"
import type { Summary } from "../../events/stats-summary.ts"
import type { SendMessages, StreamEnd, StreamTarget, UpgradeProblem, UpgradingClient } from "../streaming/port.ts"

/** Who asks: as certificates and tokens say. */
export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: ReadonlyArray<string>
}

/**
 * `tls`: port 10250; `read-only`: without TLS; `healthz`: /healthz alone, as on port 10248; `local`: the socket of the command
 * line, whose user is the machine's root.
 */
export type Listener = "tls" | "read-only" | "healthz" | "local"

/** For the log: who wanted what, never the payload. */
export interface Access {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly listener: Listener
  /** `10.0.0.1:41200`; empty on the local socket. */
  readonly from: string
  readonly user: User | undefined
  readonly verb: string
  readonly path: string
}

/** A body that is text or comes in pieces; a stream is ended when the client goes. */
export interface ApiAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>
}

export interface ApiRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** At most `maxBodyBytes`. */
  readonly body: Effect.Effect<Uint8Array, ApiRefusal>
  readonly access: Access
  /** Aborted when the client goes. */
  readonly signal: AbortSignal
}

/** An answer that is an error: its text is what kubelet would say. */
export interface ApiRefusal {
  readonly _tag: "ApiRefusal"
  readonly status: number
  readonly message: string
}

export const refusal = (status: number, message: string): ApiRefusal => ({ _tag: "ApiRefusal", status, message })

/**
 * A route that answers. Paths have parts in braces: `/containerLogs/{namespace}/{pod}/{container}`; a last part with a star
 * takes what is left, also nothing: `/logs/{path*}`. A slash at the end of a path that is asked for means nothing.
 */
export interface Route {
  readonly methods: ReadonlyArray<string>
  readonly path: string
  /** Answered on the read-only port too; streaming never is. */
  readonly readOnly?: boolean
  /** Its body may also be asked for as messages of a WebSocket, as clients of an API server do. */
  readonly messages?: boolean
  /** Only on the local socket. */
  readonly localOnly?: boolean
  readonly answer: (
    request: ApiRequest,
    parts: Readonly<Record<string, string>>
  ) => Effect.Effect<ApiAnswer, ApiRefusal>
}

/** A route whose connection is upgraded (WebSocket, SPDY) and passed through to the runtime's streaming server. */
export interface StreamingRoute {
  readonly path: string
  /** Where this connection goes to in the runtime; an event is written before it answers. */
  readonly target: (
    request: ApiRequest,
    parts: Readonly<Record<string, string>>
  ) => Effect.Effect<StreamTarget, ApiRefusal>
  /** The connection of a `target` has ended. `stopped`: with the server. */
  readonly ended: (
    request: ApiRequest,
    end: Omit<StreamEnd, "outcome"> & { readonly outcome: StreamEnd["outcome"] | "stopped" }
  ) => Effect.Effect<void>
}

/** What the server itself meets with: where it listens, its certificate, whom it refused. */
export type ServerEvent = Extract<
  EventsOf<typeof apiEvents>,
  {
    readonly _tag:
      | "ApiListening"
      | "ApiListenFailed"
      | "ReadOnlyPortOpened"
      | "CertificateReloaded"
      | "CertificateRefused"
      | "CertificateExpiring"
      | "ApiRequestRefused"
      | "ApiRefusalsOmitted"
  }
>

export interface NodeApi {
  readonly routes: ReadonlyArray<Route>
  readonly streaming: ReadonlyArray<StreamingRoute>
  /** How connections of `streaming` are passed through. */
  readonly passing: {
    readonly problem: UpgradeProblem
    readonly pass: (client: UpgradingClient, target: StreamTarget) => Effect.Effect<StreamEnd>
    readonly messages: SendMessages
  }
  /** To be written down. Of refusals at most `maxRefusalsPerMinute` are told one by one. */
  readonly saw: (event: ServerEvent) => Effect.Effect<void>
}

/** What a listener is made of; a change of it closes the listener and opens it anew. */
export interface ListenerAddress {
  /** An IP address; one that stands for all stands for both families, as in Go. */
  readonly host: string
  readonly port: number
}

/** The listener that asks who somebody is. Lengths of time are milliseconds. */
export interface TlsListener extends ListenerAddress {
  /** Files (PEM), or where the node keeps one of its own, and by which host names and addresses it is reached. */
  readonly certificate:
    | { readonly cert: string; readonly key: string }
    | { readonly directory: string; readonly names: ReadonlyArray<string> }
  /** kubelet's words: `VersionTLS12`, IANA's names; none: the library's choice. */
  readonly minVersion: string
  readonly cipherSuites: ReadonlyArray<string>
  readonly clientCAFile: string | undefined
  /** Static tokens, as of the API server's `--token-auth-file`. */
  readonly tokenFile: string | undefined
  /** A NodeApiPolicy. */
  readonly policyFile: string | undefined
  /** Of the API server that is asked for tokens and for rights. */
  readonly kubeconfig: string | undefined
  readonly webhook: {
    readonly tokens: boolean
    readonly access: boolean
    readonly tokenTtl: number
    readonly allowedTtl: number
    readonly deniedTtl: number
  }
  readonly anonymous: boolean
  /** Counts for those who are known, never for anonymous requests. */
  readonly alwaysAllow: boolean
  /** How often files are looked at for changes. */
  readonly lookPeriod: number
}

/** One thing about settings that was looked at. */
export interface ApiFinding {
  readonly status: "ok" | "warn" | "fail"
  readonly found: string
  /** What to do about it. */
  readonly mend?: string
}

export interface ApiSettings {
  /** Of the node: authorization asks about it. */
  readonly nodeName: string
  /** Path of the command line's socket, which is made anew, for its owner only. */
  readonly socket: string
  /** Port 10250; undefined: nobody is served by TLS. */
  readonly tls: TlsListener | undefined
  /** Port 10255. */
  readonly readOnly: ListenerAddress | undefined
  /** Port 10248. */
  readonly healthz: ListenerAddress | undefined
}

export const maxBodyBytes = 1024 * 1024
export const maxRefusalsPerMinute = 60

/** Where the figures of /stats/summary come from. */
export type SummaryOf = (onlyCpuAndMemory: boolean) => Effect.Effect<Summary>
