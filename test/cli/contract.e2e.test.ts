/** The words, flags and exit codes of the command line, as a user meets them. Each case starts the runtime itself. */
import assert from "node:assert/strict"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import description from "../../package.json" with { type: "json" }
import { withTemporaryDirectory } from "../support/temporary-directory.ts"
import { binary, chronode, runtimesOf, startProgram } from "./program.ts"

const commands = [
  "run",
  "events",
  "get",
  "why",
  "logs",
  "exec",
  "attach",
  "port-forward",
  "export",
  "replay",
  "state",
  "diff",
  "verify",
  "proxy",
  "node",
  "top",
  "stats",
  "schema",
  "doctor"
]
const slow = { timeout: 60_000 }

/** The flags that are promised. */
const promised: Readonly<Record<string, ReadonlyArray<string>>> = {
  run: [
    "--manifests",
    "--config",
    "--cri",
    "--nats",
    "--no-nats",
    "--data-dir",
    "--node-name",
    "--pod-logs-dir",
    "--log-format",
    "--services",
    "--proxy-config",
    "--proxy-mode",
    "--proxy-mode-fallback",
    "--healthz-bind-address",
    "--metrics-bind-address",
    "--creds",
    "--nkey",
    "--tls-ca",
    "--tls-cert",
    "--tls-key"
  ],
  events: ["--follow", "--from", "--pod", "--type", "--since", "--until", "-o", "--creds", "--nkey", "--tls-ca"],
  get: ["--from", "--at", "-o"],
  why: ["--from", "-o"],
  logs: ["--container", "--all-containers", "--follow", "--previous", "--since", "--tail", "--timestamps", "--prefix"],
  exec: ["--container", "--stdin", "--tty", "--cri"],
  attach: ["--container", "--stdin", "--tty"],
  "port-forward": ["--address"],
  export: ["--out", "--pod", "--since", "--until", "--around", "--window", "-o"],
  replay: ["--until", "--verify", "-o"],
  state: ["--journal", "--at", "--pod", "-o"],
  diff: ["-o"],
  verify: ["--journal", "-o"],
  schema: ["-o"],
  doctor: ["-o"]
}

for (const runtime of runtimesOf("bun")) {
  describe(`chronode on ${runtime}`, () => {
    it("prints its version and the runtime's", slow, async () => {
      const { code, out } = await chronode(runtime, ["--version"])
      assert.equal(code, 0)
      assert.match(out, new RegExp(`^chronode ${description.version} \\(${runtime} \\d+\\.\\d+\\.\\d+\\)\\n$`, "u"))
    })

    it("has help with every promised flag and examples for every command", slow, async () => {
      const overview = await chronode(runtime, ["--help"])
      assert.equal(overview.code, 0)
      assert.match(overview.out, /Exit codes:\n {2}0 {2}good\n {2}1 .*\n {2}2 .*\n {2}3 /u)
      for (const command of commands) {
        assert.match(overview.out, new RegExp(`^ {2}${command} `, "mu"))
        const { code, out, err } = await chronode(runtime, [command, "--help"])
        assert.equal(code, 0, command)
        assert.equal(err, "", command)
        assert.match(out, new RegExp(`^Usage: chronode ${command} `, "u"))
        assert.match(out, new RegExp(`Examples:\\n {2}chronode ${command} `, "u"))
        for (const flag of promised[command] ?? []) assert.ok(out.includes(flag), `${command} ${flag}`)
      }
    })

    const misuse: ReadonlyArray<readonly [words: ReadonlyArray<string>, said: RegExp]> = [
      [[], /^Usage: chronode/u],
      [["evnts"], /unknown command 'evnts'\n\(Did you mean events\?\)\nsee: chronode --help/u],
      [["events", "--folow"], /unknown option '--folow'[\s\S]*see: chronode events --help/u],
      [["events", "-o", "xml"], /'xml' is invalid[\s\S]*see: chronode events --help/u],
      [["events", "--type", "ContainerExitd"], /did you mean ContainerExited\?\nsee: chronode events --help/u],
      [["events", "--since", "soon"], /--since: 'soon' is no time/u],
      [["events", "--pod", "a/b/c"], /'a\/b\/c' is no pod/u],
      [["exec", "default/web"], /missing required argument 'command'/u],
      [["logs", "default/web", "--tail", "few"], /--tail: 'few' is no number of lines/u],
      [["port-forward", "default/web", "http"], /'http' are no ports; write 8080:80/u],
      [["get"], /missing required argument 'what'/u],
      [["get", "deployments"], /'deployments' is invalid/u],
      [["why"], /missing required argument 'event'/u],
      [["why", "pod"], /why pod: which one\?/u],
      [["why", "some-id", "default/web"], /unexpected 'default\/web'/u],
      [["why", "container"], /why container: which one\?/u],
      [["why", "container", "default/web"], /'default\/web' is no container/u],
      [["state"], /give either --journal or a FILE/u],
      [["state", "x.ndjson", "--at", "5 o'clock"], /--at: '5 o'clock' is no time and no event/u],
      [["diff", "x.ndjson"], /missing required argument 'b'/u],
      [["diff", "x.ndjson@2026-13-01", "x.ndjson"], /x\.ndjson@: '2026-13-01' is no time and no event/u],
      [["export", "--out", "x", "--window", "5m"], /--window: around which event\?/u],
      [["export", "--out", "x", "--around", "e1", "--window", "soon"], /--window: 'soon' is no length of time/u],
      [["export", "--out", "x", "--around", "e1", "--since", "1h"], /--around stands for --since and --until/u],
      [["export"], /required option '--out <file>' not specified/u],
      [["replay"], /missing required argument 'file'/u],
      [["verify"], /give either --journal or a FILE/u],
      [["verify", "--journal", "x.ndjson"], /give either --journal or a FILE/u],
      [["schema", "ContainerExitd"], /did you mean ContainerExited\?/u],
      [["run"], /--manifests DIR is missing/u],
      [["run", "--manifests", "m", "--node-name", "A_B"], /--node-name: 'A_B' is no node name/u],
      [["run", "--manifests", "m", "--nats", "http://x"], /--nats/u],
      [["run", "--manifests", "m", "--durability", "never"], /'never' is invalid/u]
    ]
    for (const [words, said] of misuse) {
      it(`answers 'chronode ${words.join(" ")}' with exit code 2 and a hint on stderr`, slow, async () => {
        const { code, out, err } = await chronode(runtime, words)
        assert.equal(code, 2)
        assert.equal(out, "")
        assert.match(err, said)
      })
    }

    it("prints the JSON Schema of one event and of all", slow, async () => {
      const one = await chronode(runtime, ["schema", "ContainerExited"])
      assert.equal(one.code, 0)
      assert.equal(JSON.parse(one.out).$id, "urn:chronode:event:dev.chronode.ContainerExited.v1")
      assert.equal((await chronode(runtime, ["schema", "dev.chronode.ContainerExited.v1"])).out, one.out)
      const all = await chronode(runtime, ["schema"])
      assert.ok("dev.chronode.NodeStarted.v1" in JSON.parse(all.out).$defs)
    })

    it("ends quietly with exit code 0 when its reader goes away", slow, async () => {
      const { code, out, err } = await startProgram("bash", ["-c", `set -o pipefail; '${binary}' schema | head -n 1`], {
        CHRONODE_RUNTIME: runtime
      }).finished
      assert.deepEqual({ code, out, err }, { code: 0, out: "{\n", err: "" })
    })

    it("says that its output could not be written, with exit code 1", slow, async () => {
      const { code, out, err } = await startProgram("sh", ["-c", `'${binary}' schema > /dev/full`], {
        CHRONODE_RUNTIME: runtime
      }).finished
      assert.deepEqual({ code, out }, { code: 1, out: "" })
      assert.match(err, /^chronode: stdout cannot be written: .*no space left on device.*\n$/iu)
    })

    it("names what is wrong in a configuration, with file, line and field", slow, () =>
      withTemporaryDirectory(async (directory) => {
        const file = join(directory, "kubelet.yaml")
        writeFileSync(file, "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: many\n")
        const { code, err } = await chronode(runtime, ["run", "--manifests", directory, "--config", file])
        assert.equal(code, 1)
        assert.ok(err.startsWith(`chronode: ${file}:3:10: maxPods: must be a whole number`), err)
      })
    )

    it("writes why an agent does not run as a line of its log, where machines read it", slow, () =>
      withTemporaryDirectory(async (directory) => {
        const file = join(directory, "file")
        writeFileSync(file, "maxPods: [\n")
        const run = ["run", "--manifests", directory, "--no-nats", "--log-format", "json"]
        const cases: ReadonlyArray<readonly [words: ReadonlyArray<string>, code: number, said: RegExp]> = [
          [[...run, "--node-name", "A_B"], 2, /^--node-name: 'A_B' is no node name/u],
          [[...run, "--config", file], 1, /\/file:2:1: /u],
          [[...run, "--config", directory], 1, new RegExp(`^cannot read the configuration ${directory}: `, "u")],
          [[...run, "--data-dir", file], 1, new RegExp(`^the data directory ${file} cannot be made: `, "u")]
        ]
        for (const [words, expected, said] of cases) {
          const { code, out, err } = await chronode(runtime, words)
          assert.deepEqual({ code, out }, { code: expected, out: "" })
          const lines = err.trimEnd().split("\n")
          const { level, message } = JSON.parse(lines.at(-1) ?? "")
          assert.equal(level, "FATAL")
          assert.match(message, said)
          assert.ok(lines.every((line) => typeof JSON.parse(line).time === "string"))
        }
      })
    )

    it("lets nothing in the working directory have a say", slow, () =>
      withTemporaryDirectory(async (directory) => {
        writeFileSync(join(directory, "evil.ts"), 'console.log("evil")\n')
        writeFileSync(join(directory, "bunfig.toml"), 'preload = ["./evil.ts"]\n')
        writeFileSync(join(directory, ".env"), "CHRONODE_DATA_DIR=/evil\n")
        writeFileSync(join(directory, "deno.json"), '{"imports":{"commander":"./evil.ts"}}\n')
        const { code, out } = await chronode(runtime, ["events", "--help"], {}, directory)
        assert.equal(code, 0)
        assert.ok(!out.includes("evil"), out)
      })
    )

    it("runs through symbolic links, from anywhere", slow, () =>
      withTemporaryDirectory(async (directory) => {
        mkdirSync(join(directory, "a b"))
        symlinkSync(binary, join(directory, "a b", "first"))
        symlinkSync("a b/first", join(directory, "second"))
        const { code, out } = await startProgram("./second", ["--version"], { CHRONODE_RUNTIME: runtime }, directory)
          .finished
        assert.equal(code, 0)
        assert.match(out, /^chronode /u)
      })
    )
  })
}

describe("the launcher", () => {
  it("refuses another runtime with exit code 2", slow, async () => {
    const { code, err } = await startProgram(binary, ["--version"], { CHRONODE_RUNTIME: "node" }).finished
    assert.equal(code, 2)
    assert.equal(err, "chronode: CHRONODE_RUNTIME is 'node'; it can be bun or deno\n")
  })

  it("says what to do where no runtime is installed", slow, () =>
    withTemporaryDirectory(async (directory) => {
      mkdirSync(join(directory, "bin"))
      const { readFileSync } = await import("node:fs")
      writeFileSync(join(directory, "bin", "chronode"), readFileSync(binary), { mode: 0o755 })
      const { code, err } = await startProgram(join(directory, "bin", "chronode"), ["--version"], {
        PATH: "/usr/bin:/bin",
        CHRONODE_RUNTIME: "bun"
      }).finished
      assert.equal(code, 1)
      assert.match(err, /no bun to run on[\s\S]*npm ci[\s\S]*CHRONODE_RUNTIME=bun\|deno/u)
    })
  )
})
