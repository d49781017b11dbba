/** What can be seen and how it is moved through: live, paused, or at a moment of a file. All that changes is here. */
import type { Effect } from "effect"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { EventLog } from "../event-log/log.ts"
import type { Terminal } from "../terminal.ts"
import { oneLine } from "../text.ts"
import { noUsage, type Usage } from "../usage.ts"
import { endingAt, keptLog } from "./asked.ts"
import type { Choice } from "./choice.ts"
import { ChosenEvents, eventsOf } from "./chosen-events.ts"
import { chosen, initialModel, type Model } from "./model.ts"
import type { Picture } from "./picture.ts"
import { Timeline } from "./timeline.ts"
import { type Counts, countsOf, type View, viewOf } from "./view.ts"
import type { Window } from "./window.ts"

const maxOthers = 1000
/** An event that comes and is older is one of the past, milliseconds. */
const oldEvent = 10_000

export interface Watched {
  readonly log: EventLog
  /** It can be read again from its beginning, and looked up in: a journal or a file. */
  readonly isChained: boolean
  /** Whose events are shown; undefined: the first node's that is met. */
  readonly node: string | undefined
  /** What is known before the log's first event. */
  readonly before: Picture
  /** A moment to stand at; undefined: live. */
  readonly window: Window | undefined
  readonly choice: Choice
  /** What is used at the moment; absent where nobody can say. */
  readonly usage?: Effect.Effect<Usage>
}

/** Whose events are shown, where a log has those of several nodes. */
export class NodeChoice {
  /** At most `maxOthers`: beyond that it is enough to know that there are many. */
  readonly others = new Set<string>()
  node: string | undefined

  constructor(node: string | undefined) {
    this.node = node
  }
  takes({ node }: RecordedEvent): boolean {
    this.node ??= node
    if (node === this.node) return true
    if (this.others.size < maxOthers) this.others.add(node)
    return false
  }
}

interface Paused extends Window {
  /** Positions are those of the live timeline. */
  readonly isOfLive: boolean
}

export class Session {
  readonly nodes: NodeChoice
  readonly live: Timeline
  paused: Paused | undefined
  lag: number | undefined
  usage: Usage = noUsage
  /** The events that come are old ones: the log is being read. */
  isBehind = false
  model: Model
  private readonly watched: Watched
  private readonly terminal: Terminal
  private events: ChosenEvents
  /** Of the last look: while no event comes, only ages have to be worked out again. */
  private lastCounts: { readonly timeline: Timeline; readonly position: number; readonly counts: Counts } | undefined
  private lastPicture: { readonly timeline: Timeline; readonly position: number; readonly picture: Picture } | undefined

  constructor(watched: Watched, terminal: Terminal) {
    this.watched = watched
    this.terminal = terminal
    this.live = new Timeline(watched.before)
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
      usage: this.paused === undefined ? this.usage : noUsage,
      newest
    }
    const now = this.paused === undefined ? this.terminal.now() : Date.parse(picture.fold.lastTime || "1970-01-01")
    const last = this.lastCounts
    const isSame = last?.timeline === timeline && last.position === position
    this.lastCounts = isSame ? last : { timeline, position, counts: countsOf(picture) }
    return viewOf(picture, sources, table, this.events.choice, now, this.lastCounts.counts)
  }

  /** Looks again. */
  refresh(): void {
    const { mode, table } = this.model
    const { timeline, position } = this.shown
    this.model = {
      ...this.model,
      isBehind: this.isBehind,
      view: this.view(table),
      listed: mode._tag === "Events" ? eventsOf(timeline, position, mode.key) : []
    }
  }

  /** Events have come. */
  arrived(): void {
    const { lastTime } = this.live.at(this.live.last).fold
    this.isBehind = this.terminal.now() - Date.parse(lastTime) > oldEvent
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
