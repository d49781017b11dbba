/** Names of chains, as kube-proxy gives them (`pkg/proxy/iptables/proxier.go`): people know them by heart. */
import { createHash } from "node:crypto"
import { hostPort } from "../../../events/ip-address.ts"
import type { Server, ServiceRules } from "../port.ts"

export const chainNames = {
  services: "KUBE-SERVICES",
  externalServices: "KUBE-EXTERNAL-SERVICES",
  nodePorts: "KUBE-NODEPORTS",
  forward: "KUBE-FORWARD",
  proxyFirewall: "KUBE-PROXY-FIREWALL",
  postrouting: "KUBE-POSTROUTING",
  markMasquerade: "KUBE-MARK-MASQ",
  /** kubelet makes it too, with the same rule. */
  firewall: "KUBE-FIREWALL"
} as const

/** Chains of one port of a Service: SVC and SVL choose a server, EXT and FW stand before them, SEP is a server. */
export type PortChain = "SVC" | "SVL" | "EXT" | "FW" | "SEP"

/** base32 of RFC 4648, of which the first characters are enough of a hash for a chain's name. */
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
const hashCharacters = 16
const bitsPerCharacter = 5

const hashOf = (text: string): string => {
  const digest = createHash("sha256").update(text).digest()
  let name = ""
  let bits = 0
  let held = 0
  for (let at = 0; name.length < hashCharacters; ) {
    if (held < bitsPerCharacter) {
      bits = ((bits << 8) | (digest[at++] as number)) & 0xffff
      held += 8
    }
    held -= bitsPerCharacter
    name += base32[(bits >> held) & 31]
  }
  return name
}

/** `ns/name:port`; without the colon where the port has no name. */
export const servicePortName = (rules: Pick<ServiceRules, "namespace" | "name" | "portName">): string =>
  `${rules.namespace}/${rules.name}${rules.portName === "" ? "" : `:${rules.portName}`}`

export const portHash = (rules: Pick<ServiceRules, "namespace" | "name" | "portName" | "protocol">): string =>
  hashOf(servicePortName(rules) + rules.protocol.toLowerCase())

export const serverChain = (
  rules: Pick<ServiceRules, "namespace" | "name" | "portName" | "protocol">,
  server: Pick<Server, "ip" | "port">
): string =>
  `KUBE-SEP-${hashOf(servicePortName(rules) + rules.protocol.toLowerCase() + hostPort(server.ip, server.port))}`

const portChain = /^KUBE-(?:SVC|SVL|EXT|SEP|FW)-[A-Z2-7]{16}$/
/** Chains that older versions of kube-proxy made per Service: theirs are removed as ours are. */
const formerChain = /^KUBE-XLB-[A-Z2-7]{16}$/

export const isPortChain = (chain: string): boolean => portChain.test(chain) || formerChain.test(chain)
