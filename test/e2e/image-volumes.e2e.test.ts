// runtimes: bun
/** Volumes that are images, by the agent on a containerd that mounts them, and on one that would mount nothing. */
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, realpathSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { busyboxImage } from "../../scripts/lab/image.ts"
import { NodeUnderTest } from "../support/agent.ts"
import { container, forever, pod } from "./manifests.ts"

const newer = fileURLToPath(new URL("../../.cache/lab/containerd/sid", import.meta.url))
const skip =
  whyNoContainerd() ??
  (existsSync(join(newer, "containerd"))
    ? undefined
    : "needs a containerd of 2.1 or newer (scripts/lab/newer-containerd.sh)")
const given = { timeout: 60_000, ...(skip === undefined ? {} : { skip }) }

const missing = "127.0.0.1:9/none:1"
const volume = (reference: string) => ({ name: "tools", image: { reference, pullPolicy: "IfNotPresent" } })
const at = (mountPath: string, more = {}) => ({ name: "tools", mountPath, ...more })
const seen = "echo seen > /dev/termination-log"
const looksAtAll = `test -x /tools/bin/busybox || exit 1; touch /tools/new 2> /dev/null && exit 2; ${seen}`
const looksAtParts = `test -x /part/busybox || exit 1; test -x /expanded/busybox || exit 2; ${seen}`

describe("a volume that is an image", given, () => {
  let dir: string
  let able: LabContainerd
  let unable: LabContainerd
  const nodes: Array<NodeUnderTest> = []
  const start = async (name: string, { endpoint }: LabContainerd) => {
    const node = new NodeUnderTest({ dir: join(dir, name), name, cri: endpoint })
    nodes.push(node)
    await node.start()
    return node
  }

  before(async () => {
    if (skip !== undefined) return
    dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "v-")))
    ;[able, unable] = await Promise.all([
      startContainerd(join(dir, "a"), { binaries: newer }),
      startContainerd(join(dir, "u"))
    ])
  })
  after(async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    await Promise.all([able?.stop(), unable?.stop()])
    if (dir !== undefined) await rm(dir, { recursive: true, force: true })
  })

  it(
    "is mounted, read only, whole or a directory of it; where it cannot be had, only who mounts it waits",
    given,
    async () => {
      const node = await start("able", able)
      const env = [{ name: "DIR", value: "bin" }]
      const parts = [at("/part", { subPath: "bin" }), at("/expanded", { subPathExpr: "$(DIR)" })]
      node.put(
        "seen.json",
        pod("seen", {
          restartPolicy: "Never",
          volumes: [volume(busyboxImage)],
          containers: [
            container("app", looksAtAll, { volumeMounts: [at("/tools")] }),
            container("part", looksAtParts, { volumeMounts: parts, env })
          ]
        })
      )
      node.put(
        "none.json",
        pod("none", {
          volumes: [volume(missing)],
          containers: [container("app", forever, { volumeMounts: [at("/tools")] }), container("side", forever)]
        })
      )
      const { data: ready } = await node.waitFor("PodVolumeReady", "pod/default/seen", { volume: "tools" })
      assert.match(ready.imageId, /^sha256:/u)
      const { data: exited } = await node.waitFor("ContainerExited", "pod/default/seen", { container: "app" })
      assert.deepEqual([exited.exitCode, exited.message?.trim()], [0, "seen"])
      const { data: runtime } = await node.waitFor("RuntimeConnected")
      if (/^v?2\.1\./u.test(runtime.version)) {
        const { data: refused } = await node.waitFor("ContainerStartFailed", "pod/default/seen", { container: "part" })
        assert.match(refused.message, /cannot mount a directory of an image \(subPath\); 2\.2 and newer can$/u)
      } else {
        const { data: part } = await node.waitFor("ContainerExited", "pod/default/seen", { container: "part" })
        assert.deepEqual([part.exitCode, part.message?.trim()], [0, "seen"])
      }
      await node.waitFor("ContainerStarted", "pod/default/none", { container: "side" })
      const { data: waiting } = await node.waitFor("ContainerWaiting", "pod/default/none", { reason: "ErrImagePull" })
      assert.equal(waiting.container, "app")
      for (const name of ["seen", "none"]) node.remove(`${name}.json`)
      for (const name of ["seen", "none"]) await node.waitFor("PodRemoved", `pod/default/${name}`)
      assert.equal((await node.command("verify", "--journal")).code, 0)
    }
  )

  it("is refused with the reason by a runtime that is too old", given, async () => {
    const node = await start("unable", unable)
    const containers = [container("app", forever, { volumeMounts: [at("/tools")] }), container("side", forever)]
    node.put("old.json", pod("old", { volumes: [volume(busyboxImage)], containers }))
    const { data } = await node.waitFor("ContainerStartFailed", "pod/default/old", { container: "app" })
    assert.equal(data.reason, "CreateContainerConfigError")
    assert.match(data.message, /^containerd 1\.\S+ cannot mount images as volumes; 2\.1 and newer can$/u)
    await node.waitFor("ContainerStarted", "pod/default/old", { container: "side" })
  })
})
