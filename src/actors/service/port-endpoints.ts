/**
 * The endpoints of a Service by its ports. There may be 10,000 Services with a few endpoints each, and one with 100,000: few
 * stand in a list, which takes a tenth of a map's memory; many are found by their addresses.
 */
import { hostPort } from "../../events/ip-address.ts"
import type { Endpoint } from "../endpoint/state.ts"

/** Endpoints of one port up to which a list is looked through. */
const fewEndpoints = 32

type Place = Pick<Endpoint, "address" | "port">

export class PortEndpoints implements Iterable<Endpoint> {
  /** `portKey` */
  readonly key: string
  private readonly list: Array<Endpoint> = []
  /** By address and port, where in the list; only of many. */
  private index: Map<string, number> | undefined

  constructor(key: string) {
    this.key = key
  }

  [Symbol.iterator](): Iterator<Endpoint> {
    return this.list.values()
  }

  get size(): number {
    return this.list.length
  }

  get(place: Place): Endpoint | undefined {
    const at = this.find(place)
    return at < 0 ? undefined : this.list[at]
  }

  set(endpoint: Endpoint): void {
    const at = this.find(endpoint)
    if (at >= 0) {
      this.list[at] = endpoint
      return
    }
    this.list.push(endpoint)
    if (this.index !== undefined) this.index.set(hostPort(endpoint.address, endpoint.port), this.list.length - 1)
    else if (this.list.length > fewEndpoints)
      this.index = new Map(this.list.map(({ address, port }, i) => [hostPort(address, port), i]))
  }

  /** The last one takes its place: order means nothing. */
  delete(place: Place): void {
    const at = this.find(place)
    if (at < 0) return
    const last = this.list.pop()!
    this.index?.delete(hostPort(place.address, place.port))
    if (at === this.list.length) return
    this.list[at] = last
    this.index?.set(hostPort(last.address, last.port), at)
  }

  private find({ address, port }: Place): number {
    if (this.index !== undefined) return this.index.get(hostPort(address, port)) ?? -1
    return this.list.findIndex((one) => one.address === address && one.port === port)
  }
}

/** Of one Service; it has few ports. */
export class EndpointsOfService {
  private readonly ports: Array<PortEndpoints> = []

  get(key: string): PortEndpoints | undefined {
    return this.ports.find((one) => one.key === key)
  }

  values(): ArrayIterator<PortEndpoints> {
    return this.ports.values()
  }

  get size(): number {
    return this.ports.length
  }

  set(key: string, endpoint: Endpoint): void {
    let port = this.get(key)
    if (port === undefined) {
      port = new PortEndpoints(key)
      this.ports.push(port)
    }
    port.set(endpoint)
  }

  /** From all ports of which `isMeant` is true. */
  delete(place: Place, isMeant: (key: string) => boolean): void {
    for (let i = this.ports.length - 1; i >= 0; i--) {
      const port = this.ports[i]!
      if (!isMeant(port.key)) continue
      port.delete(place)
      if (port.size === 0) this.ports.splice(i, 1)
    }
  }
}
