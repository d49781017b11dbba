/** A plausible instance of any event, made from its JSON Schema: for the example sentences of the docs page. */
import { Schema } from "effect"
import type { EventDefinition } from "../../src/events/definition.ts"

type Json = { readonly [keyword: string]: unknown }

const containerId = "7d1f0a52c9b34e6e9a41d5b8c0f2e3a46b7c8d9e0f1a2b3c4d5e6f708192a3b4"
const uid = "0b5c1f6e9a7d4c3b8e2f1a0d9c8b7a65"

/** Values by the name of the field; what is not here gets one by its type. */
const byName: Readonly<Record<string, unknown>> = {
  attempt: 1,
  bootId: "5c7e3b1a-52f4-4f0e-9d55-0c8f3f9be1a2",
  command: "ReportProbe",
  condition: "Ready",
  consecutive: 3,
  container: "app",
  containerId,
  cgroupVersion: "v2",
  delaySeconds: 10,
  differences: ["max_age is 24h, asked for 168h"],
  duration: 412,
  endpoint: "unix:///run/containerd/containerd.sock",
  error: "TypeError: x.map is no function",
  exitCode: 137,
  failures: 2,
  field: "spec.containers[0].image",
  file: "/etc/kubernetes/manifests/web.yaml",
  freeBytes: 12_582_912,
  gracePeriodSeconds: 30,
  hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bb822cd15d6c15b0f00a08",
  host: "bun 1.4.5",
  image: "registry.example/web:1.2",
  imageId: "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1",
  ips: ["10.88.0.12"],
  kernel: "6.1.0-26-amd64",
  lag: 42,
  line: 12,
  name: "web",
  namespace: "default",
  operation: "StopSandbox",
  oomKilled: false,
  output: "HTTP probe failed with statuscode: 500",
  path: "/etc/kubernetes/manifests",
  periodSeconds: 60,
  podUid: uid,
  probe: "liveness",
  reason: "Error",
  recoveredActors: 14,
  recoveredEvents: 2310,
  resumeFrom: 2311,
  sandboxId: containerId,
  server: "nats://127.0.0.1:4222",
  serverVersion: "2.9.10",
  signal: 9,
  source: "/etc/kubernetes/manifests/web.yaml",
  status: true,
  stream: "CHRONODE_node1",
  subjects: ["chronode.node1.>"],
  supervisor: "node/_/node1",
  target: "GET http://10.88.0.12:8080/healthz",
  threshold: 3,
  timedOut: false,
  uid,
  version: "0.1.0"
}

/** By event and field, where the name alone would read oddly. */
const byEvent: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  AdmissionClosed: { reason: "less than 16 MiB are free" },
  ContainerKillRequested: { reason: "LivenessProbe", message: "its liveness probe failed" },
  ContainerStartFailed: { reason: "CreateContainerError", message: "no such file or directory: /bin/app" },
  ContainerStartRequested: { reason: "it ended and its restart policy is Always" },
  ContainerStopSignalIgnored: { asked: "SIGUSR1" },
  ContainerWaiting: { reason: "ImagePullBackOff", message: "back-off pulling registry.example/web:1.2" },
  EphemeralContainersDiffer: { removed: ["debug"], changed: [], refused: [] },
  ImagePullFailed: { reason: "ErrImagePull", message: "manifest unknown" },
  ImageRequested: { pod: "pod/default/web" },
  ImageReleased: { pod: "pod/default/web" },
  ManifestFieldIgnored: { field: "spec.containers[0].lifecycle", message: "is not acted on" },
  ManifestInvalid: { message: "must be text" },
  NodeStopped: { reason: "SIGTERM" },
  OrphanSandboxFound: { name: "old" },
  PodConditionChanged: { reason: "" },
  PodOperationFailed: { message: "the runtime does not answer" },
  PodRejected: { reason: "InvalidSpec", message: "two containers are named app" },
  ProbeStopped: { reason: "its container ended" },
  ProbeResultChanged: { from: "success", to: "failure" },
  ProbeSucceeded: { output: "HTTP 200" },
  RuntimeConditionChanged: { condition: "NetworkReady", message: "" },
  RuntimeConnected: { name: "containerd", version: "1.6.20", apiVersion: "v1", events: false },
  RuntimeDisconnected: { message: "connection refused" },
  SandboxFailed: { message: "network plugin: no addresses left in 10.88.0.0/16" },
  SandboxLost: { reason: "its network namespace is gone" },
  SandboxRequested: { attempt: 0, reason: "the pod has none" },
  SandboxStopRequested: { reason: "the pod ends" },
  SourceUnreadable: { message: "permission denied" },
  StreamDisconnected: { message: "connection refused" },
  VolumeMountFailed: { volume: "data", message: "/srv/data does not exist" },
  VolumeMounted: { volume: "cache", path: "/var/lib/chronode/pods/0b5c1f6e/volumes/cache" },
  VolumeUnmountFailed: { volume: "cache", message: "device or resource busy" }
}

const at = "2026-01-15T09:30:00.000Z"

const fill = (schema: Json, definitions: Json, name: string, overrides: Readonly<Record<string, unknown>>): unknown => {
  if (Object.hasOwn(overrides, name)) return overrides[name]
  const reference = typeof schema.$ref === "string" ? /^#\/\$defs\/(.+)$/u.exec(schema.$ref)?.[1] : undefined
  const resolved = reference === undefined ? schema : (definitions[reference] as Json)
  const choices = resolved.enum as ReadonlyArray<unknown> | undefined
  if (choices !== undefined) return choices.includes(byName[name]) ? byName[name] : choices[0]
  const options = resolved.anyOf as ReadonlyArray<Json> | undefined
  if (options !== undefined) return fill(options[0] as Json, definitions, name, overrides)
  if (typeof resolved.title === "string" && resolved.title.startsWith("RFC 3339")) return at
  switch (resolved.type) {
    case "string":
      return typeof byName[name] === "string" ? byName[name] : name
    case "integer":
    case "number":
      return typeof byName[name] === "number" ? byName[name] : 1
    case "boolean":
      return typeof byName[name] === "boolean" ? byName[name] : true
    case "array":
      return Array.isArray(byName[name]) ? byName[name] : [fill(resolved.items as Json, definitions, name, {})]
    case "object": {
      const required = (resolved.required ?? []) as ReadonlyArray<string>
      const properties = (resolved.properties ?? {}) as Readonly<Record<string, Json>>
      const optional = Object.keys(overrides).filter((field) => field in properties)
      return Object.fromEntries(
        [...new Set([...required, ...optional])].map((field) => [
          field,
          fill(properties[field] as Json, definitions, field, overrides)
        ])
      )
    }
    default:
      return {}
  }
}

/** Data of a plausible instance, with its `_tag`. */
export const sample = (definition: EventDefinition): { readonly _tag: string } => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(Schema.Struct(definition.fields))
  const data = fill(schema as Json, definitions as Json, "", byEvent[definition.tag] ?? {})
  return { _tag: definition.tag, ...(data as object) }
}
