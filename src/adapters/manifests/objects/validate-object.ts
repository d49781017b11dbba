/**
 * What ConfigMaps, Secrets, Services and RuntimeClasses must keep (ValidateConfigMap, ValidateSecret and ValidateService of
 * `pkg/apis/core/validation/validation.go`, Kubernetes 1.36), for the fields that are read. No message holds a value.
 */
import { isIP } from "node:net"
import { maxObjectBytes } from "../limits.ts"
import { configKeyProblem, labelProblem, portProblem, serviceNameProblem, subdomainProblem } from "../names.ts"
import type { ObjectKind } from "../port.ts"
import { validateAmounts } from "../validate-resources.ts"
import type { Complain } from "../written.ts"
import { decodeBase64 } from "./base64.ts"
import type { WrittenObject } from "./object-shape.ts"

/** Values of a ConfigMap or Secret, by key, decoded. */
export interface Values {
  readonly data: Readonly<Record<string, Uint8Array>>
  readonly binaryData: Readonly<Record<string, Uint8Array>>
}

export const validateObject = (kind: ObjectKind, object: WrittenObject, complain: Complain): Values => {
  const apiVersion = kind === "RuntimeClass" ? "node.k8s.io/v1" : "v1"
  if (object.apiVersion !== apiVersion) {
    const wrong =
      object.apiVersion === undefined ? `is missing: ${apiVersion}` : `must be "${apiVersion}" for a ${kind}`
    complain("apiVersion", wrong)
  }
  const { name, namespace } = object.metadata ?? {}
  if (name === undefined || name === "") complain("metadata.name", "is missing")
  else check("metadata.name", kind === "Service" ? serviceNameProblem(name) : subdomainProblem(name), complain)
  if (namespace !== undefined && namespace !== "") {
    if (kind === "RuntimeClass") complain("metadata.namespace", "is not allowed: a RuntimeClass is for all namespaces")
    else check("metadata.namespace", labelProblem(namespace), complain)
  }
  switch (kind) {
    case "ConfigMap":
      return configMap(object, complain)
    case "Secret":
      return secret(object, complain)
    case "Service":
      validateServicePorts(object.spec ?? {}, complain)
      return { data: {}, binaryData: {} }
    case "RuntimeClass":
      runtimeClass(object, complain)
      return { data: {}, binaryData: {} }
  }
}

/** `pkg/apis/node/validation/validation.go` ValidateRuntimeClass. */
const runtimeClass = ({ handler, overhead }: WrittenObject, complain: Complain): void => {
  if (handler === undefined || handler === "") complain("handler", "is missing")
  else check("handler", labelProblem(handler), complain)
  validateAmounts(overhead?.podFixed ?? {}, "overhead.podFixed", complain)
}

const check = (field: string, wrong: string | undefined, complain: Complain): void => {
  if (wrong !== undefined) complain(field, wrong)
}

const at = (field: string, key: string): string => `${field}[${JSON.stringify(key)}]`

const textBytes = new TextEncoder()

const plain = (field: string, values: Readonly<Record<string, string>>, complain: Complain) =>
  readValues(field, values, (text) => textBytes.encode(text), complain)
const encoded = (field: string, values: Readonly<Record<string, string>>, complain: Complain) =>
  readValues(field, values, decodeBase64, complain)

const readValues = (
  field: string,
  values: Readonly<Record<string, string>>,
  read: (text: string) => Uint8Array | undefined,
  complain: Complain
): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([key, text]) => {
      check(at(field, key), configKeyProblem(key), complain)
      const value = read(text)
      if (value === undefined) complain(at(field, key), "is no base64")
      return value === undefined ? [] : [[key, value] as const]
    })
  )

const checkSize = (field: string, values: ReadonlyArray<Uint8Array>, complain: Complain): void => {
  const size = values.reduce((sum, value) => sum + value.byteLength, 0)
  if (size > maxObjectBytes) complain(field, `has ${size} bytes of values; at most ${maxObjectBytes}`)
}

const configMap = (object: WrittenObject, complain: Complain): Values => {
  const data = plain("data", object.data ?? {}, complain)
  const binaryData = encoded("binaryData", object.binaryData ?? {}, complain)
  for (const key of Object.keys(object.binaryData ?? {})) {
    if (Object.hasOwn(object.data ?? {}, key)) complain(at("data", key), "stands in binaryData too")
  }
  checkSize("data", [...Object.values(data), ...Object.values(binaryData)], complain)
  return { data, binaryData }
}

/** Keys that a Secret of a type must have; of a row one is enough. */
const neededKeys: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string>>>> = {
  "kubernetes.io/dockercfg": [[".dockercfg"]],
  "kubernetes.io/dockerconfigjson": [[".dockerconfigjson"]],
  "kubernetes.io/basic-auth": [["username", "password"]],
  "kubernetes.io/ssh-auth": [["ssh-privatekey"]],
  "kubernetes.io/tls": [["tls.crt"], ["tls.key"]]
}

const isJson = (bytes: Uint8Array): boolean => {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

const secret = (object: WrittenObject, complain: Complain): Values => {
  // The API server merges stringData over data before it looks at either.
  const data = {
    ...encoded("data", object.data ?? {}, complain),
    ...plain("stringData", object.stringData ?? {}, complain)
  }
  checkSize("data", Object.values(data), complain)
  const type = object.type ?? ""
  for (const keys of neededKeys[type] ?? []) {
    if (!keys.some((key) => Object.hasOwn(data, key))) {
      complain(at("data", keys[0]!), `is missing: a Secret of type ${type} needs ${keys.join(" or ")}`)
    }
  }
  for (const [of, key] of [
    ["kubernetes.io/dockercfg", ".dockercfg"],
    ["kubernetes.io/dockerconfigjson", ".dockerconfigjson"]
  ] as const) {
    const value = data[key]
    if (type === of && value !== undefined && !isJson(value)) complain(at("data", key), "is no JSON")
  }
  if (type === "kubernetes.io/ssh-auth" && data["ssh-privatekey"]?.byteLength === 0) {
    complain(at("data", "ssh-privatekey"), "is empty")
  }
  return { data, binaryData: {} }
}

/** Addresses and ports of a Service, as far as every reader of Services needs them. */
export const validateServicePorts = (spec: NonNullable<WrittenObject["spec"]>, complain: Complain): void => {
  const { type = "ClusterIP", clusterIP = "", clusterIPs = [], ports = [] } = spec
  if (type === "ExternalName") {
    if (clusterIP !== "" && clusterIP !== "None") complain("spec.clusterIP", "is not allowed with type ExternalName")
    return
  }
  if (clusterIP !== "" && clusterIP !== "None" && isIP(clusterIP) === 0) complain("spec.clusterIP", "is no IP address")
  if (clusterIPs.length > 0 && clusterIP !== "" && clusterIPs[0] !== clusterIP) {
    complain("spec.clusterIPs[0]", "must be the same as clusterIP")
  }
  if (ports.length === 0 && clusterIP !== "None" && clusterIPs[0] !== "None") complain("spec.ports", "is missing")
  const names = new Set<string>()
  const taken = new Set<string>()
  for (const [i, { name = "", protocol = "TCP", port }] of ports.entries()) {
    const path = `spec.ports[${i}]`
    if (name === "" && ports.length > 1) complain(`${path}.name`, "is missing: a Service of several ports needs it")
    if (name !== "") check(`${path}.name`, labelProblem(name), complain)
    if (name !== "" && names.has(name)) complain(`${path}.name`, `another port is called ${JSON.stringify(name)} too`)
    names.add(name)
    if (port === undefined) complain(`${path}.port`, "is missing")
    else check(`${path}.port`, portProblem(port), complain)
    if (taken.has(`${protocol} ${port}`)) complain(`${path}.port`, `${port}/${protocol} is given twice`)
    taken.add(`${protocol} ${port}`)
  }
}
