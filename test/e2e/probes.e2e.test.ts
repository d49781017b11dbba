/** Probes of real containers: what they ask, what follows from the answers, and what is left out of the log. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { NodeUnderTest } from "../support/agent.ts"
import { assertLogWhole } from "./checks.ts"
import { container, forever, httpGet, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

/** An address of the pods' network that no pod has: nobody answers, whatever stands between this machine and others. */
const unused = (subnet: string): string => {
  const [a, b, c] = subnet.split(".")
  return `${a}.${b}.${Number(c) + 1}.250`
}

describe("probes", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  const started = async (name: string, attempt = 0): Promise<string> =>
    (await node.waitFor("ContainerStarted", `pod/default/${name}`, { container: "app", attempt })).data.containerId
  const sh = async (name: string, script: string): Promise<void> => {
    const id = await started(name)
    const { exitCode } = await world.ask((runtime) => runtime.execSync(id, ["sh", "-c", script], 10))
    assert.equal(exitCode, 0, script)
  }
  const readiness = (name: string, ready: boolean, after = 0) =>
    node.waitFor("ContainerReadinessChanged", `pod/default/${name}`, { ready }, { after })
  const put = (name: string, script: string, probes: object, spec: object = {}) =>
    node.put(`${name}.json`, pod(name, { containers: [container("app", script, { ...probes })], ...spec }))

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    const nowhere = unused(world.containerd.network.subnet)
    node = world.node("probing")
    put("http", webServer, { readinessProbe: httpGet("/ready") })
    put("tcp", webServer, {
      readinessProbe: { tcpSocket: { port: "web" }, periodSeconds: 1 },
      ports: [{ name: "web", containerPort: 8080 }]
    })
    const exec = (script: string, more: object = {}) => ({
      exec: { command: ["sh", "-c", script] },
      periodSeconds: 1,
      failureThreshold: 1,
      ...more
    })
    put("exec", forever, { readinessProbe: exec("cat /tmp/ready") })
    put("slow-exec", forever, { readinessProbe: exec("sleep 20", { timeoutSeconds: 1 }) })
    // Process 1 does not react to SIGTERM: what ends it is SIGKILL after the probe's own grace.
    put(
      "wedged",
      "mkdir -p /www; echo yes > /www/ok; exec httpd -f -p 8080 -h /www",
      {
        livenessProbe: httpGet("/ok", { failureThreshold: 2, terminationGracePeriodSeconds: 3 })
      },
      { terminationGracePeriodSeconds: 60 }
    )
    put("slow-start", `(sleep 3; touch /tmp/up) & ${forever}`, {
      startupProbe: exec("ls /tmp/up", { failureThreshold: 30 }),
      livenessProbe: exec("ls /tmp/up"),
      readinessProbe: exec("ls /tmp/up")
    })
    put("no-start", forever, { startupProbe: exec("exit 1", { failureThreshold: 2 }) })
    put("nowhere", forever, {
      readinessProbe: { httpGet: { port: 80, host: nowhere }, periodSeconds: 1, timeoutSeconds: 1 },
      livenessProbe: {
        tcpSocket: { port: 9, host: nowhere },
        periodSeconds: 1,
        timeoutSeconds: 1,
        failureThreshold: 1000
      }
    })
    await node.start()
  })
  after(async () => {
    await world?.close()
  })

  it("make a container ready and not ready as their answers change", within(40), async () => {
    const failed = await node.waitFor("ProbeFailed", "probe/default/http.app.readiness")
    // The server may not listen yet when it is asked first.
    assert.match(failed.data.output, /404|refused/i)
    assert.equal((await node.seen("ContainerReadinessChanged", "pod/default/http")).length, 0)
    await sh("http", "touch /www/ready")
    const first = await readiness("http", true)
    await sh("http", "rm /www/ready")
    const second = await readiness("http", false, first.sequence)
    await sh("http", "touch /www/ready")
    const third = await readiness("http", true, second.sequence)
    const conditions = (await node.seen("PodConditionChanged", "pod/default/http", { condition: "Ready" })).filter(
      (e) => e.sequence > first.sequence
    )
    assert.deepEqual(
      conditions.map(({ data }) => data.status),
      [true, false, true]
    )
    const why = await node.command("why", third.id)
    assert.equal(why.code, 0, why.stderr)
    assert.match(why.stdout, /ProbeSucceeded/)
  })

  it("connect to a port by its name, and run commands", within(40), async () => {
    await readiness("tcp", true)
    const begun = await node.waitFor("ProbeStarted", "probe/default/tcp.app.readiness")
    assert.match(begun.data.target, /:8080$/)
    await sh("exec", "touch /tmp/ready")
    await readiness("exec", true)
  })

  it("fail where the command takes too long", within(40), async () => {
    const failed = await node.waitFor("ProbeFailed", "probe/default/slow-exec.app.readiness")
    assert.equal(failed.data.timedOut, true, JSON.stringify(failed.data))
  })

  it("to nowhere fail, and cost nothing else", within(40), async () => {
    await node.waitFor("ProbeFailed", "probe/default/nowhere.app.readiness")
    await node.waitFor("ProbeFailed", "probe/default/nowhere.app.liveness", { consecutive: 3 })
    assert.deepEqual(await node.seen("ContainerExited", "pod/default/nowhere"), [])
    assert.deepEqual(await node.seen("ContainerReadinessChanged", "pod/default/nowhere"), [])
  })

  it("hold back liveness and readiness until the startup probe has passed", within(40), async () => {
    await readiness("slow-start", true)
    const up = await node.waitFor("ProbeResultChanged", "probe/default/slow-start.app.startup", { to: "success" })
    for (const probe of ["liveness", "readiness"]) {
      const begun = await node.waitFor("ProbeStarted", `probe/default/slow-start.app.${probe}`)
      assert.ok(begun.sequence > up.sequence, `${probe} waits for startup`)
    }
    assert.deepEqual(await node.seen("ContainerExited", "pod/default/slow-start"), [])
    const before = (await node.seen("ProbeFailed", "probe/default/slow-start.app.startup")).length
    assert.ok(before >= 1, "it failed while the container came up")
  })

  it("end a container that does not start up", within(40), async () => {
    const killed = await node.waitFor("ContainerKillRequested", "pod/default/no-start")
    assert.equal(killed.data.reason, "StartupProbe")
    await started("no-start", 1)
  })

  it(
    "end a container that is not alive, after its grace, and the restart policy starts it again",
    within(60),
    async () => {
      await node.waitFor("ProbeSucceeded", "probe/default/wedged.app.liveness")
      await sh("wedged", "rm /www/ok")
      const asked = await node.waitFor("ContainerKillRequested", "pod/default/wedged")
      assert.deepEqual([asked.data.reason, asked.data.gracePeriodSeconds], ["LivenessProbe", 3])
      const exited = await node.waitFor("ContainerExited", "pod/default/wedged")
      assert.equal(exited.data.exitCode, 137)
      assert.equal(exited.cause, asked.id)
      const grace = Date.parse(exited.data.finishedAt) - Date.parse(asked.time)
      assert.ok(grace >= 2_900, `killed after ${grace} ms of 3 s`)
      await started("wedged", 1)
      const verdict = await node.waitFor("ProbeResultChanged", "probe/default/wedged.app.liveness", { to: "failure" })
      assert.equal(verdict.data.consecutive, 2)
      const why = await node.command("why", "pod", "default/wedged")
      assert.equal(why.code, 0, why.stderr)
      assert.match(why.stdout, /ProbeFailed[\s\S]*ContainerKillRequested[\s\S]*ContainerExited/)
    }
  )

  it("write nothing while nothing changes, and all of it replays", within(60), async () => {
    assert.equal((await node.seen("ProbeSucceeded", "probe/default/tcp.app.readiness")).length, 1)
    assert.deepEqual(await node.stop(), { code: 0, signal: null })
    await assertLogWhole(world, node)
    assert.deepEqual(
      (await node.journal.events()).filter(({ tag }) => /^Actor(?:Failed|Escalated)$/.test(tag)),
      []
    )
  })
})
