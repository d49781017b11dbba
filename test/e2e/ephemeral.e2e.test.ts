// runtimes: bun
/** Containers put into a pod that runs, on a real containerd. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { Effect, Exit, Scope } from "effect"
import { healthServer } from "../adapters/probing/health-server.ts"
import { chronode, eventually, type NodeUnderTest } from "../support/agent.ts"
import { container, type Fields, forever, pod } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const app = container("app", `echo here > /tmp/mark; ${forever}`, {
  readinessProbe: { exec: { command: ["cat", "/tmp/mark"] }, periodSeconds: 1 },
  lifecycle: { stopSignal: "SIGUSR1" }
})
const withDebug = (...ephemeralContainers: ReadonlyArray<Fields>): object =>
  pod("web", {
    os: { name: "linux" },
    containers: [app],
    ...(ephemeralContainers.length === 0 ? {} : { ephemeralContainers })
  })
const web = "pod/default/web"

describe("a pod that runs, and what is put into it", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  const logOf = (name: string): string => {
    const folder = join(node.podLogs, `default_web_${uid}`, name, "0.log")
    return existsSync(folder) ? readFileSync(folder, "utf8") : ""
  }
  let uid = ""

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("ephemeral")
    node.put("web.json", withDebug())
    await node.start()
    await node.waitFor("ContainerReadinessChanged", web, { container: "app", ready: true })
    const [admitted] = await node.seen("PodAdmitted", web)
    uid = (admitted!.data.pod as { readonly metadata: { readonly uid: string } }).metadata.uid
  })
  after(() => world?.close())

  // conformance: Ephemeral Containers will start an ephemeral container in an existing pod
  it("joins the pod that runs and sees its target's processes and files", within(60), async () => {
    const look = "ps | grep -c '[t]rap'; cat /proc/1/root/tmp/mark; exit 3"
    node.put("web.json", withDebug(container("debug", look, { targetContainerName: "app" })))
    const ended = await node.waitFor("ContainerExited", web, { container: "debug" })
    assert.equal(ended.data.exitCode, 3)
    await eventually("its log", () => (/ here$/mu.test(logOf("debug")) ? true : undefined))
    assert.deepEqual((await node.seen("PodTerminationRequested", web)).length, 0)
    const views = (await node.json("get", "pods")) as ReadonlyArray<Record<string, unknown>>
    assert.deepEqual([views[0]?.uid, views[0]?.ready, views[0]?.restarts], [uid, "1/1", 0])
  })

  it("is asked by gRPC, and restarted by what that says", within(60), async () => {
    const scope = await Effect.runPromise(Scope.make())
    const { port, asked } = await Effect.runPromise(Scope.provide(healthServer(), scope))
    const probe = (service: string) => ({ grpc: { port, service }, periodSeconds: 1, failureThreshold: 2 })
    const app = container("app", forever, { readinessProbe: probe(""), livenessProbe: probe("resting") })
    // On the host's network the server of this test is on the pod's address.
    node.put("grpc.json", pod("grpc", { hostNetwork: true, containers: [app] }))
    const about = "pod/default/grpc"
    await node.waitFor("ContainerReadinessChanged", about, { container: "app", ready: true })
    const kill = await node.waitFor("ContainerKillRequested", about, { reason: "LivenessProbe" })
    assert.match(String(kill.data.message), /service unhealthy \(responded with "NOT_SERVING"\)$/u)
    assert.match(asked[0]?.userAgent ?? "", /^kube-probe\/1\.36 /u)
    node.remove("grpc.json")
    await node.waitFor("PodRemoved", about)
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  it("asks to be stopped by a signal, which the runtime takes or is said not to know", within(60), async () => {
    const [started] = await node.seen("ContainerStarted", web, { container: "app" })
    const ignored = await node.seen("ContainerStopSignalIgnored", web, { container: "app" })
    const { stopSignal } = started!.data
    assert.deepEqual([stopSignal, ignored.length], stopSignal === undefined ? [undefined, 1] : ["SIGUSR1", 0])
  })

  // conformance: Ephemeral Containers should update the ephemeral containers in an existing pod
  it(
    "is attached to, is not restarted by an agent that was killed, and stays where the manifest drops it",
    within(60),
    async () => {
      const shell = container("shell", "read line; echo got $line; sleep 1000", { stdin: true, tty: false })
      const first = container("debug", "true", { targetContainerName: "app" })
      node.put("web.json", withDebug(first, shell))
      const differs = await node.waitFor("EphemeralContainersDiffer", web)
      assert.deepEqual(differs.data.changed, ["debug"])
      await node.waitFor("ContainerStarted", web, { container: "shell" })
      const attached = spawn(chronode, ["attach", "default/web", "-c", "shell", "-i"], {
        env: { ...process.env, CHRONODE_DATA_DIR: node.dataDir },
        stdio: ["pipe", "ignore", "ignore"]
      })
      attached.stdin.end("hello\n")
      await eventually("what was typed", () => (/ got hello$/mu.test(logOf("shell")) ? true : undefined))
      attached.kill()
      await node.kill()
      node.put("web.json", withDebug())
      await node.start()
      const dropped = await node.waitFor("EphemeralContainersDiffer", web, {}, { after: differs.sequence })
      assert.deepEqual(dropped.data.removed, ["debug", "shell"])
      const flaps = await node.seen("ContainerReadinessChanged", web, { container: "app" })
      assert.deepEqual(
        flaps.map(({ data }) => data.ready),
        [true],
        "a ready pod stays ready over the death of its agent"
      )
      const started = await node.seen("ContainerStarted", web)
      assert.deepEqual(
        started.map(({ data }) => data.container),
        ["app", "debug", "shell"]
      )
      const { stdout } = await node.command("get", "containers")
      assert.match(stdout, /shell \(ephemeral\) +running/u)
      node.remove("web.json")
      await node.waitFor("PodRemoved", web)
      assert.equal((await world.ask((runtime) => runtime.listContainers({}))).length, 0)
    }
  )
})
