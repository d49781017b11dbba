/** Very many Services that resemble one. */
import type { ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import type { PodName } from "../../../support/netlab/lab.ts"
import { having } from "./world.ts"

/** Third byte of the first address of a crowd's; those below are taken one by one. */
const firstBlock = 100

/** At most 39,936 of them, with cluster IPs alone, in front of these servers. */
export const crowdOf = (
  like: ServiceRules,
  size: number,
  servers: ReadonlyArray<PodName>
): ReadonlyArray<ServiceRules> => {
  const { nodePort: _, ...base } = like
  const shared = { ...base, externalIPs: [], loadBalancerIPs: [], ...having(like.family, servers) }
  return Array.from({ length: size }, (_none, n): ServiceRules => {
    const clusterIP =
      like.family === "IPv4"
        ? `10.96.${firstBlock + (n >> 8)}.${n & 255}`
        : `fd00:96::${((firstBlock << 8) + n).toString(16)}`
    return { ...shared, name: `crowd-${n}`, clusterIP }
  })
}
