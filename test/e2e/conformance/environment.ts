/** `test/e2e/common/node`: downwardapi.go, configmap.go, secrets.go and the one of pods.go: what is in a container's environment. */
import { busyboxImage } from "../../../scripts/lab/image.ts"
import type { Fields } from "../manifests.ts"
import type { ConformanceCase, ConformanceGroup } from "./case.ts"

export const objects: ReadonlyArray<Fields> = [
  {
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "env-config" } },
    data: { "data-1": "value-1", data_2: "value-2", data_3: "value-3" }
  },
  {
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "env-secret" } },
    stringData: { "data-1": "value-1", data_2: "value-2" }
  },
  {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "fooservice" } },
    spec: { clusterIP: "10.96.4.5", ports: [{ port: 8765, targetPort: 8080 }] }
  }
]

/** Not by a shell, which leaves out names with hyphens. */
const environment = { image: busyboxImage, command: ["env"] }
const resources = { requests: { cpu: "25m", memory: "32Mi" }, limits: { cpu: "1250m", memory: "64Mi" } }
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })
const resource = (name: string, of: string) => ({ name, valueFrom: { resourceFieldRef: { resource: of } } })
const address = String.raw`(?:\d+\.\d+\.\d+\.\d+|[0-9a-f:]+)`

const cases: ReadonlyArray<ConformanceCase> = [
  {
    conformance: "Downward API should provide pod name, namespace and IP address as env vars",
    container: {
      ...environment,
      env: [
        field("POD_NAME", "metadata.name"),
        field("POD_NAMESPACE", "metadata.namespace"),
        field("POD_IP", "status.podIP")
      ]
    },
    expect: { lines: [/^POD_NAME=environment-\d+$/u, "POD_NAMESPACE=default", new RegExp(`^POD_IP=${address}$`, "u")] }
  },
  {
    conformance: "Downward API should provide host IP as an env var",
    container: { ...environment, env: [field("HOST_IP", "status.hostIP")] },
    expect: { lines: [new RegExp(`^HOST_IP=${address}$`, "u")] }
  },
  {
    conformance: "Downward API should provide hostIPs as an env var",
    container: { ...environment, env: [field("HOST_IPS", "status.hostIPs")] },
    expect: { lines: [new RegExp(`^HOST_IPS=${address}(?:,${address})*$`, "u")] }
  },
  {
    conformance: "Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars",
    container: {
      ...{ ...environment, resources },
      env: [
        resource("CPU_LIMIT", "limits.cpu"),
        resource("MEMORY_LIMIT", "limits.memory"),
        resource("CPU_REQUEST", "requests.cpu"),
        resource("MEMORY_REQUEST", "requests.memory")
      ]
    },
    expect: { lines: ["CPU_LIMIT=2", "MEMORY_LIMIT=67108864", "CPU_REQUEST=1", "MEMORY_REQUEST=33554432"] }
  },
  {
    conformance: "Downward API should provide default limits.cpu/memory from node allocatable",
    container: {
      ...environment,
      env: [resource("CPU_LIMIT", "limits.cpu"), resource("MEMORY_LIMIT", "limits.memory")]
    },
    expect: { lines: [/^CPU_LIMIT=[1-9]\d*$/u, /^MEMORY_LIMIT=[1-9]\d*$/u] }
  },
  {
    conformance: "Downward API should provide pod UID as env vars",
    container: { ...environment, env: [field("POD_UID", "metadata.uid")] },
    expect: { lines: [/^POD_UID=[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u] }
  },
  {
    conformance: "ConfigMap should be consumable via environment variable",
    container: {
      ...environment,
      env: [{ name: "CONFIG_DATA_1", valueFrom: { configMapKeyRef: { name: "env-config", key: "data-1" } } }]
    },
    expect: { lines: ["CONFIG_DATA_1=value-1"] }
  },
  {
    conformance: "ConfigMap should be consumable via the environment",
    container: {
      ...environment,
      envFrom: [{ configMapRef: { name: "env-config" } }, { prefix: "p-", configMapRef: { name: "env-config" } }]
    },
    expect: { lines: ["data-1=value-1", "data_2=value-2", "data_3=value-3", "p-data-1=value-1", "p-data_2=value-2"] }
  },
  {
    conformance: "Secrets should be consumable from pods in env vars",
    container: {
      ...environment,
      env: [{ name: "SECRET_DATA", valueFrom: { secretKeyRef: { name: "env-secret", key: "data-1" } } }]
    },
    expect: { lines: ["SECRET_DATA=value-1"] }
  },
  {
    conformance: "Secrets should be consumable via the environment",
    container: {
      ...environment,
      envFrom: [{ secretRef: { name: "env-secret" } }, { prefix: "p-", secretRef: { name: "env-secret" } }]
    },
    expect: { lines: ["data-1=value-1", "data_2=value-2", "p-data-1=value-1", "p-data_2=value-2"] }
  },
  {
    conformance: "Pods should contain environment variables for services",
    container: environment,
    expect: {
      lines: [
        "FOOSERVICE_SERVICE_HOST=10.96.4.5",
        "FOOSERVICE_SERVICE_PORT=8765",
        "FOOSERVICE_PORT=tcp://10.96.4.5:8765",
        "FOOSERVICE_PORT_8765_TCP_PORT=8765",
        "FOOSERVICE_PORT_8765_TCP_PROTO=tcp",
        "FOOSERVICE_PORT_8765_TCP=tcp://10.96.4.5:8765",
        "FOOSERVICE_PORT_8765_TCP_ADDR=10.96.4.5"
      ]
    }
  }
]

/** A uid as an API server gives it; that of a file's pod is a hash without hyphens. Its last digit is the pod's number. */
export const environments: ConformanceGroup = {
  name: "environment",
  metadata: { uid: "5b1e6c1e-3c9a-4f0e-9d53-0a8f0c1d2e3" },
  cases
}
