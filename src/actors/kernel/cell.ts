/** An actor as the kernel holds it: state, mailbox, what is armed for it. It has no fiber of its own. */
import type { Fiber } from "effect"
import type { ActorId } from "../../events/actor-id.ts"
import type { AnyBehavior, Command } from "./behavior.ts"
import type { ArmedTimer } from "./timers.ts"

export interface Letter {
  readonly command: Command
  /** Id of the event that led to the command. */
  readonly cause: string | undefined
}

/** By Pekko's names: recovering → running ⇄ persisting. */
export type Phase = "recovering" | "running" | "persisting"

/** Taken letters are cut off the mailbox when there are so many. */
const compactAt = 256

export class Cell {
  readonly id: ActorId
  readonly path: string
  // biome-ignore lint/suspicious/noExplicitAny: see AnyBehavior
  readonly behavior: AnyBehavior<any>
  state: unknown
  actorSequence: number
  phase: Phase = "running"
  /** Waits for its turn. */
  queued = false
  /** None while it is empty: most of 100,000 actors are at rest. */
  private mailbox: Array<Letter> | undefined
  private taken = 0
  /** Senders that wait for room in the mailbox. */
  waiting: Array<() => void> | undefined
  /** What waits for the phase `running`. */
  afterwards: Array<() => void> | undefined
  timers: Map<string, ArmedTimer<Cell>> | undefined
  observations: Map<string, Fiber.Fiber<void>> | undefined
  /** Times of its failures within the supervisor's period, milliseconds. */
  failures: Array<number> | undefined
  /** Reactions that run. */
  reactions = 0
  /** Finished and let go. */
  gone = false

  // biome-ignore lint/suspicious/noExplicitAny: see AnyBehavior
  constructor(id: ActorId, path: string, behavior: AnyBehavior<any>, state: unknown, actorSequence: number) {
    this.id = id
    this.path = path
    this.behavior = behavior
    this.state = state
    this.actorSequence = actorSequence
  }

  get backlog(): number {
    return this.mailbox === undefined ? 0 : this.mailbox.length - this.taken
  }

  put(letter: Letter): void {
    this.mailbox ??= []
    this.mailbox.push(letter)
  }

  /** The next letter; there must be one. */
  take(): Letter {
    const mailbox = this.mailbox!
    const letter = mailbox[this.taken]!
    this.taken += 1
    if (this.taken === mailbox.length) {
      this.mailbox = undefined
      this.taken = 0
    } else if (this.taken >= compactAt) {
      mailbox.splice(0, this.taken)
      this.taken = 0
    }
    return letter
  }

  /** Lets waiting senders try again. */
  wakeSenders(): void {
    if (this.waiting === undefined) return
    const waiting = this.waiting
    this.waiting = undefined
    for (const wake of waiting) wake()
  }
}
