/** The hosts file that is mounted over a container's own (`pkg/kubelet/kubelet_pods.go`). */
import type { PodSpec } from "../../../events/pod-spec.ts"

type HostAliases = PodSpec["hostAliases"]

const aliasLines = (aliases: HostAliases): string =>
  aliases === undefined || aliases.length === 0
    ? ""
    : `\n# Entries added by HostAliases.\n${aliases.map(({ ip, hostnames }) => `${[ip, ...(hostnames ?? [])].join("\t")}\n`).join("")}`

const localLines = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters"
]

/** For a pod with a network of its own. `domain` may be empty. */
export const podHostsFile = (
  podIps: ReadonlyArray<string>,
  names: { readonly hostname: string; readonly domain: string },
  aliases?: HostAliases
): string => {
  const { hostname, domain } = names
  const called = domain === "" ? hostname : `${hostname}.${domain}\t${hostname}`
  const own = podIps.map((ip) => `${ip}\t${called}`)
  return `${["# Kubernetes-managed hosts file.", ...localLines, ...own].join("\n")}\n${aliasLines(aliases)}`
}

/** For a pod on the host network: the node's own file and the pod's aliases. */
export const hostNetworkHostsFile = (nodeHostsFile: string, aliases?: HostAliases): string =>
  `# Kubernetes-managed hosts file (host network).\n${nodeHostsFile}${aliasLines(aliases)}`
