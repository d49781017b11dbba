/** What a store can select by: a journal's indexes and NATS's subjects know types, pods and times. */
import type { PodName } from "./pods.ts"

/** All given conditions hold together. Times: inclusive, milliseconds since the epoch. */
export interface Selection {
  /** Tags, e.g. `ContainerExited`; of every version. */
  readonly types?: ReadonlySet<string>
  readonly pod?: PodName
  readonly since?: number
  readonly until?: number
}

const both = <A>(a: A | undefined, b: A | undefined, join: (a: A, b: A) => A): A | undefined =>
  a === undefined ? b : b === undefined ? a : join(a, b)

/** What is true of the events that satisfy both. Of two pods the first is taken: one index is walked, the rest tested. */
export const narrower = (a: Selection, b: Selection): Selection => {
  const types = both(a.types, b.types, (x, y) => new Set([...x].filter((tag) => y.has(tag))))
  const pod = a.pod ?? b.pod
  const since = both(a.since, b.since, Math.max)
  const until = both(a.until, b.until, Math.min)
  return {
    ...(types === undefined ? {} : { types }),
    ...(pod === undefined ? {} : { pod }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until })
  }
}
