// runtimes: bun (deno)
/** Node conformance tests of Kubernetes that take a story to tell: restarts, init containers, hooks, probes, pod networks. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { busyboxImage } from "../../scripts/lab/image.ts"
import { runtimeBinary } from "../../scripts/test/runner.ts"
import { removeScratch } from "../../scripts/test/scratch.ts"
import { eventually, NodeUnderTest, pause } from "../support/agent.ts"
import { ports } from "./conformance/pod-server.ts"
import { container, type Fields, forever, pod } from "./manifests.ts"

const skip = whyNoContainerd()
const options = skip === undefined ? { timeout: 90_000 } : { timeout: 90_000, skip }
const root = fileURLToPath(new URL("../..", import.meta.url))
/** The pods of the test stay this long unchanged, milliseconds: several periods of their probes. */
const observation = 6_000

const server = (more: Fields = {}, args: ReadonlyArray<string> = []): Fields => ({
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
const host = { volumes: [{ name: "host", hostPath: { path: "/" } }] }
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

const manifests: ReadonlyArray<object> = [
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

describe("node conformance, over time", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let node: NodeUnderTest
  const actor = (name: string) => `pod/default/${name}`
  const phase = (name: string, to: string) => node.waitFor("PodPhaseChanged", actor(name), { to })
  const restartsOf = async (name: string): Promise<number> =>
    Math.max(0, ...(await node.seen("ContainerStarted", actor(name))).map(({ data }) => data.attempt as number))
  const started = (name: string, attempt = 0, of = "app") =>
    node.waitFor("ContainerStarted", actor(name), { container: of, attempt })
  const logOf = async (name: string, of = "app", attempt = 0): Promise<string> => {
    const uid = (await node.waitFor("PodAdmitted", actor(name))).data.pod.metadata.uid
    return readFileSync(join(node.podLogs, `default_${name}_${uid}`, of, `${attempt}.log`), "utf8")
  }
  const logHas = (name: string, text: string, of = "app") =>
    eventually(`"${text}" in the log of ${name}`, async () =>
      (await logOf(name, of)).includes(text) ? true : undefined
    )
  const addressOf = async (name: string): Promise<string> =>
    (await node.waitFor("SandboxCreated", actor(name))).data.ips[0]
  const put = (manifest: object) =>
    node.put(`${(manifest as { metadata: { name: string } }).metadata.name}.json`, manifest)

  before(async () => {
    if (skip !== undefined) return
    dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "l-")))
    lab = await startContainerd(join(dir, "c"))
    const config = join(dir, "kubelet.json")
    writeFileSync(
      config,
      JSON.stringify({
        ...{ apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" },
        crashLoopBackOff: { maxContainerRestartPeriod: "1s" }
      })
    )
    node = new NodeUnderTest({ dir: join(dir, "n"), name: "life", cri: lab.endpoint, flags: ["--config", config] })
    for (const manifest of manifests) put(manifest)
    await node.start()
  }, options)
  after(async () => {
    await node?.kill()
    await lab?.stop()
    if (dir !== undefined) await removeScratch(dir)
  }, options)

  // conformance: Container Runtime blackbox test when starting a container that exits should run with the expected status
  it("restarts what exits by the pod's restart policy, and counts", options, async () => {
    await phase("never", "Failed")
    assert.equal(await restartsOf("never"), 0)
    await phase("on-failure", "Succeeded")
    assert.equal(await restartsOf("on-failure"), 1)
    await started("always", 2)
    const views = (await node.json("get", "pods")) as ReadonlyArray<Record<string, unknown>>
    const always = views.find(({ name }) => name === "always")
    assert.deepEqual([always?.phase, always?.restarts], ["Running", 2])
  })

  // conformance: InitContainer should invoke init containers on a RestartNever pod
  it("runs init containers one after another, then the others, to the end", options, async () => {
    await phase("init-never", "Succeeded")
    const ended = await node.seen("ContainerExited", actor("init-never"))
    assert.deepEqual(
      ended.map(({ data }) => data.container),
      ["init1", "init2", "run1"]
    )
    await node.waitFor("PodConditionChanged", actor("init-never"), { condition: "Initialized", status: true })
  })

  // conformance: InitContainer should invoke init containers on a RestartAlways pod
  it("runs init containers, then one that stays", options, async () => {
    await phase("init-always", "Running")
    await started("init-always", 0, "run1")
    const ended = await node.seen("ContainerExited", actor("init-always"))
    assert.deepEqual(
      ended.map(({ data }) => [data.container, data.exitCode]),
      [
        ["init1", 0],
        ["init2", 0]
      ]
    )
    await node.waitFor("PodConditionChanged", actor("init-always"), { condition: "Initialized", status: true })
  })

  // conformance: InitContainer should not start app containers if init containers fail on a RestartAlways pod
  it("tries a failing init container again and again, and starts nothing else", options, async () => {
    await started("init-fails-always", 3, "init1")
    const others = (await node.seen("ContainerStarted", actor("init-fails-always"))).filter(
      ({ data }) => data.container !== "init1"
    )
    assert.deepEqual(others, [])
    assert.deepEqual(await node.seen("PodPhaseChanged", actor("init-fails-always"), { to: "Running" }), [])
  })

  // conformance: InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod
  it("fails a pod whose init container failed for good", options, async () => {
    await phase("init-fails-never", "Failed")
    assert.deepEqual(await node.seen("ContainerStarted", actor("init-fails-never"), { container: "run1" }), [])
  })

  // conformance: Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason
  it("tells why a container that always fails ended", options, async () => {
    const { data } = await node.waitFor("ContainerExited", actor("fails"))
    assert.deepEqual([data.exitCode, data.reason], [1, "Error"])
  })

  // conformance: Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete
  it("removes a pod that always fails", options, async () => {
    await started("fails", 1)
    node.remove("fails.json")
    await node.waitFor("PodRemoved", actor("fails"))
  })

  // conformance: KubeletManagedEtcHosts should test kubelet managed /etc/hosts file
  it("writes the hosts file of a pod, but not over a mount of its own nor on the host's network", options, async () => {
    const managed = "# Kubernetes-managed hosts file."
    await logHas("hosts", managed, "one")
    await started("hosts", 0, "two")
    await started("hosts-of-host", 0, "one")
    await pause(500)
    assert.ok(!(await logOf("hosts", "two")).includes(managed))
    assert.ok(!(await logOf("hosts-of-host", "one")).includes(managed))
  })

  // conformance: Sysctls should support sysctls
  it("sets a sysctl of the pod's own", options, async () => {
    await phase("sysctl", "Succeeded")
    assert.match(await logOf("sysctl"), /kernel\.shm_rmid_forced = 1$/mu)
  })

  // conformance: Sysctls should reject invalid sysctls
  it("refuses names that are no sysctls", options, async () => {
    const invalid = await node.until("both names are told", (events) => {
      const told = events.filter(
        ({ tag, data }) => tag === "ManifestInvalid" && String(data.file).endsWith("/wrong-sysctl.json")
      )
      return told.length >= 2 ? told : undefined
    })
    const fields = invalid.map(({ data }) => data.field)
    assert.deepEqual(fields, ["spec.securityContext.sysctls[0].name", "spec.securityContext.sysctls[3].name"])
  })

  // conformance: Networking Granular Checks: Pods should function for intra-pod communication: http
  // conformance: Networking Granular Checks: Pods should function for intra-pod communication: udp
  // conformance: Networking Granular Checks: Pods should function for node-pod communication: http
  // conformance: Networking Granular Checks: Pods should function for node-pod communication: udp
  it("lets pods, and those on the host's network, reach a pod by HTTP and by datagrams", options, async () => {
    await logHas("server", "serving")
    const address = await addressOf("server")
    for (const [name, network] of [
      ["client", {}],
      ["client-of-host", { hostNetwork: true }]
    ] as const)
      put(
        pod(name, {
          ...{ ...host, ...network, restartPolicy: "Never" },
          containers: [
            container("http", `echo answer $(wget -q -O- http://${address}:${ports.http}/hostname)`),
            { ...server({}, ["udp", address]), name: "udp" }
          ]
        })
      )
    for (const name of ["client", "client-of-host"]) {
      await phase(name, "Succeeded")
      for (const of of ["http", "udp"]) assert.match(await logOf(name, of), / answer server$/mu, `${name} ${of}`)
    }
  })

  // conformance: Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly
  // conformance: Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly
  // conformance: Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly
  // conformance: Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly
  it("runs hooks after the start and before the stop, as commands and as requests", options, async () => {
    await logHas("server", "serving")
    const address = await addressOf("server")
    const byExec = (msg: string) => ({
      exec: { command: ["wget", "-q", "-O-", `http://${address}:${ports.http}/echo?msg=${msg}`] }
    })
    const byHttp = (msg: string) => ({ httpGet: { host: address, port: ports.http, path: `/echo?msg=${msg}` } })
    for (const [name, hook] of [
      ["exec-hooks", byExec],
      ["http-hooks", byHttp]
    ] as const) {
      const lifecycle = { postStart: hook(`${name}-start`), preStop: hook(`${name}-stop`) }
      put(pod(name, { terminationGracePeriodSeconds: 15, containers: [container("app", forever, { lifecycle })] }))
    }
    for (const name of ["exec-hooks", "http-hooks"]) {
      await logHas("server", `asked: ${name}-start`)
      node.remove(`${name}.json`)
      await logHas("server", `asked: ${name}-stop`)
      await node.waitFor("PodRemoved", actor(name))
    }
  })

  // conformance: Probing container should be restarted with a exec "cat /tmp/health" liveness probe
  // conformance: Probing container should be restarted with a /healthz http liveness probe
  // conformance: Probing container should be restarted with a GRPC liveness probe
  it("restarts what its liveness probe finds ill: by a command, HTTP, gRPC", options, async () => {
    for (const name of ["exec-ill", "http-ill", "grpc-ill"]) {
      await node.waitFor("ContainerKillRequested", actor(name), { reason: "LivenessProbe" })
      await started(name, 1)
    }
  })

  // conformance: Probing container should have monotonically increasing restart count
  it("counts restarts up, one by one", options, async () => {
    await started("again-and-again", 5)
    const attempts = (await node.seen("ContainerStarted", actor("again-and-again"))).map(({ data }) => data.attempt)
    assert.deepEqual(attempts.slice(0, 6), [0, 1, 2, 3, 4, 5])
  })

  // conformance: Probing container with readiness probe should not be ready before initial delay and never restart
  it("is not ready before the initial delay", options, async () => {
    const { data } = await started("delayed")
    const ready = await node.waitFor("ContainerReadinessChanged", actor("delayed"), { ready: true })
    assert.ok(
      Date.parse(ready.time) - Date.parse(data.startedAt) >= 5_000,
      `ready at ${ready.time}, started at ${data.startedAt}`
    )
    assert.equal(await restartsOf("delayed"), 0)
  })

  // conformance: Probing container with readiness probe that fails should never be ready and never restart
  // conformance: Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe
  // conformance: Probing container should *not* be restarted with a tcp:8080 liveness probe
  // conformance: Probing container should *not* be restarted with a /healthz http liveness probe
  // conformance: Probing container should *not* be restarted with a GRPC liveness probe
  it("leaves alone what is well, and what is only not ready", options, async () => {
    const names = ["unready", "exec-well", "tcp-well", "http-well", "grpc-well"]
    const starts = await Promise.all(names.map((name) => started(name)))
    const last = Math.max(...starts.map(({ time }) => Date.parse(time)))
    await pause(Math.max(0, last + observation - Date.now()))
    for (const name of names) assert.equal(await restartsOf(name), 0, name)
    assert.deepEqual(await node.seen("ContainerReadinessChanged", actor("unready"), { ready: true }), [])
    for (const name of names.slice(1)) await node.waitFor("ContainerReadinessChanged", actor(name), { ready: true })
  })
})
