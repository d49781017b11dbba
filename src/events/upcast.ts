/**
 * Old versions of events, raised one version at a time by pure functions. A version once published is never edited:
 * its upcaster stays here for ever, and the golden log that holds it is replayed in CI for ever.
 */
export interface VersionedData {
  readonly type: string
  readonly data: unknown
}
type Upcaster = { readonly to: string; readonly raise: (data: unknown) => unknown }

/** From `type` to the next version of it. Empty: every type is still in its first version. */
const upcasters: ReadonlyMap<string, Upcaster> = new Map()

/** Raises `data` of `type` as far as the upcasters reach; undefined: it is in its last version. */
export const upcast = (type: string, data: unknown): VersionedData | undefined => {
  let current: VersionedData | undefined
  for (let step = upcasters.get(type); step !== undefined; step = upcasters.get(current.type)) {
    current = { type: step.to, data: step.raise(current === undefined ? data : current.data) }
  }
  return current
}
