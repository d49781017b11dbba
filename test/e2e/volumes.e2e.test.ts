// runtimes: bun
/** Volumes of ConfigMaps, Secrets and the pod itself, seen from inside a container of a real containerd. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { eventually, type NodeUnderTest } from "../support/agent.ts"
import { assertLogWhole, tracesOf, uidsOf } from "./checks.ts"
import { container, forever, pod } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const passwords = ["correct-horse-1", "battery-staple-2", "hunter-3"] as const
const group = 2345

const objects = (password: string, mode: string): string => `apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: ${password} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data:
  mode: ${mode}
  extra: more
`

/** It gives its uid: so it stays the same pod when its labels change. */
const web = (tier: string): object =>
  pod(
    "web",
    {
      securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: group },
      volumes: [
        { name: "config", configMap: { name: "settings", items: [{ key: "mode", path: "etc/mode", mode: 0o440 }] } },
        { name: "secret", secret: { secretName: "login", defaultMode: 0o400 } },
        {
          name: "about",
          projected: {
            sources: [
              { configMap: { name: "settings" } },
              {
                downwardAPI: {
                  items: [
                    { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
                    { path: "tier", fieldRef: { fieldPath: "metadata.annotations['tier']" } },
                    {
                      path: "limit",
                      resourceFieldRef: { containerName: "app", resource: "limits.memory", divisor: "1Mi" }
                    }
                  ]
                }
              }
            ]
          }
        },
        {
          name: "self",
          downwardAPI: {
            items: ["labels", "annotations"].map((map) => ({ path: map, fieldRef: { fieldPath: `metadata.${map}` } }))
          }
        },
        { name: "scratch", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }
      ],
      containers: [
        container("app", forever, {
          resources: { limits: { memory: "64Mi" } },
          volumeMounts: [
            { name: "config", mountPath: "/config" },
            { name: "secret", mountPath: "/secret" },
            { name: "about", mountPath: "/about" },
            { name: "self", mountPath: "/self" },
            { name: "scratch", mountPath: "/config/scratch" }
          ]
        })
      ]
    },
    { uid: "6a0b4c1e-volumes", labels: { app: "web", tier }, annotations: { tier } }
  )

describe("volumes in a container", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let containerId: string
  const inside = async (script: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await world.ask((r) => r.execSync(containerId, ["sh", "-c", script], 10))
    const [out, err] = [stdout, stderr].map((bytes) =>
      typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes)
    )
    assert.equal(exitCode, 0, err)
    return out!.trim()
  }
  const mounts = (): ReadonlyArray<string> =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(join(node.dataDir, "pods")))

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("alpha")
  })
  after(async () => {
    await world?.close()
  })

  it(
    "wait for their objects, and are mounted when these come, also when the agent dies in between",
    within(30),
    async () => {
      node.put("web.json", web("front"))
      await node.start({ failpoint: "volumes.mount.after:5" })
      node.onDeath = async () => {
        node.onDeath = undefined
        await node.start()
      }
      const failed = await node.waitFor("VolumeMountFailed", "volume/default/web.secret")
      assert.equal(failed.data.message, 'secret "login" not found')
      node.put("objects.yaml", objects(passwords[0], "fast"))
      containerId = (await node.waitFor("ContainerStarted", "pod/default/web", {}, { limit: 20_000 })).data.containerId
      assert.equal((await node.seen("NodeStarted")).length, 2, "it died")
      assert.equal(mounts().filter((line) => line.includes("~secret/secret ")).length, 1, "mounted once")
    }
  )

  it("show their files with mode and owner, and cannot be written to", within(20), async () => {
    assert.equal(await inside("cat /config/etc/mode; echo; cat /secret/password"), `fast\n${passwords[0]}`)
    const stat = (path: string) => inside(`stat -L -c '%a %u %g' ${path}`)
    assert.equal(await stat("/secret/password"), `440 0 ${group}`)
    assert.equal(await stat("/config/etc/mode"), `440 0 ${group}`)
    assert.equal(await stat("/secret"), `3777 0 ${group}`)
    assert.equal(
      await inside("cat /about/labels; echo; cat /about/limit; echo; cat /about/extra"),
      'app="web"\ntier="front"\n64\nmore'
    )
    assert.equal(await inside("touch /secret/x 2>&1 || true"), "touch: /secret/x: Read-only file system")
    assert.equal(await inside("echo x > /config/scratch/x && cat /config/scratch/x"), "x")
    assert.match(await inside("readlink /secret/password; readlink /secret/..data"), /^\.\.data\/password\n\.\.\d{4}_/)
  })

  it("are replaced all at once when an object changes, in the running container", within(20), async () => {
    const before = await inside("readlink /secret/..data")
    node.put("objects.yaml", objects(passwords[1], "slow"))
    const changed = await node.waitFor("ObjectChanged", undefined, { kind: "Secret" })
    const updated = await node.waitFor("VolumeUpdated", "volume/default/web.secret")
    const [asked] = await node.seen("VolumeRefreshRequested", "volume/default/web.secret")
    assert.deepEqual([asked?.cause, updated.cause], [changed.id, asked?.id])
    await node.waitFor("VolumeUpdated", "volume/default/web.config")
    assert.equal(await inside("cat /config/etc/mode; echo; cat /secret/password"), `slow\n${passwords[1]}`)
    assert.notEqual(await inside("readlink /secret/..data"), before)
    assert.equal((await node.seen("ContainerStarted", "pod/default/web")).length, 1)
  })

  // conformance: Pods should be updated
  // conformance: Downward API volume should update labels on modification
  // conformance: Downward API volume should update annotations on modification
  // conformance: Projected downwardAPI should update labels on modification
  // conformance: Projected downwardAPI should update annotations on modification
  it("show labels and annotations as they are when these change, in the running container", within(20), async () => {
    node.put("web.json", web("back"))
    const updated = await node.waitFor("PodUpdated", "pod/default/web")
    assert.deepEqual(updated.data.labels, { app: "web", tier: "back" })
    for (const volume of ["about", "self"]) {
      await node.waitFor("VolumeUpdated", `volume/default/web.${volume}`, {}, { after: updated.sequence })
    }
    assert.equal(await inside("cat /about/labels; echo; cat /about/tier"), 'app="web"\ntier="back"\nback')
    assert.equal(await inside("cat /self/labels"), 'app="web"\ntier="back"')
    assert.equal(await inside("grep tier /self/annotations"), 'tier="back"')
    assert.equal((await node.seen("ContainerStarted", "pod/default/web")).length, 1)
  })

  it(
    "hold what objects say after the agent was away, and go with their pod, also when it dies on the way",
    within(30),
    async () => {
      await node.kill()
      node.put("objects.yaml", objects(passwords[2], "slow"))
      const head = await node.head()
      await node.start({ failpoint: "volumes.unmount.after:2" })
      await node.waitFor("VolumeUpdated", "volume/default/web.secret", {}, { after: head })
      assert.equal(await inside("cat /secret/password"), passwords[2])
      node.onDeath = async () => {
        node.onDeath = undefined
        await node.start()
      }
      node.remove("web.json")
      await node.waitFor("PodRemoved", "pod/default/web")
      const [uid] = uidsOf(await node.journal.events())
      await eventually("nothing of the pod is left", async () =>
        (await tracesOf(world, node, uid!)).length === 0 ? true : undefined
      )
      assert.deepEqual([mounts(), readdirSync(join(node.dataDir, "pods"))], [[], []])
      assert.equal((await node.seen("NodeStarted")).length, 4, "both deaths were died")
    }
  )

  it("leave none of their values in the log", within(20), async () => {
    const text = (await node.journal.events()).map(({ line }) => line).join("\n") + node.log()
    for (const password of passwords) {
      assert.ok(!text.includes(password), password)
      assert.ok(!text.includes(Buffer.from(password).toString("base64").slice(0, 16)), `${password} in base64`)
    }
    await assertLogWhole(world, node)
  })
})
