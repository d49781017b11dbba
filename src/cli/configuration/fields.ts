/**
 * The fields of a configuration file and their types. KubeletConfiguration: kubelet.config.k8s.io/v1beta1,
 * staging/src/k8s.io/kubelet/config/v1beta1/types.go; a file written for kubelet is taken as it is.
 */

import { proxyModes } from "../../adapters/dataplane/port.ts"

export type FieldType =
  | "string"
  | "boolean"
  | "integer"
  | "number"
  /** Go's duration as text: `1m30s`. */
  | "duration"
  /** The same, or nanoseconds as a number. */
  | "durationOrInteger"
  /** A number of bytes: a quantity as text, or a number. */
  | "bytes"
  | "strings"
  | "textMap"
  | "booleanMap"
  | "stringsMap"
  | { readonly one: ReadonlyArray<string> }
  | { readonly fields: Fields }
  | { readonly list: Fields }
export type Fields = Readonly<Record<string, FieldType>>

export const typeMeta: Fields = { apiVersion: "string", kind: "string" }

/** component-base's logging (staging/src/k8s.io/component-base/logs/api/v1/types.go), as both components have it. */
export const loggingFields: Fields = {
  format: "string",
  flushFrequency: "durationOrInteger",
  verbosity: "integer",
  vmodule: { list: { filePattern: "string", verbosity: "integer" } },
  options: {
    fields: {
      text: { fields: { splitStream: "boolean", infoBufferSize: "bytes" } },
      json: { fields: { splitStream: "boolean", infoBufferSize: "bytes" } }
    }
  }
}

/** Chronode's own settings: what the flags of `chronode run` say, in a file. */
export const chronodeFields: Fields = {
  ...typeMeta,
  manifests: "string",
  cri: "string",
  dataDir: "string",
  nodeName: "string",
  podLogsDir: "string",
  containerLogsDir: "string",
  apiPort: "integer",
  tokenAuthFile: "string",
  authorizationPolicyFile: "string",
  authenticationKubeconfig: "string",
  registryConfig: "string",
  imageCredentialProviderConfig: "string",
  imageCredentialProviderBinDir: "string",
  services: "string",
  proxyConfig: "string",
  proxyMode: { one: proxyModes },
  proxyModeFallback: { one: proxyModes },
  healthzBindAddress: "string",
  metricsBindAddress: "string",
  dataplaneName: "string",
  serviceClusterIpRange: "string",
  serviceNodePortRange: "string",
  zone: "string",
  recording: { one: ["events", "inputs"] },
  durability: { one: ["always", "interval"] },
  nats: {
    fields: {
      enabled: "boolean",
      servers: "strings",
      creds: "string",
      nkey: "string",
      tlsCA: "string",
      tlsCert: "string",
      tlsKey: "string"
    }
  },
  stream: { fields: { maxAge: "duration", maxBytes: "bytes", replicas: "integer" } },
  retention: { fields: { maxAge: "duration", maxBytes: "bytes" } },
  otel: {
    fields: { endpoint: "string", traces: "boolean", metrics: "boolean", logs: "boolean", interval: "duration" }
  },
  log: { fields: { format: { one: ["text", "json"] }, level: { one: ["trace", "debug", "info", "warn", "error"] } } }
}
