/**
 * The actor system: mailboxes, turns, write-ahead, reactions, timers, supervision, recovery.
 *
 * An actor is a cell: state, mailbox, what is armed for it. It has no fiber of its own; one pump gives turns to the
 * actors that have commands. A turn decides a run of commands on a provisional state, appends all their events in one
 * piece, and is over. When the journal answers, the state is taken over, timers and observations follow it, and only
 * then the reactions run, each in a fiber of its own. While an append is under way the actor's commands wait; other
 * actors go on.
 *
 * Phases of a cell, by Pekko's names: recovering → running ⇄ persisting.
 */
import { Cause, Clock, Context, Deferred, Effect, Exit, FiberSet, Layer, Schema } from "effect"
import { type ActorId, actorId, actorPath } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import type { ActorKind } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { type EventDraft, Journal, JournalError } from "../../events/journal/port.ts"
import { makeArming } from "./arming.ts"
import type { AnyBehavior, Command, Outgoing, Reaction } from "./behavior.ts"
import { Cell } from "./cell.ts"
import { decideLetter, inputDraft, kernelDraft } from "./drafts.ts"
import { type Flags, knownFlags } from "./flags.ts"
import * as limits from "./limits.ts"
import { foldActor, foldJournal } from "./recovery.ts"

/** The whole system cannot go on: the journal is lost, or failures went up to the root. The agent ends; it is crash-only. */
export class SystemFailure extends Schema.TaggedError<SystemFailure>()("SystemFailure", { message: Schema.String }) {}

/** Why an actor died, and while doing what. */
interface Failed {
  readonly command: string
  readonly error: unknown
  /** Id of the event behind it. */
  readonly cause: string | undefined
}

export interface SystemOptions {
  /** Milliseconds before an actor that failed again is rebuilt, doubling; default `limits.restartPause`. */
  readonly restartPause?: number
  /** `inputs`: commands that led to nothing are written too (flight recorder). */
  readonly recording: "events" | "inputs"
  /** Decision flags in force; default: all that this program knows. `NodeStarted` has to name the same. */
  readonly flags?: Flags
  /** Called after each commit, in order of sequence. Must be quick and must not throw. */
  readonly onCommit?: (events: ReadonlyArray<RecordedEvent<NodeEvent>>) => void
  /** Called when what an actor did about one of its events is over; milliseconds. Must be quick and must not throw. */
  readonly onReacted?: (kind: ActorKind, event: NodeEvent["_tag"], milliseconds: number) => void
}

export interface ActorSystemShape {
  /** Puts a command into an actor's mailbox; waits while it is full. The actor is made if it is not there. */
  readonly tell: (to: ActorId, command: Command, cause?: string) => Effect.Effect<void>
  /** The same without waiting: false when the mailbox is full. */
  readonly offer: (to: ActorId, command: Command, cause?: string) => boolean
  /** Folds the journal. Before it, nothing runs; answers what was folded. */
  readonly recover: Effect.Effect<
    { readonly events: number; readonly actors: number; readonly unknown: number },
    JournalError
  >
  /** Starts timers and observations and resumes what was decided and not done. `roots` are made if they are not there. */
  readonly start: (roots: ReadonlyArray<ActorId>) => Effect.Effect<void>
  /** The committed state of an actor, or undefined. */
  readonly state: (id: ActorId) => unknown
  readonly actors: (kind: ActorKind) => ReadonlyArray<{ readonly id: ActorId; readonly state: unknown }>
  /** Answers when no command waits, no append is under way and no reaction runs. */
  readonly idle: Effect.Effect<void>
  /** Fails when the system cannot go on. */
  readonly failure: Effect.Effect<never, SystemFailure>
  /** Writes down an actor's state as an event, so that events before it can be dropped. Fails where it is too large for one. */
  readonly checkpoint: (id: ActorId) => Effect.Effect<void, JournalError>
  readonly counts: () => {
    readonly actors: number
    readonly commands: number
    readonly events: number
    readonly timers: number
    readonly reactions: number
    /** Commands that wait in mailboxes: all, and the most in one of them. */
    readonly waiting: number
    readonly deepest: number
  }
}

export class ActorSystem extends Context.Service<ActorSystem, ActorSystemShape>()("chronode/ActorSystem") {}

/** Builds the system over the journal for the given behaviours. Everything it forks ends with the scope. */
export const makeActorSystem = Effect.fnUntraced(function* <R>(
  behaviors: ReadonlyArray<AnyBehavior<R>>,
  options: SystemOptions
) {
  const flags = options.flags ?? knownFlags
  const journal = yield* Journal
  const clock = yield* Clock.Clock
  const byKind = new Map<ActorKind, AnyBehavior<R>>(behaviors.map((b) => [b.kind, b]))
  const failed = yield* Deferred.make<never, SystemFailure>()
  const scope = yield* Effect.scope
  const fibers = yield* FiberSet.make<void, never>()
  const fork = yield* FiberSet.runtime(fibers)<R>()
  const appends = yield* FiberSet.make<void, never>()
  const forkAppend = yield* FiberSet.runtime(appends)<never>()

  const cells = new Map<string, Cell>()
  /** Looks at all actors of one kind are frequent, and there may be 100,000 of another. */
  const ofKind = new Map<ActorKind, Set<Cell>>(behaviors.map((b) => [b.kind, new Set()]))
  const retired = new Map<string, number>()
  const turns: Array<Cell> = []
  let pumping = false
  let started = false
  let halted = false
  let busy = 0
  let commands = 0
  let events = 0
  let idleWaiters: Array<() => void> = []
  const now = (): number => clock.currentTimeMillisUnsafe()

  /** Nothing is decided any more after that. */
  const fail = (message: string): void => {
    halted = true
    Deferred.doneUnsafe(failed, Exit.fail(new SystemFailure({ message })))
  }

  // --- cells -------------------------------------------------------------------------------------------------------

  const enter = (cell: Cell): void => {
    cells.set(cell.path, cell)
    ofKind.get(cell.id.kind)?.add(cell)
  }

  const cellOf = (id: ActorId): Cell | undefined => {
    const path = actorPath(id)
    const known = cells.get(path)
    if (known !== undefined) return known
    const behavior = byKind.get(id.kind)
    if (behavior === undefined) return undefined
    const cell = new Cell(id, path, behavior, behavior.initial(id), retired.get(path) ?? 0)
    retired.delete(path)
    enter(cell)
    return cell
  }

  const supervisorOf = (cell: Cell): ActorId | undefined =>
    cell.id.kind === "node" ? undefined : (cell.behavior.supervisor?.(cell.id) ?? actorId("node", "", journal.node))

  const letGo = (cell: Cell): void => {
    if (cell.gone || cell.backlog > 0 || cell.reactions > 0 || cell.phase !== "running") return
    if (cell.behavior.finished?.(cell.state) !== true) return
    cell.gone = true
    cells.delete(cell.path)
    ofKind.get(cell.id.kind)?.delete(cell)
    retired.set(cell.path, cell.actorSequence)
    arming.disarm(cell)
  }

  // --- mailboxes and turns -----------------------------------------------------------------------------------------

  const settled = (): boolean => busy === 0 && turns.length === 0
  const tellIdle = (): void => {
    if (!settled() || idleWaiters.length === 0) return
    const waiters = idleWaiters
    idleWaiters = []
    for (const waiter of waiters) waiter()
  }

  const schedule = (cell: Cell): void => {
    if (cell.queued || cell.phase !== "running" || cell.backlog === 0) return
    cell.queued = true
    turns.push(cell)
    if (!pumping && started) {
      pumping = true
      queueMicrotask(pump)
    }
  }

  const pump = (): void => {
    const until = performance.now() + limits.sliceMillis
    let index = 0
    while (index < turns.length) {
      const cell = turns[index++]!
      cell.queued = false
      turn(cell)
      if ((index & 15) === 0 && performance.now() > until) break
    }
    turns.splice(0, index)
    if (turns.length > 0) setImmediate(pump)
    else {
      pumping = false
      tellIdle()
    }
  }

  const offer = (to: ActorId, command: Command, cause?: string): boolean => {
    const cell = cellOf(to)
    if (cell === undefined) {
      fail(`no behaviour for actors of kind ${to.kind}`)
      return true
    }
    if (cell.backlog >= limits.mailboxCapacity) return false
    cell.put({ command, cause })
    schedule(cell)
    return true
  }

  const tell = (to: ActorId, command: Command, cause?: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (offer(to, command, cause)) return Effect.void
      const cell = cellOf(to)!
      return Effect.callback<void>((resume) => {
        cell.waiting ??= []
        cell.waiting.push(() => resume(tell(to, command, cause)))
      })
    })

  /** One turn of an actor: decides a run of commands and hands their events to the journal. */
  const turn = (cell: Cell): void => {
    if (halted || cell.gone || cell.phase !== "running") return
    const drafts: Array<EventDraft> = []
    let state = cell.state
    let failure: Failed | undefined
    for (let n = 0; n < limits.turnCommands && drafts.length < limits.turnEvents && cell.backlog > 0; n++) {
      const letter = cell.take()
      commands += 1
      try {
        const decision = decideLetter(cell, state, letter, drafts.length, flags)
        state = decision.state
        if (decision.drafts.length > 0) drafts.push(...decision.drafts)
        else if (options.recording === "inputs") drafts.push(inputDraft(cell, letter, drafts.length))
      } catch (error) {
        failure = { command: letter.command._tag, error, cause: letter.cause }
        break
      }
    }
    if (cell.backlog <= limits.mailboxCapacity / 2) cell.wakeSenders()
    if (drafts.length > 0) persist(cell, drafts, state, failure)
    else if (failure !== undefined) crash(cell, failure)
    else {
      schedule(cell)
      letGo(cell)
    }
  }

  // --- write-ahead -------------------------------------------------------------------------------------------------

  const persist = (
    cell: Cell,
    drafts: ReadonlyArray<EventDraft>,
    state: unknown,
    failure: Failed | undefined
  ): void => {
    cell.phase = "persisting"
    append(cell, drafts, (recorded) => {
      cell.state = state
      cell.actorSequence += drafts.length
      guard(cell, "arm", undefined, () => arming.arm(cell))
      for (const event of recorded) react(cell, event)
      if (failure !== undefined) crash(cell, failure)
      running(cell)
    })
  }

  /** `refused`: of events that cannot be stored, whatever the disk; without it that is the actor's failure. */
  const append = (
    cell: Cell,
    drafts: ReadonlyArray<EventDraft>,
    then: (recorded: ReadonlyArray<RecordedEvent<NodeEvent>>) => void,
    refused?: (error: JournalError) => void
  ): void => {
    busy += 1
    const fiber = forkAppend(
      Effect.matchCause(journal.append(drafts), {
        onSuccess: (recorded) => {
          events += recorded.length
          then(recorded)
          options.onCommit?.(recorded)
        },
        onFailure: (cause) => {
          if (Cause.hasInterruptsOnly(cause)) return
          const error = Cause.squash(cause)
          if (error instanceof JournalError && (error.reason === "EventInvalid" || error.reason === "EventTooLarge")) {
            if (refused !== undefined) return refused(error)
            crash(cell, { command: drafts[0]!.event._tag, error, cause: drafts[0]!.cause })
            running(cell)
          } else fail(`the journal cannot be written: ${error instanceof Error ? error.message : String(error)}`)
        }
      })
    )
    fiber.addObserver(() => {
      busy -= 1
      tellIdle()
    })
  }

  // --- reactions ---------------------------------------------------------------------------------------------------

  const arming = makeArming<R>(now, fork, offer, tell)

  const send = (outgoing: ReadonlyArray<Outgoing>, cause: string | undefined): Effect.Effect<void> =>
    Effect.forEach(outgoing, (o) => tell(o.to, o.command, o.cause ?? cause), { discard: true })

  /** Runs something for an actor in a fiber of its own; a defect in it is the actor's failure. */
  const run = (cell: Cell, what: string, effect: Effect.Effect<void, never, R>, cause: string | undefined): void => {
    busy += 1
    cell.reactions += 1
    const fiber = fork(
      Effect.catchCause(effect, (failure) =>
        Effect.sync(() => {
          if (!Cause.hasInterruptsOnly(failure)) crash(cell, { command: what, error: Cause.squash(failure), cause })
        })
      )
    )
    fiber.addObserver(() => {
      busy -= 1
      cell.reactions -= 1
      letGo(cell)
      tellIdle()
    })
  }

  const react = (cell: Cell, event: RecordedEvent<NodeEvent>): void => {
    const { behavior } = cell
    if (behavior.react === undefined || event.event._tag === "InputRecorded") return
    const what = `react to ${event.event._tag}`
    const { onReacted } = options
    guard(cell, what, event.id, () => {
      const began = performance.now()
      for (const effect of pieces(behavior.react?.(event as never, cell.state, cell.id) ?? [])) {
        run(
          cell,
          what,
          Effect.flatMap(effect, (outgoing) => {
            onReacted?.(cell.id.kind, event.event._tag, performance.now() - began)
            return send(outgoing, event.id)
          }),
          event.id
        )
      }
    })
  }

  const pieces = (reaction: Reaction<R>): ReadonlyArray<Effect.Effect<ReadonlyArray<Outgoing>, never, R>> =>
    Array.isArray(reaction) ? reaction : [reaction as Effect.Effect<ReadonlyArray<Outgoing>, never, R>]

  /** Timers and observations, and what was decided and not done. */
  const takeUp = (cell: Cell): void =>
    guard(cell, "resume", undefined, () => {
      arming.arm(cell)
      for (const effect of pieces(cell.behavior.resume?.(cell.state, cell.id) ?? [])) {
        run(
          cell,
          "resume",
          Effect.flatMap(effect, (outgoing) => send(outgoing, undefined)),
          undefined
        )
      }
    })

  /** Runs a behaviour's own code: what it throws is its actor's failure. */
  const guard = (cell: Cell, what: string, cause: string | undefined, body: () => void): void => {
    try {
      body()
    } catch (error) {
      crash(cell, { command: what, error, cause })
    }
  }

  // --- supervision -------------------------------------------------------------------------------------------------

  const describe = (error: unknown): string =>
    (error instanceof Error ? (error.stack ?? error.message) : String(error)).slice(0, limits.errorCharacters)

  /** An actor died: say so, rebuild it from the journal, or send the failure up. */
  const crash = (cell: Cell, { command, error, cause }: Failed): void => {
    if (halted || cell.gone) return
    const time = now()
    const failures = (cell.failures ?? []).filter((t) => time - t < limits.restartPeriod)
    failures.push(time)
    cell.failures = failures
    const supervisor = supervisorOf(cell)
    // Once in a row of failures. What fails on goes on alone, ever slower: one poisoned actor must not end the agent.
    const escalates = failures.length === limits.restartIntensity + 1
    const draft = kernelDraft(
      cell,
      { _tag: "ActorFailed", command, error: describe(error), failures: failures.length },
      cause,
      time
    )
    whenRunning(cell, () => {
      cell.phase = "recovering"
      arming.disarm(cell)
      append(cell, [{ ...draft, actorSequence: cell.actorSequence + 1 }], () => {
        cell.actorSequence += 1
        if (escalates) escalate(cell, failures.length, supervisor, draft.id)
        else rebuild(cell, draft.id, restartPause(failures.length))
      })
    })
  }

  /** Milliseconds. A first failure costs nothing; a row of them must not spin. */
  const restartPause = (failures: number): number =>
    failures < 2
      ? 0
      : Math.min((options.restartPause ?? limits.restartPause) * 2 ** (failures - 2), limits.maxRestartPause)

  /** Runs `then` as soon as no append or rebuilding of the cell is under way. */
  const whenRunning = (cell: Cell, then: () => void): void => {
    if (cell.phase === "running") then()
    else {
      cell.afterwards ??= []
      cell.afterwards.push(then)
    }
  }

  /** The cell may go on: first with what waited for it, then with its mailbox. */
  const running = (cell: Cell): void => {
    cell.phase = "running"
    while (cell.phase === "running" && cell.afterwards !== undefined) {
      const next = cell.afterwards.shift()
      if (cell.afterwards.length === 0) cell.afterwards = undefined
      next?.()
    }
    schedule(cell)
    letGo(cell)
  }

  const escalate = (cell: Cell, failures: number, supervisor: ActorId | undefined, cause: string): void => {
    if (supervisor === undefined) {
      fail(`${cell.path} failed ${failures} times in ${limits.restartPeriod / 1000} s and nobody supervises it`)
      return
    }
    const draft = kernelDraft(
      cell,
      {
        _tag: "ActorEscalated",
        failures,
        periodSeconds: limits.restartPeriod / 1000,
        supervisor: actorPath(supervisor)
      },
      cause,
      now()
    )
    append(cell, [draft], () => {
      cell.actorSequence += 1
      const above = cellOf(supervisor)
      if (above === undefined) {
        fail(`${cell.path} has no supervisor ${actorPath(supervisor)}`)
        return
      }
      // The supervisor fails in its turn: it is rebuilt, and all that it supervises with it.
      for (const child of cells.values()) {
        const its = supervisorOf(child)
        if (child !== cell && its !== undefined && actorPath(its) === above.path) {
          whenRunning(child, () => {
            child.phase = "recovering"
            arming.disarm(child)
            rebuild(child, draft.id)
          })
        }
      }
      rebuild(cell, draft.id, restartPause(failures))
      const error = new Error(`${cell.path} failed ${failures} times`)
      crash(above, { command: `supervision of ${cell.path}`, error, cause: draft.id })
    })
  }

  /** Folds the actor's own events again and starts it anew. Its mailbox stays. */
  const rebuild = (cell: Cell, cause: string, pause = 0): void => {
    busy += 1
    const fiber = forkAppend(
      Effect.andThen(pause === 0 ? Effect.void : Effect.sleep(pause), foldActor(journal, cell)).pipe(
        Effect.matchCause({
          onSuccess: ({ state, events: count }) => {
            cell.state = state
            append(cell, [kernelDraft(cell, { _tag: "ActorRestarted", events: count }, cause, now())], () => {
              cell.actorSequence += 1
              takeUp(cell)
              running(cell)
            })
          },
          onFailure: (failure) => {
            if (Cause.hasInterruptsOnly(failure)) return
            const error = Cause.squash(failure)
            if (error instanceof JournalError) fail(`${cell.path} cannot be rebuilt: ${error.message}`)
            else {
              crash(cell, { command: "recovery", error, cause })
              running(cell)
            }
          }
        })
      )
    )
    fiber.addObserver(() => {
      busy -= 1
      tellIdle()
    })
  }

  // --- recovery and start ------------------------------------------------------------------------------------------

  const recover = Effect.gen(function* () {
    const fold = yield* foldJournal(journal, byKind as never)
    for (const [path, actor] of fold.actors) {
      const behavior = byKind.get(actor.id.kind)
      if (behavior !== undefined) enter(new Cell(actor.id, path, behavior, actor.state, actor.actorSequence))
    }
    for (const [path, sequence] of fold.finished) retired.set(path, sequence)
    return { events: fold.events, actors: fold.actors.size, unknown: fold.unknown }
  })

  const start = (roots: ReadonlyArray<ActorId>) =>
    Effect.gen(function* () {
      const recovered = new Set(cells.values())
      for (const root of roots) cellOf(root)
      started = true
      yield* Effect.forkIn(
        arming.clockwork.pipe(
          Effect.catchCause((cause) =>
            Effect.sync(() => {
              if (!Cause.hasInterruptsOnly(cause)) fail(`the clock died: ${String(Cause.squash(cause))}`)
            })
          )
        ),
        scope
      )
      for (const cell of [...cells.values()]) {
        if (recovered.has(cell)) takeUp(cell)
        else guard(cell, "arm", undefined, () => arming.arm(cell))
      }
      if (turns.length > 0 && !pumping) {
        pumping = true
        queueMicrotask(pump)
      }
    })

  return {
    tell,
    offer,
    recover,
    start,
    state: (id) => cells.get(actorPath(id))?.state,
    actors: (kind) => Array.from(ofKind.get(kind) ?? [], (c) => ({ id: c.id, state: c.state })),
    idle: Effect.callback<void>((resumeIdle) => {
      const check = () => {
        if (settled()) resumeIdle(Effect.void)
        else idleWaiters.push(() => setImmediate(check))
      }
      check()
    }),
    failure: Deferred.await(failed),
    checkpoint: (id) =>
      Effect.suspend(() => {
        const cell = cells.get(actorPath(id))
        if (cell === undefined) return Effect.void
        return Effect.callback<void, JournalError>((done) => {
          whenRunning(cell, () => {
            cell.phase = "persisting"
            const event = {
              _tag: "ActorCheckpointed",
              stateVersion: cell.behavior.stateVersion,
              state: cell.state
            } as NodeEvent
            const over = (answer: Effect.Effect<void, JournalError>): void => {
              running(cell)
              done(answer)
            }
            append(
              cell,
              [kernelDraft(cell, event, undefined, now())],
              () => {
                cell.actorSequence += 1
                over(Effect.void)
              },
              (error) => over(Effect.fail(error))
            )
          })
        })
      }),
    counts: () => {
      let waiting = 0
      let deepest = 0
      for (const { backlog } of cells.values()) {
        waiting += backlog
        if (backlog > deepest) deepest = backlog
      }
      return { actors: cells.size, commands, events, timers: arming.timers(), reactions: busy, waiting, deepest }
    }
  } satisfies ActorSystemShape
})

/** The system as a layer, for the behaviours of a node. */
export const layer = <R>(behaviors: ReadonlyArray<AnyBehavior<R>>, options: SystemOptions) =>
  Layer.effect(ActorSystem, makeActorSystem(behaviors, options))
