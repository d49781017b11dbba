/** Calls to the journal's worker thread: each is answered once, or fails when the thread ends. */

import { Worker } from "node:worker_threads"
import { Effect, Result } from "effect"
import { JournalError } from "./port.ts"
import type { LogState } from "./sqlite-log.ts"
import type { CallName, Calls, Failure, Reply, Request, StoreOptions } from "./sqlite-protocol.ts"

type Done<A> = (result: Result.Result<A, JournalError>) => void

export interface WorkerLink {
  readonly state: LogState
  readonly call: <Name extends CallName>(name: Name, argument: Calls[Name][0], done: Done<Calls[Name][1]>) => void
  readonly terminate: Effect.Effect<void>
}

/**
 * Starts the worker and waits until it has opened the journal.
 *
 * @param onDeath called once when the thread ends unasked
 */
export const startWorker = (
  options: StoreOptions,
  onDeath: (error: JournalError) => void
): Effect.Effect<WorkerLink, JournalError> =>
  Effect.callback((resume) => {
    const { path } = options
    const errorOf = ({ reason, message }: Failure): JournalError => new JournalError({ reason, path, message })
    const pending = new Map<number, Done<never>>()
    let lastCall = 0
    let dead: JournalError | undefined
    const worker = new Worker(new URL("./sqlite-worker.ts", import.meta.url), { workerData: options })

    const die = (why: string): void => {
      if (dead !== undefined) return
      dead = errorOf({ reason: "InputOutput", message: `the journal's thread for ${path} ended: ${why}` })
      const calls = [...pending.values()]
      pending.clear()
      for (const done of calls) done(Result.fail(dead))
      resume(Effect.fail(dead)) // does nothing once it has opened
      onDeath(dead)
    }
    const settle = (call: number, result: Result.Result<unknown, JournalError>): void => {
      const done = pending.get(call)
      pending.delete(call)
      done?.(result as never)
    }
    const terminate = Effect.promise(() => {
      dead ??= errorOf({ reason: "Closed", message: `${path} is closed` })
      return worker.terminate()
    }).pipe(Effect.asVoid)

    const link = (state: LogState): WorkerLink => ({
      state,
      call: (name, argument, done) => {
        if (dead !== undefined) return done(Result.fail(dead))
        const call = ++lastCall
        pending.set(call, done as Done<never>)
        worker.postMessage({ call, name, argument } satisfies Request)
      },
      terminate
    })
    worker.on("message", (reply: Reply) => {
      switch (reply._tag) {
        case "Opened":
          return resume(Effect.succeed(link(reply.state)))
        case "NotOpened":
          return resume(Effect.andThen(terminate, Effect.fail(errorOf(reply.failure))))
        case "Answered":
          return settle(reply.call, Result.succeed(reply.value))
        case "Failed":
          return settle(reply.call, Result.fail(errorOf(reply.failure)))
      }
    })
    worker.on("error", (error) => die(error instanceof Error ? error.message : String(error)))
    worker.on("exit", (code) => die(`exit code ${code}`))
    return terminate
  })

/** A call as an effect. Interrupting it leaves the work to the worker and drops the answer. */
export const callEffect = <Name extends CallName>(
  link: WorkerLink,
  name: Name,
  argument: Calls[Name][0]
): Effect.Effect<Calls[Name][1], JournalError> =>
  Effect.callback((resume) =>
    link.call(name, argument, (result) =>
      resume(Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(result.failure))
    )
  )
