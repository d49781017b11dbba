/**
 * The table on a terminal: events in, keys in, frames out. Frames are drawn when something changed, at most ten a second,
 * and never for more than a fifth of the time; with nothing to show it sleeps.
 */
import { Effect, type Scope, Stream } from "effect"
import { CommandFailed, UsageError } from "../exit.ts"
import type { Terminal } from "../terminal.ts"
import { painter } from "../text.ts"
import { asked } from "./asked.ts"
import { Choice, isExpression } from "./choice.ts"
import { frame } from "./frame.ts"
import { keysIn } from "./keys.ts"
import { promptProblem, type Request, reduce, textShown } from "./model.ts"
import { openScreen, type Screen } from "./screen.ts"
import { NodeChoice, Session, type Watched } from "./session.ts"
import type { Subject } from "./tables.ts"
import { entryOf, loadWindow } from "./window.ts"

/** Milliseconds between two frames at least, and how many times the cost of the last one. */
const framePeriod = 100
const frameShare = 4
/** Ages and rates go on by themselves, milliseconds. */
const tickPeriod = 1000
/** How often the agent is asked what is used; it measures every ten seconds. Milliseconds. */
const usagePeriod = 5_000
/** Ticks that are left out at most, where the last ones changed nothing that is seen. */
const maxQuietTicks = 4

const messageOf = (error: unknown): string =>
  error instanceof CommandFailed || error instanceof UsageError ? error.message : String(error)

/** Shows the table until the user ends it. */
export const watch = (watched: Watched, terminal: Terminal): Effect.Effect<void, CommandFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const paint = painter(terminal.colours)
    const state = new Session(watched, terminal)
    let screen: Screen | undefined
    let end: (failure?: unknown) => void = () => {}
    let drawnAt = Number.NEGATIVE_INFINITY
    let pause = framePeriod
    let timer: NodeJS.Timeout | undefined
    let quietTicks = 0
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
      const isNew = screen.draw(frame(state.model, screen.size(), paint))
      quietTicks = isNew ? 0 : Math.min(quietTicks + 1, maxQuietTicks)
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
      if (!isExpression(text)) {
        state.choose(text === "" ? Choice.all() : Choice.containing(text))
        return
      }
      const { parseExpression } = await import("../filter/expression.ts")
      try {
        state.choose(Choice.of(parseExpression(text, terminal.now(), "")))
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        state.model = promptProblem(state.model, error.message)
      }
    }
    const why = async (subject: Subject, title: string): Promise<void> => {
      const text = await Effect.runPromise(asked(state.logNow(), subject))
      state.model = { ...textShown(state.model, `why: ${title}`, text), note: "" }
    }
    const step = (by: 1 | -1): void => {
      const far = state.step(by)
      if (far === undefined) return
      const nodes = new NodeChoice(state.nodes.node)
      const loading = loadWindow(watched.log, { _tag: "Sequence", sequence: far.sequence }, (e) => nodes.takes(e))
      doing(
        "reading the log …",
        Effect.runPromise(loading).then((window) => {
          state.say("")
          state.moveTo(window, far.sequence)
        })
      )
    }
    const answer = (request: Request): void => {
      if (request._tag === "Quit") end()
      // At once: keys that were typed along are about what is seen then.
      else if (request._tag === "Look") state.refresh()
      else if (!busy)
        switch (request._tag) {
          case "Pause":
            state.pause(request.paused)
            break
          case "Filter":
            doing("", filter(request.text))
            break
          case "Why":
            doing("reading the log …", why(request.subject, request.title))
            break
          case "Step":
            step(request.by)
            break
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
      let ticks = 0
      const tick = setInterval(() => {
        state.isBehind = false
        ticks += 1
        if (state.paused === undefined && ticks > quietTicks) {
          ticks = 0
          changed()
        }
      }, tickPeriod)
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
              state.arrived()
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
              const head = state.live.at(state.live.last).fold.lastSequence
              const lag = upTo === undefined ? undefined : Math.max(0, head - upTo)
              if (lag !== state.lag && state.paused === undefined) changed()
              state.lag = lag
              yield* Effect.sleep(tickPeriod)
            }
          })
    const { usage } = watched
    const measuring =
      usage === undefined || watched.window !== undefined
        ? Effect.never
        : Effect.gen(function* () {
            while (true) {
              state.usage = yield* usage
              if (state.paused === undefined) changed()
              yield* Effect.sleep(usagePeriod)
            }
          })
    screen = yield* openScreen(terminal, { typed, resized: changed, closed: () => end() })
    yield* Effect.raceFirst(ended, Effect.raceFirst(measuring, Effect.raceFirst(reading, asking)))
  })
