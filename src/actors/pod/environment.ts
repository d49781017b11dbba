/**
 * The environment of a container (`pkg/kubelet/kubelet_pods.go` makeEnvironmentVariables), from literal values and the
 * variables of Services that the caller passes. References to fields, ConfigMaps and Secrets are not in the pod's spec yet.
 */
import type { Container, EnvVar } from "../../events/pod-spec.ts"
import { expand, lookupIn } from "./expansion.ts"

export interface EnvironmentEntry {
  readonly key: string
  readonly value: string
}

/**
 * Literal variables in the order of the spec; `$(NAME)` sees those declared earlier and the Service variables. A later
 * entry of the same name replaces the value and keeps the place. A Service variable yields to one of the pod's own.
 */
export const environment = (
  variables: ReadonlyArray<EnvVar> | undefined,
  serviceVariables: ReadonlyMap<string, string> = new Map()
): ReadonlyArray<EnvironmentEntry> => {
  const own = new Map<string, string>()
  const lookup = lookupIn(own, serviceVariables)
  for (const { name, value } of variables ?? []) own.set(name, expand(value ?? "", lookup))
  const entries = [...own].map(([key, value]) => ({ key, value }))
  const services = [...serviceVariables].filter(([key]) => !own.has(key)).map(([key, value]) => ({ key, value }))
  return [...services, ...entries]
}

const expandAll = (texts: ReadonlyArray<string>, env: ReadonlyArray<EnvironmentEntry>): ReadonlyArray<string> => {
  const lookup = lookupIn(new Map(env.map(({ key, value }) => [key, value])))
  return texts.map((text) => expand(text, lookup))
}

/** Command and arguments with the container's final environment put in; absent stays absent (the image's own count). */
export const expandCommand = (
  container: Pick<Container, "command" | "args">,
  env: ReadonlyArray<EnvironmentEntry>
): { readonly command?: ReadonlyArray<string>; readonly args?: ReadonlyArray<string> } => ({
  ...(container.command === undefined ? {} : { command: expandAll(container.command, env) }),
  ...(container.args === undefined ? {} : { args: expandAll(container.args, env) })
})

/** A Service as far as its variables are concerned. */
export interface ServiceForEnvironment {
  readonly name: string
  /** Absent, empty or `None`: headless, no variables. */
  readonly clusterIP?: string
  readonly ports: ReadonlyArray<{ readonly name?: string; readonly port: number; readonly protocol?: string }>
}

/** Docker-link style variables of Services, in order (`pkg/kubelet/envvars/envvars.go` FromServices). */
export const serviceVariables = (services: ReadonlyArray<ServiceForEnvironment>): ReadonlyArray<EnvironmentEntry> =>
  services.flatMap(({ name, clusterIP, ports }) => {
    const [first] = ports
    if (clusterIP === undefined || clusterIP === "" || clusterIP === "None" || first === undefined) return []
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
