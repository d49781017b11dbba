/** Parameters of the kernel that IPVS needs for Services (`pkg/proxy/ipvs/proxier.go`, NewProxier), and its timeouts. */
import { Effect } from "effect"
import type { Timeouts } from "../../netlink/ipvs.ts"
import type { Ipvs } from "../../netlink/ipvs-calls.ts"
import type { SysctlSet, Sysctls, SysctlWish } from "../../sysctl/port.ts"
import type { DataplaneError, IpvsSettings } from "../port.ts"
import { attempt } from "./companion.ts"

/**
 * A client's port that comes again soon: until 4.1 it went on at its server, from 5.9 on it is right by itself; in between new
 * connections were held up by a second, or sent to a server of weight 0 (kubernetes/kubernetes#93297).
 */
const reuseBroken = { from: [4, 1], until: [5, 9] } as const

const versionOf = (release: string): readonly [number, number] => {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return [Number(major), Number(minor)]
}

const isAtLeast = ([major, minor]: readonly [number, number], [a, b]: readonly [number, number]): boolean =>
  major > a || (major === a && minor >= b)

export const wishesOf = (settings: Pick<IpvsSettings, "strictARP">, release: string): ReadonlyArray<SysctlWish> => {
  const version = versionOf(release)
  const reuse = isAtLeast(version, reuseBroken.from) && !isAtLeast(version, reuseBroken.until)
  return [
    { name: "net.ipv4.vs.conntrack", value: "1" },
    ...(reuse ? [{ name: "net.ipv4.vs.conn_reuse_mode", value: "0" }] : []),
    { name: "net.ipv4.vs.expire_nodest_conn", value: "1" },
    { name: "net.ipv4.vs.expire_quiescent_template", value: "1" },
    { name: "net.ipv4.ip_forward", value: "1" },
    ...(settings.strictARP
      ? [
          { name: "net.ipv4.conf.all.arp_ignore", value: "1" },
          { name: "net.ipv4.conf.all.arp_announce", value: "2" }
        ]
      : [])
  ]
}

const timeoutNames = { tcp: "tcpTimeout", tcpFin: "tcpFinTimeout", udp: "udpTimeout" } as const

/** Told as kernel parameters, by the names that `ipvsadm --set` has for them. */
const setTimeouts = (ipvs: Ipvs, settings: IpvsSettings): ReadonlyArray<SysctlSet> => {
  const before = ipvs.timeouts()
  const kinds = ["tcp", "tcpFin", "udp"] as const
  const changed = kinds.filter(
    (kind) => settings[timeoutNames[kind]] > 0 && before[kind] !== settings[timeoutNames[kind]]
  )
  if (changed.length === 0) return []
  const wanted: Timeouts = Object.fromEntries(changed.map((kind) => [kind, settings[timeoutNames[kind]]]))
  ipvs.setTimeouts(wanted)
  return changed.map((kind) => ({
    name: `ipvs.timeout.${kind.toLowerCase()}`,
    ...(before[kind] === undefined ? {} : { before: String(before[kind]) }),
    value: String(wanted[kind])
  }))
}

const failedTimeouts = (settings: IpvsSettings, { message }: DataplaneError): ReadonlyArray<SysctlSet> =>
  [settings.tcpTimeout, settings.tcpFinTimeout, settings.udpTimeout].some((seconds) => seconds > 0)
    ? [
        {
          name: "ipvs.timeout",
          value: `${settings.tcpTimeout} ${settings.tcpFinTimeout} ${settings.udpTimeout}`,
          failure: message
        }
      ]
    : []

export const prepareIpvs = (
  ipvs: Effect.Effect<Ipvs, DataplaneError>,
  sysctls: Sysctls["Service"],
  settings: IpvsSettings,
  release: string
): Effect.Effect<ReadonlyArray<SysctlSet>> =>
  Effect.gen(function* () {
    // The family's parameters are there when its module is.
    const timeouts = yield* ipvs.pipe(
      Effect.flatMap((open) => attempt(() => setTimeouts(open, settings))),
      Effect.catch((error) => Effect.succeed(failedTimeouts(settings, error)))
    )
    return [...(yield* sysctls.ensure(wishesOf(settings, release))), ...timeouts]
  })
