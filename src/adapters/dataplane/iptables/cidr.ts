/** Whether an address lies within a CIDR. */
import { BlockList, isIP } from "node:net"

export const contains = (cidr: string, address: string): boolean => {
  const [network = "", bits] = cidr.split("/")
  const version = isIP(network)
  if (version === 0 || version !== isIP(address)) return false
  const type = version === 4 ? "ipv4" : "ipv6"
  const prefix = bits === undefined ? (version === 4 ? 32 : 128) : Number(bits)
  const list = new BlockList()
  list.addSubnet(network, prefix, type)
  return list.check(address, type)
}
