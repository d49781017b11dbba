/** What a person sees of containers and reaches in them: logs, on a real containerd. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { NodeUnderTest } from "../support/agent.ts"
import { container, forever, pod } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

describe("streams", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("streams")
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

  it("names what is near to a pod or container that is not there", within(30), async () => {
    const pod = await node.command("logs", "default/tolker")
    assert.equal(pod.code, 1)
    assert.match(pod.stderr, /pod default\/tolker is not on this node; did you mean default\/talker\?/u)
    const inPod = await node.command("logs", "default/talker", "-c", "ap")
    assert.match(inPod.stderr, /pod default\/talker has no container ap; did you mean app\?/u)
  })
})
