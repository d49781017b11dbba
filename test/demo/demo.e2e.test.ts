/** The demo as a visitor runs it, to its end and cut short. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { requires } from "../support/requires.ts"
import { withTemporaryDirectory } from "../support/temporary-directory.ts"

const program = fileURLToPath(new URL("../../scripts/demo.sh", import.meta.url))

const machine = requires("root", "containerd", "ctr", "runc", "cni", "ip", "iptables", "nats-server", "nft")

/** Milliseconds: the demo takes one minute on a machine that has time for it. */
const patience = 150_000

interface Ended {
  readonly code: number | null
  readonly output: string
  /** Directory of the demo's own. */
  readonly root: string
  /** Processes of the demo that outlived it. */
  readonly leftovers: ReadonlyArray<string>
}

/** Command lines that hold one of these words. */
const processesWith = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/u.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8")
      if (words.some((word) => line.includes(word))) lines.push(`${pid} ${line.replaceAll("\0", " ")}`)
    } catch {
      // It ended meanwhile.
    }
  }
  return lines
}

/** `onText` is told of all output so far, each time there is more. */
const demo = (
  directory: string,
  words: ReadonlyArray<string>,
  onText: (text: string, pid: number) => void = () => undefined
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const { CHRONODE_RUNTIME: _, KEEP: __, ...env } = process.env
    const child = spawn("sh", [program, ...words], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text
        onText(output, child.pid!)
      })
    }
    child.once("error", reject)
    let leftovers: ReadonlyArray<string> = []
    child.once("exit", () => {
      const own = [/\S+chronode-demo-\w+/u, /nats:\/\/127\.0\.0\.1:\d+/u].map((pattern) => pattern.exec(output)?.[0])
      leftovers = processesWith(own.filter((word) => word !== undefined))
    })
    child.once("close", (code) =>
      resolve({ code, output, root: /\S+chronode-demo-\w+/u.exec(output)?.[0] ?? "", leftovers })
    )
  })

const assertNothingLeft = ({ root, leftovers }: Ended): void => {
  assert.match(root, /chronode-demo-/u)
  assert.deepEqual(leftovers, [])
  assert.equal(existsSync(root), false, `${root} is still there`)
  assert.equal(readFileSync("/proc/self/mountinfo", "utf8").includes(root), false, "something is mounted")
  const name = root.slice(tmpdir().length + 1).toLowerCase()
  for (const hierarchy of readdirSync("/sys/fs/cgroup")) {
    assert.equal(existsSync(join("/sys/fs/cgroup", hierarchy, name)), false, `a control group is left in ${hierarchy}`)
  }
  assert.equal(existsSync(join("/sys/fs/cgroup", name)), false, "a control group is left")
}

describe("the demo", { timeout: patience }, () => {
  it("shows the whole story, leaves the incident and nothing else", machine, async () => {
    await withTemporaryDirectory(async (directory) => {
      const ended = await demo(directory, [])
      const { code, output } = ended
      assert.equal(code, 0, output)
      assertNothingLeft(ended)
      assert.deepEqual(readdirSync(directory), ["incident.ndjson"])
      assert.match(output, /no container restarted: all \d+ processes are the same/u)
      assert.match(output, /missing: 0, twice: 0/u)
      assert.match(output, /taken again, all the same/u)
      assert.match(output, /liveness probe of server failed/u)
      assert.match(output, /40 requests were answered by greeter-one \d+, greeter-two \d+\n/u)
      assert.match(output, /greedy was evicted when \d+ MiB of 384 MiB were left/u)
      assert.match(output, /greeter-one is not ready: 40 requests were answered by greeter-two 40\n/u)
    })
  })

  it("cleans up and says so when it is interrupted", machine, async () => {
    await withTemporaryDirectory(async (directory) => {
      let interrupted = false
      const ended = await demo(directory, ["--out", "mine.ndjson"], (text, pid) => {
        if (interrupted || !text.includes("ContainerStarted")) return
        interrupted = true
        process.kill(pid, "SIGINT")
      })
      assert.equal(ended.code, 130, ended.output)
      assertNothingLeft(ended)
      assert.deepEqual(readdirSync(directory), [])
    })
  })

  it("refuses an option that it does not have with exit code 2", async () => {
    await withTemporaryDirectory(async (directory) => {
      assert.equal((await demo(directory, ["--stop=", "--loud"])).code, 2)
    })
  })
})
