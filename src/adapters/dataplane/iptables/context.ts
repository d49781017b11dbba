/** What all rules of one family depend on beside the Services themselves. */
import { parseCidr } from "../../../events/ip-address.ts"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { DataplaneSettings, LocalDetector } from "../port.ts"

export const tables = ["filter", "nat"] as const
export type Table = (typeof tables)[number]

export interface Context {
  readonly family: IpFamily
  readonly settings: Pick<DataplaneSettings, "masqueradeAll" | "masqueradeBit" | "localDetector" | "localhostNodePorts">
  /** Where node ports are answered; `all`: on every address of this node. */
  readonly nodePorts: "all" | ReadonlyArray<string>
  /** Addresses of this node, of the family. */
  readonly nodeAddresses: ReadonlyArray<string>
  /** Whether rules say what they are for: not above `largeClusterEndpoints`. */
  readonly comments: boolean
}

/** Endpoints above which rules have no comments (`largeClusterEndpointsThreshold` in `pkg/proxy/iptables/proxier.go`). */
export const largeClusterEndpoints = 1_000

/** Stands for all addresses of a family. */
export const zeroCidr: Readonly<Record<IpFamily, string>> = { IPv4: "0.0.0.0/0", IPv6: "::/0" }

/** `0x4000/0x4000` for bit 14. */
export const maskOf = (bit: number): string => {
  const mark = `0x${(2 ** bit).toString(16)}`
  return `${mark}/${mark}`
}

/** Characters that xt_comment holds (XT_MAX_COMMENT_LEN in linux/netfilter/xt_comment.h, with its end). */
const commentCharacters = 255

/** The match that does nothing but tell; nothing where comments are left out. What would end the quotes is replaced. */
export const commentMatch = (context: Pick<Context, "comments">, text: string): string =>
  context.comments
    ? `-m comment --comment "${text.replaceAll(/[^\x20-\x7e]|["\\]/gu, "?").slice(0, commentCharacters)}" `
    : ""

export interface LocalMatch {
  /** Match arguments of traffic from this cluster's pods on this node, and of all other. */
  readonly local: ReadonlyArray<string>
  readonly notLocal: ReadonlyArray<string>
}

/** As `pkg/proxy/util/localdetector.go`; undefined where pods cannot be told from others in this family. */
export const localMatch = (detector: LocalDetector, family: IpFamily): LocalMatch | undefined => {
  switch (detector.by) {
    case "none":
      return undefined
    case "cidr": {
      const cidr = detector.cidrs.find((each) => parseCidr(each)?.family === family)
      return cidr === undefined ? undefined : { local: ["-s", cidr], notLocal: ["!", "-s", cidr] }
    }
    case "bridge":
      return { local: ["-i", detector.name], notLocal: ["!", "-i", detector.name] }
    case "prefix":
      return { local: ["-i", `${detector.prefix}+`], notLocal: ["!", "-i", `${detector.prefix}+`] }
  }
}
