/** Variables that tell a container of the Services (`pkg/kubelet/envvars/envvars.go`, `pkg/kubelet/kubelet_pods.go`). */
import type { EnvironmentEntry } from "./environment.ts"

/** A Service as far as its variables are concerned. */
export interface ServiceForEnvironment {
  readonly name: string
  readonly namespace: string
  /** Absent, empty or `None`: headless, no variables. */
  readonly clusterIP?: string
  readonly ports: ReadonlyArray<{ readonly name?: string; readonly port: number; readonly protocol?: string }>
}

const isSet = (clusterIP: string | undefined): clusterIP is string =>
  clusterIP !== undefined && clusterIP !== "" && clusterIP !== "None"

/** The API server's own Service, which every pod is told of (kubelet's masterServices). */
const isMaster = ({ namespace, name }: ServiceForEnvironment): boolean =>
  namespace === "default" && name === "kubernetes"

/**
 * The Services that a pod is told of (getServiceEnvVarMap): the API server's own, and with service links those of its
 * namespace, whose own `kubernetes` replaces the API server's.
 */
export const visibleServices = (
  services: ReadonlyArray<ServiceForEnvironment>,
  namespace: string,
  serviceLinks: boolean
): ReadonlyArray<ServiceForEnvironment> => {
  const byName = new Map<string, ServiceForEnvironment>()
  const usable = services.filter(({ clusterIP }) => isSet(clusterIP))
  for (const service of usable) if (isMaster(service)) byName.set(service.name, service)
  for (const service of usable) if (serviceLinks && service.namespace === namespace) byName.set(service.name, service)
  return [...byName.values()]
}

/** Docker-link style variables of Services, in order (FromServices). */
export const serviceVariables = (
  services: ReadonlyArray<Omit<ServiceForEnvironment, "namespace">>
): ReadonlyArray<EnvironmentEntry> =>
  services.flatMap(({ name, clusterIP, ports }) => {
    const [first] = ports
    if (!isSet(clusterIP) || first === undefined) return []
    const prefix = variableName(name)
    const address = clusterIP.includes(":") ? `[${clusterIP}]` : clusterIP
    const url = (port: { port: number; protocol?: string }) => `${protocolOf(port)}://${address}:${port.port}`
    return [
      { key: `${prefix}_SERVICE_HOST`, value: clusterIP },
      { key: `${prefix}_SERVICE_PORT`, value: String(first.port) },
      ...ports
        .filter((port) => (port.name ?? "") !== "")
        .map((port) => ({ key: `${prefix}_SERVICE_PORT_${variableName(port.name!)}`, value: String(port.port) })),
      { key: `${prefix}_PORT`, value: url(first) },
      ...ports.flatMap((port) => {
        const key = `${prefix}_PORT_${port.port}_${protocolOf(port).toUpperCase()}`
        return [
          { key, value: url(port) },
          { key: `${key}_PROTO`, value: protocolOf(port) },
          { key: `${key}_PORT`, value: String(port.port) },
          { key: `${key}_ADDR`, value: clusterIP }
        ]
      })
    ]
  })

const protocolOf = (port: { readonly protocol?: string }): string => (port.protocol ?? "TCP").toLowerCase()
const variableName = (name: string): string => name.replaceAll("-", "_").toUpperCase()
