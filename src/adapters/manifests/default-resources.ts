/** Requests of a pod as a whole where it gives only some (`pkg/apis/core/v1/defaults.go` defaultPodRequests). */
import type { Container, ResourceRequirements } from "../../events/pod-spec.ts"
import { quantityNumber } from "./quantity.ts"

type Sum = ReadonlyMap<string, number>

const requestsOf = ({ resources }: Container): Sum =>
  new Map(
    Object.entries({ ...resources?.limits, ...resources?.requests }).map(([name, text]) => [
      name,
      quantityNumber(text) ?? 0
    ])
  )

const combine = (a: Sum, b: Sum, how: (x: number, y: number) => number): Sum =>
  new Map([...new Set([...a.keys(), ...b.keys()])].map((name) => [name, how(a.get(name) ?? 0, b.get(name) ?? 0)]))
const plus = (a: Sum, b: Sum): Sum => combine(a, b, (x, y) => x + y)
const largest = (a: Sum, b: Sum): Sum => combine(a, b, Math.max)

/** What the containers ask for together at the moment at which it is most. */
const together = (containers: ReadonlyArray<Container>, initContainers: ReadonlyArray<Container>): Sum => {
  let sidecars: Sum = new Map()
  let peak: Sum = new Map()
  for (const container of initContainers) {
    if (container.restartPolicy === "Always") sidecars = plus(sidecars, requestsOf(container))
    else peak = largest(peak, plus(sidecars, requestsOf(container)))
  }
  return largest(plus(containers.map(requestsOf).reduce(plus, new Map()), sidecars), peak)
}

const thousand = 1000
/** As text: thousandths of a core, bytes. */
const textOf = (name: string, amount: number): string =>
  name === "cpu" ? `${Math.ceil(Math.round(amount * 1e6) / thousand)}m` : String(Math.ceil(amount))

/** Nothing where the pod has no resources of its own. */
export const podResourceDefaults = (
  resources: ResourceRequirements | undefined,
  containers: ReadonlyArray<Container>,
  initContainers: ReadonlyArray<Container>
): { readonly resources?: ResourceRequirements } => {
  if (resources === undefined) return {}
  const { limits = {}, requests = {} } = resources
  const summed: Record<string, string> = {}
  for (const [name, amount] of together(containers, initContainers)) {
    if (name === "cpu" || name === "memory") summed[name] = textOf(name, amount)
  }
  const all = { ...limits, ...summed, ...requests }
  return { resources: Object.keys(all).length === 0 ? resources : { ...resources, requests: all } }
}
