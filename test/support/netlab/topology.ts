/**
 * The network of a small cluster, inside a network namespace that is the node (test files with `// netns: own`):
 *
 *   pod1 pod2 pod3       10.244.1.11-13, fd00:244:1::11-13, on the bridge `pods`, whose ports let a packet out where it came in
 *     node               192.0.2.1, 2001:db8::1 (its address), 192.0.2.2, 2001:db8::2 (another of its own)
 *       client           192.0.2.100, 192.0.2.150, 2001:db8::100, 2001:db8::150: outside of the cluster, on the node's network
 *       node2            192.0.2.20, 2001:db8::20: another node on that network, the router to
 *         remote         10.244.2.11, fd00:244:2::11: a pod of that node
 *
 * Addresses of Services lead to the node from everywhere, and nowhere if it does nothing about them.
 */
import { execFile, execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import type { IpFamily } from "../../../src/events/service-shape.ts"

export const podNames = ["pod1", "pod2", "pod3"] as const
export type PodName = (typeof podNames)[number] | "remote"
export type Place = "node" | "client" | PodName

interface FamilyPlan {
  readonly node: string
  readonly otherNodeAddress: string
  readonly client: string
  readonly otherClient: string
  readonly node2: string
  readonly nodeNet: string
  readonly gateway: string
  readonly remoteGateway: string
  readonly podCidr: string
  readonly remoteCidr: string
  readonly pods: Readonly<Record<PodName, string>>
  /** Of which addresses of Services are taken: of the cluster, of load balancers, external ones. */
  readonly clusterCidr: string
  readonly loadBalancerCidr: string
  readonly externalCidr: string
  readonly bits: { readonly node: number; readonly pod: number }
}

/** 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 and 2001:db8::/32 are set aside for examples (RFC 5737, RFC 3849). */
export const plan: Readonly<Record<IpFamily, FamilyPlan>> = {
  IPv4: {
    ...{ node: "192.0.2.1", otherNodeAddress: "192.0.2.2", client: "192.0.2.100", otherClient: "192.0.2.150" },
    ...{ node2: "192.0.2.20", nodeNet: "192.0.2.0/24", gateway: "10.244.1.1", remoteGateway: "10.244.2.1" },
    ...{ podCidr: "10.244.1.0/24", remoteCidr: "10.244.2.0/24" },
    pods: { pod1: "10.244.1.11", pod2: "10.244.1.12", pod3: "10.244.1.13", remote: "10.244.2.11" },
    ...{ clusterCidr: "10.96.0.0/16", loadBalancerCidr: "203.0.113.0/24", externalCidr: "198.51.100.0/24" },
    bits: { node: 24, pod: 24 }
  },
  IPv6: {
    ...{ node: "2001:db8::1", otherNodeAddress: "2001:db8::2", client: "2001:db8::100", otherClient: "2001:db8::150" },
    ...{ node2: "2001:db8::20", nodeNet: "2001:db8::/64", gateway: "fd00:244:1::1", remoteGateway: "fd00:244:2::1" },
    ...{ podCidr: "fd00:244:1::/64", remoteCidr: "fd00:244:2::/64" },
    pods: { pod1: "fd00:244:1::11", pod2: "fd00:244:1::12", pod3: "fd00:244:1::13", remote: "fd00:244:2::11" },
    ...{ clusterCidr: "fd00:96::/112", loadBalancerCidr: "2001:db8:1::/64", externalCidr: "2001:db8:2::/64" },
    bits: { node: 64, pod: 64 }
  }
}

const families = ["IPv4", "IPv6"] as const

/** One run of ip(8) for many lines, in a namespace; "" is the node. */
const ip = (namespace: string, lines: ReadonlyArray<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const where = namespace === "" ? [] : ["-n", namespace]
    const child = execFile("ip", [...where, "-batch", "-"], (error) => (error === null ? resolve() : reject(error)))
    child.stdin!.end(`${lines.join("\n")}\n`)
  })

const addresses = (device: string, pick: (plan: FamilyPlan) => ReadonlyArray<string>, bits: "node" | "pod") =>
  families.flatMap((family) =>
    pick(plan[family]).map((address, index) => {
      const { bits: lengths } = plan[family]
      // The first is the one that packets bear without being told.
      const rest = family === "IPv4" ? "" : index === 0 ? "nodad" : "nodad preferred_lft 0"
      return `addr add ${address}/${lengths[bits]} dev ${device} ${rest}`
    })
  )

const routes = (pick: (plan: FamilyPlan) => ReadonlyArray<readonly [to: string, via: string]>) =>
  families.flatMap((family) => pick(plan[family]).map(([to, via]) => `route add ${to} via ${via}`))

/** `net.` parameters by path below /proc/sys/net: a process sees those of its own namespace. */
const forwarding = { "ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1" }
/**
 * Answers may come another way than packets go; addresses count at once, without a look whether others have them; every
 * refusal is told, however many there are.
 */
const lenient = {
  ...{ "ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0" },
  ...{ "ipv6/conf/all/accept_dad": "0", "ipv6/conf/default/accept_dad": "0" },
  ...{ "ipv4/icmp_ratelimit": "0", "ipv6/icmp/ratelimit": "0", "ipv4/conf/all/send_redirects": "0" }
}
const setHere = (values: Readonly<Record<string, string>>): void => {
  for (const [path, value] of Object.entries(values)) writeFileSync(`/proc/sys/net/${path}`, value)
}
const setIn = (namespace: string, values: Readonly<Record<string, string>>): void => {
  const script = Object.entries(values).map(([path, value]) => `echo ${value} >/proc/sys/net/${path}`)
  execFileSync("ip", ["netns", "exec", namespace, "sh", "-ec", script.join("\n")])
}

/** Builds it; throws in a process that has another network than its own. */
export const buildTopology = async (): Promise<void> => {
  const devices = readFileSync("/proc/net/dev", "utf8").match(/^ *\S+:/gmu) ?? []
  if (devices.length > 1) {
    throw new Error('the lab would change this machine\'s network: the test file needs a line "// netns: own"')
  }
  setHere({ ...forwarding, ...lenient })
  const all = [...podNames, "client", "node2", "remote"]
  await ip("", [
    ...all.map((name) => `netns add ${name}`),
    "link add pods type bridge mcast_snooping 0",
    ...podNames.map((name) => `link add ${name} type veth peer name eth0 netns ${name}`),
    ...podNames.flatMap((name) => [
      `link set ${name} master pods`,
      `link set ${name} type bridge_slave hairpin on`,
      `link set ${name} up`
    ]),
    ...addresses("pods", ({ gateway }) => [gateway], "pod"),
    "link set pods up",
    "link add eth0 type veth peer name node netns client",
    ...addresses("eth0", ({ node, otherNodeAddress }) => [node, otherNodeAddress], "node"),
    "link set eth0 up",
    ...routes(({ remoteCidr, node2, client }) => [
      [remoteCidr, node2],
      // Somewhere else there is nobody.
      ["default", client]
    ])
  ])
  for (const name of all) setIn(name, { ...lenient, ...(name === "node2" ? forwarding : {}) })
  setIn("client", { "bridge/bridge-nf-call-iptables": "0", "bridge/bridge-nf-call-ip6tables": "0" })
  await ip("client", [
    "link set lo up",
    "link add lan type bridge mcast_snooping 0",
    "link set node master lan",
    "link set node up",
    "link add node2 type veth peer name eth0 netns node2",
    "link set node2 master lan",
    "link set node2 up",
    ...addresses("lan", ({ client, otherClient }) => [client, otherClient], "node"),
    "link set lan up",
    ...routes(({ node, clusterCidr, loadBalancerCidr, externalCidr }) =>
      [clusterCidr, loadBalancerCidr, externalCidr].map((to) => [to, node] as const)
    )
  ])
  await ip("node2", [
    "link set lo up",
    "link add pods type veth peer name eth0 netns remote",
    ...addresses("pods", ({ remoteGateway }) => [remoteGateway], "pod"),
    "link set pods up",
    ...addresses("eth0", ({ node2 }) => [node2], "node"),
    "link set eth0 up",
    ...routes(({ podCidr, node }) => [[podCidr, node]])
  ])
  await ip("remote", [
    "link set lo up",
    ...addresses("eth0", ({ pods }) => [pods.remote], "pod"),
    "link set eth0 up",
    ...routes(({ remoteGateway }) => [["default", remoteGateway]])
  ])
  for (const name of podNames) {
    await ip(name, [
      "link set lo up",
      ...addresses("eth0", ({ pods }) => [pods[name]], "pod"),
      "link set eth0 up",
      ...routes(({ gateway }) => [["default", gateway]])
    ])
  }
}
