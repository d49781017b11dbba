/**
 * An EndpointSlice as it was read to what counts of it, and what is wrong with it (`pkg/apis/discovery/validation`,
 * Kubernetes 1.36). An endpoint that cannot be used costs only itself.
 */
import type { EndpointFacts, IpFamily } from "../../../events/service-shape.ts"
import type { BadEndpoint, SliceEndpoint, SlicePort } from "../../services/port.ts"
import { labelProblem, portNameProblem, portProblem, serviceNameProblem, subdomainProblem } from "../names.ts"
import type { Complain } from "../written.ts"
import { familyOf, usualForm } from "./addresses.ts"
import { unreachable, validateMetadata } from "./service.ts"
import type { WrittenEndpoint, WrittenSlice } from "./shape.ts"

/** Label that names the Service of a slice. */
const serviceLabel = "kubernetes.io/service-name"
/** `pkg/apis/discovery/validation/validation.go`: maxEndpoints, maxPorts. */
const maxEndpointsOfSlice = 1_000
const maxPortsOfSlice = 100
/** Endpoints of one slice that are told to be wrong, one by one. */
const maxBadTold = 16

export const serviceNameOf = (slice: WrittenSlice): string => slice.metadata?.labels?.[serviceLabel] ?? ""

export const validateSlice = (slice: WrittenSlice, complain: Complain): void => {
  const { apiVersion, addressType, endpoints = [], ports = [], metadata = {} } = slice
  const wanted = "discovery.k8s.io/v1"
  if (apiVersion !== wanted)
    complain(
      "apiVersion",
      apiVersion === undefined ? `is missing: ${wanted}` : `must be "${wanted}" for an EndpointSlice`
    )
  validateMetadata(metadata, subdomainProblem, complain)
  const service = serviceNameOf(slice)
  if (service === "") complain("metadata.labels", `has no ${serviceLabel}: the name of its Service`)
  else {
    const wrong = serviceNameProblem(service)
    if (wrong !== undefined) complain(`metadata.labels["${serviceLabel}"]`, wrong)
  }
  if (addressType === undefined) complain("addressType", "is missing: IPv4 or IPv6")
  else if (addressType === "FQDN") complain("addressType", "FQDN: names are not proxied, only IP addresses are")
  if (endpoints.length > maxEndpointsOfSlice)
    complain("endpoints", `has ${endpoints.length}; a slice holds at most ${maxEndpointsOfSlice}: use several`)
  if (ports.length > maxPortsOfSlice) complain("ports", `has ${ports.length}; at most ${maxPortsOfSlice}`)
  const names = new Set<string>()
  for (const [i, { name = "", port }] of ports.entries()) {
    if (names.has(name)) complain(`ports[${i}].name`, `another port is called ${JSON.stringify(name)} too`)
    names.add(name)
    const wrong = name === "" ? undefined : labelProblem(name) && portNameProblem(name)
    if (wrong !== undefined) complain(`ports[${i}].name`, wrong)
    if (port === undefined) complain(`ports[${i}].port`, "is missing: all ports of an address are not proxied")
    else {
      const bad = portProblem(port)
      if (bad !== undefined) complain(`ports[${i}].port`, bad)
    }
  }
}

export const portsOf = ({ ports = [] }: WrittenSlice): ReadonlyArray<SlicePort> =>
  ports.map(({ name = "", protocol = "TCP", port = 0 }) => ({ name, protocol, port }))

/** `family`: of the slice, which has no problems. Only the first address of an endpoint counts (`endpointslicecache.go`). */
export const endpointsOf = (
  { endpoints = [] }: WrittenSlice,
  family: IpFamily
): { readonly endpoints: ReadonlyArray<SliceEndpoint>; readonly bad: ReadonlyArray<BadEndpoint> } => {
  const good: Array<SliceEndpoint> = []
  const bad: Array<BadEndpoint> = []
  for (const [i, endpoint] of endpoints.entries()) {
    const [address = ""] = endpoint.addresses ?? []
    const message = problemOf(address, family)
    if (message === undefined) good.push({ address: usualForm(address), ...factsOf(endpoint) })
    else if (bad.length < maxBadTold)
      bad.push({ address: address.slice(0, maxAddressTold), field: `endpoints[${i}].addresses[0]`, message })
  }
  return { endpoints: good, bad: bad.length === 0 ? noneBad : bad }
}

/** One list for all slices of which nothing is wrong. */
const noneBad: ReadonlyArray<BadEndpoint> = []
/** Characters of an address that is none. */
const maxAddressTold = 64

const problemOf = (address: string, family: IpFamily): string | undefined => {
  if (address === "") return "is missing"
  const own = familyOf(address)
  if (own === undefined) return `${JSON.stringify(address.slice(0, maxAddressTold))} is no IP address`
  if (own !== family) return `${address} is ${own}, and the slice is of ${family}`
  return unreachable(address)
}

/** What is not said of an endpoint: it is ready, it serves, and is not being ended (`endpointslicecache.go`). */
const factsOf = ({ conditions = {}, nodeName, zone, hints }: WrittenEndpoint): EndpointFacts => {
  const { ready = true, serving = true, terminating = false } = conditions
  const namesIn = (list: ReadonlyArray<{ readonly name?: string }> = []) =>
    list.flatMap(({ name = "" }) => (name === "" ? [] : [name]))
  const zoneHints = namesIn(hints?.forZones)
  const nodeHints = namesIn(hints?.forNodes)
  return {
    ready,
    serving,
    terminating,
    ...(nodeName === undefined ? {} : { node: nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(zoneHints.length === 0 ? {} : { zoneHints }),
    ...(nodeHints.length === 0 ? {} : { nodeHints })
  }
}
