/** Answers that hold for a while: at most so many, the oldest go first. */

export interface TtlCache<A> {
  readonly get: (key: string, now: number) => A | undefined
  /** @param ttl milliseconds; 0: it is not kept */
  readonly put: (key: string, value: A, ttl: number, now: number) => void
  readonly clear: () => void
}

export const makeTtlCache = <A>(capacity: number): TtlCache<A> => {
  const entries = new Map<string, { readonly value: A; readonly until: number }>()
  return {
    get: (key, now) => {
      const found = entries.get(key)
      if (found === undefined) return undefined
      if (found.until > now) return found.value
      entries.delete(key)
      return undefined
    },
    put: (key, value, ttl, now) => {
      entries.delete(key)
      if (ttl <= 0) return
      if (entries.size >= capacity) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      entries.set(key, { value, until: now + ttl })
    },
    clear: () => entries.clear()
  }
}
