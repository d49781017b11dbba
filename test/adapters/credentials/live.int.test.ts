/** Files and plugins as they are: real programs, real time. */
import assert from "node:assert/strict"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe } from "node:test"
import { Effect, Redacted } from "effect"
import { type CredentialsOptions, make } from "../../../src/adapters/credentials/live.ts"
import { defaultNodeFiles, namedNodeFile } from "../../../src/adapters/credentials/node-file.ts"
import { runPlugin } from "../../../src/adapters/credentials/plugin-process.ts"
import type { ProviderSettings } from "../../../src/adapters/credentials/port.ts"
import { describeSource } from "../../../src/adapters/credentials/port.ts"
import type { PullSecret } from "../../../src/adapters/credentials/pull-secrets.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const settings = (program: string, over: Partial<ProviderSettings> = {}): ProviderSettings => ({
  name: program.split("/").at(-1)!,
  program,
  apiVersion: "credentialprovider.kubelet.k8s.io/v1",
  matchImages: ["r.io"],
  defaultCacheDuration: 0,
  args: [],
  env: [],
  ...over
})

const script = (dir: string, name: string, body: string) =>
  Effect.promise(async () => {
    const path = join(dir, name)
    await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    return path
  })

const dockerConfig = (registry: string, user: string): string =>
  JSON.stringify({ auths: { [registry]: { username: user, password: `${user}-s3cret` } } })

const secret = (type: string, key: string, text: string): PullSecret => ({
  type,
  data: { [key]: Buffer.from(text) },
  hash: "h1"
})

const nobody: CredentialsOptions = {
  files: [],
  isFileNamed: false,
  providers: [],
  readSecret: () => Effect.succeed(undefined)
}

const lookUp = (options: Partial<CredentialsOptions>, secrets: ReadonlyArray<string> = []) =>
  Effect.map(make({ ...nobody, ...options }).lookUp({ repository: "r.io/app", namespace: "ns", secrets }), (found) => ({
    credentials: found.credentials.map((c) => [describeSource(c.source), c.username, Redacted.value(c.password)]),
    problems: found.problems
  }))

describe("the credentials of an image", () => {
  liveTest(
    "are the pod's, then the node's file's, then the providers'",
    Effect.gen(function* () {
      const dir = yield* temporaryDirectory
      const file = join(dir, "config.json")
      yield* Effect.promise(() => writeFile(file, dockerConfig("https://r.io", "node")))
      const answer = JSON.stringify({
        apiVersion: "credentialprovider.kubelet.k8s.io/v1",
        kind: "CredentialProviderResponse",
        cacheKeyType: "Image",
        auth: { "r.io": { username: "plugin", password: "plugin-s3cret" } }
      })
      // It says what it was asked, with which arguments and in which environment.
      const program = yield* script(
        dir,
        "good",
        `cat > ${dir}/asked; echo "$1 $WORD $PATH" >> ${dir}/asked; echo '${answer}'`
      )
      const secrets = new Map([
        ["ns/one", secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", dockerConfig("r.io", "pod"))],
        ["ns/old", secret("kubernetes.io/dockercfg", ".dockercfg", '{"r.io/app":{"username":"old","password":"p"}}')],
        ["other/two", secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", dockerConfig("r.io", "two"))],
        ["ns/opaque", secret("Opaque", ".dockerconfigjson", dockerConfig("r.io", "x"))],
        ["ns/empty", secret("kubernetes.io/dockercfg", "x", "")],
        ["ns/bad", secret("kubernetes.io/dockercfg", ".dockercfg", "s3cret")]
      ])
      const found = yield* lookUp(
        {
          files: [namedNodeFile(file)],
          isFileNamed: true,
          providers: [settings(program, { args: ["first"], env: [{ name: "WORD", value: "second" }] })],
          readSecret: (namespace, name) => Effect.succeed(secrets.get(`${namespace}/${name}`))
        },
        ["one", "two", "old", "opaque", "empty", "bad", "one"]
      )
      assert.deepEqual(found.credentials, [
        ["secret ns/old", "old", "p"],
        ["secret ns/one", "pod", "pod-s3cret"],
        [`file ${file}`, "node", "node-s3cret"],
        ["provider good", "plugin", "plugin-s3cret"]
      ])
      assert.deepEqual(found.problems, [
        "secret ns/two: is not there",
        "secret ns/opaque: is of the type 'Opaque', which holds no credentials of registries",
        "secret ns/empty: has no .dockercfg",
        "secret ns/bad: .dockercfg is no JSON"
      ])
      const asked = yield* Effect.promise(() => readFile(join(dir, "asked"), "utf8"))
      const [request, words] = asked.trim().split("\n")
      assert.equal(JSON.parse(request!).image, "r.io/app")
      assert.match(words!, /^first second \//u)
    })
  )

  liveTest(
    "of the node come from the first file that can be read, and are read again when it is mended",
    Effect.gen(function* () {
      const dir = yield* temporaryDirectory
      const [data, home] = [join(dir, "data"), join(dir, "home")]
      const files = defaultNodeFiles(data, home).filter(({ path }) => path.startsWith(dir))
      assert.deepEqual(
        files.map(({ path }) => path.slice(dir.length)),
        ["/data/config.json", "/home/.docker/config.json", "/data/.dockercfg", "/home/.dockercfg"]
      )
      const credentials = make({ ...nobody, files })
      const ask = Effect.map(credentials.lookUp({ repository: "r.io/app", namespace: "", secrets: [] }), (f) => ({
        users: f.credentials.map((c) => c.username),
        problems: f.problems
      }))
      yield* Effect.promise(() => mkdir(join(home, ".docker"), { recursive: true }).then(() => mkdir(data)))
      yield* Effect.promise(() => writeFile(join(home, ".dockercfg"), '{"r.io":{"username":"a","password":"p"}}'))
      yield* Effect.promise(() => writeFile(join(data, "config.json"), "s3cret"))
      assert.deepEqual(yield* ask, { users: ["a"], problems: [`file ${data}/config.json: is no JSON`] })
      yield* Effect.promise(() => writeFile(join(data, "config.json"), dockerConfig("r.io", "b")))
      assert.deepEqual(yield* ask, { users: ["b"], problems: [] })
      yield* Effect.promise(() => rm(join(data, "config.json")))
      assert.deepEqual(yield* ask, { users: ["b"], problems: [] }, "a good file counts for five minutes")
      const named = yield* lookUp({ files: [namedNodeFile(`${dir}/none.json`)], isFileNamed: true })
      assert.deepEqual(named, { credentials: [], problems: [`file ${dir}/none.json: is not there`] })
    })
  )

  liveTest(
    "are had without a plugin that fails, hangs or answers too much, and what it has started ends with it",
    Effect.gen(function* () {
      const dir = yield* temporaryDirectory
      const failing = yield* script(dir, "failing", "echo s3cret >&2; exit 1")
      const flooding = yield* script(dir, "flooding", "exec cat /dev/zero")
      const hanging = yield* script(dir, "hanging", `sleep 600 & echo $! > ${dir}/child; wait`)
      const run = (program: string) => runPlugin(settings(program), "{}\n", 1000)
      const failed = yield* run(failing)
      assert.deepEqual(failed, { outcome: { problem: "ended with exit code 1" }, complaint: "s3cret\n" })
      assert.deepEqual((yield* run(flooding)).outcome, { problem: "answered more than 1048576 bytes" })
      assert.deepEqual((yield* run(join(dir, "none"))).outcome, { problem: "cannot be run (ENOENT)" })
      assert.deepEqual((yield* run(hanging)).outcome, { problem: "did not answer within 1 s" })
      const child = Number(yield* Effect.promise(() => readFile(join(dir, "child"), "utf8")))
      yield* Effect.sleep(100)
      const stat = yield* Effect.promise(() => readFile(`/proc/${child}/stat`, "utf8").catch(() => "gone Z"))
      assert.match(stat, / Z/u, "what the plugin has started is gone")
      const found = yield* lookUp({ providers: [settings(failing)] })
      assert.deepEqual(found, { credentials: [], problems: ["provider failing ended with exit code 1"] })
    }),
    { timeout: 20_000 }
  )
})
