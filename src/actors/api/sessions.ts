/**
 * Streams that are asked for, while the agent lives: what the runtime is to be asked once the event is durable, and who waits for
 * its answer. The commands of an exec are held here alone, and are in no event. Also the mail of the API to its actors.
 */
import { Context, Deferred, Effect, Layer, Queue } from "effect"
import { v7 as uuidv7 } from "uuid"
import type { ApiRefusal } from "../../adapters/api/port.ts"
import type { ExecResult, StreamOptions } from "../../adapters/cri/port.ts"
import type { Outgoing } from "../kernel/behavior.ts"

export type Ask =
  | {
      readonly type: "exec"
      readonly containerId: string
      readonly command: ReadonlyArray<string>
      readonly streams: StreamOptions
    }
  | { readonly type: "run"; readonly containerId: string; readonly command: ReadonlyArray<string> }
  | { readonly type: "attach"; readonly containerId: string; readonly streams: StreamOptions }
  | { readonly type: "portForward"; readonly sandboxId: string; readonly ports: ReadonlyArray<number> }
  | {
      readonly type: "checkpoint"
      readonly containerId: string
      readonly location: string
      /** 0: as long as the runtime likes. */
      readonly timeoutSeconds: number
    }

export interface Answers {
  /** Of the runtime's streaming server. */
  readonly url?: string
  readonly result?: ExecResult
}

export interface Session {
  readonly id: string
  readonly ask: Ask
  readonly answer: Deferred.Deferred<Answers, ApiRefusal>
}

/** Streams at a time; kubelet has no bound. */
export const maxStreams = 64
/** Of these, commands whose output is collected (/run): each holds as much as the runtime answers. */
export const maxRuns = 4
/** Mail that waits; who sends more waits too. */
const mailCapacity = 256

export class ApiSessions extends Context.Service<
  ApiSessions,
  {
    /** Undefined: there are too many. */
    readonly begin: (ask: Ask) => Session | undefined
    readonly find: (id: string) => Session | undefined
    /** Its end is durable. */
    readonly forget: (id: string) => void
    /** How many there are. */
    readonly open: () => number
    readonly send: (outgoing: Outgoing) => Effect.Effect<void>
    /** The next mail; taken by the server's actor. */
    readonly take: Effect.Effect<Outgoing>
  }
>()("chronode/ApiSessions") {
  static readonly make: Effect.Effect<ApiSessions["Service"]> = Effect.gen(function* () {
    const open = new Map<string, Session>()
    const mail = yield* Queue.bounded<Outgoing>(mailCapacity)
    const runs = (): number => [...open.values()].filter(({ ask }) => ask.type === "run").length
    return ApiSessions.of({
      begin: (ask) => {
        if (open.size >= maxStreams || (ask.type === "run" && runs() >= maxRuns)) return undefined
        const session: Session = { id: uuidv7(), ask, answer: Deferred.makeUnsafe<Answers, ApiRefusal>() }
        open.set(session.id, session)
        return session
      },
      find: (id) => open.get(id),
      forget: (id) => void open.delete(id),
      open: () => open.size,
      send: (outgoing) => Effect.asVoid(Queue.offer(mail, outgoing)),
      take: Queue.take(mail)
    })
  })

  static readonly layer = Layer.effect(ApiSessions, ApiSessions.make)
}
