/** The part of validation that is about variables and what they refer to (ValidateEnv, ValidateEnvFrom): see validate.ts. */

import type { Container, EnvVarSource } from "../../events/pod-spec.ts"
import { configKeyProblem, subdomainProblem, variableNameProblem } from "./names.ts"
import { divisorsOf, isDivisor, isResourceField } from "./resource-reference.ts"
import type { Complain } from "./written.ts"

/** As it was read: every field may be missing. */
type Loose<A> =
  A extends ReadonlyArray<infer I>
    ? ReadonlyArray<Loose<I>>
    : A extends object
      ? { readonly [K in keyof A]?: Loose<NonNullable<A[K]>> }
      : A
type Variables = Loose<Pick<Container, "env" | "envFrom">>

/** Fields of a pod that a variable may have (validEnvDownwardAPIFieldPathExpressions). */
const fieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs"
]
const subscripted = /^metadata\.(?:labels|annotations)\['(.*)'\]$/u

/** Label and annotation keys (IsQualifiedName): a name, with a DNS name and a slash before it if need be. */
const qualifiedName = /^(?:([^/]*)\/)?([A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)$/u
const isQualifiedName = (key: string): boolean => {
  const [found, prefix] = qualifiedName.exec(key) ?? []
  return found !== undefined && (prefix === undefined || subdomainProblem(prefix) === undefined)
}

const check = (field: string, wrong: string | undefined, complain: Complain): void => {
  if (wrong !== undefined) complain(field, wrong)
}

/** `emptyDirs`: names of the pod's volumes that files of variables may be in. */
export const validateEnvironment = (
  { env = [], envFrom = [] }: Variables,
  path: string,
  emptyDirs: ReadonlySet<string>,
  complain: Complain
): void => {
  for (const [i, { name, value, valueFrom }] of env.entries()) {
    const at = `${path}.env[${i}]`
    // Doubled names are allowed: the last one counts.
    if (name === undefined || name === "") complain(`${at}.name`, "is missing")
    else check(`${at}.name`, variableNameProblem(name), complain)
    if (value?.includes("\0") === true) complain(`${at}.value`, "must not contain NUL")
    if (valueFrom === undefined) continue
    if (value !== undefined && value !== "") complain(`${at}.valueFrom`, "is not allowed beside a value")
    validateSource(valueFrom, `${at}.valueFrom`, emptyDirs, complain)
  }
  for (const [i, { prefix = "", configMapRef, secretRef }] of envFrom.entries()) {
    const at = `${path}.envFrom[${i}]`
    if (prefix !== "") check(`${at}.prefix`, variableNameProblem(prefix), complain)
    if (configMapRef !== undefined && secretRef !== undefined) complain(at, "has more than one source")
    if (configMapRef === undefined && secretRef === undefined) complain(at, "needs a configMapRef or a secretRef")
    if (configMapRef !== undefined) validateName(configMapRef, `${at}.configMapRef`, complain)
    if (secretRef !== undefined) validateName(secretRef, `${at}.secretRef`, complain)
  }
}

const validateName = ({ name = "" }: { readonly name?: string }, path: string, complain: Complain): void =>
  check(`${path}.name`, name === "" ? "is missing" : subdomainProblem(name), complain)

const sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] as const

const validateSource = (
  from: Loose<EnvVarSource>,
  path: string,
  emptyDirs: ReadonlySet<string>,
  complain: Complain
): void => {
  const given = sources.filter((source) => from[source] !== undefined)
  if (given.length === 0) complain(path, `needs one of ${sources.join(", ")}`)
  if (given.length > 1) complain(path, "has more than one source")
  if (from.fieldRef !== undefined) validateField(from.fieldRef, `${path}.fieldRef`, complain)
  if (from.resourceFieldRef !== undefined) validateResource(from.resourceFieldRef, `${path}.resourceFieldRef`, complain)
  for (const source of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = from[source]
    if (reference === undefined) continue
    validateName(reference, `${path}.${source}`, complain)
    const { key = "" } = reference
    check(`${path}.${source}.key`, key === "" ? "is missing" : configKeyProblem(key), complain)
  }
  if (from.fileKeyRef !== undefined) validateFile(from.fileKeyRef, `${path}.fileKeyRef`, emptyDirs, complain)
}

const validateField = (
  { apiVersion = "v1", fieldPath = "" }: NonNullable<Loose<EnvVarSource>["fieldRef"]>,
  path: string,
  complain: Complain
): void => {
  const at = `${path}.fieldPath`
  if (apiVersion !== "v1" && apiVersion !== "") complain(`${path}.apiVersion`, 'must be "v1"')
  const key = subscripted.exec(fieldPath)?.[1]
  if (fieldPath === "") complain(at, "is missing")
  else if (key !== undefined) {
    if (!isQualifiedName(key)) complain(at, `${JSON.stringify(key)} is no key of a label or annotation`)
  } else if (!fieldPaths.includes(fieldPath)) {
    complain(
      at,
      `must be one of ${fieldPaths.join(", ")}, metadata.labels['<key>'], metadata.annotations['<key>'], not ${JSON.stringify(fieldPath)}`
    )
  }
}

const validateResource = (
  { resource = "", divisor }: NonNullable<Loose<EnvVarSource>["resourceFieldRef"]>,
  path: string,
  complain: Complain
): void => {
  if (resource === "") complain(`${path}.resource`, "is missing")
  else if (!isResourceField(resource)) {
    complain(
      `${path}.resource`,
      `must be limits or requests of cpu, memory, ephemeral-storage or hugepages-<size>, not ${JSON.stringify(resource)}`
    )
  } else if (!isDivisor(resource, divisor)) {
    complain(`${path}.divisor`, `must be one of ${divisorsOf(resource).join(", ")}`)
  }
}

const validateFile = (
  { volumeName = "", path: file = "", key = "" }: NonNullable<Loose<EnvVarSource>["fileKeyRef"]>,
  path: string,
  emptyDirs: ReadonlySet<string>,
  complain: Complain
): void => {
  check(`${path}.key`, key === "" ? "is missing" : variableNameProblem(key), complain)
  if (volumeName === "") complain(`${path}.volumeName`, "is missing")
  else if (!emptyDirs.has(volumeName))
    complain(`${path}.volumeName`, `the pod has no emptyDir volume ${JSON.stringify(volumeName)}`)
  check(`${path}.path`, file === "" ? "is missing" : localPathProblem(file), complain)
}

/** A path that leads down from where it starts (validateLocalDescendingPath). */
export const localPathProblem = (path: string): string | undefined => {
  if (path.startsWith("/")) return "must be a relative path"
  if (path.split("/").includes("..")) return 'must not contain ".."'
  return path.includes("\0") ? "must not contain NUL" : undefined
}
