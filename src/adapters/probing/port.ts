/**
 * One question to a container, asked once: over HTTP, by a TCP connection, by gRPC's health protocol, or by a command in
 * it. Everything is resolved: host, port number, values of headers, expanded command.
 *
 * What each implementation must keep stands in test/adapters/probing/prober-contract.ts.
 */
import { Context, type Effect } from "effect"

interface Timed {
  /** At least 1. */
  readonly timeoutSeconds: number
}
export interface HttpQuestion extends Timed {
  readonly kind: "httpGet"
  readonly scheme: "HTTP" | "HTTPS"
  readonly host: string
  readonly port: number
  /** With or without a leading slash, may hold a query. */
  readonly path: string
  readonly headers: ReadonlyArray<{ readonly name: string; readonly value: string }>
  /** Any answer is good, whatever its status: of lifecycle hooks. */
  readonly anyStatus?: boolean
}
export interface TcpQuestion extends Timed {
  readonly kind: "tcpSocket"
  readonly host: string
  readonly port: number
}
export interface GrpcQuestion extends Timed {
  readonly kind: "grpc"
  readonly host: string
  readonly port: number
  /** Whose health is asked; empty: the whole server's. */
  readonly service: string
}
export interface ExecQuestion extends Timed {
  readonly kind: "exec"
  readonly containerId: string
  readonly command: ReadonlyArray<string>
}
export type Question = HttpQuestion | TcpQuestion | GrpcQuestion | ExecQuestion

/**
 * `failure`: the container answered badly, or not in time. `error`: it could not be asked at all, which says nothing of
 * the container.
 */
export interface Answer {
  readonly result: "success" | "failure" | "error"
  /** What was seen, at most `maxOutputBytes` of UTF-8. */
  readonly output: string
  readonly timedOut: boolean
  readonly durationMillis: number
}

/** Bytes of an answer's output. */
export const maxOutputBytes = 1024

export class Prober extends Context.Service<
  Prober,
  {
    /** Never fails; ends within the timeout, and lets go of everything when interrupted. */
    readonly ask: (question: Question) => Effect.Effect<Answer>
  }
>()("chronode/Prober") {}
