/** Whether the kernel has what it should, or what waits does not wait for long (`pkg/proxy/healthcheck/proxy_health.go`). */
import type { IpFamily } from "../../events/service-shape.ts"

export interface ProxyHealth {
  readonly queued: () => void
  /** How many changes the kernel does not have: none ends the waiting. */
  readonly waiting: (changes: number) => void
  /** The kernel has what it should, but for what waits. */
  readonly synced: () => void
  readonly isHealthy: () => boolean
  /** The body of /healthz and /livez, with what they say beside it. */
  readonly report: (extra?: { readonly nodeEligible: boolean }) => {
    readonly isHealthy: boolean
    readonly body: string
  }
}

/** Go's zero time: nothing was ever synced. */
const never = "0001-01-01T00:00:00Z"

/**
 * @param timeoutMillis how long a change may wait: twice the sync period
 * @param now milliseconds since the epoch
 */
export const makeProxyHealth = (
  families: ReadonlyArray<IpFamily>,
  timeoutMillis: () => number,
  now: () => number
): ProxyHealth => {
  let oldestQueued: number | undefined
  let lastSynced: number | undefined
  let waiting = 0
  const isHealthy = (): boolean => oldestQueued === undefined || now() - oldestQueued < timeoutMillis()
  return {
    queued: () => {
      oldestQueued ??= now()
    },
    waiting: (changes) => {
      waiting = changes
      if (changes === 0) oldestQueued = undefined
    },
    synced: () => {
      lastSynced = now()
      if (waiting === 0) oldestQueued = undefined
    },
    isHealthy,
    report: (extra) => {
      const healthy = isHealthy()
      const currentTime = new Date(now()).toISOString()
      const synced = lastSynced === undefined ? never : new Date(lastSynced).toISOString()
      const body = {
        // As with kube-proxy, of a healthy proxy this is the time of the question.
        lastUpdated: healthy ? currentTime : synced,
        currentTime,
        ...extra,
        healthy,
        ...(lastSynced === undefined
          ? {}
          : { status: Object.fromEntries(families.map((family) => [family, { lastUpdated: synced, healthy }])) })
      }
      return { isHealthy: healthy && (extra?.nodeEligible ?? true), body: JSON.stringify(body) }
    }
  }
}
