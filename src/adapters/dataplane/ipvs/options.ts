/** How a virtual server chooses among its real servers. */
import { type ServiceOptions, serviceFlags } from "../../netlink/ipvs.ts"
import type { Scheduler, ServiceRules } from "../port.ts"

/** IP_VS_SVC_F_HASHED is the kernel's own. */
const comparedFlags = ~serviceFlags.hashed

const wholeAddress = { IPv4: 32, IPv6: 128 } as const

/** `pkg/proxy/ipvs/proxier.go`: `mh` looks at ports too, so that one client's connections are spread. */
export const optionsOf = (
  rules: Pick<ServiceRules, "family" | "affinitySeconds">,
  scheduler: Scheduler,
  mark: number
): ServiceOptions => ({
  scheduler,
  flags:
    mark +
    (rules.affinitySeconds === undefined ? 0 : serviceFlags.persistent) +
    (scheduler === "mh" ? serviceFlags.mhPort : 0),
  timeout: rules.affinitySeconds ?? 0,
  prefix: wholeAddress[rules.family]
})

export const sameOptions = (a: ServiceOptions, b: ServiceOptions): boolean =>
  a.scheduler === b.scheduler &&
  (a.flags & comparedFlags) === (b.flags & comparedFlags) &&
  // Of one that is not persistent these say nothing.
  ((a.flags & serviceFlags.persistent) === 0 || (a.timeout === b.timeout && a.prefix === b.prefix))
