/**
 * What stands in the tables `ip chronode` and `ip6 chronode` (or by whatever name the settings give): sets and maps keyed by Service, and rules that look into them.
 * No rule and no chain belongs to one Service: Services of about as many servers share a chain, so that a change of one
 * Service is a change of some elements, whatever their number.
 *
 *     services   10.96.0.1 . tcp . 80     : goto cluster-8
 *     slots      10.96.0.1 . tcp . 80 . 0 : 10.200.0.1 . 8080,   … . 1 : …,   … . 2 : …
 *     cluster-8  dnat to (the packet's destination . a random number below 8) in slots;  where that slot is empty: again
 *
 * Each server is met equally often, because what falls on an empty slot is drawn anew. A chain for each number of servers would
 * need no second draw, but its Services would change their chain with every server that comes or goes, and the kernel checks
 * all elements that lead to chains whenever one of them is added: at 30,000 Services that takes milliseconds. So a server
 * is one element, until their number passes a power of two.
 *
 * Which packets are served, masqueraded, dropped and rejected follows `pkg/proxy/nftables/proxier.go` and its README, but
 * for marks: what is to be masqueraded is known by the connection's original destination. Only where pods are told by the
 * interface that they come from a bit of the packet's mark carries that from one hook to the other.
 */
import type { IpFamily } from "../../../events/service-shape.ts"

export const nftFamily = (family: IpFamily): "ip" | "ip6" => (family === "IPv4" ? "ip" : "ip6")

/** Changes with every change of sets or base chains: a table of another number is replaced as a whole. */
export const layoutVersion = 2
export const layoutChain = `layout-${layoutVersion}`

/** `source` differs from `address` only in the field of the packet that it is compared with. */
export type Part = "address" | "source" | "protocol" | "port" | "index"

export interface SetShape {
  /** Its place in `shapes`. */
  readonly id: number
  readonly name: string
  readonly key: ReadonlyArray<Part>
  readonly value: "none" | "verdict" | "server"
  /** Filled by packets, each entry for a time. */
  readonly isDynamic: boolean
}

/** Clients that are remembered for session affinity, of all Services of a family. */
export const maxAffinities = 1_048_576

const front = ["address", "protocol", "port"] as const
const nodePort = ["protocol", "port"] as const

const shape = (
  id: number,
  name: string,
  key: ReadonlyArray<Part>,
  value: SetShape["value"] = "none",
  isDynamic = false
): SetShape => ({ id, name, key, value, isDynamic })

export const sets = {
  /** Cluster IPs of Services: what of them leads nowhere is rejected. */
  clusterIPs: shape(0, "cluster-ips", ["address"]),
  /** Addresses of this node on which node ports are answered. */
  nodeIPs: shape(1, "node-ips", ["address"]),
  /** Ports that the agent answers itself. */
  healthCheckPorts: shape(2, "health-check-ports", ["port"]),
  services: shape(3, "services", front, "verdict"),
  nodePorts: shape(4, "node-ports", nodePort, "verdict"),
  /** Of addresses with policy Local: where packets of pods and of this node go, and all others. */
  externalCluster: shape(5, "external-cluster", front, "verdict"),
  externalLocal: shape(6, "external-local", front, "verdict"),
  nodePortCluster: shape(7, "node-port-cluster", nodePort, "verdict"),
  nodePortLocal: shape(8, "node-port-local", nodePort, "verdict"),
  slots: shape(9, "slots", [...front, "index"], "server"),
  localSlots: shape(10, "local-slots", [...front, "index"], "server"),
  nodePortSlots: shape(11, "node-port-slots", [...nodePort, "index"], "server"),
  nodePortLocalSlots: shape(12, "node-port-local-slots", [...nodePort, "index"], "server"),
  /** No server that may be used: reject, or drop where others would have some. */
  noEndpoints: shape(13, "no-endpoints", front, "verdict"),
  nodePortNoEndpoints: shape(14, "node-port-no-endpoints", nodePort, "verdict"),
  /** Load balancers' addresses with source ranges. */
  firewall: shape(15, "firewall", front, "verdict"),
  /** Addresses of a load balancer that may come as the source of this node's own packets. */
  vipSources: shape(16, "vip-sources", ["source", ...front]),
  masquerade: shape(17, "external-masquerade", front, "verdict"),
  nodePortMasquerade: shape(18, "node-port-masquerade", nodePort, "verdict"),
  /** A server's own packets that come back to it. */
  hairpin: shape(19, "hairpin", ["source", ...front]),
  /** Whose clients are remembered, and for how long. */
  sticky: shape(20, "sticky", front, "verdict"),
  nodePortSticky: shape(21, "node-port-sticky", nodePort, "verdict"),
  affinity: shape(22, "affinity", [...front, "source"], "server", true)
} as const satisfies Readonly<Record<string, SetShape>>

export const shapes: ReadonlyArray<SetShape> = Object.values(sets)
export const shapeNamed: ReadonlyMap<string, SetShape> = new Map(shapes.map((one) => [one.name, one]))

/** Sets whose elements belong to servers: emptied only after nothing leads there any more. */
export const isSlots = (one: SetShape): boolean => one.value === "server" && !one.isDynamic

/** Names that are the same for each family of addresses. */
export const verdicts = {
  drop: "drop",
  reject: "goto rejected",
  externalLocal: "goto external-local-policy",
  nodePortLocal: "goto node-port-local-policy",
  masquerade: "goto masquerade-all",
  masqueradeNode: "goto masquerade-node"
} as const

/** Kinds of chains that choose among so many slots: in which map, and by what of the packet. */
export const choosers = {
  cluster: { slots: sets.slots, isNodePort: false },
  local: { slots: sets.localSlots, isNodePort: false },
  "node-port": { slots: sets.nodePortSlots, isNodePort: true },
  "node-port-local": { slots: sets.nodePortLocalSlots, isNodePort: true }
} as const
export type Chooser = keyof typeof choosers

/** The smallest number of slots that chains choose among. */
export const fewestSlots = 8
/** How many slots are chosen among for so many servers: a power of two. */
export const slotsFor = (servers: number): number => Math.max(fewestSlots, 2 ** Math.ceil(Math.log2(servers)))

/**
 * How often a slot is drawn: with few slots most may be empty. After all draws the last one is among those that are never empty,
 * the first half or the first; that prefers them by less than one in a hundred of two servers, and never of one.
 */
export const drawsFor = (slots: number): number => (slots === fewestSlots ? 16 : 8)
export const lastDraw = (slots: number): number => (slots === fewestSlots ? 1 : slots / 2)

/** `sticky`: a client that is remembered goes where it went before. */
export const chooserChain = (kind: Chooser, slots: number, isSticky: boolean): string =>
  `${kind}-${slots}${isSticky ? "-sticky" : ""}`
export const stickyChain = (seconds: number): string => `remember-${seconds}`
