/**
 * Who was caused by whom in a log without an index, in 16 bytes an event: hashes of ids, in the order of the log. A cause
 * is always recorded before what it causes, so one walk from an event to the log's beginning finds its whole chain.
 */

/** Numbers that fit a double exactly: enough that two of a million ids hash alike once in ten thousand logs. */
const hashBits = 53

/** FNV-1a over UTF-16 units, twice with different bases, as one number of 53 bits. 0 stands for "no cause". */
export const idHash = (id: string): number => {
  let low = 0x811c9dc5
  let high = 0x01000193
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x85ebca6b)
  }
  return ((high >>> 0) % 2 ** (hashBits - 32)) * 2 ** 32 + (low >>> 0) + 1
}

export interface CauseIndex {
  readonly add: (id: string, cause: string | undefined) => void
  readonly size: () => number
  /** Positions (from 0, in the order of `add`) of the event and all its causes; empty where there is no such event. */
  readonly chainOf: (id: string) => ReadonlySet<number>
}

const firstCapacity = 4096

export const makeCauseIndex = (): CauseIndex => {
  let ids = new Float64Array(firstCapacity)
  let causes = new Float64Array(firstCapacity)
  let size = 0
  const grown = (array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
    const larger = new Float64Array(array.length * 2)
    larger.set(array)
    return larger
  }
  return {
    add: (id, cause) => {
      if (size === ids.length) {
        ids = grown(ids)
        causes = grown(causes)
      }
      ids[size] = idHash(id)
      causes[size] = cause === undefined ? 0 : idHash(cause)
      size += 1
    },
    size: () => size,
    chainOf: (id) => {
      const positions = new Set<number>()
      let wanted = idHash(id)
      for (let i = size - 1; i >= 0 && wanted !== 0; i--) {
        if (ids[i] !== wanted) continue
        positions.add(i)
        wanted = causes[i] as number
      }
      return positions
    }
  }
}
