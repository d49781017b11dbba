/** Where addresses and node ports come from that a Service does not give itself: kube-apiserver's flags of these names. */
import { defaultClusterIpRange, defaultNodePorts } from "../../actors/service/allotment.ts"
import { formatCidr, parseCidr } from "../../events/ip-address.ts"
import { UsageError } from "../exit.ts"

/** Fewer addresses are no use: the network's own and the broadcast address are among them. */
const leastBits = 3

/** `text`: a CIDR, or one of each family, by commas. @throws UsageError */
export const clusterIpRanges = (text: string = defaultClusterIpRange): ReadonlyArray<string> => {
  const flag = "--service-cluster-ip-range"
  const ranges = text.split(",").map((part) => {
    const cidr = parseCidr(part.trim())
    if (cidr === undefined)
      throw new UsageError(`${flag}: '${part.trim()}' is no CIDR such as ${defaultClusterIpRange}`)
    if (cidr.prefix > (cidr.family === "IPv4" ? 32 : 128) - leastBits)
      throw new UsageError(`${flag}: ${formatCidr(cidr)} holds too few addresses`)
    return cidr
  })
  if (new Set(ranges.map(({ family }) => family)).size < ranges.length)
    throw new UsageError(`${flag}: two ranges of one family in '${text}'; it can have one of each`)
  return ranges.map(formatCidr)
}

/** `text`: `30000-32767`, or `30000+2767` as kube-apiserver also takes it. @throws UsageError */
export const nodePortRange = (
  text: string = `${defaultNodePorts.first}-${defaultNodePorts.last}`
): { readonly first: number; readonly last: number } => {
  const match = /^(\d{1,5})([-+])(\d{1,5})$/u.exec(text.trim())
  const first = Number(match?.[1])
  const last = match?.[2] === "+" ? first + Number(match[3]) : Number(match?.[3])
  if (match === null || first < 1 || last > 65_535 || last < first)
    throw new UsageError(`--service-node-port-range: '${text}' is no range of ports such as 30000-32767`)
  return { first, last }
}
