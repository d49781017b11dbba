// runtimes: bun (deno)
/** Variables and mounts as containers really get them, by the agent on a real containerd: the newer one where it is here. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect, Exit, Scope } from "effect"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { CriRuntime } from "../../src/adapters/cri/live.ts"
import type { ContainerRuntime } from "../../src/adapters/cri/port.ts"
import { mountPoints } from "../../src/adapters/volumes/mounts.ts"
import { eventually, isEvent, NodeUnderTest } from "../support/agent.ts"
import { container, forever, pod } from "./manifests.ts"

const skip = whyNoContainerd()
const within = (seconds: number) =>
  skip === undefined ? { timeout: seconds * 1000 } : { timeout: seconds * 1000, skip }
const newer = fileURLToPath(new URL("../../.cache/lab/containerd/sid", import.meta.url))

const object = (kind: string, name: string, fields: object) => ({
  apiVersion: "v1",
  kind,
  metadata: { name },
  ...fields
})
const from = (name: string, valueFrom: object) => ({ name, valueFrom })
/** Longer than what Linux takes of one argument or variable (MAX_ARG_STRLEN, 128 KiB). */
const huge = "x".repeat(900 * 1024)
const secret = "correct horse battery staple"

describe("the environment and the mounts of a container", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let node: NodeUnderTest
  let runtime: ContainerRuntime["Service"]
  const scope = Scope.makeUnsafe()
  const idOf = async (name: string): Promise<string> =>
    (await node.waitFor("ContainerStarted", `pod/default/${name}`, { container: "app" })).data.containerId
  const run = async (id: string, ...command: ReadonlyArray<string>) => {
    const { stdout, stderr, exitCode } = await Effect.runPromise(runtime.execSync(id, command, 10))
    return { exitCode, out: Buffer.from(stdout).toString("utf8"), err: Buffer.from(stderr).toString("utf8") }
  }
  const variablesOf = async (id: string): Promise<ReadonlyMap<string, string>> => {
    const { out } = await run(id, "cat", "/proc/1/environ")
    return new Map(out.split("\0").map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]))
  }
  const subPathMounts = async () => (await mountPoints()).filter((point) => point.startsWith(`${node.dataDir}/pods/`))

  before(async () => {
    if (skip !== undefined) return
    dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "v-")))
    lab = await startContainerd(join(dir, "c"), existsSync(join(newer, "containerd")) ? { binaries: newer } : {})
    runtime = await Effect.runPromise(Scope.provide(CriRuntime.make({ endpoint: lab.endpoint }), scope))
    node = new NodeUnderTest({ dir: join(dir, "n"), name: "kb", cri: lab.endpoint })
    const host = join(dir, "host")
    mkdirSync(join(host, "inner"), { recursive: true })
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(host, "inner")])
    symlinkSync("/", join(host, "way-out"))
    node.put("look.json", object("ConfigMap", "look", { data: { colour: "red", "app.conf": "level=1\n" } }))
    node.put("huge.json", object("ConfigMap", "huge", { data: { value: huge } }))
    node.put("keys.json", object("Secret", "keys", { stringData: { token: secret } }))
    node.put("db.json", object("Service", "data-base", { spec: { clusterIP: "10.96.0.20", ports: [{ port: 5432 }] } }))
    const many = Array.from({ length: 1000 }, (_, i) => ({ name: `VARIABLE_NUMBER_${i}`, value: `value ${i}` }))
    const data = { name: "data", mountPath: "/data" }
    node.put(
      "full.json",
      pod(
        "full",
        {
          initContainers: [
            container("prepare", "printf \"A='from %s'\\n\" 'a file' > /data/vars.env", { volumeMounts: [data] })
          ],
          containers: [
            container("app", `echo "$TOKEN" > /own/started; ${forever}`, {
              resources: { limits: { memory: "64Mi" } },
              env: [
                from("POD", { fieldRef: { fieldPath: "metadata.name" } }),
                from("TIER", { fieldRef: { fieldPath: "metadata.labels['tier']" } }),
                from("POD_IP", { fieldRef: { fieldPath: "status.podIP" } }),
                from("HOST_IP", { fieldRef: { fieldPath: "status.hostIP" } }),
                from("MEMORY", { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } }),
                from("COLOUR", { configMapKeyRef: { name: "look", key: "colour" } }),
                from("TOKEN", { secretKeyRef: { name: "keys", key: "token" } }),
                from("NOTHING", { secretKeyRef: { name: "nobody", key: "k", optional: true } }),
                from("FILE", { fileKeyRef: { volumeName: "data", path: "vars.env", key: "A" } }),
                { name: "A", value: "$(B)" },
                { name: "B", value: "$(A)$(DATA_BASE_SERVICE_PORT)" },
                { name: "odd.name 1", value: "odd" }
              ],
              envFrom: [{ prefix: "L_", configMapRef: { name: "look" } }],
              volumeMounts: [
                data,
                { ...data, mountPath: "/own", subPathExpr: "logs/$(POD)" },
                { ...data, mountPath: "/vars", subPath: "vars.env", readOnly: true },
                { name: "conf", mountPath: "/etc/app.conf", subPath: "app.conf" },
                { name: "host", mountPath: "/host", readOnly: true },
                { name: "host", mountPath: "/sealed", readOnly: true, recursiveReadOnly: "IfPossible" }
              ]
            })
          ],
          volumes: [
            { name: "data", emptyDir: {} },
            { name: "conf", configMap: { name: "look" } },
            { name: "host", hostPath: { path: host } }
          ]
        },
        { labels: { tier: "test" } }
      )
    )
    node.put("many.json", pod("many", { containers: [container("app", forever, { env: many })] }))
    node.put(
      "huge-pod.json",
      pod("huge", {
        containers: [
          container("app", forever, {
            env: [from("V", { configMapKeyRef: { name: "huge", key: "value" } })],
            terminationMessagePolicy: "FallbackToLogsOnError"
          })
        ]
      })
    )
    node.put(
      "out.json",
      pod("out", {
        containers: [
          container("app", forever, { volumeMounts: [{ name: "host", mountPath: "/m", subPath: "way-out/etc" }] })
        ],
        volumes: [{ name: "host", hostPath: { path: host } }]
      })
    )
    node.put(
      "late.json",
      pod("late", { containers: [container("app", forever, { envFrom: [{ configMapRef: { name: "later" } }] })] })
    )
    await node.start()
  }, within(60))
  after(async () => {
    await node?.kill()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await lab?.stop()
    if (dir === undefined) return
    for (const point of (await mountPoints()).filter((p) => p.startsWith(`${dir}/`)).reverse())
      execFileSync("umount", [point])
    rmSync(dir, { recursive: true, force: true })
  }, within(60))

  it("hold what references stand for, and Services", within(60), async () => {
    const id = await idOf("full")
    const env = await variablesOf(id)
    const [{ data }] = (await node.seen("SandboxCreated", "pod/default/full")) as never as [{ data: { ips: [string] } }]
    const seen = Object.fromEntries(
      ["POD", "TIER", "POD_IP", "MEMORY", "COLOUR", "TOKEN", "FILE", "A", "B", "L_colour", "odd.name 1"].map((name) => [
        name,
        env.get(name)
      ])
    )
    assert.deepEqual(seen, {
      POD: "full",
      TIER: "test",
      POD_IP: data.ips[0],
      MEMORY: "64",
      COLOUR: "red",
      TOKEN: secret,
      FILE: "from a file",
      A: "$(B)",
      B: "$(B)5432",
      L_colour: "red",
      "odd.name 1": "odd"
    })
    assert.match(env.get("HOST_IP") ?? "", /^[\da-f.:]+$/u)
    assert.equal(env.get("DATA_BASE_PORT_5432_TCP_ADDR"), "10.96.0.20")
    assert.equal(env.has("NOTHING"), false)
  })

  it("hold a thousand variables", within(30), async () => {
    const env = await variablesOf(await idOf("many"))
    for (let i = 0; i < 1000; i++) assert.equal(env.get(`VARIABLE_NUMBER_${i}`), `value ${i}`)
  })

  it("see paths of volumes, and read-only ones as far down as the runtime can", within(30), async () => {
    const id = await idOf("full")
    assert.equal((await run(id, "cat", "/data/logs/full/started")).out, `${secret}\n`)
    assert.equal((await run(id, "cat", "/vars")).out, "A='from a file'\n")
    assert.equal((await run(id, "cat", "/etc/app.conf")).out, "level=1\n")
    assert.notEqual((await run(id, "touch", "/host/x")).exitCode, 0)
    assert.equal((await run(id, "touch", "/host/inner/x")).exitCode, 0, "what is mounted below is not read-only")
    const connected = (await node.seen("RuntimeConnected"))[0]
    const handlers = (connected?.data.handlers ?? []) as ReadonlyArray<{
      name: string
      recursiveReadOnlyMounts: boolean
    }>
    const can = handlers.some(({ name, recursiveReadOnlyMounts }) => name === "" && recursiveReadOnlyMounts)
    console.log(`recursive read-only mounts: ${can ? "yes" : "not with this runtime"}`)
    assert.equal((await run(id, "touch", "/sealed/inner/y")).exitCode === 0, !can)
  })

  it(
    "are refused in kubelet's words where a path leaves its volume or a variable is too long",
    within(30),
    async () => {
      const failed = async (name: string) => (await node.waitFor("ContainerStartFailed", `pod/default/${name}`)).data
      const out = await failed("out")
      assert.deepEqual(
        [out.reason, out.message],
        ["CreateContainerConfigError", 'failed to prepare subPath for volumeMount "host" of container "app"']
      )
      // The runtime's process tells of it in the container's log, and fails; older ones refuse to start it.
      const ended = await node.until("the end of huge", (events) =>
        events.find(
          (e) =>
            isEvent("ContainerExited", "pod/default/huge")(e) || isEvent("ContainerStartFailed", "pod/default/huge")(e)
        )
      )
      assert.match(ended.data.message, /argument list too long/u)
    }
  )

  it("wait for what is missing, and begin when it comes", within(40), async () => {
    const failed = await node.waitFor("ContainerStartFailed", "pod/default/late")
    assert.equal(failed.data.message, 'configmap "later" not found')
    node.put("later.json", object("ConfigMap", "later", { data: { when: "now" } }))
    assert.equal((await variablesOf(await idOf("late"))).get("when"), "now")
  })

  it("leave no value in the journal", within(20), async () => {
    const text = JSON.stringify(await node.journal.events())
    assert.ok(text.includes('"TOKEN"'))
    for (const value of [secret, "from a file", "level=1", "value 999", "xxxxxxxxxxxxxxxx"])
      assert.ok(!text.includes(value), value)
  })

  it("are all taken down with their pod, also after a crash of the agent", within(60), async () => {
    assert.ok((await subPathMounts()).length >= 3)
    await node.kill()
    for (const file of ["full", "many", "huge-pod", "out", "late"]) node.remove(`${file}.json`)
    await node.start()
    await node.waitFor("PodRemoved", "pod/default/full")
    await eventually("all pods to be gone", async () =>
      (await node.seen("PodRemoved")).length >= 5 ? true : undefined
    )
    assert.deepEqual(await subPathMounts(), [])
    assert.ok(!existsSync(join(node.dataDir, "pods", "volume-subpaths")))
    assert.equal(readFileSync(join(node.logFile), "utf8").includes(secret), false)
    assert.ok((await node.journal.events()).some(isEvent("VolumeUnmounted", undefined)))
  })
})
