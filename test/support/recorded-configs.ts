/** Comparing configs with recorded ones (test/cases/cri-configs), field by field. */
import type { RowValue } from "./cases.ts"

export interface Difference {
  /** `linux.resources.cpu_shares`; an index for an entry of a list. */
  readonly path: string
  readonly ours: unknown
  readonly theirs: unknown
}

/** A difference that is meant. */
export interface Excuse {
  readonly reason: string
  readonly when: (difference: Difference) => boolean
}

const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null

/** The differing leaves of two messages. */
export const differences = (ours: RowValue, theirs: RowValue, path = ""): ReadonlyArray<Difference> => {
  if (!isRecord(ours) || !isRecord(theirs)) return Object.is(ours, theirs) ? [] : [{ path, ours, theirs }]
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)])
  return [...keys].flatMap((key) => differences(ours[key], theirs[key], path === "" ? key : `${path}.${key}`))
}

const terminationMessage = /^mounts\.\d+\.host_path$/u

/** Differences that no run of two kubelets would be without. */
export const recordedReasons: ReadonlyArray<Excuse> = [
  {
    reason: "kubelet draws a random name for the file of a termination message; ours is the attempt",
    when: ({ path, ours, theirs }) =>
      terminationMessage.test(path) &&
      typeof ours === "string" &&
      typeof theirs === "string" &&
      /\/containers\/[^/]+\/[0-9a-f]{1,8}$/u.test(theirs) &&
      ours.replace(/[0-9a-f]{8}$/u, "") === theirs.replace(/[0-9a-f]{1,8}$/u, "")
  }
]
