/** Addresses of a pod and of its node as the API shows them: at most one of each family, the node's primary family first. */

const isV6 = (ip: string): boolean => ip.includes(":")

/** As every resolver writes it: `010.0.0.1` → `10.0.0.1`, `fd01:0:0::1` → `fd01::1` (Go's ParseIPSloppy and String). */
const canonical = (ip: string): string => {
  if (!isV6(ip)) return ip.split(".").every((part) => /^\d+$/u.test(part)) ? ip.split(".").map(Number).join(".") : ip
  try {
    return new URL(`http://[${ip}]/`).hostname.slice(1, -1)
  } catch {
    return ip
  }
}

const oneOfEach = (ips: ReadonlyArray<string>, primary: "v4" | "v6"): ReadonlyArray<string> => {
  const v4 = ips.find((ip) => !isV6(ip))
  const v6 = ips.find(isV6)
  return (primary === "v6" ? [v6, v4] : [v4, v6]).filter((ip) => ip !== undefined).map(canonical)
}

/** `pkg/kubelet/kubelet_pods.go` sortPodIPs. `nodeIp`: the node's primary address; without one IPv4 is first. */
export const sortedPodIps = (ips: ReadonlyArray<string>, nodeIp: string | undefined): ReadonlyArray<string> =>
  oneOfEach(ips, nodeIp !== undefined && isV6(nodeIp) ? "v6" : "v4")

/** Of a node that was given no addresses kubelet tells its pods one only. `addresses`: those found, the primary one first. */
export const toldHostIps = (addresses: ReadonlyArray<string> = []): ReadonlyArray<string> =>
  hostIpsOf(addresses).slice(0, 1)

/**
 * Addresses in a pod's status (`kubelet_pods.go` generateAPIPodStatus). `seen`: as the runtime tells them. A pod on the host's
 * network has those of the node where none were seen, and gets a second one where the node has it in the other family.
 */
export const statusPodIps = (
  seen: ReadonlyArray<string>,
  hostIps: ReadonlyArray<string>,
  nodeIp: string | undefined,
  hostNetwork: boolean
): ReadonlyArray<string> => {
  const own = sortedPodIps(seen, nodeIp)
  if (!hostNetwork) return own
  const [first = hostIps[0], second] = own
  const other = hostIps[1]
  if (first === undefined) return []
  if (second !== undefined) return own
  return other === undefined || isV6(first) === isV6(other) ? [first] : [first, other]
}

/** Addresses of the node that pods are told, of all that it has, the primary one first. */
export const hostIpsOf = (addresses: ReadonlyArray<string>): ReadonlyArray<string> =>
  oneOfEach(addresses, addresses[0] !== undefined && isV6(addresses[0]) ? "v6" : "v4")
