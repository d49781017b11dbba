/**
 * `test/e2e/common/storage`: configmap_volume.go, secrets_volume.go, downwardapi_volume.go and their projected_*.go twins: what is in
 * the files of such volumes, and with which mode.
 */
import { busyboxImage } from "../../../scripts/lab/image.ts"
import type { Fields } from "../manifests.ts"
import type { ConformanceCase, ConformanceGroup } from "./case.ts"

const data = { "data-1": "value-1", "data-2": "value-2", "data-3": "value-3" }
/** Bytes that are no text, and how `hexdump -C` shows them. */
const binary = { bytes: [0xde, 0xca, 0xfe, 0xba, 0xd0, 0xfe, 0xff], shown: /de ca fe ba d0 fe ff/u }

/** The objects that the volumes show. */
export const objects: ReadonlyArray<Fields> = [
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "config" }, data },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "secret" }, stringData: data },
  {
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "secret", namespace: "elsewhere" } },
    stringData: { "data-1": "another" }
  },
  {
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "binary" }, data: { text: "value-1" } },
    binaryData: { "dump.bin": Buffer.from(binary.bytes).toString("base64") }
  }
]

/** A case before it knows its place, by which its container and its volumes are named. */
interface Draft {
  readonly conformance: string
  /** `a` is mounted at /a, `b` at /b. */
  readonly volumes: Readonly<Record<string, (container: string) => Fields>>
  readonly script: string
  readonly container?: Fields
  readonly expect: ConformanceCase["expect"]
}

const placed = (drafts: ReadonlyArray<Draft>): ReadonlyArray<ConformanceCase> =>
  drafts.map(({ conformance, volumes, script, container = {}, expect }, index) => ({
    conformance,
    container: {
      image: busyboxImage,
      command: ["sh", "-c", script],
      volumeMounts: Object.keys(volumes).map((mount) => ({
        name: `${mount}${index}`,
        mountPath: `/${mount}`,
        readOnly: true
      })),
      ...container
    },
    volumes: Object.entries(volumes).map(([mount, source]) => ({ name: `${mount}${index}`, ...source(`c${index}`) })),
    expect
  }))

const show = (...files: ReadonlyArray<string>) =>
  files.map((file) => `stat -L -c '%A' ${file} && echo "$(cat ${file})"`).join(" && ")
/** The name of the pod that holds the case. */
const ownName = /^volumes-\d+$/u
const nonRoot = { securityContext: { runAsUser: 1000 } }
const mapped = [{ key: "data-2", path: "path/to/data-2" }]
const owner = 0o400

type Kind = "ConfigMap" | "Projected configMap" | "Secrets" | "Projected secret"

/** A volume of this kind with these settings, where the kind wants them. */
const volumeOf =
  (kind: Kind, settings: { readonly items?: ReadonlyArray<Fields>; readonly defaultMode?: number } = {}) =>
  (): Fields => {
    const { items, defaultMode } = settings
    const chosen = items === undefined ? {} : { items }
    const mode = defaultMode === undefined ? {} : { defaultMode }
    switch (kind) {
      case "ConfigMap":
        return { configMap: { name: "config", ...chosen, ...mode } }
      case "Secrets":
        return { secret: { secretName: "secret", ...chosen, ...mode } }
      case "Projected configMap":
        return { projected: { sources: [{ configMap: { name: "config", ...chosen } }], ...mode } }
      case "Projected secret":
        return { projected: { sources: [{ secret: { name: "secret", ...chosen } }], ...mode } }
    }
  }

const shared = (kind: Kind): ReadonlyArray<Draft> => {
  const isSecret = kind === "Secrets" || kind === "Projected secret"
  const name = (rest: string) => `${kind} should be consumable ${rest}`
  const plain = { script: show("/a/data-1"), expect: { lines: ["-rw-r--r--", "value-1"] } }
  const withMapping = {
    script: show("/a/path/to/data-2"),
    expect: { lines: ["-rw-r--r--", "value-2"], without: /value-1/u }
  }
  const item = [{ ...mapped[0], mode: owner }]
  return [
    { conformance: name("from pods in volume"), volumes: { a: volumeOf(kind) }, ...plain },
    {
      conformance: name("from pods in volume with defaultMode set"),
      volumes: { a: volumeOf(kind, { defaultMode: owner }) },
      script: show("/a/data-1"),
      expect: { lines: ["-r--------", "value-1"] }
    },
    {
      conformance: name("from pods in volume with mappings"),
      volumes: { a: volumeOf(kind, { items: mapped }) },
      ...withMapping
    },
    {
      conformance: name(`from pods in volume with mappings and Item ${isSecret ? "Mode" : "mode"} set`),
      volumes: { a: volumeOf(kind, { items: item }) },
      script: show("/a/path/to/data-2"),
      expect: { lines: ["-r--------", "value-2"] }
    },
    {
      conformance: name(isSecret ? "in multiple volumes in a pod" : "in multiple volumes in the same pod"),
      volumes: { a: volumeOf(kind), b: volumeOf(kind) },
      script: show("/a/data-1", "/b/data-1"),
      expect: { lines: ["value-1"] }
    },
    ...(isSecret
      ? []
      : [
          {
            conformance: name("from pods in volume as non-root"),
            volumes: { a: volumeOf(kind) },
            container: nonRoot,
            ...plain
          },
          {
            conformance: name("from pods in volume with mappings as non-root"),
            volumes: { a: volumeOf(kind, { items: mapped }) },
            container: nonRoot,
            ...withMapping
          }
        ])
  ]
}

const single: ReadonlyArray<Draft> = [
  {
    conformance: "ConfigMap binary data should be reflected in volume",
    volumes: { a: () => ({ configMap: { name: "binary" } }) },
    script: "cat /a/text; echo; hexdump -C /a/dump.bin",
    expect: { lines: ["value-1", binary.shown] }
  },
  {
    conformance:
      "Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace",
    volumes: { a: volumeOf("Secrets") },
    script: show("/a/data-1"),
    expect: { lines: ["-rw-r--r--", "value-1"], without: /another/u }
  },
  {
    conformance: "Projected combined should project all components that make up the projection API",
    volumes: {
      a: () => ({
        projected: {
          sources: [
            { secret: { name: "secret", items: [{ key: "data-1", path: "of-secret" }] } },
            { configMap: { name: "config", items: [{ key: "data-2", path: "of-config" }] } },
            { downwardAPI: { items: [{ path: "podname", fieldRef: { fieldPath: "metadata.name" } }] } }
          ]
        }
      })
    },
    script: "cat /a/podname; echo; cat /a/of-secret; echo; cat /a/of-config",
    expect: { lines: [ownName, "value-1", "value-2"] }
  }
]

/** A request of 25m is told as 1, like the 250m of upstream: small nodes have room for all pods. */
const resources = { requests: { cpu: "25m", memory: "32Mi" }, limits: { cpu: "1250m", memory: "64Mi" } }

const downward = (title: "Downward API volume" | "Projected downwardAPI"): ReadonlyArray<Draft> => {
  const volume = (item: (container: string) => Fields, defaultMode?: number) => (container: string) => {
    const mode = defaultMode === undefined ? {} : { defaultMode }
    const source = { items: [{ path: "file", ...item(container) }] }
    return title === "Projected downwardAPI"
      ? { projected: { sources: [{ downwardAPI: source }], ...mode } }
      : { downwardAPI: { ...source, ...mode } }
  }
  const podName = { fieldRef: { fieldPath: "metadata.name" } }
  const resource = (name: string) => (containerName: string) => ({
    resourceFieldRef: { containerName, resource: name }
  })
  const amount = (rest: string, name: string, line: string | RegExp, limited = true): Draft => ({
    conformance: `${title} should provide ${rest}`,
    volumes: { a: volume(resource(name)) },
    script: show("/a/file"),
    ...(limited ? { container: { resources } } : {}),
    expect: { lines: [line] }
  })
  const some = /^[1-9]\d*$/u
  return [
    {
      conformance: `${title} should provide podname only`,
      volumes: { a: volume(() => podName) },
      script: show("/a/file"),
      expect: { lines: ["-rw-r--r--", ownName] }
    },
    {
      conformance: `${title} should set DefaultMode on files`,
      volumes: { a: volume(() => podName, owner) },
      script: show("/a/file"),
      expect: { lines: ["-r--------", ownName] }
    },
    {
      conformance: `${title} should set mode on item file`,
      volumes: { a: volume(() => ({ ...podName, mode: owner })) },
      script: show("/a/file"),
      expect: { lines: ["-r--------", ownName] }
    },
    amount("container's cpu limit", "limits.cpu", "2"),
    amount("container's memory limit", "limits.memory", "67108864"),
    amount("container's cpu request", "requests.cpu", "1"),
    amount("container's memory request", "requests.memory", "33554432"),
    amount("node allocatable (cpu) as default cpu limit if the limit is not set", "limits.cpu", some, false),
    amount("node allocatable (memory) as default memory limit if the limit is not set", "limits.memory", some, false)
  ]
}

export const volumes: ConformanceGroup = {
  name: "volumes",
  cases: placed([
    ...(["ConfigMap", "Projected configMap", "Secrets", "Projected secret"] as const).flatMap(shared),
    ...single,
    ...downward("Downward API volume"),
    ...downward("Projected downwardAPI")
  ])
}

export const groupVolumes: ConformanceGroup = {
  name: "volumes-of-group",
  spec: { securityContext: { runAsUser: 1000, fsGroup: 1001 } },
  cases: placed(
    (["Secrets", "Projected secret"] as const).map((kind) => ({
      conformance: `${kind} should be consumable from pods in volume as non-root with defaultMode and fsGroup set`,
      volumes: { a: volumeOf(kind, { defaultMode: 0o440 }) },
      script: `${show("/a/data-1")} && stat -L -c 'group %g' /a/data-1`,
      expect: { lines: ["-r--r-----", "value-1", "group 1001"] }
    }))
  )
}
