/** What a person sees of containers and reaches in them: logs, on a real containerd. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { chronode, eventually, type NodeUnderTest } from "../support/agent.ts"
import { container, forever, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

/** Runs `chronode WORDS` with these bytes as its stdin. */
const withInput = (node: NodeUnderTest, input: Uint8Array, ...words: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly stdout: Buffer; readonly stderr: string }>((done) => {
    const child = spawn(chronode, words, { env: { ...process.env, CHRONODE_DATA_DIR: node.dataDir } })
    const out: Array<Buffer> = []
    let stderr = ""
    child.stdout.on("data", (bytes: Buffer) => out.push(bytes))
    child.stderr.on("data", (bytes: Buffer) => {
      stderr += bytes.toString("utf8")
    })
    child.once("close", (code) => done({ code, stdout: Buffer.concat(out), stderr }))
    child.stdin.end(input)
  })

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
    const configuration = { containerLogMaxSize: "100Ki", containerLogMaxFiles: 20, containerLogMonitorInterval: "3s" }
    links = join(world.dir, "links")
    node = world.node("streams", { configuration, flags: ["--container-logs-dir", links] })
    // Bursts of lines, fast enough that every rotation falls into one.
    const burst = `seq $((i * ${burstLines} + 1)) $(((i + 1) * ${burstLines}))`
    const writer = `i=0; while [ $i -lt ${bursts} ]; do ${burst}; i=$((i + 1)); sleep 0.1; done; echo done`
    node.put(
      "server.json",
      pod("server", {
        containers: [
          container("app", webServer),
          container("console", "while read line; do echo got $line; done; echo over; sleep 1000", { stdin: true })
        ]
      })
    )
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
    // All but the newest of the rotated ones are packed; one more rotation may be under way.
    assert.ok(files.length > rotations.length, files.join())
    assert.ok(files.filter((name) => name.endsWith(".gz")).length >= rotations.length - 1, files.join())
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

  it("runs commands in a container: output, exit code, stdin to its end, refusals", within(60), async () => {
    const both = await node.command(
      "exec",
      "server",
      "-c",
      "app",
      "--",
      "sh",
      "-c",
      "echo to out; echo to err >&2; exit 7"
    )
    assert.deepEqual(both, { code: 7, stdout: "to out\n", stderr: "to err\n" })
    // Bytes of any value, more than one frame, and an end that the command sees.
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256))
    const counted = await withInput(node, bytes, "exec", "server", "-c", "app", "-i", "--", "sh", "-c", "cat; exit 3")
    assert.equal(counted.code, 3, counted.stderr)
    assert.ok(counted.stdout.equals(bytes), `${counted.stdout.length} bytes came back`)
    const missing = await node.command("exec", "server", "-c", "app", "--", "no-such-command")
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /no-such-command/u)
    const ended = await node.command("exec", "again", "--", "true")
    assert.match(ended.stderr, /does not run/u)
  })

  it("attaches to a container's own process", within(60), async () => {
    const attached = spawn(chronode, ["attach", "server", "-c", "console", "-i", "--data-dir", node.dataDir])
    let out = ""
    attached.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    const ended = new Promise<number | null>((done) => attached.once("close", done))
    attached.stdin.write("one\n")
    await eventually("the answer of the process", () => (out.includes("got one") ? true : undefined))
    process.kill(attached.pid ?? 0, "SIGINT")
    assert.equal(await ended, 130)
    const refused = await node.command("attach", "server", "-c", "app", "-i")
    assert.match(refused.stderr, /container default\/server\/app has no stdin/u)
  })

  it("forwards ports to a pod, several connections at once, until Ctrl-C", within(60), async () => {
    const forwarding = spawn(chronode, ["port-forward", "server", ":8080", ":9", "--data-dir", node.dataDir])
    const ended = new Promise<number | null>((done) => forwarding.once("close", done))
    let out = ""
    let err = ""
    forwarding.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    forwarding.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text
    })
    const ports = await eventually("two ports", () => {
      const found = [...out.matchAll(/forwarding 127\.0\.0\.1:(\d+) to port/gu)].map(([, port]) => port)
      return found.length === 2 ? found : undefined
    })
    const get = async () =>
      (await fetch(`http://127.0.0.1:${ports[0]}/ok`, { headers: { connection: "close" } })).text()
    assert.deepEqual(await Promise.all([get(), get(), get()]), ["yes\n", "yes\n", "yes\n"])
    // Nobody listens there: the connection ends, and the reason is told.
    await assert.rejects(fetch(`http://127.0.0.1:${ports[1]}/`))
    await eventually("the reason", () => (/port 9: .*connection refused/u.test(err) ? true : undefined))
    process.kill(forwarding.pid ?? 0, "SIGINT")
    assert.equal(await ended, 0)
  })

  it("removes the log of a dead container with it", within(60), async () => {
    const { containerId } = (await node.waitFor("ContainerRemoved", "pod/default/again")).data
    const { uid } = (await node.waitFor("PodAdmitted", "pod/default/again")).data.pod.metadata
    const files = () => readdirSync(join(node.podLogs, `default_again_${uid}`, "app"))
    assert.ok(!files().includes("0.log"), files().join())
    assert.ok(files().length > 0)
    assert.ok(!readdirSync(links).some((name) => name.includes(containerId)))
  })

  it("names what is near to a pod or container that is not there", within(30), async () => {
    const pod = await node.command("logs", "default/tolker")
    assert.equal(pod.code, 1)
    assert.match(pod.stderr, /pod default\/tolker is not on this node; did you mean default\/talker\?/u)
    const inPod = await node.command("logs", "default/talker", "-c", "ap")
    assert.match(inPod.stderr, /pod default\/talker has no container ap; did you mean app\?/u)
  })
})
