/** What a manifest may hold of a ConfigMap, Secret, Service or RuntimeClass (`staging/src/k8s.io/api/{core,node}/v1/types.go`). */
import type { Shape } from "../../../events/pod-shape.ts"
import type { PodSpec } from "../../../events/pod-spec.ts"
import type { ObjectKind } from "../port.ts"

const text: Shape = { kind: "text" }
const boolean: Shape = { kind: "boolean" }
const texts: Shape = { kind: "map", value: text }
const struct = (fields: Readonly<Record<string, Shape>>): Shape => ({
  kind: "struct",
  fields: new Map(Object.entries(fields))
})

export const serviceTypes = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const
export const protocols = ["TCP", "UDP", "SCTP"] as const

const object = (fields: Readonly<Record<string, Shape>>): Shape =>
  struct({ apiVersion: text, kind: text, metadata: struct({ name: text, namespace: text }), ...fields })

export const objectShapes: Readonly<Record<ObjectKind, Shape>> = {
  ConfigMap: object({ data: texts, binaryData: texts, immutable: boolean }),
  Secret: object({ data: texts, stringData: texts, type: text, immutable: boolean }),
  Service: object({
    spec: struct({
      type: { kind: "choice", of: serviceTypes },
      clusterIP: text,
      clusterIPs: { kind: "list", item: text },
      ports: {
        kind: "list",
        item: struct({ name: text, protocol: { kind: "choice", of: protocols }, port: { kind: "integer" } })
      }
    })
  }),
  RuntimeClass: object({
    handler: text,
    overhead: struct({ podFixed: { kind: "map", value: { kind: "quantity" } } }),
    scheduling: struct({
      nodeSelector: texts,
      tolerations: {
        kind: "list",
        item: struct({ key: text, operator: text, value: text, effect: text, tolerationSeconds: { kind: "integer" } })
      }
    })
  })
}

/** An object as it was read: every field may be missing, what is there has the right type. */
export interface WrittenObject {
  readonly apiVersion?: string
  readonly metadata?: { readonly name?: string; readonly namespace?: string }
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly type?: string
  readonly immutable?: boolean
  readonly handler?: string
  readonly overhead?: { readonly podFixed?: Readonly<Record<string, string>> }
  readonly scheduling?: {
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly tolerations?: NonNullable<PodSpec["tolerations"]>
  }
  readonly spec?: {
    readonly type?: (typeof serviceTypes)[number]
    readonly clusterIP?: string
    readonly clusterIPs?: ReadonlyArray<string>
    readonly ports?: ReadonlyArray<{
      readonly name?: string
      readonly protocol?: (typeof protocols)[number]
      readonly port?: number
    }>
  }
}
