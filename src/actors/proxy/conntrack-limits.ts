/** Parameters of the kernel's table of connections, as configured (`pkg/proxy/conntrack/sysctls.go`). */
import type { SysctlWish } from "../../adapters/sysctl/port.ts"

/** Lengths of time are seconds; 0: the kernel's is left alone. */
export interface ConntrackLimits {
  /** Entries for each processor; 0: the kernel's limit is left alone, whatever `min` says. */
  readonly maxPerCore: number
  /** Entries at least. */
  readonly min: number
  /** Nobody gave the two: a limit that is larger stays. */
  readonly keepsLarger: boolean
  readonly tcpEstablishedTimeout: number
  readonly tcpCloseWaitTimeout: number
  /** Packets of TCP out of window are let through. */
  readonly tcpBeLiberal: boolean
  readonly udpTimeout: number
  readonly udpStreamTimeout: number
}

/** Entries in the table; 0: the kernel's limit is left alone. */
export const conntrackMax = ({ maxPerCore, min }: ConntrackLimits, cpus: number): number =>
  maxPerCore > 0 ? Math.max(maxPerCore * cpus, min) : 0

/** Entries that one bucket of the kernel's hash table is to hold on average. */
const entriesPerBucket = 4

/**
 * What to set at the start, in order. The size of the hash table, which kube-proxy sets as the module's parameter, is
 * `nf_conntrack_buckets` here: the same, and no second way to write; only the host's network namespace may grow it.
 */
export const conntrackWishes = (limits: ConntrackLimits, cpus: number): ReadonlyArray<SysctlWish> => {
  const max = conntrackMax(limits, cpus)
  const wishes: Array<SysctlWish> = []
  const set = (name: string, value: number, atLeast = false): void => {
    if (value > 0)
      wishes.push({ name: `net.netfilter.${name}`, value: String(Math.trunc(value)), ...(atLeast ? { atLeast } : {}) })
  }
  set("nf_conntrack_max", max, limits.keepsLarger)
  set("nf_conntrack_buckets", max / entriesPerBucket, true)
  set("nf_conntrack_tcp_timeout_established", limits.tcpEstablishedTimeout)
  set("nf_conntrack_tcp_timeout_close_wait", limits.tcpCloseWaitTimeout)
  set("nf_conntrack_tcp_be_liberal", limits.tcpBeLiberal ? 1 : 0)
  set("nf_conntrack_udp_timeout", limits.udpTimeout)
  set("nf_conntrack_udp_timeout_stream", limits.udpStreamTimeout)
  return wishes
}
