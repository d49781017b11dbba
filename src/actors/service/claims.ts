/**
 * Who has which address and port, and which node port: of two Services that ask for one, the older has it, and the younger
 * is rejected until it is free. Live only; what comes of it stands in the events of the Services.
 */
import type { ServiceProblem } from "../../events/kinds/service.ts"
import type { ServiceSpec } from "../../events/service-shape.ts"

interface Asked {
  /** `10.96.0.1 TCP/80`, `node TCP/30080` */
  readonly claim: string
  /** Path of the field that asks for it. */
  readonly field: string
  /** For people. */
  readonly what: string
}

const addressClaims = (spec: ServiceSpec, ips: ReadonlyArray<string>, field: string): ReadonlyArray<Asked> =>
  ips.flatMap((ip, i) =>
    spec.ports.map(({ protocol, port }) => ({
      claim: `${ip} ${protocol}/${port}`,
      field: `${field}[${i}]`,
      what: `${ip} port ${port}/${protocol}`
    }))
  )

/** A health check is answered over TCP on the node, as node ports are. */
export const nodePortClaim = (protocol: string, port: number): string => `node ${protocol}/${port}`

/** All that a Service asks for alone. */
export const claimsOf = (spec: ServiceSpec): ReadonlyArray<Asked> => {
  if (spec.type === "ExternalName" || spec.proxyName !== undefined) return []
  const nodePorts = spec.ports.flatMap(({ protocol, nodePort }, i) =>
    nodePort === undefined
      ? []
      : [
          {
            claim: nodePortClaim(protocol, nodePort),
            field: `spec.ports[${i}].nodePort`,
            what: `node port ${nodePort}/${protocol}`
          }
        ]
  )
  const { healthCheckNodePort: health } = spec
  return [
    ...addressClaims(spec, spec.clusterIPs, "spec.clusterIPs"),
    ...addressClaims(spec, spec.externalIPs ?? [], "spec.externalIPs"),
    ...addressClaims(spec, spec.loadBalancerIPs ?? [], "status.loadBalancer.ingress"),
    ...nodePorts,
    ...(health === undefined
      ? []
      : [
          {
            claim: nodePortClaim("TCP", health),
            field: "spec.healthCheckNodePort",
            what: `health check node port ${health}`
          }
        ])
  ]
}

export class Claims {
  private readonly holders = new Map<string, string>()
  private readonly held = new Map<string, ReadonlyArray<string>>()
  /** By cluster IP, how many Services have it. */
  private readonly addresses = new Map<string, number>()
  private readonly clusterIPs = new Map<string, ReadonlyArray<string>>()

  holderOf(claim: string): string | undefined {
    return this.holders.get(claim)
  }

  /** Whether no Service but `service` has this cluster IP. */
  isFreeAddress(service: string, ip: string): boolean {
    const own = this.clusterIPs.get(service)?.includes(ip) === true ? 1 : 0
    return (this.addresses.get(ip) ?? 0) <= own
  }

  isFree(service: string, claim: string): boolean {
    const holder = this.holders.get(claim)
    return holder === undefined || holder === service
  }

  /** What others have of that which the Service asks for. */
  problems(service: string, spec: ServiceSpec): ReadonlyArray<ServiceProblem> {
    return claimsOf(spec).flatMap(({ claim, field, what }) => {
      const holder = this.holders.get(claim)
      if (holder === undefined || holder === service) return []
      return [{ field, message: `${what} is taken by ${holder}`, holder }]
    })
  }

  /** The Service has what it asks for, and nothing else any more. Answers whether anything became free. */
  take(service: string, spec: ServiceSpec): boolean {
    const claims = claimsOf(spec).map(({ claim }) => claim)
    const wanted = new Set(claims)
    let freed = false
    for (const claim of this.held.get(service) ?? []) {
      if (wanted.has(claim)) continue
      this.holders.delete(claim)
      freed = true
    }
    for (const claim of claims) this.holders.set(claim, service)
    this.held.set(service, claims)
    this.countAddresses(service, spec.clusterIPs)
    return freed
  }

  /** Answers whether anything became free. */
  release(service: string): boolean {
    const claims = this.held.get(service) ?? []
    for (const claim of claims) if (this.holders.get(claim) === service) this.holders.delete(claim)
    this.held.delete(service)
    this.countAddresses(service, [])
    return claims.length > 0
  }

  private countAddresses(service: string, ips: ReadonlyArray<string>): void {
    for (const ip of this.clusterIPs.get(service) ?? []) {
      const count = (this.addresses.get(ip) ?? 1) - 1
      if (count === 0) this.addresses.delete(ip)
      else this.addresses.set(ip, count)
    }
    if (ips.length === 0) this.clusterIPs.delete(service)
    else this.clusterIPs.set(service, ips)
    for (const ip of ips) this.addresses.set(ip, (this.addresses.get(ip) ?? 0) + 1)
  }
}
