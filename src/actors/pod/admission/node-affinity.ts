/**
 * Whether a node is one that a pod asks for (`k8s.io/component-helpers/scheduling/corev1/nodeaffinity`): its `nodeSelector`, and the
 * required part of its node affinity. What is only preferred matters to a scheduler.
 */

import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from "../../../events/pod-spec.ts"
import { meetsRequirement } from "../../node/label-selector.ts"

type Labels = Readonly<Record<string, string>>

const whole = /^[+-]?\d+$/u
/** As numbers; what is none matches nothing. */
const compared = (value: string | undefined, bound: string | undefined, isMet: (a: bigint, b: bigint) => boolean) =>
  value !== undefined &&
  bound !== undefined &&
  whole.test(value) &&
  whole.test(bound) &&
  isMet(BigInt(value), BigInt(bound))

const meets = (values: Labels, { key, operator, values: wanted = [] }: NodeSelectorRequirement): boolean => {
  const value = values[key]
  switch (operator) {
    case "Gt":
      return compared(value, wanted[0], (a, b) => a > b)
    case "Lt":
      return compared(value, wanted[0], (a, b) => a < b)
    default:
      return meetsRequirement({ operator, values: wanted }, value)
  }
}

/** A term without anything in it matches no node. */
const meetsTerm = (
  labels: Labels,
  fields: Labels,
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm
): boolean =>
  matchExpressions.length + matchFields.length > 0 &&
  matchExpressions.every((requirement) => meets(labels, requirement)) &&
  matchFields.every((requirement) => meets(fields, requirement))

/** The field that no node of these labels meets; `undefined`: the pod may run here. `name`: the node's, where it is known. */
export const unmetPlacement = (
  { nodeSelector, affinity }: Pick<PodSpec, "nodeSelector" | "affinity">,
  labels: Labels,
  name?: string
): string | undefined => {
  for (const [label, value] of Object.entries(nodeSelector ?? {})) {
    if (labels[label] !== value) return `spec.nodeSelector[${JSON.stringify(label)}]`
  }
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const fields: Labels = name === undefined ? {} : { "metadata.name": name }
  return required === undefined || required.nodeSelectorTerms.some((term) => meetsTerm(labels, fields, term))
    ? undefined
    : "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
}
