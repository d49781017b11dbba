/** How a virtual server chooses, and how it is known that we made it. */
import { type ServiceOptions, serviceFlags } from "../../netlink/ipvs.ts"
import type { Scheduler, ServiceRules } from "../port.ts"

export type ForwardingOptions = ServiceOptions

/**
 * The upper half of the flags of every virtual server of ours. The kernel gives these bits no meaning, keeps them as they
 * are (ip_vs_add_service, `svc->flags = u->flags`) and tells them to who lists with netlink. So what belongs to us is known
 * from itself, even if everything else was lost; ipvsadm shows nothing of it.
 */
const ownerMark = 0x4368_0000
const ownerMask = 0xffff_0000
/** IP_VS_SVC_F_HASHED is the kernel's own. */
const comparedFlags = ~(ownerMask | serviceFlags.hashed)

export const isOurs = (options: Pick<ServiceOptions, "flags">): boolean => (options.flags & ownerMask) === ownerMark

const wholeAddress = { IPv4: 32, IPv6: 128 } as const

/** `pkg/proxy/ipvs/proxier.go`: `mh` looks at ports too, so that one client's connections are spread. */
export const optionsOf = (
  rules: Pick<ServiceRules, "family" | "affinitySeconds">,
  scheduler: Scheduler
): ForwardingOptions => ({
  scheduler,
  flags:
    ownerMark |
    (rules.affinitySeconds === undefined ? 0 : serviceFlags.persistent) |
    (scheduler === "mh" ? serviceFlags.mhPort : 0),
  timeout: rules.affinitySeconds ?? 0,
  prefix: wholeAddress[rules.family]
})

export const sameOptions = (a: ServiceOptions, b: ServiceOptions): boolean =>
  a.scheduler === b.scheduler &&
  (a.flags & comparedFlags) === (b.flags & comparedFlags) &&
  // Of one that is not persistent these say nothing.
  ((a.flags & serviceFlags.persistent) === 0 || (a.timeout === b.timeout && a.prefix === b.prefix))
