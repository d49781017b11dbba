/** Label selectors as kubectl writes them: `app=web,tier!=cache,env in (a,b),!debug` (`apimachinery/pkg/labels/selector.go`). Pure. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist"
  readonly values: ReadonlyArray<string>
}
export type LabelSelector = ReadonlyArray<LabelRequirement>

const key = String.raw`[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?`
const value = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?`
const forms: ReadonlyArray<readonly [RegExp, LabelRequirement["operator"]]> = [
  [new RegExp(`^(${key})\\s*==?\\s*(${value})$`, "u"), "In"],
  [new RegExp(`^(${key})\\s*!=\\s*(${value})$`, "u"), "NotIn"],
  [new RegExp(`^(${key})\\s+in\\s*\\(([^()]*)\\)$`, "u"), "In"],
  [new RegExp(`^(${key})\\s+notin\\s*\\(([^()]*)\\)$`, "u"), "NotIn"],
  [new RegExp(`^(${key})$`, "u"), "Exists"],
  [new RegExp(`^!\\s*(${key})$`, "u"), "DoesNotExist"]
]
const isValue = new RegExp(`^${value}$`, "u")

const requirement = (text: string): LabelRequirement | string => {
  for (const [form, operator] of forms) {
    const match = form.exec(text)
    if (match === null) continue
    const values = match[2] === undefined ? [] : match[2].split(",").map((one) => one.trim())
    const wrong = values.find((one) => !isValue.test(one))
    return wrong === undefined ? { key: match[1]!, operator, values } : `${JSON.stringify(wrong)} is no label value`
  }
  return `${JSON.stringify(text)} is no requirement: write key=value, key!=value, key in (a,b), key or !key`
}

/** The selector, or what is wrong with it. */
export const parseLabelSelector = (text: string): LabelSelector | string => {
  const parts = text
    .split(/,(?![^()]*\))/u)
    .map((part) => part.trim())
    .filter((part) => part !== "")
  const requirements: Array<LabelRequirement> = []
  for (const part of parts) {
    const one = requirement(part)
    if (typeof one === "string") return one
    requirements.push(one)
  }
  return requirements.length === 0 ? "a selector has at least one requirement" : requirements
}

/** What selectors of labels and those of nodes have in common. */
export const meetsRequirement = (
  { operator, values }: Pick<LabelRequirement, "operator" | "values">,
  found: string | undefined
): boolean => {
  switch (operator) {
    case "In":
      return found !== undefined && values.includes(found)
    case "NotIn":
      return found === undefined || !values.includes(found)
    case "Exists":
      return found !== undefined
    case "DoesNotExist":
      return found === undefined
  }
}

export const matchesLabels = (selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean =>
  selector.every((one) => meetsRequirement(one, Object.hasOwn(labels, one.key) ? labels[one.key] : undefined))
