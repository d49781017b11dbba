/** The newest events that are chosen, kept up to date with a timeline: each event is looked at once. */
import type { RecordedEvent } from "../../events/envelope.ts"
import { EventFields } from "../filter/fields.ts"
import { podOf, podText } from "../filter/pods.ts"
import type { Choice } from "./choice.ts"
import { keysOf } from "./tables.ts"
import type { Timeline } from "./timeline.ts"

/** More than any screen shows. */
export const maxNewest = 200
/** Events of one thing that can be scrolled through. */
export const maxListed = 500

export class ChosenEvents {
  private timeline: Timeline | undefined
  private position = 0
  private newest: ReadonlyArray<RecordedEvent> = []
  choice: Choice

  constructor(choice: Choice) {
    this.choice = choice
  }

  /** Those up to a position, newest first; `choice` has learnt from all of them, and from no later one. */
  upTo(timeline: Timeline, position: number): ReadonlyArray<RecordedEvent> {
    if (timeline !== this.timeline || position < this.position) {
      this.choice = this.choice.fresh()
      this.timeline = timeline
      this.position = timeline.first
      this.newest = []
    }
    if (position === this.position) return this.newest
    const found: Array<RecordedEvent> = []
    for (const recorded of timeline.between(this.position, position))
      if (this.choice.isEvent(recorded)) found.push(recorded)
    this.position = position
    this.newest = [...found.slice(-maxNewest).reverse(), ...this.newest].slice(0, maxNewest)
    return this.newest
  }
}

const epoch = new Date(0)

/** The events of one row's thing up to a position, newest first. */
export const eventsOf = (timeline: Timeline, position: number, key: string): ReadonlyArray<RecordedEvent> => {
  const found: Array<RecordedEvent> = []
  for (const recorded of timeline.backFrom(position)) {
    const pod = podOf(recorded.actor)
    const owner = pod === undefined ? "" : podText(pod)
    const { container } = new EventFields(recorded, owner, epoch)
    if (!keysOf(recorded, owner, container).includes(key)) continue
    found.push(recorded)
    if (found.length >= maxListed) break
  }
  return found
}
