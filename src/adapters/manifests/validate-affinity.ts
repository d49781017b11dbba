/** What node affinity must keep (`pkg/apis/core/validation/validation.go` ValidateNodeSelector). */
import { qualifiedNameProblem } from "./names.ts"
import type { Complain, WrittenPod } from "./written.ts"

export const validateNodeAffinity = ({ affinity }: NonNullable<WrittenPod["spec"]>, complain: Complain): void => {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required === undefined) return
  const path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
  const terms = required.nodeSelectorTerms ?? []
  if (terms.length === 0) complain(path, "needs at least one term")
  for (const [i, term] of terms.entries()) {
    for (const part of ["matchExpressions", "matchFields"] as const) {
      for (const [j, { key, operator, values = [] }] of (term[part] ?? []).entries()) {
        const at = `${path}[${i}].${part}[${j}]`
        const wrong =
          key === undefined
            ? "is missing"
            : part === "matchFields"
              ? key === "metadata.name"
                ? undefined
                : 'must be "metadata.name"'
              : qualifiedNameProblem(key)
        if (wrong !== undefined) complain(`${at}.key`, wrong)
        if (operator === undefined) complain(`${at}.operator`, "is missing")
        const [least, most] = valueCounts[operator ?? "In"]
        if (values.length < least || values.length > most) {
          complain(
            `${at}.values`,
            least === 0
              ? `must be empty with ${operator}`
              : most === 1
                ? `needs one value with ${operator}`
                : `needs values with ${operator}`
          )
        }
      }
    }
  }
}

/** How many values each operator takes. */
const valueCounts = {
  In: [1, Number.POSITIVE_INFINITY],
  NotIn: [1, Number.POSITIVE_INFINITY],
  Exists: [0, 0],
  DoesNotExist: [0, 0],
  Gt: [1, 1],
  Lt: [1, 1]
} as const
