/** Host port mappings of a container (`pkg/kubelet/container/helpers.go` MakePortMappings). */
import type { SandboxConfig } from "../../../adapters/cri/port.ts"
import type { Container } from "../../../events/pod-spec.ts"

export type PortMapping = NonNullable<SandboxConfig["portMappings"]>[number]

/**
 * A mapping per declared port, also where no host port is asked for. A second port of the same name is dropped; ports
 * without a name are the same when family, protocol, host address and both numbers are.
 */
export const portMappings = (container: Pick<Container, "ports">): ReadonlyArray<PortMapping> => {
  const seen = new Set<string>()
  const mappings: Array<PortMapping> = []
  for (const { name, protocol = "TCP", containerPort, hostPort = 0, hostIP = "" } of container.ports ?? []) {
    const family = hostIP === "" ? "any" : hostIP.includes(":") ? "v6" : "v4"
    const key = name || `${family}-${protocol}-${hostIP}:${containerPort}:${hostPort}`
    if (seen.has(key)) continue
    seen.add(key)
    mappings.push({ protocol, containerPort, hostPort, ...(hostIP === "" ? {} : { hostIp: hostIP }) })
  }
  return mappings
}
