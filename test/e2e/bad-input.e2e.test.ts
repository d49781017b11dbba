/** Bad manifests, images, commands, neighbours and second agents cost only themselves: one good pod runs through it all. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { freePort } from "../../scripts/lab/free-port.ts"
import { startNats } from "../../scripts/lab/nats.ts"
import { eventually, type NodeUnderTest } from "../support/agent.ts"
import { assertLogWhole, assertPublished, containersOf, tracesOf } from "./checks.ts"
import { container, forever, httpGet, pod, webServer } from "./manifests.ts"
import { type Registry, startRegistry } from "./registry.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const good = "pod/default/good"

describe("bad input", { concurrency: false }, () => {
  let world: World
  let registry: Registry
  let node: NodeUnderTest
  const invalid = async (file: string, data: Readonly<Record<string, unknown>> = {}) =>
    (await node.waitFor("ManifestInvalid", undefined, { file: join(node.manifests, file), ...data })).data
  const manifest = (name: string) => pod(name, { containers: [container("app", forever)] })

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    registry = await startRegistry()
    node = world.node("sturdy")
    node.put(
      "good.json",
      pod("good", { containers: [container("app", webServer, { readinessProbe: httpGet("/ok") })] })
    )
    await node.start()
    await node.waitFor("ContainerReadinessChanged", good, { ready: true })
  })
  after(async () => {
    await registry?.stop()
    await world?.close()
  })

  it("of malformed YAML is told with file, line and column", within(20), async () => {
    node.put("malformed.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels: {a: b\nspec: {}\n")
    const { line, message } = await invalid("malformed.yaml")
    assert.ok(line >= 5 && line <= 6, `line ${line}`)
    assert.match(message, /YAML/)
  })

  it("of a wrong type is told with line, column and field", within(20), async () => {
    node.put(
      "typed.yaml",
      [
        "apiVersion: v1",
        "kind: Pod",
        "metadata: {name: typed}",
        "spec:",
        "  containers:",
        "    - name: app",
        "      image: x",
        "      ports:",
        "        - containerPort: eighty",
        ""
      ].join("\n")
    )
    const { line, column, field } = await invalid("typed.yaml")
    assert.deepEqual([line, column, field], [9, 26, "spec.containers[0].ports[0].containerPort"])
  })

  it("with unknown fields is a warning, and the pod runs", within(30), async () => {
    node.put("extra.json", pod("extra", { containers: [container("app", forever, { imagePullPolcy: "Never" })] }))
    const ignored = await node.waitFor("ManifestFieldIgnored", undefined, {
      field: "spec.containers[0].imagePullPolcy"
    })
    assert.equal(ignored.data.file, join(node.manifests, "extra.json"))
    await node.waitFor("ContainerStarted", "pod/default/extra")
    node.remove("extra.json")
  })

  it("that names a pod twice keeps the first", within(30), async () => {
    node.put("zz-again.json", pod("good", { containers: [container("other", forever)] }))
    assert.match((await invalid("zz-again.json")).message, /good/)
    node.remove("zz-again.json")
  })

  it("with a name that is no DNS name is refused", within(20), async () => {
    node.put("named.json", manifest("Not_A_Name"))
    assert.equal((await invalid("named.json")).field, "metadata.name")
  })

  it("of 10 MB is refused unread, and nothing waits for it", within(30), async () => {
    writeFileSync(join(node.manifests, "huge.yaml"), `# ${"x".repeat(10 * 1024 * 1024)}\n`)
    assert.match((await invalid("huge.yaml")).message, /MiB|bytes|large/)
    node.remove("huge.yaml")
  })

  it("as the new version of a file keeps the pod of the last good one", within(30), async () => {
    node.put("edited.json", manifest("edited"))
    const { data } = await node.waitFor("ContainerStarted", "pod/default/edited")
    node.put("edited.json", '{"apiVersion": "v1", "kind": "Pod", ')
    await invalid("edited.json")
    const { subject } = await node.waitFor("PodAdmitted", "pod/default/edited")
    const [app] = await containersOf(world, subject!)
    assert.deepEqual([app?.id, app?.state], [data.containerId, "CONTAINER_RUNNING"])
    node.remove("edited.json")
    await node.waitFor("PodRemoved", "pod/default/edited")
  })

  it(
    "as an image that does not exist makes the pod wait and try again, and it starts when there is one",
    within(60),
    async () => {
      const image = registry.image("late", "missing")
      node.put(
        "pulling.json",
        pod("pulling", { containers: [container("app", forever, { image }), container("side", forever)] })
      )
      const failed = await node.waitFor("ImagePullFailed", undefined, { image })
      assert.equal(failed.data.reason, "ErrImagePull")
      const wait = Date.parse(failed.data.retryAt) - Date.parse(failed.time)
      assert.ok(wait >= 9_900 && wait <= 10_100, `tried again after ${wait} ms`)
      await node.waitFor("ContainerWaiting", "pod/default/pulling", { container: "app", reason: "ErrImagePull" })
      await node.waitFor("ContainerStarted", "pod/default/pulling", { container: "side" })
      node.put(
        "never.json",
        pod("never", {
          containers: [container("app", forever, { image: registry.image("other"), imagePullPolicy: "Never" })]
        })
      )
      await node.waitFor("ContainerWaiting", "pod/default/never", { reason: "ErrImageNeverPull" })
      node.put("word.json", pod("word", { containers: [container("app", forever, { image: "Not An Image" })] }))
      await node.until("the image name is refused", (events) =>
        events.find(
          (e) =>
            (e.tag === "ContainerWaiting" && e.data.reason === "InvalidImageName") ||
            (e.tag === "ManifestInvalid" && /word/.test(e.data.file))
        )
      )
      node.put(
        "pulling.json",
        pod("pulling", {
          containers: [container("app", forever, { image: registry.image("late") }), container("side", forever)]
        })
      )
      await node.waitFor("ImagePulled", undefined, { image: registry.image("late") })
      await node.waitFor("ContainerStarted", "pod/default/pulling", { container: "app" })
      for (const name of ["pulling", "never", "word"]) node.remove(`${name}.json`)
      await node.waitFor("PodRemoved", "pod/default/never")
    }
  )

  it(
    "as a command that does not exist is told, tried again as another attempt, and leaves no dead containers",
    within(60),
    async () => {
      const broken = { ...container("app", ""), command: ["/no/such/program"] }
      node.put("command.json", pod("command", { containers: [broken] }))
      const first = await node.waitFor("ContainerStartFailed", "pod/default/command", { attempt: 0 })
      assert.equal(first.data.reason, "RunContainerError")
      assert.match(first.data.message, /no such file/)
      const second = await node.waitFor("ContainerStartFailed", "pod/default/command", { attempt: 1 })
      assert.match(second.data.message, /no such file/)
      await node.waitFor("ContainerRemoved", "pod/default/command")
      node.remove("command.json")
      const removed = await node.waitFor("PodRemoved", "pod/default/command")
      assert.deepEqual(await tracesOf(world, node, removed.data.uid), [])
    }
  )

  it("as a name that is too long is refused, and one that just fits runs and leaves nothing", within(40), async () => {
    node.put("long.json", manifest("n".repeat(253)))
    const { field, message } = await invalid("long.json")
    assert.equal(field, "metadata.name")
    assert.match(message, /too long.*255/)
    const name = "n".repeat(214)
    node.put("long.json", manifest(name))
    await node.waitFor("ContainerStarted", `pod/default/${name}`)
    node.remove("long.json")
    const removed = await node.waitFor("PodRemoved", `pod/default/${name}`)
    assert.deepEqual(await tracesOf(world, node, removed.data.uid), [])
  })

  it(
    "as a combination that cannot be is refused with its field, like a path that leads upwards",
    within(30),
    async () => {
      const limits = { requests: { memory: "64Mi" }, limits: { memory: "32Mi" } }
      const volume = { volumes: [{ name: "up", hostPath: { path: "/var/../etc" } }] }
      const cases: ReadonlyArray<readonly [file: string, pod: object, field: RegExp, message: RegExp]> = [
        [
          "limit.json",
          pod("limit", { containers: [container("app", forever, { resources: limits })] }),
          /requests.*memory/,
          /more than/
        ],
        ["up.json", pod("up", { ...volume, containers: [container("app", forever)] }), /hostPath\.path/, /\.\./],
        [
          "both.json",
          pod("both", { hostPID: true, shareProcessNamespace: true, containers: [container("app", forever)] }),
          /shareProcessNamespace/,
          /hostPID/
        ],
        [
          "mirror.json",
          pod(
            "mirror",
            { containers: [container("app", forever)] },
            { annotations: { "kubernetes.io/config.mirror": "x" } }
          ),
          /annotations/,
          /copy/
        ]
      ]
      for (const [file, wrong] of cases) node.put(file, wrong)
      for (const [file, , field, message] of cases) {
        const told = await invalid(file)
        assert.match(told.field, field)
        assert.match(told.message, message)
        assert.ok(told.line >= 1, `${file} has no line`)
        node.remove(file)
      }
    }
  )

  it("as a line of 1 MiB, or bytes that are no text, is in the log as it was written", within(40), async () => {
    const script = [
      "echo before",
      "head -c 1048576 /dev/zero | tr '\\0' x",
      "echo",
      "printf '\\000\\377\\376\\033[31m\\n'",
      "echo after",
      forever
    ].join("; ")
    node.put("loud.json", pod("loud", { containers: [container("app", script)] }))
    await node.waitFor("ContainerStarted", "pod/default/loud")
    const lines = await eventually("the whole log is there", async () => {
      const { stdout } = await node.command("logs", "default/loud")
      return stdout.endsWith("after\n") ? stdout.split("\n") : undefined
    })
    assert.deepEqual([lines[0], lines.length], ["before", 5])
    assert.equal(lines[1], "x".repeat(1024 * 1024))
    assert.match(lines[2] ?? "", /^\0.*\[31m$/)
    assert.ok((await node.command("get", "pods")).stdout.includes("loud"))
    node.remove("loud.json")
    await node.waitFor("PodRemoved", "pod/default/loud")
  })

  it("as a container that ignores SIGTERM ends when its time is over, and its pod with it", within(30), async () => {
    node.put(
      "deaf.json",
      pod("deaf", {
        terminationGracePeriodSeconds: 3,
        containers: [container("app", "trap '' TERM; echo up; while :; do sleep 1; done")]
      })
    )
    await node.waitFor("ContainerStarted", "pod/default/deaf")
    await eventually("it ignores the signal", async () =>
      (await node.command("logs", "default/deaf")).stdout.includes("up") ? true : undefined
    )
    node.remove("deaf.json")
    const asked = await node.waitFor("PodTerminationRequested", "pod/default/deaf")
    const ended = await node.waitFor("ContainerExited", "pod/default/deaf")
    assert.deepEqual([ended.data.exitCode, ended.data.signal], [137, 9])
    const took = Date.parse(ended.time) - Date.parse(asked.time)
    assert.ok(took >= 2_500 && took < 8_000, `it took ${took} ms`)
    const removed = await node.waitFor("PodRemoved", "pod/default/deaf")
    assert.deepEqual(await tracesOf(world, node, removed.data.uid), [])
  })

  it("as a second agent on the same data directory is refused with a message", within(20), async () => {
    const cri = node.options.cri!
    const { code, stderr } = await node.command(
      "run",
      "--manifests",
      node.manifests,
      "--cri",
      cri,
      "--no-nats",
      "--data-dir",
      node.dataDir
    )
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`in use by process ${node.running?.pid}`))
    assert.match(stderr, /data directory/)
  })

  it("as a NATS that goes and comes back loses nothing", within(60), async () => {
    await world.nats.kill()
    const gone = await node.waitFor("StreamDisconnected")
    node.put("meanwhile.json", manifest("meanwhile"))
    await node.waitFor("ContainerStarted", "pod/default/meanwhile")
    node.remove("meanwhile.json")
    await node.waitFor("PodRemoved", "pod/default/meanwhile")
    await world.nats.restart()
    const back = await node.waitFor("StreamConnected", undefined, {}, { after: gone.sequence })
    assert.ok(back.data.lag > 0, "it says how much it is behind")
    await assertPublished(world, node)
  })

  it("as a NATS that is not there, or a wrong password, holds up no pod", within(90), async () => {
    const locked = await startNats(join(world.dir, "locked"), { user: "node", password: "right" })
    const away = await freePort()
    const wrong = world.node("wrong", { nats: `nats://node:wrong@127.0.0.1:${locked.port}` })
    const absent = world.node("absent", { nats: `nats://127.0.0.1:${away}` })
    let late: Awaited<ReturnType<typeof startNats>> | undefined
    try {
      for (const other of [wrong, absent]) {
        other.put("app.json", manifest("app"))
        await other.start()
        await other.waitFor("ContainerStarted", "pod/default/app")
        await other.waitFor("StreamDisconnected")
      }
      const { data } = await wrong.waitFor("StreamDisconnected")
      assert.match(data.message, /[Aa]uth/)
      assert.ok(
        !(await wrong.journal.events()).some(({ line }) => line.includes("wrong@")),
        "the password is not in the log"
      )
      assert.ok(!wrong.log().includes("wrong@"), "nor in the agent's log")
      late = await startNats(join(world.dir, "late"), { port: away })
      await absent.waitFor("StreamConnected")
      for (const other of [wrong, absent]) {
        other.remove("app.json")
        await other.waitFor("PodRemoved", "pod/default/app")
        await other.stop()
      }
      await assertPublished({ ...world, nats: late }, absent)
    } finally {
      await late?.kill()
      await locked.kill()
    }
  })

  it("disturbs no other pod; a SIGTERM neither: its containers run on", within(60), async () => {
    const ready = await node.waitFor("ContainerReadinessChanged", good, { ready: true })
    const touched = (await node.journal.events()).filter((e) => e.sequence > ready.sequence && e.actor === good)
    assert.deepEqual(
      touched.filter(({ tag }) => tag !== "PodConditionChanged").map(({ tag }) => tag),
      []
    )
    assert.deepEqual(
      (await node.journal.events()).filter(({ tag }) => /^Actor(?:Failed|Escalated)$/.test(tag)),
      []
    )
    assert.deepEqual(await node.stop("SIGTERM"), { code: 0, signal: null })
    const last = (await node.journal.events()).at(-1)
    assert.deepEqual([last?.tag, last?.data.reason], ["NodeStopped", "SIGTERM"])
    const [container] = await containersOf(world, ready.subject!)
    assert.equal(container?.state, "CONTAINER_RUNNING")
    await assertLogWhole(world, node)
    await node.start()
    await eventually("the agent looks after it again", async () =>
      (await node.command("get", "pods")).stdout.includes("1/1") ? true : undefined
    )
    assert.equal((await node.seen("ContainerStarted", good)).length, 1)
  })
})
