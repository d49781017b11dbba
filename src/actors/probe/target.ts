/** What a probe asks, resolved against its container (`pkg/kubelet/prober/prober.go`, `pkg/probe/util.go`). */
import type { Probe } from "../../events/pod-spec.ts"

export type Ports = Readonly<Record<string, number>>

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535

/** A port by number, by name, or by a number that is written as text; `undefined` where there is none. */
export const resolvePort = (port: number | string, ports: Ports): number | undefined => {
  const named = typeof port === "string" && Object.hasOwn(ports, port) ? ports[port] : undefined
  const number = named ?? (typeof port === "number" ? port : /^\d{1,5}$/u.test(port) ? Number(port) : undefined)
  return number !== undefined && isPort(number) ? number : undefined
}

/** The spec with numbers in place of names; a name that the container does not have stays. */
export const withPortNumbers = (spec: Probe, ports: Ports): Probe => {
  const resolved = <A extends { readonly port: number | string }>(action: A): A => ({
    ...action,
    port: resolvePort(action.port, ports) ?? action.port
  })
  return {
    ...spec,
    ...(spec.httpGet === undefined ? {} : { httpGet: resolved(spec.httpGet) }),
    ...(spec.tcpSocket === undefined ? {} : { tcpSocket: resolved(spec.tcpSocket) })
  }
}

export interface HttpTarget {
  readonly kind: "httpGet"
  readonly scheme: "HTTP" | "HTTPS"
  readonly host: string
  readonly port: number
  readonly path: string
}
export type Target =
  | HttpTarget
  | { readonly kind: "tcpSocket"; readonly host: string; readonly port: number }
  | { readonly kind: "grpc"; readonly host: string; readonly port: number; readonly service: string }
  | { readonly kind: "exec"; readonly command: ReadonlyArray<string> }
  /** It cannot be asked, and why. */
  | { readonly kind: "none"; readonly message: string }

const orHost = (given: string | undefined, host: string): string => (given === undefined || given === "" ? host : given)
const noPort = (port: number | string): Target => ({
  kind: "none",
  message: `the container has no port ${JSON.stringify(port)}`
})

/** `host`: the pod's address, for actions that name none. */
export const targetOf = (spec: Probe, host: string, ports: Ports = {}): Target => {
  const { exec, httpGet, tcpSocket, grpc } = spec
  if (exec !== undefined) return { kind: "exec", command: exec.command ?? [] }
  if (httpGet !== undefined) {
    const port = resolvePort(httpGet.port, ports)
    if (port === undefined) return noPort(httpGet.port)
    const { scheme = "HTTP", path = "" } = httpGet
    return { kind: "httpGet", scheme, host: orHost(httpGet.host, host), port, path }
  }
  if (tcpSocket !== undefined) {
    const port = resolvePort(tcpSocket.port, ports)
    return port === undefined ? noPort(tcpSocket.port) : { kind: "tcpSocket", host: orHost(tcpSocket.host, host), port }
  }
  if (grpc !== undefined) {
    return isPort(grpc.port) ? { kind: "grpc", host, port: grpc.port, service: grpc.service ?? "" } : noPort(grpc.port)
  }
  return { kind: "none", message: "the probe has no handler" }
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/** For people: `GET http://10.0.0.3:8080/healthz`. */
export const describeTarget = (target: Target): string => {
  switch (target.kind) {
    case "httpGet": {
      const path = target.path === "" || /^[/?#]/u.test(target.path) ? target.path : `/${target.path}`
      return `GET ${target.scheme.toLowerCase()}://${bracketed(target.host)}:${target.port}${path}`
    }
    case "tcpSocket":
      return `connect ${bracketed(target.host)}:${target.port}`
    case "grpc": {
      const service = target.service === "" ? "" : ` of ${target.service}`
      return `gRPC health${service} at ${bracketed(target.host)}:${target.port}`
    }
    case "exec":
      return `exec ${target.command.join(" ")}`
    case "none":
      return `nothing: ${target.message}`
  }
}
