/** What the rules of a KubeletConfiguration are made of. */
import { goDuration } from "../../events/go-duration.ts"
import type { KubeletConfiguration } from "./shape.ts"

/** `field`: its path, parts of lists as numbers: `enforceNodeAllocatable.1`. */
export type FieldProblem = readonly [field: string, message: string]
export type Rule = (c: KubeletConfiguration) => ReadonlyArray<FieldProblem | false>

/** Before most of kubelet's messages. */
export const invalid = "invalid configuration: "

/** Text as Go prints it in quotes. */
export const quoted = (text: string): string => JSON.stringify(text)
/** Go prints a Duration of Kubernetes' own type so. */
export const struct = (millis: number): string => `{${goDuration(millis)}}`
export const isWithin = (value: number, least: number, most: number): boolean => value >= least && value <= most

/** One problem where something is wrong with one field. */
export const when = (isWrong: boolean, field: string, message: string): FieldProblem | false =>
  isWrong && ([field, `${invalid}${message}`] as const)

export const only = (problems: ReadonlyArray<FieldProblem | false>): ReadonlyArray<FieldProblem> =>
  problems.filter((problem): problem is FieldProblem => problem !== false)
