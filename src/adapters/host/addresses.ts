/** Addresses of the node. The primary one comes first: IPv4 before IPv6, each of the interface that leads to the outside. */
import type { NetworkInterfaceInfo } from "node:os"

/** Interface of the default route in the text of /proc/net/route. */
const defaultInterface4 = (routes: string): string | undefined =>
  routes
    .split("\n")
    .map((line) => line.trim().split(/\s+/u))
    .find(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")?.[0]

/** The same of /proc/net/ipv6_route; the kernel's own route to nowhere is the loopback's. */
const defaultInterface6 = (routes: string): string | undefined =>
  routes
    .split("\n")
    .map((line) => line.trim().split(/\s+/u))
    .find(
      ([destination, prefix, ...rest]) => /^0{32}$/u.test(destination ?? "") && prefix === "00" && rest.at(-1) !== "lo"
    )
    ?.at(-1)

/** Devices that have the addresses of Services, where these are served by IPVS: `chronode-ipvs0`, kube-proxy's `kube-ipvs0`. */
const isServices = (name: string): boolean => name.endsWith("-ipvs0")

/**
 * As kubelet chooses a node's address without being told (`pkg/kubelet/nodestatus/setters.go`, ChooseHostInterface):
 * loopback and link-local addresses are none, nor are those of Services.
 */
export const orderedAddresses = (
  interfaces: Readonly<Record<string, ReadonlyArray<NetworkInterfaceInfo> | undefined>>,
  routes: { readonly v4: string; readonly v6: string }
): ReadonlyArray<string> => {
  const outside = { IPv4: defaultInterface4(routes.v4), IPv6: defaultInterface6(routes.v6) }
  const all = Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos
      .filter(({ internal, address }) => !internal && !isServices(name) && !/^(?:fe80:|169\.254\.)/iu.test(address))
      .map(({ address, family }) => ({
        address,
        family,
        rank: (family === "IPv4" ? 0 : 2) + (outside[family] === name ? 0 : 1)
      }))
  )
  return all.toSorted((a, b) => a.rank - b.rank).map(({ address }) => address)
}
