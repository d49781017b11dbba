// runtimes: bun
/**
 * The package as others get it: packed by npm, unpacked beside a program, and the example run by Bun, Deno and Node
 * against a real nats-server. One runtime is enough to run this: it starts all three itself.
 */
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { type NatsServer, natsServerMissing, startNats } from "../../scripts/lab/nats.ts"
import { subjectOf } from "../../src/events/actor-id.ts"
import { encode } from "../../src/events/envelope.ts"
import { withClient } from "../adapters/nats/admin.ts"
import { story } from "../cli/story.ts"
import { findProgram } from "../support/requires.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const bin = (name: string) => join(root, "node_modules", ".bin", name)
const run = (command: string, words: ReadonlyArray<string>, cwd: string) => {
  const { status, stdout, stderr } = spawnSync(command, [...words], { cwd, encoding: "utf8" })
  assert.equal(status, 0, `${command} ${words.join(" ")}: ${stdout}${stderr}`)
  return stdout
}
const options = { timeout: 120_000 }

let directory = ""
let installed = ""
let server: NatsServer

before(async () => {
  directory = mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  // Its build runs by npm's own hook, in a copy: other tests read the source tree.
  const copy = join(directory, "source")
  for (const name of ["src", "scripts", "bin", "package.json", "tsconfig.json", "tsconfig.client.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  run("npm", ["pack", "--pack-destination", directory], copy)
  const modules = join(directory, "app", "node_modules")
  installed = join(modules, "chronode")
  mkdirSync(installed, { recursive: true })
  const tarball = readdirSync(directory).find((name) => name.endsWith(".tgz"))
  run("tar", ["xzf", join(directory, tarball ?? ""), "--strip-components=1", "-C", installed], directory)
  for (const name of ["@nats-io", "tweetnacl", "@types", "undici-types"]) {
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  writeFileSync(join(directory, "app", "package.json"), '{ "type": "module", "dependencies": { "chronode": "*" } }')
  if (natsServerMissing() === undefined) server = await startNats(join(directory, "nats"))
})
after(async () => {
  await server?.kill()
  rmSync(directory, { recursive: true, force: true })
})

describe("the packed library", () => {
  it("is built JavaScript with types, and loads nothing but the NATS client", options, () => {
    const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"))
    const files = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" })
    for (const path of Object.values<string>(exports["./client"]))
      assert.ok(files.includes(path.slice("./dist/".length)))
    // The agent is in the same package, and is none of the library.
    assert.ok(files.includes(join("agent", "main.js")))
    const library = files.filter((file) => file.endsWith(".js") && !file.startsWith(join("agent", "")))
    assert.ok(library.length > 0)
    for (const name of library) {
      const text = readFileSync(join(installed, "dist", name), "utf8")
      const loaded = [...text.matchAll(/from "([^"]+)"/gu)].map(([, specifier = ""]) => specifier)
      assert.deepEqual(
        loaded.filter((s) => !s.startsWith("./") && !s.startsWith("../") && !s.startsWith("@nats-io/")),
        []
      )
    }
  })

  it("has types that a program is checked by: right ones pass, a wrong field does not", options, () => {
    const app = join(directory, "app")
    const program = (use: string) => `import { subscribe } from "chronode/client"
for await (const { event, ack } of subscribe({ type: ["ContainerExited"], durable: "d" })) {
  if (event.tag === "ContainerExited") { const code: number = ${use}; console.log(code) }
  ack()
}
export {}
`
    const check = (use: string) => {
      writeFileSync(join(app, "program.ts"), program(use))
      const words = [
        "--noEmit",
        "--strict",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--types",
        "node",
        "program.ts"
      ]
      return spawnSync(bin("tsc"), ["--ignoreConfig", ...words], { cwd: app, encoding: "utf8" })
    }
    const good = check("event.data.exitCode")
    assert.equal(good.status, 0, good.stdout)
    const wrong = check("event.data.exitcode + event.data.message")
    assert.match(wrong.stdout, /'exitcode' does not exist/u)
    assert.match(wrong.stdout, /TS2322: Type 'string' is not assignable to type 'number'/u)
  })

  const programs: ReadonlyArray<readonly [name: string, command: string, words: ReadonlyArray<string>]> = [
    ["bun", bin("bun"), ["--no-install"]],
    ["deno", bin("deno"), ["run", "--allow-all", "--no-lock", "--quiet"]],
    ["node", findProgram("node") ?? "node", []]
  ]
  for (const [name, command, words] of programs) {
    it(`runs the example on ${name}, from where it was stopped`, {
      ...options,
      skip: natsServerMissing() ?? false
    }, async () => {
      const node = `on-${name}`
      cpSync(join(root, "docs", "examples", "subscriber.mjs"), join(directory, "app", "subscriber.mjs"))
      await withClient({ servers: server.url }, async (connection) => {
        await (await jetstreamManager(connection)).streams.add({
          name: `CHRONODE_${node}`,
          subjects: [`chronode.${node}.>`]
        })
        const publish = async (from: number, to: number) => {
          for (const [i, draft] of story.entries()) {
            if (i + 1 < from || i + 1 > to) continue
            const recorded = { ...draft, node, sequence: i + 1, recordedTime: draft.time }
            await jetstream(connection).publish(subjectOf(node, draft.actor, draft.event._tag), encode(recorded))
          }
        }
        const until = async (text: string): Promise<string> => {
          const child = spawn(command, [...words, "subscriber.mjs", node], {
            cwd: join(directory, "app"),
            env: { ...process.env, NATS_URL: server.url, DENO_NO_UPDATE_CHECK: "1" },
            stdio: ["ignore", "pipe", "inherit"]
          })
          let out = ""
          const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
          child.stdout.setEncoding("utf8").on("data", (piece: string) => {
            out += piece
            // It acknowledges after it has printed; the signal ends the loop after that.
            if (out.includes(text)) child.kill("SIGINT")
          })
          assert.equal(await ended, 0)
          return out
        }
        await publish(1, 4)
        const time = "2026-01-15T09:30"
        assert.equal(
          await until("statuscode: 500"),
          `${time}:03.000Z default/web.app.liveness: HTTP probe failed with statuscode: 500\nstopped\n`
        )
        await publish(5, 10)
        assert.equal(await until("ended with 137"), `${time}:06.000Z default/web: app ended with 137\nstopped\n`)
      })
    })
  }
})
