/**
 * The table on a terminal: events in, keys in, frames out. Frames are drawn when something changed, at most ten a second,
 * and never for more than a fifth of the time; with nothing to show it sleeps.
 */
import { Effect, type Scope, Stream } from "effect"
import type { RecordedEvent } from "../../events/envelope.ts"
import { CommandFailed, UsageError } from "../exit.ts"
import type { EventLog } from "../log.ts"
import type { Terminal } from "../terminal.ts"
import { oneLine, painter } from "../text.ts"
import { asked, endingAt, keptLog } from "./asked.ts"
import { Choice, isExpression } from "./choice.ts"
import { ChosenEvents, eventsOf } from "./chosen-events.ts"
import { frame } from "./frame.ts"
import { keysIn } from "./keys.ts"
import { chosen, initialModel, type Model, promptProblem, type Request, reduce, textShown } from "./model.ts"
import type { Picture } from "./picture.ts"
import { openScreen, type Screen } from "./screen.ts"
import { Timeline } from "./timeline.ts"
import { type View, viewOf } from "./view.ts"
import { entryOf, loadWindow, type Window } from "./window.ts"

/** Milliseconds between two frames at least, and how many times the cost of the last one. */
const framePeriod = 100
const frameShare = 4
/** Ages and rates go on by themselves, milliseconds. */
const tickPeriod = 1000

export interface Watched {
  readonly log: EventLog
  /** It can be read again from its beginning, and looked up in: a journal or a file. */
  readonly isChained: boolean
  /** Whose events are shown; undefined: the first node's that is met. */
  readonly node: string | undefined
  /** A moment to stand at; undefined: live. */
  readonly window: Window | undefined
  readonly choice: Choice
}

/** Whose events are shown, where a log has those of several nodes. */
export class NodeChoice {
  readonly others = new Set<string>()
  node: string | undefined

  constructor(node: string | undefined) {
    this.node = node
  }
  takes({ node }: RecordedEvent): boolean {
    this.node ??= node
    if (node === this.node) return true
    this.others.add(node)
    return false
  }
}

interface Paused extends Window {
  /** Positions are those of the live timeline. */
  readonly isOfLive: boolean
}

/** What can be seen, and how it is moved through. Everything that changes is here. */
class Watch {
  readonly nodes: NodeChoice
  readonly live = new Timeline()
  paused: Paused | undefined
  lag: number | undefined
  model: Model
  private readonly watched: Watched
  private readonly terminal: Terminal
  private events: ChosenEvents
  private lastPicture: { readonly timeline: Timeline; readonly position: number; readonly picture: Picture } | undefined

  constructor(watched: Watched, terminal: Terminal) {
    this.watched = watched
    this.terminal = terminal
    this.nodes = new NodeChoice(watched.node)
    this.events = new ChosenEvents(watched.choice)
    this.paused = watched.window === undefined ? undefined : { ...watched.window, isOfLive: false }
    this.model = initialModel(this.view("pods"), watched.choice, watched.window !== undefined)
  }

  get shown(): Window {
    return this.paused ?? { timeline: this.live, position: this.live.last }
  }

  private picture(): Picture {
    const { timeline, position } = this.shown
    if (position >= timeline.last) return timeline.at(position)
    const last = this.lastPicture
    if (last?.timeline === timeline && last.position === position) return last.picture
    const picture = timeline.at(position)
    this.lastPicture = { timeline, position, picture }
    return picture
  }

  private view(table: Model["table"]): View {
    const { timeline, position } = this.shown
    const picture = this.picture()
    const newest = this.events.upTo(timeline, position)
    const sources = {
      log: this.watched.log.name,
      lag: this.paused === undefined ? this.lag : undefined,
      otherNodes: this.nodes.others.size,
      newest
    }
    const now = this.paused === undefined ? this.terminal.now() : Date.parse(picture.fold.lastTime || "1970-01-01")
    return viewOf(picture, sources, table, this.events.choice, now)
  }

  /** Looks again. */
  refresh(): void {
    const { mode, table } = this.model
    const { timeline, position } = this.shown
    this.model = {
      ...this.model,
      view: this.view(table),
      listed: mode._tag === "Events" ? eventsOf(timeline, position, mode.key) : []
    }
  }

  say(note: string): void {
    this.model = { ...this.model, note: oneLine(note) }
  }

  choose(choice: Choice): void {
    this.events = new ChosenEvents(choice)
    this.model = chosen(this.model, choice)
  }

  pause(paused: boolean): void {
    this.paused = paused ? { timeline: this.live.frozen(), position: this.live.last, isOfLive: true } : undefined
    this.model = { ...this.model, isPaused: paused }
  }

  /** One event back or forward; answers where to read the log anew, if what is kept does not reach so far. */
  step(by: 1 | -1): { readonly sequence: number } | undefined {
    if (this.paused === undefined) this.pause(true)
    const at = this.paused as Paused
    const { timeline, position, isOfLive } = at
    const next = position + by
    if (next >= Math.max(1, timeline.first) && next <= timeline.last) {
      this.paused = { ...at, position: next }
      return undefined
    }
    const sequence = this.picture().fold.lastSequence
    if (by === 1 && isOfLive) {
      if (this.live.last > position && this.live.first <= position)
        this.paused = { timeline: this.live.frozen(), position: next, isOfLive }
      else this.say("this is the newest event; p goes on")
      return undefined
    }
    if (by === -1 && next < 1) this.say("this is the first event")
    else if (this.watched.isChained) return { sequence: sequence + by }
    else this.say("older events are not kept")
    return undefined
  }

  moveTo(window: Window, sequence: number): void {
    const before = this.picture().fold.lastSequence
    this.paused = { ...window, isOfLive: false }
    const reached = this.picture().fold.lastSequence
    if (reached === before) this.say(sequence > before ? "this is the newest event" : "this is the first event")
  }

  /** The log for questions, as of the moment that is shown. */
  logNow(): EventLog {
    const { timeline, position } = this.shown
    const { isChained, log } = this.watched
    if (!isChained) return keptLog(log.name, timeline, position)
    return endingAt(log, this.picture().fold.lastSequence)
  }
}

const messageOf = (error: unknown): string =>
  error instanceof CommandFailed || error instanceof UsageError ? error.message : String(error)

/** Shows the table until the user ends it. */
export const watch = (watched: Watched, terminal: Terminal): Effect.Effect<void, CommandFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const paint = painter(terminal.colours)
    const state = new Watch(watched, terminal)
    let screen: Screen | undefined
    let end: (failure?: unknown) => void = () => {}
    let drawnAt = Number.NEGATIVE_INFINITY
    let pause = framePeriod
    let timer: NodeJS.Timeout | undefined
    /** Something that the keys asked for is being done: others wait their turn. */
    let busy = false

    /** What is called from outside must not throw past the screen: the message would be lost with it. */
    const guarded =
      <Arguments extends ReadonlyArray<unknown>>(work: (...given: Arguments) => void) =>
      (...given: Arguments): void => {
        try {
          work(...given)
        } catch (error) {
          end(error)
        }
      }
    const draw = guarded(() => {
      timer = undefined
      if (screen === undefined) return
      const began = performance.now()
      state.refresh()
      screen.draw(frame(state.model, screen.size(), paint))
      drawnAt = performance.now()
      pause = Math.max(framePeriod, frameShare * (drawnAt - began))
    })
    const changed = (): void => {
      timer ??= setTimeout(draw, Math.max(0, drawnAt + pause - performance.now()))
    }
    const doing = (note: string, work: Promise<void>): void => {
      busy = true
      state.say(note)
      work
        .catch((error) => state.say(messageOf(error)))
        .finally(() => {
          busy = false
          changed()
        })
    }
    const filter = async (text: string): Promise<void> => {
      if (!isExpression(text)) return state.choose(text === "" ? Choice.all() : Choice.containing(text))
      const { parseExpression } = await import("../filter/expression.ts")
      try {
        state.choose(Choice.of(parseExpression(text, terminal.now(), "")))
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        state.model = promptProblem(state.model, error.message)
      }
    }
    const answer = (request: Request): void => {
      if (busy && request._tag !== "Quit" && request._tag !== "Look") return
      switch (request._tag) {
        case "Quit":
          return end()
        case "Look":
          return
        case "Pause":
          return state.pause(request.paused)
        case "Filter":
          return doing("", filter(request.text))
        case "Why":
          return doing(
            "reading the log …",
            Effect.runPromise(asked(state.logNow(), request.subject)).then((text) => {
              state.model = { ...textShown(state.model, `why: ${request.title}`, text), note: "" }
            })
          )
        case "Step": {
          const far = state.step(request.by)
          if (far === undefined) return
          const nodes = new NodeChoice(state.nodes.node)
          const loading = loadWindow(watched.log, { _tag: "Sequence", sequence: far.sequence }, (e) => nodes.takes(e))
          return doing(
            "reading the log …",
            Effect.runPromise(loading).then((window) => {
              state.say("")
              state.moveTo(window, far.sequence)
            })
          )
        }
      }
    }
    const typed = guarded((text: string) => {
      for (const key of keysIn(text)) {
        const { model, request } = reduce(state.model, key)
        state.model = model
        if (request !== undefined) answer(request)
      }
      changed()
    })
    const ended = Effect.callback<void, CommandFailed>((resume) => {
      end = (failure) =>
        resume(
          failure === undefined
            ? Effect.void
            : failure instanceof CommandFailed
              ? Effect.fail(failure)
              : Effect.die(failure)
        )
      const tick = setInterval(() => state.paused === undefined && changed(), tickPeriod)
      changed()
      return Effect.sync(() => {
        clearInterval(tick)
        clearTimeout(timer)
      })
    })
    const reading =
      watched.window !== undefined
        ? Effect.never
        : Stream.runForEachArray(watched.log.read({}, true), (lines) =>
            Effect.sync(() => {
              for (const line of lines) {
                const entry = entryOf(line)
                if (entry !== undefined && state.nodes.takes(entry.recorded)) state.live.push(entry)
              }
              if (state.paused === undefined) changed()
            })
          ).pipe(Effect.andThen(Effect.never))
    const { published } = watched.log
    const asking =
      published === undefined || watched.window !== undefined
        ? Effect.never
        : Effect.gen(function* () {
            while (true) {
              const upTo = yield* published
              state.lag =
                upTo === undefined ? undefined : Math.max(0, state.live.at(state.live.last).fold.lastSequence - upTo)
              yield* Effect.sleep(tickPeriod)
            }
          })
    screen = yield* openScreen(terminal, { typed, resized: changed, closed: () => end() })
    yield* Effect.raceFirst(ended, Effect.raceFirst(reading, asking))
  })
