/** What the two courses of a pod come to: kills, restarts, when a container was up for good, how long it was not ready. */

import type { NodeEvent } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { PodState } from "../pod/state.ts"
import type { Course } from "./course.ts"

/** Times are RFC 3339, lengths milliseconds. */
export interface ContainerFigures {
  readonly kills: ReadonlyArray<{ readonly time: string; readonly reason: string }>
  readonly exits: number
  readonly restarts: number
  /** When it was last started; null: it did not run when the course ended. */
  readonly upSince: string | null
  /** How long it was not ready after the parting. */
  readonly notReadyMillis: number
}

export interface ContainerAnswer {
  readonly container: string
  readonly recorded: ContainerFigures
  readonly instead: ContainerFigures
}

interface Happened {
  readonly time: string
  readonly event: NodeEvent
}

interface Draft {
  kills: Array<{ time: string; reason: string }>
  exits: number
  restarts: number
  upSince: string | null
  readySince: boolean
  notReadyMillis: number
  changedAt: number
}

/** Figures by container. `first`: where the log begins with it; `from`: the parting, `to`: the end of the log (ms). */
const figuresOf = (
  first: PodState | undefined,
  before: ReadonlyArray<Happened>,
  after: ReadonlyArray<Happened>,
  from: number,
  to: number
): ReadonlyMap<string, ContainerFigures> => {
  const drafts = new Map<string, Draft>()
  const draftOf = (container: string): Draft => {
    const known = drafts.get(container)
    if (known !== undefined) return known
    const draft: Draft = {
      kills: [],
      exits: 0,
      restarts: 0,
      upSince: null,
      readySince: false,
      notReadyMillis: 0,
      changedAt: from
    }
    drafts.set(container, draft)
    return draft
  }
  const learn = ({ time, event }: Happened, counts: boolean): void => {
    switch (event._tag) {
      case "ContainerStarted": {
        const draft = draftOf(event.container)
        draft.upSince = event.startedAt
        draft.restarts = Math.max(draft.restarts, event.attempt)
        break
      }
      case "ContainerExited": {
        const draft = draftOf(event.container)
        draft.upSince = null
        if (counts) draft.exits += 1
        break
      }
      case "ContainerKillRequested":
        if (counts) draftOf(event.container).kills.push({ time, reason: event.reason })
        break
      case "ContainerReadinessChanged": {
        const draft = draftOf(event.container)
        const at = Math.max(from, millis(time))
        if (counts && !draft.readySince) draft.notReadyMillis += at - draft.changedAt
        draft.changedAt = at
        draft.readySince = event.ready
        break
      }
      default:
    }
  }
  for (const c of first?.containers ?? []) {
    const draft = draftOf(c.name)
    draft.restarts = Math.max(0, c.attempt)
    draft.upSince = c.status === "running" || c.status === "killing" ? c.startedAt : null
    draft.readySince = c.ready
  }
  for (const happened of before) learn(happened, false)
  for (const happened of after) learn(happened, true)
  return new Map(
    [...drafts].map(([container, { readySince, changedAt, ...draft }]) => [
      container,
      { ...draft, notReadyMillis: draft.notReadyMillis + (readySince ? 0 : Math.max(0, to - changedAt)) }
    ])
  )
}

const nothing: ContainerFigures = { kills: [], exits: 0, restarts: 0, upSince: null, notReadyMillis: 0 }

/** By container, in the order in which they first appear. `first`: of the pod, `end`: of the log, milliseconds. */
export const answersOf = (course: Course, first: PodState | undefined, end: number): ReadonlyArray<ContainerAnswer> => {
  if (course.parted === undefined) return []
  const from = millis(course.parted.time)
  const recorded = figuresOf(first, course.common, course.recorded, from, end)
  const instead = figuresOf(first, course.common, course.instead, from, end)
  return [...new Set([...recorded.keys(), ...instead.keys()])].map((container) => ({
    container,
    recorded: recorded.get(container) ?? nothing,
    instead: instead.get(container) ?? nothing
  }))
}
