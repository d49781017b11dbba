// runtimes: bun (deno)
/** Node conformance tests of Kubernetes that take a story to tell: restarts, init containers, hooks, probes, pod networks. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, realpathSync } from "node:fs"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { removeScratch } from "../../scripts/test/scratch.ts"
import { eventually, NodeUnderTest, pause } from "../support/agent.ts"
import {
  changing,
  type fates,
  host,
  manifests,
  objectsNamed,
  server,
  watched,
  watcher
} from "./conformance/life-pods.ts"
import { ports } from "./conformance/pod-server.ts"
import { container, forever, pod } from "./manifests.ts"

const skip = whyNoContainerd()
const options = skip === undefined ? { timeout: 90_000 } : { timeout: 90_000, skip }
/** The pods of the test stay this long unchanged, milliseconds: several periods of their probes. */
const observation = 6_000

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

  const putObjects = (fate: string, value: string) => {
    for (const object of objectsNamed(fate, value)) node.put(`${object.kind}-${fate}.json`, object)
  }
  /** What a container says to a command; undefined where the command failed. */
  const said = async (name: string, ...command: ReadonlyArray<string>): Promise<string | undefined> => {
    const { code, stdout } = await node.command("exec", name, "--", ...command)
    return code === 0 ? stdout.trim() : undefined
  }

  before(async () => {
    if (skip !== undefined) return
    dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "l-")))
    lab = await startContainerd(join(dir, "c"))
    const configuration = { crashLoopBackOff: { maxContainerRestartPeriod: "1s" } }
    node = new NodeUnderTest({ dir: join(dir, "n"), name: "life", cri: lab.endpoint, configuration })
    for (const fate of ["kept", "updated", "deleted"]) putObjects(fate, "value-1")
    for (const manifest of [...manifests, watcher, changing("first")]) put(manifest)
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

  // conformance: Pods should get a host IP
  it("tells a pod's addresses and those of the node", options, async () => {
    const address = await addressOf("server")
    const views = (await node.json("get", "pods")) as ReadonlyArray<Record<string, unknown>>
    const { podIPs, hostIP, hostIPs } = views.find(({ name }) => name === "server") ?? {}
    const ofNode = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address))
    assert.ok(ofNode.includes(String(hostIP)), `${hostIP} is none of ${ofNode.join(", ")}`)
    assert.deepEqual([podIPs, hostIPs], [[address], [hostIP]])
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

  // conformance: ConfigMap should update ConfigMap successfully
  // conformance: ConfigMap updates should be reflected in volume
  // conformance: ConfigMap optional updates should be reflected in volume
  // conformance: Projected configMap updates should be reflected in volume
  // conformance: Projected configMap optional updates should be reflected in volume
  // conformance: Secrets optional updates should be reflected in volume
  // conformance: Projected secret optional updates should be reflected in volume
  it("shows in volumes what becomes of their objects: changed, gone, come", options, async () => {
    await started("watcher")
    const files = watched.map(({ kind, fate }) => `/${kind}-${fate}/data-1`)
    /** `VALUE` or `none` for each, in one look. */
    const look = () =>
      said("watcher", "sh", "-c", files.map((file) => `cat ${file} 2>/dev/null || printf none; echo`).join("; "))
    const wanted = (values: Readonly<Record<(typeof fates)[number], string>>) =>
      watched.map(({ fate }) => values[fate]).join("\n")
    assert.equal(await look(), wanted({ kept: "value-1", updated: "value-1", deleted: "value-1", created: "none" }))
    for (const fate of ["kept", "updated", "created"]) putObjects(fate, "value-2")
    for (const { kind } of objectsNamed("", "")) node.remove(`${kind}-deleted.json`)
    for (const fate of ["kept", "updated"])
      await node.waitFor("ObjectChanged", undefined, { kind: "ConfigMap", name: fate })
    const then = wanted({ kept: "value-2", updated: "value-2", deleted: "none", created: "value-2" })
    let last: string | undefined
    await eventually("the volumes show it", async () => {
      last = await look()
      return last === then ? true : undefined
    }).catch((error) => assert.fail(`${error.message}; it shows:\n${last}`))
  })

  // conformance: Pods should be updated
  // conformance: Downward API volume should update labels on modification
  // conformance: Downward API volume should update annotations on modification
  // conformance: Projected downwardAPI should update labels on modification
  // conformance: Projected downwardAPI should update annotations on modification
  // conformance: Pods should allow activeDeadlineSeconds to be updated
  it("takes over new labels, annotations and a deadline while it runs", options, async () => {
    const { data } = await started("changing")
    const paths = ["plain", "projected"].flatMap((kind) => [
      `/${kind}-labels/labels`,
      `/${kind}-annotations/annotations`
    ])
    const shown = async (value: string) => {
      const text = (await said("changing", "cat", ...paths)) ?? ""
      const all = [...text.matchAll(/(key|builder)="([^"]*)"/gu)].map(([, , found]) => found)
      return all.length === paths.length && all.every((found) => found === value) ? true : undefined
    }
    await eventually("the first values in its files", () => shown("first"))
    put(changing("second"))
    await eventually("the second values in its files", () => shown("second"))
    const views = (await node.json("get", "pods")) as ReadonlyArray<Record<string, unknown>>
    assert.equal(views.find(({ name }) => name === "changing")?.restarts, 0)
    put(changing("second", { activeDeadlineSeconds: 1 }))
    await phase("changing", "Failed")
    assert.equal((await node.seen("ContainerStarted", actor("changing"))).length, 1)
    assert.equal((await node.seen("ContainerExited", actor("changing")))[0]?.data.containerId, data.containerId)
  })
})
