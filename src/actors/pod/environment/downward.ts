/**
 * The downward API: what a pod may be told of itself, as text (`pkg/fieldpath/fieldpath.go`, `pkg/api/v1/resource/helpers.go`,
 * `pkg/kubelet/kubelet_resources.go`). For variables and for files of a volume.
 */

import type { ResourceFieldSelector } from "../../../events/pod-spec.ts"
import { isZero, milliValue, type Quantity, quantityOf, value } from "../resources/quantity.ts"
import { allContainers, type PolicyContainer, type PolicyPod } from "../spec-extension.ts"

/** What of a pod is known only on its node. */
export interface PodPlace {
  readonly nodeName: string
  /** Of the node, the primary one first. */
  readonly hostIps: ReadonlyArray<string>
  /** Of the pod, the primary one first; on the host's network the node's. */
  readonly podIps: ReadonlyArray<string>
}

const subscripted = /^metadata\.(labels|annotations)\['(.*)'\]$/u

/** `metadata.labels['app']` → map and key; `undefined`: the path has no subscript. */
export const subscriptOf = (
  fieldPath: string
): { readonly map: "labels" | "annotations"; readonly key: string } | undefined => {
  const [, map, key] = subscripted.exec(fieldPath) ?? []
  return map === undefined ? undefined : { map: map as "labels" | "annotations", key: key ?? "" }
}

const escapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"'
}

/** Go's `%q`. */
export const goQuoted = (text: string): string => {
  const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0")
  const quoted = [...text].map((character) => {
    const known = escapes[character]
    if (known !== undefined) return known
    if (character === " " || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) return character
    const code = character.codePointAt(0)!
    return code < 0x80 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
  })
  return `"${quoted.join("")}"`
}

/** One `key="value"` a line, keys sorted. */
export const formattedMap = (map: Readonly<Record<string, string>> = {}): string =>
  Object.entries(map)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, text]) => `${key}=${goQuoted(text)}`)
    .join("\n")

/** Text of a field; empty where the pod does not have it. `undefined`: no such field can be asked for. */
export const fieldValue = (pod: PolicyPod, fieldPath: string, place: PodPlace): string | undefined => {
  const { metadata, spec } = pod
  const subscript = subscriptOf(fieldPath)
  if (subscript !== undefined) return metadata[subscript.map]?.[subscript.key] ?? ""
  switch (fieldPath) {
    case "metadata.name":
      return metadata.name
    case "metadata.namespace":
      return metadata.namespace
    case "metadata.uid":
      return metadata.uid
    case "metadata.labels":
      return formattedMap(metadata.labels)
    case "metadata.annotations":
      return formattedMap(metadata.annotations)
    case "spec.nodeName":
      return place.nodeName
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? ""
    case "status.hostIP":
      return place.hostIps[0] ?? ""
    case "status.hostIPs":
      return place.hostIps.join(",")
    case "status.podIP":
      return place.podIps[0] ?? ""
    case "status.podIPs":
      return place.podIps.join(",")
    default:
      return undefined
  }
}

/** Limits that stand in for a container's own, where it has none. */
const defaulted = new Set(["cpu", "memory", "ephemeral-storage"])
const one = quantityOf("1")

/** Of the pod as a whole (KEP-2837), else all that the node has to give. */
const fallback = (pod: PolicyPod, resource: string, allocatable: Readonly<Record<string, string>>): Quantity => {
  const own = quantityOf(pod.spec.resources?.limits?.[resource])
  return isZero(own) ? quantityOf(allocatable[resource]) : own
}

const amountOf = (
  pod: PolicyPod,
  container: PolicyContainer,
  selected: string,
  allocatable: Readonly<Record<string, string>>
): Quantity => {
  const [kind, resource] = splitResource(selected)
  const own = quantityOf(container.resources?.[kind]?.[resource])
  return kind === "limits" && isZero(own) && defaulted.has(resource) ? fallback(pod, resource, allocatable) : own
}

/** `limits.cpu` → `limits`, `cpu`. */
const splitResource = (selected: string): readonly ["limits" | "requests", string] => {
  const dot = selected.indexOf(".")
  return [selected.slice(0, dot) as "limits" | "requests", selected.slice(dot + 1)]
}

/**
 * A request or limit in whole units of the divisor, rounded up. `self`: the container that asks, for a reference that names
 * none. `undefined`: the pod has no such container. `allocatable`: quantities of the node, by resource.
 */
export const resourceFieldValue = (
  pod: PolicyPod,
  self: PolicyContainer | undefined,
  { containerName = "", resource, divisor }: ResourceFieldSelector,
  allocatable: Readonly<Record<string, string>>
): string | undefined => {
  const container = containerName === "" ? self : allContainers(pod.spec).find(({ name }) => name === containerName)
  if (container === undefined) return undefined
  const amount = amountOf(pod, container, resource, allocatable)
  const given = quantityOf(divisor)
  const unit = isZero(given) ? one : given
  const count = resource.endsWith(".cpu") ? milliValue(amount) / milliValue(unit) : value(amount) / value(unit)
  return String(Math.ceil(count))
}
