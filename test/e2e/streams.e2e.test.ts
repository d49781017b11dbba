/** What a person sees of containers and reaches in them: logs, on a real containerd. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { NodeUnderTest } from "../support/agent.ts"
import { container, forever, pod } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const bursts = 100
const burstLines = 1000
const numbers = (text: string): ReadonlyArray<number> =>
  text
    .split("\n")
    .filter((line) => /^\d+$/u.test(line))
    .map(Number)
const everyNumber = Array.from({ length: bursts * burstLines }, (_, i) => i + 1)

describe("streams", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let links: string

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    const config = join(world.dir, "kubelet.yaml")
    writeFileSync(config, "{ containerLogMaxSize: 100Ki, containerLogMaxFiles: 20, containerLogMonitorInterval: 3s }")
    links = join(world.dir, "links")
    node = world.node("streams", { flags: ["--config", config, "--container-logs-dir", links] })
    // Bursts of lines, fast enough that every rotation falls into one.
    const burst = `seq $((i * ${burstLines} + 1)) $(((i + 1) * ${burstLines}))`
    const writer = `i=0; while [ $i -lt ${bursts} ]; do ${burst}; i=$((i + 1)); sleep 0.1; done; echo done`
    node.put("writer.json", pod("writer", { restartPolicy: "Never", containers: [container("app", writer)] }))
    node.put(
      "talker.json",
      pod("talker", {
        initContainers: [container("prepare", "echo prepared")],
        containers: [
          container("app", `echo to out; echo to err >&2; printf 'no line feed'; ${forever}`),
          container("long", `head -c 1000000 /dev/zero | tr '\\0' x; echo; printf '\\377\\000\\n'; ${forever}`)
        ]
      })
    )
    node.put("again.json", pod("again", { containers: [container("app", "echo life; exit 1")] }))
    await node.start()
    await node.waitFor("ContainerStarted", "pod/default/talker", { container: "long" })
    await node.waitFor("ContainerStarted", "pod/default/again", { attempt: 1 })
  })
  after(() => world?.close())

  it("prints logs: of one container, of all, of the life before, as JSON", within(60), async () => {
    const { code, stdout, stderr } = await node.command("logs", "default/talker")
    assert.equal(code, 0, stderr)
    assert.equal(stdout.split("\n").sort().slice(0, 3).join("|"), "|to err|to out")
    assert.match(stderr, /container app of: prepare, app, long/u)
    const all = await node.command("logs", "talker", "--all-containers", "--prefix", "--tail", "1", "--timestamps")
    assert.match(all.stdout, /^\[pod\/talker\/prepare\] \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z prepared$/mu)
    const long = await node.command("logs", "talker", "-c", "long", "-o", "json")
    const [line, binary] = long.stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text))
    assert.equal(line.log.length, 1_000_000)
    assert.equal(binary.base64, Buffer.from([0xff, 0x00]).toString("base64"))
    const before = await node.command("logs", "again", "--previous")
    assert.equal(before.stdout, "life\n", before.stderr)
  })

  it("follows a log across rotations, and no line is lost or doubled", within(120), async () => {
    await node.waitFor("ContainerStarted", "pod/default/writer")
    // Ends with the container.
    const followed = await node.command("logs", "writer", "--follow")
    assert.equal(followed.code, 0, followed.stderr)
    const rotations = await node.seen("LogRotated", "log/default/writer.app")
    assert.ok(rotations.length >= 2, `${rotations.length} rotations`)
    const { uid } = (await node.waitFor("PodAdmitted", "pod/default/writer")).data.pod.metadata
    const files = readdirSync(join(node.podLogs, `default_writer_${uid}`, "app"))
    assert.equal(files.length, rotations.length + 1, files.join())
    assert.equal(files.filter((name) => name.endsWith(".gz")).length, rotations.length - 1, files.join())
    assert.deepEqual(numbers(followed.stdout), everyNumber)
    const after = await node.command("logs", "writer")
    assert.deepEqual(numbers(after.stdout), everyNumber)
    const tail = await node.command("logs", "writer", "--tail", String(burstLines * 90))
    assert.equal(numbers(tail.stdout).length, burstLines * 90 - 1)
    assert.deepEqual(await node.seen("LogRotationFailed"), [])
  })

  it("keeps a link to each container's log, and takes everything away with the pod", within(60), async () => {
    const link = readdirSync(links).find((name) => name.startsWith("writer_default_app-")) ?? ""
    assert.match(readFileSync(join(links, link), "utf8"), /stdout F done/u)
    node.remove("writer.json")
    const removed = await node.waitFor("PodRemoved", "pod/default/writer")
    assert.equal(existsSync(join(node.podLogs, `default_writer_${removed.data.uid}`)), false)
    assert.deepEqual(
      readdirSync(links).filter((name) => name.startsWith("writer_")),
      []
    )
  })

  it("names what is near to a pod or container that is not there", within(30), async () => {
    const pod = await node.command("logs", "default/tolker")
    assert.equal(pod.code, 1)
    assert.match(pod.stderr, /pod default\/tolker is not on this node; did you mean default\/talker\?/u)
    const inPod = await node.command("logs", "default/talker", "-c", "ap")
    assert.match(inPod.stderr, /pod default\/talker has no container ap; did you mean app\?/u)
  })
})
