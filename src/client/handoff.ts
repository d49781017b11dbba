/** From several producers to one consumer, one item at a time: a producer goes on when its item was taken. */

export interface Handoff<A> {
  /** Resolves when the item is taken; false: nobody will take it any more. */
  readonly give: (item: A) => Promise<boolean>
  /** The next item; undefined: it was closed. Rejects with what `fail` was given. */
  readonly take: () => Promise<A | undefined>
  readonly close: () => void
  readonly fail: (error: unknown) => void
}

export const makeHandoff = <A>(): Handoff<A> => {
  const offers: Array<{ readonly item: A; readonly taken: (taken: boolean) => void }> = []
  let waiting:
    | { readonly resolve: (item: A | undefined) => void; readonly reject: (error: unknown) => void }
    | undefined
  let ended: { readonly error?: unknown } | undefined

  const end = (how: { readonly error?: unknown }): void => {
    if (ended !== undefined) return
    ended = how
    for (const { taken } of offers.splice(0)) taken(false)
    if (waiting === undefined) return
    if ("error" in how) waiting.reject(how.error)
    else waiting.resolve(undefined)
    waiting = undefined
  }
  return {
    give: (item) => {
      if (ended !== undefined) return Promise.resolve(false)
      if (waiting !== undefined) {
        waiting.resolve(item)
        waiting = undefined
        return Promise.resolve(true)
      }
      return new Promise((taken) => offers.push({ item, taken }))
    },
    take: () => {
      const offer = offers.shift()
      if (offer !== undefined) {
        offer.taken(true)
        return Promise.resolve(offer.item)
      }
      if (ended === undefined)
        return new Promise((resolve, reject) => {
          waiting = { resolve, reject }
        })
      return "error" in ended ? Promise.reject(ended.error) : Promise.resolve(undefined)
    },
    close: () => end({}),
    fail: (error) => end({ error })
  }
}
