/**
 * The environment of a container (`pkg/kubelet/kubelet_pods.go` makeEnvironmentVariables), from what the pod's spec says
 * and from what its references stand for at this moment. Never in the log: names are, values are not.
 */
import { Result, Schema } from "effect"
import type { Container, EnvVar, EnvVarSource } from "../../../events/pod-spec.ts"
import type { PolicyContainer, PolicyPod } from "../spec-extension.ts"
import { fieldValue, goQuoted, type PodPlace, resourceFieldValue } from "./downward.ts"
import { envFileValue } from "./env-file.ts"
import { expand, lookupIn } from "./expansion.ts"

export interface EnvironmentEntry {
  readonly key: string
  readonly value: string
}

/** A reference that leads nowhere now. The container waits for it. */
export class EnvironmentUnsatisfied extends Schema.TaggedError<EnvironmentUnsatisfied>()("EnvironmentUnsatisfied", {
  message: Schema.String
}) {}

/** Of an object, by key: texts, or bytes that should be text. */
export type Values = ReadonlyMap<string, string | Uint8Array>

/** What references may stand for, as it is now. */
export interface EnvironmentSources {
  readonly place: PodPlace
  /** Quantities that the node offers, by resource. */
  readonly allocatable: Readonly<Record<string, string>>
  /** Keys and values of an object in the pod's namespace; `undefined`: there is none. */
  readonly configMap: (name: string) => Values | undefined
  readonly secret: (name: string) => Values | undefined
  /** Text of a file in one of the pod's volumes; a failure in words. */
  readonly file: (volume: string, path: string) => Result.Result<string, string>
  /** Variables of Services, by name. */
  readonly services: ReadonlyMap<string, string>
}

type Outcome<A> = Result.Result<A, EnvironmentUnsatisfied>
const unsatisfied = (message: string) => Result.fail(new EnvironmentUnsatisfied({ message }))

interface Reference {
  readonly name: string
  readonly optional?: boolean
}
const objects = {
  configMap: { word: "configmap", kind: "ConfigMap" },
  secret: { word: "secret", kind: "Secret" }
} as const

/** An object's values; nothing where it is optional and not there. */
const valuesOf = (
  kind: keyof typeof objects,
  { name, optional }: Reference,
  sources: EnvironmentSources
): Outcome<Values | undefined> => {
  const found = sources[kind](name)
  if (found !== undefined || optional === true) return Result.succeed(found)
  return unsatisfied(`${objects[kind].word} ${JSON.stringify(name)} not found`)
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** A variable is text: what is not cannot be told to the runtime. */
const textOf = (value: string | Uint8Array, where: string): Outcome<string> => {
  if (typeof value === "string") return Result.succeed(value)
  try {
    return Result.succeed(decoder.decode(value))
  } catch {
    return unsatisfied(`${where} is not UTF-8 text`)
  }
}

const keyOf = (
  kind: keyof typeof objects,
  reference: Reference & { readonly key: string },
  pod: PolicyPod,
  sources: EnvironmentSources
): Outcome<string | undefined> =>
  Result.flatMap(valuesOf(kind, reference, sources), (values) => {
    const { name, key, optional } = reference
    const value = values?.get(key)
    const where = `${objects[kind].kind} ${pod.metadata.namespace}/${name}`
    if (value !== undefined) return textOf(value, `the value of key ${key} in ${where}`)
    if (optional === true) return Result.succeed(undefined)
    return unsatisfied(`couldn't find key ${key} in ${where}`)
  })

const fileKey = (
  { volumeName, path, key, optional }: NonNullable<EnvVarSource["fileKeyRef"]>,
  sources: EnvironmentSources
): Outcome<string | undefined> => {
  const text = sources.file(volumeName, path)
  if (Result.isFailure(text)) return unsatisfied(text.failure)
  const value = envFileValue(text.success, key)
  // What is wrong with it is not said: it might show what the file holds.
  if (Result.isFailure(value)) return unsatisfied("couldn't parse env file")
  if (value.success !== "" || optional === true) return Result.succeed(value.success === "" ? undefined : value.success)
  return unsatisfied(`environment variable key ${JSON.stringify(key)} not found in file ${JSON.stringify(path)}`)
}

/** `undefined`: optional, and not there; the container does without the variable. */
const referred = (
  from: EnvVarSource,
  pod: PolicyPod,
  container: PolicyContainer,
  sources: EnvironmentSources
): Outcome<string | undefined> => {
  if (from.fieldRef !== undefined) {
    const { fieldPath } = from.fieldRef
    const value = fieldValue(pod, fieldPath, sources.place)
    return value === undefined ? unsatisfied(`unsupported fieldPath: ${fieldPath}`) : Result.succeed(value)
  }
  if (from.resourceFieldRef !== undefined) {
    const value = resourceFieldValue(pod, container, from.resourceFieldRef, sources.allocatable)
    return value === undefined
      ? unsatisfied(`container ${from.resourceFieldRef.containerName ?? ""} not found`)
      : Result.succeed(value)
  }
  if (from.configMapKeyRef !== undefined) return keyOf("configMap", from.configMapKeyRef, pod, sources)
  if (from.secretKeyRef !== undefined) return keyOf("secret", from.secretKeyRef, pod, sources)
  if (from.fileKeyRef !== undefined) return fileKey(from.fileKeyRef, sources)
  return Result.succeed("")
}

/**
 * First the keys of whole objects (`envFrom`), then the variables in the order of the spec, then those of Services whose
 * names are free. A later variable of the same name replaces the value and keeps the place; `$(NAME)` in a literal value
 * sees all before it and the Services, in a reference's value nothing. The first reference that leads nowhere is the failure.
 */
export const environment = (
  pod: PolicyPod,
  container: PolicyContainer,
  sources: EnvironmentSources
): Outcome<ReadonlyArray<EnvironmentEntry>> => {
  const own = new Map<string, string>()
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    for (const [kind, reference] of [
      ["configMap", configMapRef],
      ["secret", secretRef]
    ] as const) {
      if (reference === undefined) continue
      const values = valuesOf(kind, reference, sources)
      if (Result.isFailure(values)) return Result.fail(values.failure)
      for (const [key, value] of values.success ?? []) {
        const text = textOf(
          value,
          `the value of key ${key} in ${objects[kind].kind} ${pod.metadata.namespace}/${reference.name}`
        )
        if (Result.isFailure(text)) return Result.fail(text.failure)
        own.set(`${prefix}${key}`, text.success)
      }
    }
  }
  const lookup = lookupIn(own, sources.services)
  for (const { name, value = "", valueFrom } of container.env ?? []) {
    if (value !== "" || valueFrom === undefined) {
      own.set(name, expand(value, lookup))
      continue
    }
    const found = referred(valueFrom, pod, container, sources)
    if (Result.isFailure(found)) return Result.fail(found.failure)
    if (found.success !== undefined) own.set(name, found.success)
  }
  for (const [key, value] of sources.services) if (!own.has(key)) own.set(key, value)
  return Result.succeed([...own].map(([key, value]) => ({ key, value })))
}

/** ConfigMaps and Secrets that the container's variables are taken from, each once. */
export const objectsOf = ({
  env = [],
  envFrom = []
}: Pick<Container, "env" | "envFrom">): {
  readonly configMaps: ReadonlyArray<string>
  readonly secrets: ReadonlyArray<string>
} => {
  const names = (of: ReadonlyArray<{ readonly name: string } | undefined>): ReadonlyArray<string> => [
    ...new Set(of.flatMap((reference) => (reference === undefined ? [] : [reference.name])))
  ]
  return {
    configMaps: names([
      ...envFrom.map((from) => from.configMapRef),
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef)
    ]),
    secrets: names([...envFrom.map((from) => from.secretRef), ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef)])
  }
}

/** Files of the pod's volumes that the container's variables are read from, each once. */
export const filesOf = ({
  env = []
}: Pick<Container, "env">): ReadonlyArray<{ readonly volume: string; readonly path: string }> => {
  const files = new Map<string, { readonly volume: string; readonly path: string }>()
  for (const { valueFrom } of env as ReadonlyArray<EnvVar>) {
    const file = valueFrom?.fileKeyRef
    if (file !== undefined) files.set(`${file.volumeName}\0${file.path}`, { volume: file.volumeName, path: file.path })
  }
  return [...files.values()]
}

const expandAll = (texts: ReadonlyArray<string>, env: ReadonlyArray<EnvironmentEntry>): ReadonlyArray<string> => {
  const lookup = lookupIn(new Map(env.map(({ key, value }) => [key, value])))
  return texts.map((text) => expand(text, lookup))
}

/**
 * A message of the runtime's as an event may hold it: it may show the command that it could not run, and with it what
 * `$(NAME)` stood for. What was expanded is shown as the spec writes it.
 */
export const withoutExpanded = (
  container: Pick<Container, "command" | "args">,
  env: ReadonlyArray<EnvironmentEntry>,
  message: string
): string => {
  const written = [...(container.command ?? []), ...(container.args ?? [])]
  let shown = message
  for (const [i, expanded] of expandAll(written, env).entries()) {
    if (expanded === written[i] || expanded === "") continue
    for (const form of [expanded, goQuoted(expanded).slice(1, -1)]) shown = shown.replaceAll(form, () => written[i]!)
  }
  return shown
}

/** Command and arguments with the container's final environment put in; absent stays absent (the image's own count). */
export const expandCommand = (
  container: Pick<Container, "command" | "args">,
  env: ReadonlyArray<EnvironmentEntry>
): { readonly command?: ReadonlyArray<string>; readonly args?: ReadonlyArray<string> } => ({
  ...(container.command === undefined ? {} : { command: expandAll(container.command, env) }),
  ...(container.args === undefined ? {} : { args: expandAll(container.args, env) })
})
