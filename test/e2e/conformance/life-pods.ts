/** Pods of the conformance tests that take a story to tell, and the objects that their volumes show. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { busyboxImage } from "../../../scripts/lab/image.ts"
import { runtimeBinary } from "../../../scripts/test/runner.ts"
import { container, type Fields, forever, pod } from "../manifests.ts"
import { ports } from "./pod-server.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))
export const server = (more: Fields = {}, args: ReadonlyArray<string> = []): Fields => ({
  name: "app",
  image: busyboxImage,
  command: [
    "chroot",
    "/host",
    runtimeBinary(root, "bun"),
    "--no-install",
    join(root, "test/e2e/conformance/pod-server.ts"),
    ...args
  ],
  volumeMounts: [{ name: "host", mountPath: "/host", readOnly: true }],
  ...more
})
export const host = { volumes: [{ name: "host", hostPath: { path: "/" } }] }
const failAfter = (seconds: number) => ({ env: [{ name: "FAIL_AFTER", value: String(seconds) }] })
const each = { periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 }
/** Of the servers: time to start on a machine with other things to do. */
const patient = { periodSeconds: 1, initialDelaySeconds: 5, failureThreshold: 5 }
const health = { httpGet: { path: "/healthz", port: ports.http }, ...patient }
const exec = (...command: ReadonlyArray<string>) => ({ exec: { command }, ...each })

/** Ends with 1, then with 0, then stays: the number of its lives is in the volume. */
const twice =
  "echo x >> /kept/lives; n=$(wc -l < /kept/lives); [ $n -eq 1 ] && exit 1; [ $n -eq 2 ] && exit 0; " + forever
const counted = (name: string, restartPolicy: string) =>
  pod(name, {
    restartPolicy,
    containers: [container("app", twice, { volumeMounts: [{ name: "kept", mountPath: "/kept" }] })],
    volumes: [{ name: "kept", emptyDir: {} }]
  })

const initial = (name: string, restartPolicy: string, first: string, second: string, main: string) =>
  pod(name, {
    restartPolicy,
    initContainers: [container("init1", first), container("init2", second)],
    containers: [container("run1", main)]
  })

export const manifests: ReadonlyArray<object> = [
  counted("always", "Always"),
  counted("on-failure", "OnFailure"),
  counted("never", "Never"),
  initial("init-never", "Never", "exit 0", "exit 0", "exit 0"),
  initial("init-always", "Always", "exit 0", "exit 0", forever),
  initial("init-fails-always", "Always", "exit 1", "exit 0", forever),
  initial("init-fails-never", "Never", "exit 0", "exit 1", "exit 0"),
  pod("fails", { containers: [container("app", "exit 1")] }),
  pod("delayed", { ...host, containers: [server({ readinessProbe: { ...health } })] }),
  pod("unready", { containers: [container("app", forever, { readinessProbe: exec("/bin/false") })] }),
  pod("exec-ill", {
    containers: [
      container("app", `touch /tmp/health; (sleep 2; rm /tmp/health) & ${forever}`, {
        livenessProbe: exec("cat", "/tmp/health")
      })
    ]
  }),
  pod("exec-well", {
    containers: [container("app", `touch /tmp/health; ${forever}`, { livenessProbe: exec("cat", "/tmp/health") })]
  }),
  pod("http-ill", { ...host, containers: [server({ ...failAfter(3), livenessProbe: health })] }),
  pod("http-well", { ...host, containers: [server({ livenessProbe: health })] }),
  pod("tcp-well", {
    ...host,
    containers: [server({ ...failAfter(1), livenessProbe: { tcpSocket: { port: ports.http }, ...patient } })]
  }),
  pod("again-and-again", {
    containers: [
      container("app", `touch /tmp/health; (sleep 1; rm /tmp/health) & ${forever}`, {
        livenessProbe: exec("cat", "/tmp/health")
      })
    ]
  }),
  pod("grpc-well", {
    ...host,
    containers: [server({ livenessProbe: { grpc: { port: ports.grpc }, ...patient } })]
  }),
  pod("grpc-ill", {
    ...host,
    containers: [server({ livenessProbe: { grpc: { port: 2333 }, ...each } })]
  }),
  pod("hosts", {
    containers: [
      container("one", `cat /etc/hosts; ${forever}`),
      container("two", `cat /etc/hosts; ${forever}`, { volumeMounts: [{ name: "own", mountPath: "/etc/hosts" }] })
    ],
    volumes: [{ name: "own", hostPath: { path: "/etc/hosts", type: "File" } }]
  }),
  pod("hosts-of-host", { hostNetwork: true, containers: [container("one", `cat /etc/hosts; ${forever}`)] }),
  pod("sysctl", {
    restartPolicy: "Never",
    securityContext: { sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }] },
    containers: [container("app", "sysctl kernel.shm_rmid_forced")]
  }),
  pod("wrong-sysctl", {
    securityContext: {
      sysctls: ["foo-", "kernel.shmmax", "safe-and-unsafe", "bar.."].map((name) => ({ name, value: "1" }))
    },
    containers: [container("app", forever)]
  }),
  pod("server", { ...host, containers: [server()] })
]

/** Volumes whose objects change while they are mounted: by the name of each, what shows it. */
const kinds = {
  config: (name: string, optional: boolean) => ({ configMap: { name, optional } }),
  "projected-config": (name: string, optional: boolean) => ({
    projected: { sources: [{ configMap: { name, optional } }] }
  }),
  secret: (name: string, optional: boolean) => ({ secret: { secretName: name, optional } }),
  "projected-secret": (name: string, optional: boolean) => ({
    projected: { sources: [{ secret: { name, optional } }] }
  })
} as const
export const fates = ["kept", "updated", "deleted", "created"] as const
export const watched = Object.keys(kinds).flatMap((kind) =>
  fates.map((fate) => ({ kind: kind as keyof typeof kinds, fate }))
)
export const objectsNamed = (fate: string, value: string) => [
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: fate }, data: { "data-1": value } },
  { apiVersion: "v1", kind: "Secret", metadata: { name: fate }, stringData: { "data-1": value } }
]
export const watcher = pod("watcher", {
  containers: [
    container("app", forever, {
      volumeMounts: watched.map(({ kind, fate }) => ({ name: `${kind}-${fate}`, mountPath: `/${kind}-${fate}` }))
    })
  ],
  volumes: watched.map(({ kind, fate }) => ({ name: `${kind}-${fate}`, ...kinds[kind](fate, fate !== "kept") }))
})

/** What `changing` shows of its own labels and annotations, each in a volume of its own. */
const ownFields = ["labels", "annotations"] as const
const ownItem = (field: string) => ({ items: [{ path: field, fieldRef: { fieldPath: `metadata.${field}` } }] })
/** A pod with an identity of its own: then its manifest may change while it runs. */
export const changing = (value: string, spec: Fields = {}): object =>
  pod(
    "changing",
    {
      containers: [
        container("app", forever, {
          volumeMounts: [
            { name: "plain-labels", mountPath: "/plain-labels" },
            { name: "plain-annotations", mountPath: "/plain-annotations" },
            { name: "projected-labels", mountPath: "/projected-labels" },
            { name: "projected-annotations", mountPath: "/projected-annotations" }
          ]
        })
      ],
      volumes: ownFields.flatMap((field) => [
        { name: `plain-${field}`, downwardAPI: ownItem(field) },
        { name: `projected-${field}`, projected: { sources: [{ downwardAPI: ownItem(field) }] } }
      ]),
      ...spec
    },
    { uid: "0d9f8d3e-6a51-4b0c-8f6e-2f4c5b6a7980", labels: { key: value }, annotations: { builder: value } }
  )
