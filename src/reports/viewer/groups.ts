/** Numbers grouped by another, in two flat arrays; and searches in sorted ones. Pure. */

export class Groups {
  private readonly starts: Uint32Array
  private readonly members: Uint32Array
  constructor(starts: Uint32Array, members: Uint32Array) {
    this.starts = starts
    this.members = members
  }
  of(group: number): Uint32Array {
    return this.members.subarray(this.starts[group], this.starts[group + 1])
  }
}

/** Positions by the group that `groupOf` gives each (negative: none), ordered by `at` within a group where that is given. */
export const byGroup = (groupOf: Uint32Array | Int32Array, groups: number, at?: Float64Array): Groups => {
  const starts = new Uint32Array(groups + 1)
  for (const group of groupOf) if (group >= 0) starts[group + 1]! += 1
  for (let i = 0; i < groups; i++) starts[i + 1]! += starts[i]!
  const next = starts.slice()
  const members = new Uint32Array(starts[groups]!)
  for (let i = 0; i < groupOf.length; i++) {
    const group = groupOf[i]!
    if (group >= 0) members[next[group]!++] = i
  }
  if (at !== undefined) {
    for (let i = 0; i < groups; i++) {
      const part = members.subarray(starts[i], starts[i + 1])
      // A clock may have jumped back; nearly always there is nothing to do.
      if (part.some((member, n) => n > 0 && at[member]! < at[part[n - 1]!]!))
        part.sort((a, b) => at[a]! - at[b]! || a - b)
    }
  }
  return new Groups(starts, members)
}

/** For each event those that name it as their cause. */
export const effectsOf = (cause: Int32Array): Groups => byGroup(cause, cause.length)

/** The first position in `members` whose `at` is not before `time`. */
export const firstFrom = (members: Uint32Array, at: Float64Array, time: number): number => {
  let [low, high] = [0, members.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (at[members[middle]!]! < time) low = middle + 1
    else high = middle
  }
  return low
}
