// runtimes: bun deno
/** The life of pods, from a manifest to nothing left behind, by the agent on a real containerd. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { freePort } from "../../scripts/lab/free-port.ts"
import type { NodeUnderTest } from "../support/agent.ts"
import type { Happened } from "../support/journal-tail.ts"
import {
  assertLogWhole,
  assertNetworksMatch,
  assertNoStrays,
  containersOf,
  sandboxesOf,
  tracesOf,
  uidsOf
} from "./checks.ts"
import { container, forever, httpGet, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const get = (host: string, port: number, path: string): Promise<number | undefined> =>
  new Promise((done, failed) => {
    const call = request({ host, port, path, timeout: 5_000 }, (response) => {
      response.resume()
      done(response.statusCode)
    })
    call.once("error", failed)
    call.end()
  })

const index = (events: ReadonlyArray<Happened>, event: Happened): number => events.indexOf(event)

describe("pods", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let hostPort: number
  const uidOf = async (name: string): Promise<string> =>
    (await node.waitFor("PodAdmitted", `pod/default/${name}`)).data.pod.metadata.uid
  const containerId = async (name: string, of: string): Promise<string> =>
    (await node.waitFor("ContainerStarted", `pod/default/${name}`, { container: of })).data.containerId
  const run = async (id: string, ...command: ReadonlyArray<string>): Promise<string> => {
    const { stdout, exitCode } = await world.ask((runtime) => runtime.execSync(id, command, 10))
    assert.equal(exitCode, 0, command.join(" "))
    return Buffer.from(stdout).toString("utf8")
  }
  const phase = (name: string, to: string, limit?: number): Promise<Happened> =>
    node.waitFor("PodPhaseChanged", `pod/default/${name}`, { to }, limit === undefined ? {} : { limit })

  // All pods come at once, as on a node that starts: what takes long does so for all together.
  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("alpha")
    hostPort = await freePort()
    const kept = join(world.dir, "kept")
    mkdirSync(kept)
    writeFileSync(join(kept, "note"), "from the host\n")
    const shared = { volumeMounts: [{ name: "shared", mountPath: "/shared" }] }
    node.put(
      "full.json",
      pod(
        "full",
        {
          initContainers: [container("prepare", "echo prepared > /shared/greeting; echo init speaks", shared)],
          containers: [
            container("server", `echo starting up; cp /shared/greeting /tmp; ${webServer}`, {
              ...shared,
              env: [
                { name: "PLACE", value: "world" },
                { name: "GREETING", value: "hello $(PLACE) $$(PLACE) $(UNKNOWN)" }
              ],
              ports: [{ name: "http", containerPort: 8080, hostPort }],
              resources: { requests: { cpu: "100m", memory: "16Mi" }, limits: { cpu: "500m", memory: "64Mi" } },
              readinessProbe: httpGet("/ok")
            }),
            container("reader", forever, {
              volumeMounts: [
                { name: "shared", mountPath: "/shared", readOnly: true },
                { name: "host", mountPath: "/host" },
                { name: "fast", mountPath: "/fast" }
              ]
            })
          ],
          volumes: [
            { name: "shared", emptyDir: {} },
            { name: "host", hostPath: { path: kept, type: "Directory" } },
            { name: "fast", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }
          ]
        },
        { labels: { app: "full", tier: "test" }, annotations: { "example.org/note": "kept as it is" } }
      )
    )
    node.put(
      "crash.json",
      pod("crash", { containers: [container("app", "echo 'no database' > /dev/termination-log; exit 3")] })
    )
    node.put(
      "waiting.json",
      pod("waiting", {
        containers: [container("app", forever, { volumeMounts: [{ name: "late", mountPath: "/late" }] })],
        volumes: [{ name: "late", hostPath: { path: join(world.dir, "late"), type: "Directory" } }]
      })
    )
    const mark = { volumeMounts: [{ name: "mark", mountPath: "/mark" }] }
    const once = "if [ -e /mark/again ]; then exit 0; fi; touch /mark/again; exit 7"
    node.put(
      "on-failure.json",
      pod("on-failure", {
        restartPolicy: "OnFailure",
        containers: [container("app", once, mark)],
        volumes: [{ name: "mark", emptyDir: {} }]
      })
    )
    node.put(
      "never.json",
      pod("never", { restartPolicy: "Never", containers: [container("bad", "exit 5"), container("good", "exit 0")] })
    )
    node.put(
      "stubborn.json",
      pod("stubborn", {
        containers: [container("app", "trap '' TERM; while :; do sleep 1; done"), container("polite", forever)]
      })
    )
    node.put("changing.json", pod("changing", { containers: [container("app", `echo first; ${forever}`)] }))
    await node.start()
  })
  after(async () => {
    await world?.close()
  })

  it("run init containers first, one after another, then all others at once", within(40), async () => {
    await node.waitFor("ContainerReadinessChanged", "pod/default/full", { container: "server", ready: true })
    await containerId("full", "reader")
    const events = await node.journal.events()
    const [ended] = await node.seen("ContainerExited", "pod/default/full", { container: "prepare", exitCode: 0 })
    const starts = await node.seen("ContainerStartRequested", "pod/default/full")
    assert.deepEqual(
      starts.map(({ data }) => data.container),
      ["prepare", "server", "reader"]
    )
    assert.ok(index(events, ended!) < index(events, starts[1]!), "the init container has ended before the others start")
    assert.equal(starts[1]!.cause, ended!.id)
    const conditions = (await node.seen("PodConditionChanged", "pod/default/full", { status: true })).map(
      ({ data }) => data.condition
    )
    assert.deepEqual(conditions, [
      "PodScheduled",
      "PodReadyToStartContainers",
      "Initialized",
      "ContainersReady",
      "Ready"
    ])
  })

  it("share an emptyDir, which may be memory, and see a hostPath", within(20), async () => {
    const reader = await containerId("full", "reader")
    assert.equal(await run(reader, "cat", "/shared/greeting"), "prepared\n")
    assert.equal(await run(reader, "cat", "/host/note"), "from the host\n")
    assert.match(await run(reader, "grep", " /fast ", "/proc/mounts"), /^tmpfs \/fast tmpfs .*size=1024k/)
    const { exitCode } = await world.ask((runtime) => runtime.execSync(reader, ["touch", "/shared/new"], 10))
    assert.notEqual(exitCode, 0, "a read-only mount is read-only")
  })

  it("write logs where kubelet would, in the format of CRI", within(20), async () => {
    const dir = join(node.podLogs, `default_full_${await uidOf("full")}`)
    const line = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) stdout F (.*)$/
    assert.equal(line.exec(readFileSync(join(dir, "prepare/0.log"), "utf8").trim())?.[1], "init speaks")
    assert.equal(line.exec(readFileSync(join(dir, "server/0.log"), "utf8").split("\n")[0] ?? "")?.[1], "starting up")
  })

  it("carry the labels and annotations by which other tools know them", within(20), async () => {
    const uid = await uidOf("full")
    const identity = {
      "io.kubernetes.pod.name": "full",
      "io.kubernetes.pod.namespace": "default",
      "io.kubernetes.pod.uid": uid
    }
    const [sandbox] = await sandboxesOf(world, uid)
    assert.deepEqual(sandbox?.labels, { app: "full", tier: "test", ...identity })
    assert.deepEqual(sandbox?.metadata, { name: "full", uid, namespace: "default", attempt: 0 })
    const { "kubernetes.io/config.seen": seenAt, ...annotations } = sandbox!.annotations
    assert.ok(!Number.isNaN(Date.parse(seenAt!)), seenAt)
    assert.deepEqual(annotations, {
      "example.org/note": "kept as it is",
      "kubernetes.io/config.source": "file",
      "kubernetes.io/config.hash": uid
    })
    const server = (await containersOf(world, uid)).find((c) => c.metadata.name === "server")
    assert.deepEqual(server?.labels, { ...identity, "io.kubernetes.container.name": "server" })
    const { "io.kubernetes.container.hash": hash, ...rest } = server!.annotations
    assert.match(hash!, /^[0-9a-f]{1,8}$/)
    assert.deepEqual(rest, {
      "io.kubernetes.container.restartCount": "0",
      "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
      "io.kubernetes.container.terminationMessagePolicy": "File",
      "io.kubernetes.pod.terminationGracePeriod": "2",
      "io.kubernetes.container.ports": JSON.stringify([
        { name: "http", hostPort, containerPort: 8080, protocol: "TCP" }
      ])
    })
  })

  it("get their environment with references filled in, and no value stands in the log", within(20), async () => {
    const server = await containerId("full", "server")
    const env = await run(server, "env")
    assert.match(env, /^GREETING=hello world \$\(PLACE\) \$\(UNKNOWN\)$/m)
    const journal = (await node.journal.events()).map(({ line }) => line).join("\n")
    assert.ok(!journal.includes("hello $(PLACE)") && !journal.includes("hello world"), "an env value is in the journal")
    const written = (await node.waitFor("PodAdmitted", "pod/default/full")).data.pod.spec.containers[0].env
    assert.match(written[0].valueHash, /^[0-9a-f]{16}$/)
  })

  it("answer on their ports, on the pod's address and on the host's", within(20), async () => {
    const [ip] = (await node.waitFor("SandboxCreated", "pod/default/full")).data.ips
    assert.equal(await get(ip, 8080, "/ok"), 200)
    const rules = execFileSync("iptables-save", ["-t", "nat"], { encoding: "utf8" })
    assert.match(rules, new RegExp(`--dport ${hostPort} -j DNAT --to-destination ${ip}:8080`))
  })

  it("get the cgroup and the limits that their resources ask for", within(20), async () => {
    const uid = await uidOf("full")
    const id = await containerId("full", "server")
    const place = `${node.cgroupRoot.slice(1)}/kubepods/burstable/pod${uid}/${id}`
    const read = (...names: ReadonlyArray<string>): string => {
      const path = names.map((name) => join("/sys/fs/cgroup", name)).find((name) => existsSync(name))
      assert.ok(path !== undefined, `none of ${names.join(", ")}`)
      return readFileSync(path, "utf8").trim()
    }
    assert.equal(read(`memory/${place}/memory.limit_in_bytes`, `${place}/memory.max`), String(64 * 2 ** 20))
    const quota = read(`cpu/${place}/cpu.cfs_quota_us`, `cpu,cpuacct/${place}/cpu.cfs_quota_us`, `${place}/cpu.max`)
    assert.match(quota, /^50000(?: 100000)?$/)
    // cpu.weight (cgroup v2) is on a scale of its own; 102 shares are 4 of it.
    assert.ok(
      ["102", "4"].includes(read(`cpu/${place}/cpu.shares`, `cpu,cpuacct/${place}/cpu.shares`, `${place}/cpu.weight`))
    )
    const score = execFileSync("sh", [
      "-c",
      `cat /proc/$(head -1 /sys/fs/cgroup/memory/${place}/cgroup.procs 2>/dev/null || head -1 /sys/fs/cgroup/${place}/cgroup.procs)/oom_score_adj`
    ])
    assert.ok(Number(score) > 2 && Number(score) < 1000, `a Burstable pod's oom_score_adj is between: ${score}`)
  })

  it("wait for a hostPath that is missing, and start when it appears", within(40), async () => {
    const failed = await node.waitFor("VolumeMountFailed", "volume/default/waiting.late", { message: /late/ })
    assert.match(failed.data.message, /hostPath type check failed: .*\/late is not a directory/)
    assert.deepEqual(await node.seen("SandboxRequested", "pod/default/waiting"), [])
    mkdirSync(join(world.dir, "late"))
    await containerId("waiting", "app")
  })

  it("end as Succeeded or Failed by their restart policy", within(40), async () => {
    await phase("on-failure", "Succeeded")
    const exits = await node.seen("ContainerExited", "pod/default/on-failure")
    assert.deepEqual(
      exits.map(({ data }) => [data.exitCode, data.attempt]),
      [
        [7, 0],
        [0, 1]
      ]
    )
    await phase("never", "Failed")
    assert.equal((await node.seen("ContainerStartRequested", "pod/default/never")).length, 2, "nothing is restarted")
    await node.waitFor("SandboxStopped", "pod/default/never")
    const uid = await uidOf("never")
    assert.equal((await containersOf(world, uid)).length, 2, "dead containers stay to be looked at")
  })

  it(
    "are replaced when their manifest changes: the old one ends wholly, then the new one starts",
    within(40),
    async () => {
      const first = await containerId("changing", "app")
      const before = await uidOf("changing")
      node.put("changing.json", pod("changing", { containers: [container("app", `echo second; ${forever}`)] }))
      const removed = await node.waitFor("PodRemoved", "pod/default/changing", { uid: before })
      const started = await node.waitFor("ContainerStarted", "pod/default/changing", {}, { after: removed.sequence })
      assert.notEqual(started.data.containerId, first)
      const queued = await node.waitFor("PodReplacementQueued", "pod/default/changing")
      const [ended] = await node.seen("PodTerminationRequested", "pod/default/changing", {
        reason: "DefinitionChanged"
      })
      assert.equal(ended?.cause, queued.id)
      const requested = await node.waitFor("SandboxRequested", "pod/default/changing", {}, { after: removed.sequence })
      assert.ok(requested.sequence > removed.sequence)
      assert.deepEqual(await tracesOf(world, node, before), [])
    }
  )

  it("leave nothing behind when their manifest goes while they start", within(40), async () => {
    node.put(
      "short.json",
      pod("short", { initContainers: [container("init", "sleep 1")], containers: [container("app", forever)] })
    )
    await node.waitFor("SandboxRequested", "pod/default/short")
    node.remove("short.json")
    const removed = await node.waitFor("PodRemoved", "pod/default/short")
    assert.deepEqual(await tracesOf(world, node, removed.data.uid), [])
  })

  it("are stopped within their grace period: first asked, then killed", within(40), async () => {
    await containerId("stubborn", "app")
    await containerId("stubborn", "polite")
    node.remove("stubborn.json")
    await node.waitFor("PodRemoved", "pod/default/stubborn")
    const [polite] = await node.seen("ContainerExited", "pod/default/stubborn", { container: "polite" })
    assert.equal(polite?.data.exitCode, 0)
    const [killed] = await node.seen("ContainerExited", "pod/default/stubborn", { container: "app" })
    assert.deepEqual([killed?.data.exitCode, killed?.data.signal], [137, 9])
    const [asked] = await node.seen("ContainerKillRequested", "pod/default/stubborn", {
      container: "app",
      gracePeriodSeconds: 2
    })
    const waited = Date.parse(killed!.data.finishedAt) - Date.parse(asked!.time)
    assert.ok(waited >= 1_900, `killed after ${waited} ms, before its 2 s of grace were over`)
    assert.equal(killed?.cause, asked?.id)
  })

  it("are restarted at once after their first crash, then after a back-off of 10 s", { ...within(60) }, async () => {
    const second = await node.waitFor("ContainerStarted", "pod/default/crash", { attempt: 2 })
    const [first, again] = await node.seen("ContainerExited", "pod/default/crash")
    assert.deepEqual([first?.data.exitCode, first?.data.message, first?.data.reason], [3, "no database\n", "Error"])
    const waits = await node.seen("ContainerBackOffStarted", "pod/default/crash")
    assert.deepEqual(waits.map(({ data }) => data.delaySeconds).slice(0, 2), [10, 20].slice(0, waits.length))
    const pause = Date.parse(second.data.startedAt) - Date.parse(again!.data.finishedAt)
    assert.ok(pause >= 10_000, `restarted ${pause} ms after its second end`)
    const removed = await node.waitFor("ContainerRemoved", "pod/default/crash")
    assert.equal(removed.data.containerId, first?.data.containerId, "only the newest dead container is kept")
    const views = (await node.json("get", "containers")) as ReadonlyArray<Record<string, unknown>>
    const view = views.find((v) => v.pod === "crash")
    assert.ok(Number(view?.restarts) >= 2, JSON.stringify(view))
  })

  // conformance: Pods should be submitted and removed
  it("leave no sandbox, container, mount, directory, cgroup, log or network behind", within(60), async () => {
    for (const name of ["full", "crash", "waiting", "on-failure", "never", "changing"]) node.remove(`${name}.json`)
    const uids = uidsOf(await node.journal.events())
    for (const uid of uids) await node.waitFor("PodRemoved", undefined, { uid })
    for (const uid of uids) assert.deepEqual(await tracesOf(world, node, uid), [], uid)
    await assertNetworksMatch(world)
    await assertNoStrays(world, node)
  })

  it("are told of in a log that is whole, published, and replays to the same decisions", within(60), async () => {
    assert.deepEqual(await node.stop(), { code: 0, signal: null })
    await assertLogWhole(world, node)
    assert.deepEqual(
      (await node.journal.events()).filter(({ tag }) => /^Actor(?:Failed|Escalated)$/.test(tag)),
      []
    )
    const file = join(node.options.dir, "incident.ndjson")
    assert.equal((await node.command("export", "--out", file)).code, 0)
    const replayed = await node.command("replay", file, "--verify")
    assert.equal(replayed.code, 0, replayed.stdout.slice(-2_000) + replayed.stderr)
  })
})
