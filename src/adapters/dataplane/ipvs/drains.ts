/**
 * Real servers that get no new connections and keep those that they have (`pkg/proxy/ipvs/graceful_termination.go`): they go
 * when they have none any more. Which they are is seen in the kernel: their weight is 0.
 */
import type { Ipvs, IpvsChange } from "../../netlink/ipvs-calls.ts"
import { type KnownServer, serverKey } from "./steps.ts"

/** How often they are looked at (`rsCheckDeleteInterval`). */
export const sweepMillis = 60_000
/** So many are waited for; what is beyond goes at once, the longest known first. */
export const maxDraining = 10_000

export class Drains {
  /** Keys of virtual servers that may have some, in the order in which they came. */
  readonly #keys = new Set<string>()

  get size(): number {
    return this.#keys.size
  }

  /**
   * Looks at the virtual servers of these keys, by default at all that may have some. `known` is what the kernel has of ours,
   * and is kept up to date. Throws NetlinkError.
   */
  sweep(ipvs: Ipvs, known: Map<string, KnownServer>, keys?: ReadonlySet<string>): void {
    for (const key of keys ?? []) this.#keys.add(key)
    const changes: Array<IpvsChange> = []
    const gone: Array<readonly [KnownServer, string]> = []
    const waiting: Array<readonly [KnownServer, string, IpvsChange]> = []
    for (const key of keys ?? [...this.#keys]) {
      const server = known.get(key)
      let isWaiting = false
      for (const real of server === undefined ? [] : drained(server, ipvs)) {
        const change: IpvsChange = {
          ...{ do: "deleteDestination", service: server!.id },
          destination: { address: real.ip, port: real.port }
        }
        if (real.isIdle) {
          changes.push(change)
          gone.push([server!, serverKey(real)])
        } else {
          isWaiting = true
          waiting.push([server!, serverKey(real), change])
        }
      }
      if (!isWaiting) this.#keys.delete(key)
    }
    for (const [server, key, change] of waiting.slice(0, Math.max(0, waiting.length - maxDraining))) {
      changes.push(change)
      gone.push([server, key])
    }
    if (changes.length === 0) return
    const failures = ipvs.change(changes)
    // One that is gone already is what was wanted; another failure is seen at the next look.
    gone.forEach(([server, key], index) => {
      if (!failures.has(index)) server.weights.delete(key)
    })
  }
}

const drained = (server: KnownServer, ipvs: Ipvs) => {
  const weightless = [...server.weights.values()].filter(({ weight }) => weight === 0)
  if (weightless.length === 0) return []
  const now = new Map(
    ipvs.destinations(server.id).map((real) => [serverKey({ ip: real.address, port: real.port }), real])
  )
  return weightless.flatMap(({ ip, port }) => {
    const key = serverKey({ ip, port })
    const real = now.get(key)
    if (real === undefined) {
      server.weights.delete(key)
      return []
    }
    // Somebody gave it connections again: the next comparison tells of it.
    return real.weight === 0 ? [{ ip, port, isIdle: real.active + real.inactive === 0 }] : []
  })
}
