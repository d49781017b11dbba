// runtimes: bun
/**
 * Images out of a real registry, by the agent on a real containerd: credentials of Secrets, of the node's file and of
 * plugins; what fails, and why; one pull at a time and several.
 */
import assert from "node:assert/strict"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { freePort } from "../../scripts/lab/free-port.ts"
import { type LabRegistry, registryUser, startLabRegistry } from "../../scripts/lab/registry.ts"
import type { NodeUnderTest } from "../support/agent.ts"
import { requires } from "../support/requires.ts"
import { assertLogWhole } from "./checks.ts"
import { container, forever, pod } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const skip = whyNotHere() ?? (requires("docker-registry").skip || undefined)
const given = (seconds: number) => ({ ...within(seconds), ...(skip === undefined ? {} : { skip }) })

const { username, password } = registryUser
const wrong = "wr0ng-s3cret"
const dockerConfig = (registry: string, pass: string = password): string =>
  JSON.stringify({ auths: { [registry]: { auth: Buffer.from(`${username}:${pass}`).toString("base64") } } })

const secret = (name: string, config: string): object => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  type: "kubernetes.io/dockerconfigjson",
  stringData: { ".dockerconfigjson": config }
})

const apiVersion = "credentialprovider.kubelet.k8s.io/v1"
const plugin = (dir: string, name: string, body: string): void =>
  writeFileSync(join(dir, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
const answer = (registry: string): string =>
  JSON.stringify({
    apiVersion,
    kind: "CredentialProviderResponse",
    cacheKeyType: "Registry",
    auth: { [registry]: { username, password } }
  })

/** All regular files below a directory, as one text. */
const everything = (dir: string): string =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => readFileSync(path, "latin1"))
    .join("\n")

describe("images of a registry", given(120), () => {
  let world: World
  let open: LabRegistry
  let closed: LabRegistry
  let late: LabRegistry | undefined

  before(async () => {
    if (skip !== undefined) return
    world = await startWorld()
    ;[open, closed] = await Promise.all([
      startLabRegistry(join(world.dir, "open")),
      startLabRegistry(join(world.dir, "closed"), { authenticated: true })
    ])
    await Promise.all([
      open.push("app"),
      open.push("other"),
      ...["secret/app", "node/app", "plugin/app", "slow/app"].map((name) => closed.push(name))
    ])
  })
  after(async () => {
    await Promise.all([open?.stop(), closed?.stop(), late?.stop()])
    await world?.close()
  })

  /** Starts a node with credentials of its own; `configuration`: of kubelet. */
  const start = async (
    name: string,
    configuration: Readonly<Record<string, unknown>>,
    plugins: Readonly<Record<string, string>>
  ) => {
    const node = world.node(name, { nats: undefined, configuration })
    const { dir } = node.options
    const file = join(dir, "docker.json")
    writeFileSync(file, dockerConfig(`127.0.0.1:${closed.port}/node`))
    for (const [of, body] of Object.entries(plugins)) plugin(dir, of, body)
    const providers = Object.keys(plugins).map((of) => ({
      name: of,
      apiVersion,
      matchImages: [`127.0.0.1:${closed.port}/${of}`],
      defaultCacheDuration: "10m"
    }))
    const providersFile = join(dir, "providers.yaml")
    writeFileSync(
      providersFile,
      JSON.stringify({ apiVersion: "kubelet.config.k8s.io/v1", kind: "CredentialProviderConfig", providers })
    )
    await node.start({
      flags: [
        ...["--registry-config", file],
        ...["--image-credential-provider-config", providersFile, "--image-credential-provider-bin-dir", dir]
      ]
    })
    return node
  }
  const run = (node: NodeUnderTest, name: string, image: string, secrets: ReadonlyArray<string> = []): string => {
    const imagePullSecrets = secrets.map((of) => ({ name: of }))
    node.put(`${name}.json`, pod(name, { imagePullSecrets, containers: [container("app", forever, { image })] }))
    return image
  }
  const isRunning = (node: NodeUnderTest, name: string) => node.waitFor("ContainerStarted", `pod/default/${name}`)

  it(
    "are pulled with the credentials that are there for them, and what fails is told and costs only itself",
    given(60),
    async () => {
      const place = `127.0.0.1:${closed.port}`
      const port = await freePort()
      const node = await start(
        "i1",
        { maxParallelImagePulls: 4 },
        {
          plugin: `cat > /dev/null; echo '${answer(place)}'`,
          garbage: `echo '${password}'`,
          exits: "echo complaint >&2; exit 1",
          hangs: "sleep 300"
        }
      )
      // It takes one of four turns until its minute is over, and holds nobody else up.
      run(node, "hangs", closed.image("hangs/app"))
      await node.waitFor("ImagePullQueued", undefined, { image: closed.image("hangs/app") })
      node.put("good.json", secret("good", dockerConfig(`https://${place}/v2/secret`)))
      node.put("bad.json", secret("bad", dockerConfig(place, wrong)))
      const images = {
        open: run(node, "open", open.image("app")),
        secret: run(node, "private", closed.image("secret/app"), ["none", "good"]),
        node: run(node, "of-node", closed.image("node/app")),
        plugin: run(node, "of-plugin", closed.image("plugin/app"))
      }
      const failing = {
        missing: run(node, "missing", open.image("app", "none")),
        nobody: run(node, "nobody", closed.image("slow/app")),
        garbage: run(node, "garbage", closed.image("garbage/app")),
        exits: run(node, "exits", closed.image("exits/app")),
        down: run(node, "down", `127.0.0.1:${port}/late:1`)
      }
      run(node, "wrong", closed.image("secret/app"), ["bad"])
      await Promise.all(["open", "private", "of-node", "of-plugin"].map((name) => isRunning(node, name)))

      // It is on the node now, but not for those who could not have pulled it.
      run(node, "stranger", images.secret)
      const refused = await node.waitFor("ImagePullFailed", `image/_/${images.secret}`)
      assert.match(refused.data.message, /40[13]|[Uu]nauthorized|no basic auth|authorization/u)

      const pulled = async (image: string) => (await node.waitFor("ImagePulled", undefined, { image })).data
      const begun = async (image: string) => (await node.waitFor("ImagePullStarted", undefined, { image })).data
      assert.equal((await pulled(images.open)).credentials, undefined)
      assert.ok((await pulled(images.open)).size > 100_000, "its size is told")
      assert.equal((await pulled(images.secret)).credentials, "secret default/good")
      assert.deepEqual((await begun(images.node)).credentials, [`file ${join(node.options.dir, "docker.json")}`])
      assert.deepEqual((await begun(images.plugin)).credentials, ["provider plugin"])
      const withGood = (await node.seen("ImagePullStarted", `image/default/${images.secret}+none,good`))[0]
      assert.deepEqual(withGood?.data.problems, ["secret default/none: is not there"])

      const failed = async (image: string) => (await node.waitFor("ImagePullFailed", undefined, { image })).data
      assert.match((await failed(failing.missing)).message, /not found/u)
      assert.match((await failed(failing.nobody)).message, /40[13]|[Uu]nauthorized|no basic auth|authorization/u)
      await failed(failing.garbage)
      assert.deepEqual((await begun(failing.garbage)).problems, ["provider garbage answered something that is no JSON"])
      await failed(failing.exits)
      assert.deepEqual((await begun(failing.exits)).problems, ["provider exits ended with exit code 1"])
      assert.match((await failed(failing.down)).message, /refused/u)
      const denied = await node.waitFor("ImagePullFailed", `image/default/${images.secret}+bad`)
      assert.match(denied.data.message, /401|[Uu]nauthorized|authorization/u)

      // The registry comes: the next try is ten seconds after the first, and pods that still wait are told of the back-off.
      late = await startLabRegistry(join(node.options.dir, "late"), { port })
      await late.push("late")
      await isRunning(node, "down")
      const { attempt } = (await node.seen("ImagePullStarted", undefined, { image: failing.down }))[1]!.data
      assert.equal(attempt, 2)
      const waiting = await node.waitFor("ContainerWaiting", "pod/default/missing", { reason: "ImagePullBackOff" })
      assert.match(waiting.data.message, /^Back-off pulling image ".*\/app:none": ErrImagePull: /u)
      assert.equal((await node.seen("ImagePullStarted", undefined, { image: closed.image("hangs/app") })).length, 0)

      await node.stop()
      await assertLogWhole(world, node)
      const written = everything(node.dataDir) + node.log()
      for (const text of [
        password,
        wrong,
        ...[password, wrong].map((p) => Buffer.from(`${username}:${p}`).toString("base64"))
      ])
        assert.ok(!written.includes(text), `${text} is in no file of the agent`)
    }
  )

  it("are pulled one at a time where the configuration says so, and the log tells who waited", given(40), async () => {
    const node = await start(
      "i2",
      { serializeImagePulls: true },
      { slow: `sleep 1.5; echo '${answer(`127.0.0.1:${closed.port}/slow`)}'` }
    )
    const first = run(node, "first", closed.image("slow/app"))
    await node.waitFor("ImagePullQueued", undefined, { image: first })
    const second = run(node, "second", open.image("other"))
    await isRunning(node, "second")
    const [begun] = await node.seen("ImagePullStarted", undefined, { image: second })
    const [before] = await node.seen("ImagePulled", undefined, { image: first })
    assert.ok(before !== undefined && before.sequence < begun!.sequence, "the first pull has ended")
    assert.ok(begun!.data.queued >= 1000, `the second waited for ${begun!.data.queued} ms`)
    await node.stop()
    await assertLogWhole(world, node)
  })
})
