/** What a test and the process that holds the lab's sockets (sockets.ts) say to each other: one JSON object a line. */
import type { Protocol } from "../../../src/events/service-shape.ts"

export type { Protocol }

/** What came of one question to a server. */
export type Answer =
  | {
      readonly outcome: "answered"
      /** The server's name. */
      readonly server: string
      /** Whom the server saw ask. */
      readonly client: string
      readonly clientPort: number
    }
  /** A refusal came back, or the sender's own kernel would not send it. */
  | { readonly outcome: "refused" }
  | { readonly outcome: "timed out" }
  | { readonly outcome: "failed"; readonly error: string }

export interface Target {
  /** The namespace in which the client's socket is made; "" is the node itself. */
  readonly from: string
  readonly to: string
  readonly port: number
  readonly protocol: Protocol
  /** Of the client; default: the kernel's choice. */
  readonly source?: string
  readonly sourcePort?: number
  /** Milliseconds until an answer counts as not coming. */
  readonly timeout: number
}

export type Call =
  /** A server in a namespace, both families, answering all who ask; `false`: the kernel lacks the protocol. */
  | {
      readonly op: "serve"
      readonly namespace: string
      readonly name: string
      readonly protocol: Protocol
      readonly port: number
    }
  /** `count` clients, at most `atOnce` at the same time, each on a connection of its own. */
  | ({ readonly op: "ask"; readonly count: number; readonly atOnce: number } & Target)
  /** A connection that stays: answers its number, and what came of the first question on it. */
  | ({ readonly op: "hold" } & Target)
  /** Another question on a connection that stays. */
  | { readonly op: "say"; readonly held: number; readonly timeout: number }
  | { readonly op: "release"; readonly held: number }
  /** Asks every `every` milliseconds until it is stopped, each time on a new connection; answers its number. */
  | ({ readonly op: "loop"; readonly every: number } & Target)
  | { readonly op: "stop"; readonly loop: number }

export interface LoopOutcome {
  readonly asked: number
  /** Those that were not answered; `at` in milliseconds since the loop began. */
  readonly failures: ReadonlyArray<{ readonly at: number; readonly answer: Answer }>
  /** How often each server answered. */
  readonly servers: Readonly<Record<string, number>>
}

export type Request = Call & { readonly id: number }

export interface Reply {
  readonly id: number
  readonly value?: unknown
  /** The lab's own fault, not an answer of the network's. */
  readonly error?: string
}
