/** A kernel in memory that takes and refuses as IPVS, rtnetlink and nf_tables do, and fails where a test says so. */
import { Effect } from "effect"
import type { Companion } from "../../../../src/adapters/dataplane/ipvs/companion.ts"
import { entryId } from "../../../../src/adapters/dataplane/ipvs/desired.ts"
import type { Device } from "../../../../src/adapters/dataplane/ipvs/device.ts"
import type { Kernel } from "../../../../src/adapters/dataplane/ipvs/engine.ts"
import { dataplaneError } from "../../../../src/adapters/dataplane/ipvs/failure.ts"
import type { Entry } from "../../../../src/adapters/dataplane/ipvs/plan.ts"
import { EEXIST, ENOBUFS, ENOENT, ESRCH } from "../../../../src/adapters/netlink/errno.ts"
import { errnoError, type NetlinkError } from "../../../../src/adapters/netlink/error.ts"
import type { RealServer, ServiceId, ServiceOptions, VirtualServer } from "../../../../src/adapters/netlink/ipvs.ts"
import { type Ipvs, type IpvsChange, serviceName } from "../../../../src/adapters/netlink/ipvs-calls.ts"

interface ModelServer {
  readonly id: ServiceId
  options: ServiceOptions
  readonly reals: Map<string, RealServer>
}

export interface ModelKernel extends Kernel {
  readonly servers: Map<string, ModelServer>
  readonly addresses: Set<string>
  readonly entries: Map<string, Entry>
  /** Asked before each change of a virtual server: an errno refuses it; `overrun`: done, but nothing more is heard. */
  fault: (change: IpvsChange) => number | "overrun" | undefined
  /** Asked before each transaction of entries. */
  entryFault: () => number | undefined
  /** What was sent since this was emptied. */
  readonly sent: Array<IpvsChange>
}

const realKey = (real: { readonly address: string; readonly port: number }) => `${real.address} ${real.port}`
const failed = (errno: number): NetlinkError => errnoError("change virtual servers", { errno })

export const modelKernel = (nodeAddresses: ReadonlyArray<string> = ["192.0.2.1"]): ModelKernel => {
  const servers = new Map<string, ModelServer>()
  const addresses = new Set<string>()
  const entries = new Map<string, Entry>()
  const sent: Array<IpvsChange> = []
  let isUp = false
  let hasTable = false

  const carryOut = (change: IpvsChange): number | undefined => {
    const name = serviceName(change.service)
    const server = servers.get(name)
    if (change.do === "newService") {
      if (server !== undefined) return EEXIST
      servers.set(name, { id: change.service, options: change.options, reals: new Map() })
      return undefined
    }
    if (server === undefined) return ESRCH
    if (change.do === "setService") server.options = change.options
    else if (change.do === "deleteService") servers.delete(name)
    else if ("destination" in change) {
      const key = realKey(change.destination)
      const there = server.reals.get(key)
      if (change.do === "newDestination") {
        if (there !== undefined) return EEXIST
        server.reals.set(key, { ...change.destination, active: 0, inactive: 0, persistent: 0 })
      } else if (there === undefined) return ENOENT
      else if (change.do === "setDestination") server.reals.set(key, { ...there, ...change.destination })
      else server.reals.delete(key)
    }
    return undefined
  }

  const shown = ({ id, options }: ModelServer): VirtualServer => ({ ...id, ...options, flags: options.flags | 2 })
  const kernel: ModelKernel = {
    servers,
    addresses,
    entries,
    sent,
    fault: () => undefined,
    entryFault: () => undefined,
    ipvs: {
      info: () => ({ version: "1.2.1", tableSize: 4096 }),
      timeouts: () => ({ tcp: 900, tcpFin: 120, udp: 300 }),
      setTimeouts: () => undefined,
      services: () => [...servers.values()].map(shown),
      service: (id) => {
        const server = servers.get(serviceName(id))
        return server === undefined ? undefined : shown(server)
      },
      destinations: (id) => [...(servers.get(serviceName(id))?.reals.values() ?? [])],
      change: (changes) => {
        const failures = new Map<number, NetlinkError>()
        for (const [index, change] of changes.entries()) {
          sent.push(change)
          const fault = kernel.fault(change)
          const errno = typeof fault === "number" ? fault : carryOut(change)
          if (errno !== undefined) failures.set(index, failed(errno))
          if (fault === "overrun") throw failed(ENOBUFS)
        }
        return failures
      },
      close: () => undefined
    } satisfies Ipvs,
    device: {
      name: "chronode-ipvs0",
      index: () => 7,
      ensure: () => {
        const was = isUp
        isUp = true
        return !was
      },
      addresses: () => ({ own: new Set(addresses), others: new Set(nodeAddresses) }),
      add: (these) => {
        for (const one of these) addresses.add(one)
        return new Map()
      },
      remove: (these) => {
        for (const one of these) addresses.delete(one)
        return new Map()
      },
      destroy: () => {
        const was = isUp
        isUp = false
        addresses.clear()
        return was
      },
      close: () => undefined
    } satisfies Device,
    companion: {
      name: "chronode-ipvs",
      ensure: Effect.sync(() => {
        const was = hasTable
        hasTable = true
        return was ? "same" : "missing"
      }),
      read: Effect.sync(() => new Map(entries)),
      change: (removed, added) =>
        Effect.suspend(() => {
          const errno = kernel.entryFault()
          const keys = new Map([...entries].map(([id, entry]) => [`${entry.set} ${entry.key}`, id]))
          for (const entry of removed) {
            if (!entries.has(entryId(entry))) return Effect.fail(dataplaneError(failed(ENOENT)))
            keys.delete(`${entry.set} ${entry.key}`)
          }
          for (const entry of added) {
            const other = keys.get(`${entry.set} ${entry.key}`)
            if (other !== undefined && other !== entryId(entry)) return Effect.fail(dataplaneError(failed(EEXIST)))
          }
          if (errno !== undefined) return Effect.fail(dataplaneError(failed(errno)))
          for (const entry of removed) entries.delete(entryId(entry))
          for (const entry of added) entries.set(entryId(entry), entry)
          return Effect.void
        }),
      remove: Effect.sync(() => {
        const was = hasTable
        hasTable = false
        entries.clear()
        return was
      }),
      close: () => undefined
    } satisfies Companion
  }
  return kernel
}
