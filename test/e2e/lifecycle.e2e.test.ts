// runtimes: bun
/** Sidecars, hooks, deadlines and restart rules by the agent on a real containerd: five pods in one life of the agent. */
import assert from "node:assert/strict"
import { mkdirSync, readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { NodeUnderTest } from "../support/agent.ts"
import { assertLogWhole, tracesOf, uidsOf } from "./checks.ts"
import { container, forever, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

/** Runs until it is told to stop, and leaves its name when it does. */
const untilTold = (name: string): string =>
  `trap 'echo ${name} >> /kept/order; exit 0' TERM; while :; do sleep 1 & wait $!; done`

describe("the life cycle of pods", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let kept: string
  const lines = (name: string): ReadonlyArray<string> => readFileSync(join(kept, name), "utf8").trim().split("\n")

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("alpha")
    kept = join(world.dir, "kept")
    mkdirSync(kept)
    const volume = { volumes: [{ name: "kept", hostPath: { path: kept, type: "Directory" } }] }
    const mounted = { volumeMounts: [{ name: "kept", mountPath: "/kept" }] }
    node.put(
      "mesh.json",
      pod("mesh", {
        ...volume,
        terminationGracePeriodSeconds: 20,
        initContainers: [
          container("proxy", `sleep 1; ${webServer.replace("exit 0", "echo proxy >> /kept/order; exit 0")}`, {
            ...mounted,
            restartPolicy: "Always",
            startupProbe: { exec: { command: ["test", "-e", "/www/ok"] }, periodSeconds: 1 }
          }),
          container("second", untilTold("second"), {
            ...mounted,
            restartPolicy: "Always",
            lifecycle: { preStop: { sleep: { seconds: 1 } } }
          })
        ],
        containers: [
          container("app", untilTold("app"), {
            ...mounted,
            lifecycle: {
              postStart: {
                httpGet: { path: "/nothing-here", port: 8080, httpHeaders: [{ name: "X-Key", value: "open sesame" }] }
              },
              preStop: { exec: { command: ["sh", "-c", "sleep 2; echo drained >> /kept/order"] } }
            }
          })
        ]
      })
    )
    node.put("late.json", pod("late", { activeDeadlineSeconds: 4, containers: [container("app", forever)] }))
    node.put(
      "unwell.json",
      pod("unwell", {
        restartPolicy: "Never",
        containers: [
          container("app", forever, {
            lifecycle: { postStart: { exec: { command: ["sh", "-c", "echo no database; exit 3"] } } }
          })
        ]
      })
    )
    node.put(
      "over-again.json",
      pod("over-again", {
        ...volume,
        initContainers: [container("prepare", "echo prepared >> /kept/prepared", mounted)],
        containers: [
          container("app", `if [ -e /kept/twice ]; then ${forever}; fi; touch /kept/twice; exit 42`, {
            ...mounted,
            restartPolicy: "Never",
            restartPolicyRules: [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }]
          }),
          container("other", forever)
        ]
      })
    )
    node.put(
      "job.json",
      pod("job", {
        restartPolicy: "Never",
        initContainers: [container("helper", forever, { restartPolicy: "Always" })],
        containers: [container("work", "sleep 1; exit 0")]
      })
    )
    await node.start()
  })
  after(async () => {
    await world?.close()
  })

  it("starts a sidecar before the containers that need it, and runs postStart hooks", within(40), async () => {
    const ended = await node.waitFor("ContainerHookEnded", "pod/default/mesh", { hook: "PostStart" })
    assert.equal(ended.data.outcome, "succeeded", "whatever the status is")
    const reported = await node.waitFor("ContainerProbeReported", "pod/default/mesh", { probe: "startup" })
    const [requested] = await node.seen("ContainerStartRequested", "pod/default/mesh", { container: "second" })
    assert.equal(requested?.cause, reported.id)
    await node.waitFor("ContainerReadinessChanged", "pod/default/mesh", { container: "app", ready: true })
    const text = (await node.journal.events()).map(({ line }) => line).join("\n")
    assert.ok(!text.includes("open sesame"), "a header's value is in the journal")
  })

  it("stops a container whose postStart hook failed, and says why", within(40), async () => {
    const ended = await node.waitFor("ContainerHookEnded", "pod/default/unwell", { outcome: "failed" })
    assert.deepEqual([ended.data.reason, ended.data.output], ["FailedPostStartHook", "no database\n"])
    const exited = await node.waitFor("ContainerExited", "pod/default/unwell")
    assert.equal(exited.data.killedFor, "FailedPostStartHook")
    const why = await node.command("why", "pod", "unwell")
    assert.match(why.stdout, /no database/)
  })

  it("ends sidecars when the work is done", within(40), async () => {
    await node.waitFor("PodPhaseChanged", "pod/default/job", { to: "Succeeded" })
    await node.waitFor("ContainerExited", "pod/default/job", { container: "helper", killedFor: "PodCompleted" })
    await node.waitFor("SandboxStopped", "pod/default/job")
  })

  it("restarts all containers where a rule says so", within(40), async () => {
    const reset = await node.waitFor("PodContainersReset", "pod/default/over-again")
    for (const name of ["app", "other"])
      await node.waitFor("ContainerStarted", "pod/default/over-again", { container: name }, { after: reset.sequence })
    assert.deepEqual(lines("prepared"), ["prepared", "prepared"])
  })

  it("fails a pod that outlives its deadline", within(40), async () => {
    const failed = await node.waitFor("PodPhaseChanged", "pod/default/late", { to: "Failed" })
    assert.equal(failed.data.reason, "DeadlineExceeded")
    const exceeded = await node.waitFor("PodDeadlineExceeded", "pod/default/late")
    const [kill] = await node.seen("ContainerKillRequested", "pod/default/late")
    assert.equal(kill?.cause, exceeded.id)
    const views = (await node.json("get", "pods")) as ReadonlyArray<Record<string, unknown>>
    assert.equal(views.find(({ name }) => name === "late")?.status, "DeadlineExceeded")
  })

  it(
    "stops in order: the preStop hook, its container, then sidecars, the last declared first",
    within(40),
    async () => {
      node.remove("mesh.json")
      await node.waitFor("PodRemoved", "pod/default/mesh")
      assert.deepEqual(lines("order"), ["drained", "app", "second", "proxy"])
    }
  )

  it("gives the place of a pod to one of a system priority, which waits for its end", within(40), async () => {
    const asking = (share: number) => ({
      resources: { requests: { cpu: `${Math.floor(availableParallelism() * 1000 * share)}m` } }
    })
    node.put("low.json", pod("low", { containers: [container("app", forever, asking(0.7))] }))
    await node.waitFor("ContainerStarted", "pod/default/low")
    const spec = { priorityClassName: "system-node-critical", containers: [container("app", forever, asking(0.6))] }
    node.put("system.json", pod("system", spec))
    const started = await node.waitFor("ContainerStarted", "pod/default/system")
    const failed = await node.waitFor("PodPhaseChanged", "pod/default/low", { to: "Failed" })
    assert.equal(failed.data.reason, "Preempting")
    const ended = await node.waitFor("ContainerExited", "pod/default/low")
    assert.ok(ended.sequence < started.sequence, "it did not wait")
    const target = await node.waitFor("PodConditionChanged", "pod/default/low", { condition: "DisruptionTarget" })
    assert.deepEqual([target.data.status, target.data.reason], [true, "TerminationByKubelet"])
    assert.match((await node.command("why", "pod", "default/low")).stdout, /default\/system/)
    for (const name of ["low", "system"]) {
      node.remove(`${name}.json`)
      await node.waitFor("PodRemoved", `pod/default/${name}`)
    }
  })

  it("leaves nothing behind, and a log that replays to the same decisions", within(60), async () => {
    for (const name of ["late", "unwell", "over-again", "job"]) node.remove(`${name}.json`)
    const uids = uidsOf(await node.journal.events())
    for (const uid of uids) await node.waitFor("PodRemoved", undefined, { uid })
    for (const uid of uids) assert.deepEqual(await tracesOf(world, node, uid), [], uid)
    assert.deepEqual(await node.stop(), { code: 0, signal: null })
    await assertLogWhole(world, node)
    const file = join(node.options.dir, "incident.ndjson")
    assert.equal((await node.command("export", "--out", file)).code, 0)
    const replayed = await node.command("replay", file, "--verify")
    assert.equal(replayed.code, 0, replayed.stdout.slice(-2_000) + replayed.stderr)
  })
})
