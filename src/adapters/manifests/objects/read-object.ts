/** One ConfigMap, Secret, Service or RuntimeClass read from its YAML node. */
import type { YAMLMap } from "yaml"
import { defaultNamespace } from "../defaults.ts"
import { classifyOfObject } from "../known-fields.ts"
import type { ConfigMap, ObjectKind, Secret, Service } from "../port.ts"
import { describeKind, fieldPath, type Place, type Reader } from "../read.ts"
import { objectShapes, type WrittenObject } from "./object-shape.ts"
import type { RuntimeClassContent } from "./runtime-class.ts"
import { validateObject } from "./validate-object.ts"

export type ObjectContent =
  | ({ readonly kind: "ConfigMap" } & Omit<ConfigMap, "hash">)
  | ({ readonly kind: "Secret" } & Omit<Secret, "hash">)
  | ({ readonly kind: "Service" } & Omit<Service, "hash">)
  | RuntimeClassContent

export interface ParsedObject {
  /** With all values. */
  readonly object: ObjectContent
  /** Where its name stands. */
  readonly place: Place | undefined
  readonly field: string
}

/** `undefined`: it cannot be used, and the reader knows why. */
export const readObject = (reader: Reader, kind: ObjectKind, map: YAMLMap, path: string): ParsedObject | undefined => {
  const before = reader.problems.length
  const owner = { kind, classify: classifyOfObject, describe: describeKind }
  const written = reader.readOf(owner, map, objectShapes[kind], path) as WrittenObject | undefined
  if (written === undefined) return undefined
  const known = new Set(reader.problems.slice(before).map((p) => p.field))
  const values = validateObject(kind, written, (field, message) => {
    const at = fieldPath(path, field)
    if (![...known].some((k) => k === at || k?.startsWith(`${at}[`) === true || k?.startsWith(`${at}.`) === true)) {
      reader.problem(at, message)
    }
  })
  if (reader.problems.length > before) return undefined
  const { name = "", namespace } = written.metadata ?? {}
  const identity = { namespace: namespace === undefined || namespace === "" ? defaultNamespace : namespace, name }
  const field = fieldPath(path, "metadata.name")
  const place = reader.placeOfField(field)
  const immutable = written.immutable === true
  switch (kind) {
    case "ConfigMap":
      return {
        object: { kind, ...identity, data: written.data ?? {}, binaryData: values.binaryData, immutable },
        place,
        field
      }
    case "Secret": {
      const type = written.type === undefined || written.type === "" ? "Opaque" : written.type
      return { object: { kind, ...identity, type, data: values.data, immutable }, place, field }
    }
    case "Service":
      return { object: serviceOf(identity, written.spec ?? {}), place, field }
    case "RuntimeClass":
      return { object: runtimeClassOf(name, written), place, field }
  }
}

const runtimeClassOf = (name: string, { handler = "", overhead, scheduling }: WrittenObject): RuntimeClassContent => {
  const { nodeSelector, tolerations } = scheduling ?? {}
  return {
    ...{ kind: "RuntimeClass", namespace: "", name, handler },
    ...(overhead?.podFixed === undefined ? {} : { overhead: overhead.podFixed }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations })
  }
}

const serviceOf = (
  identity: { readonly namespace: string; readonly name: string },
  { type = "ClusterIP", clusterIP = "", clusterIPs = [], ports = [] }: NonNullable<WrittenObject["spec"]>
): ObjectContent => ({
  kind: "Service",
  ...identity,
  type,
  clusterIP: type === "ExternalName" ? "" : clusterIP === "" ? (clusterIPs[0] ?? "") : clusterIP,
  ports: ports.map(({ name, protocol = "TCP", port }) => ({
    ...(name === undefined || name === "" ? {} : { name }),
    protocol,
    port: port ?? 0
  }))
})
