/** A JSON value as a list of names and values that a person can read, and select as text. */
import { el, plain } from "./dom.ts"

/** Deeper values are shown as text. */
const maxDepth = 12
/** Members of one object or array that are shown; the rest is counted. */
const maxMembers = 300

const scalar = (value: unknown): HTMLElement => {
  if (typeof value === "string")
    return el("span", { class: value === "" ? "json empty-text" : "json text" }, value === "" ? "empty" : plain(value))
  return el("span", { class: `json ${value === null ? "null" : typeof value}` }, String(value))
}

export const jsonTree = (value: unknown, depth = 0): HTMLElement => {
  if (typeof value !== "object" || value === null) return scalar(value)
  if (depth >= maxDepth) return el("span", { class: "json text" }, plain(JSON.stringify(value)))
  const members = Object.entries(value)
  if (members.length === 0) return el("span", { class: "json null" }, Array.isArray(value) ? "none" : "empty")
  return el(
    "dl",
    { class: "tree" },
    ...members
      .slice(0, maxMembers)
      .flatMap(([name, member]) => [el("dt", {}, plain(name)), el("dd", {}, jsonTree(member, depth + 1))]),
    ...(members.length > maxMembers ? [el("dt", {}, "…"), el("dd", {}, `${members.length - maxMembers} more`)] : [])
  )
}
