// runtimes: bun (vm)
/** Containers that the kernel kills for want of memory, on a real containerd, on whatever cgroups the machine has. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Effect } from "effect"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { findHierarchies } from "../../src/adapters/cgroupfs/hierarchies.ts"
import { KernelLog } from "../../src/adapters/cgroupfs/kernel-log.ts"
import { CriRuntime } from "../../src/adapters/cri/live.ts"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import type { Happened } from "../support/journal-tail.ts"
import { requires } from "../support/requires.ts"
import { container, forever, pod } from "./manifests.ts"

const skip =
  requires("root").skip ||
  whyNoContainerd() ||
  (new KernelLog().oomKills() === undefined ? "needs the kernel's log (CAP_SYSLOG)" : false)
/** Milliseconds, also of a machine that is emulated. */
const within = skip ? { timeout: 200_000, skip } : { timeout: 200_000 }
const { version, controllers } = await findHierarchies()
const isV1 = version === "v1"
const memory = controllers.get("memory") ?? ""
const mebibyte = 1024 ** 2
/** v2 limits nothing below a cgroup that has processes itself. */
const onV1 = skip || isV1 ? within : { ...within, skip: "needs cgroup v1" }
/** Keeps the last 100 MB of what never ends. */
const greedy = "tail -c 100000000 /dev/zero"

/** Arguments end with a zero byte; empty where the process is gone. */
const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1")
  } catch {
    return ""
  }
}

describe("containers that run out of memory", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let node: NodeUnderTest
  const limits = (memory: string) => ({ resources: { limits: { memory } } })
  const endOf = (name: string, of = "app"): Promise<Happened> =>
    node.waitFor("ContainerExited", `pod/default/${name}`, { container: of })

  const reasonByRuntime = (id: string): Promise<string> =>
    Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(CriRuntime.make({ endpoint: lab.endpoint }), (runtime) =>
          Effect.map(runtime.containerStatus(id), ({ reason }) => reason)
        )
      )
    )

  before(
    async () => {
      if (skip) return
      dir = mkdtempSync(join(tmpdir(), "o-"))
      lab = await startContainerd(join(dir, "c"))
      node = new NodeUnderTest({ dir: join(dir, "o"), name: "o", cri: lab.endpoint })
      const never = { restartPolicy: "Never" }
      node.put(
        "itself.json",
        pod("itself", { ...never, containers: [container("app", `exec ${greedy}`, limits("16Mi"))] })
      )
      node.put(
        "child.json",
        pod("child", {
          ...never,
          containers: [
            container("app", `${greedy}; exit $?`, limits("20Mi")),
            container("other", `${greedy} & sleep 1; exit 137`)
          ]
        })
      )
      node.put(
        "whole.json",
        pod("whole", { ...never, ...limits("24Mi"), containers: [container("app", `exec ${greedy}`)] })
      )
      node.put(
        "signal.json",
        pod("signal", {
          ...never,
          containers: [container("app", "sh -c 'kill -9 $$$$'; exit $?"), container("on", forever)]
        })
      )
      node.put(
        "nested.json",
        pod("nested", {
          ...never,
          containers: [
            container(
              "app",
              `sh -c 'exec 3</dev/null; until grep -q small /proc/self/cgroup; do sleep 0.1; done; exec ${greedy}'; exit $?`
            )
          ]
        })
      )
      await node.start()
    },
    { timeout: 200_000 }
  )
  after(async () => {
    await node?.kill()
    await lab?.stop()
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true })
  })

  it("say so, with limit, peak, counters and the process that was killed", within, async () => {
    const { data } = await endOf("itself")
    assert.equal(data.reason, "OOMKilled")
    assert.equal(data.oomKilled, true)
    assert.equal(data.exitCode, 137)
    // The pod may take as much as its only container, and its sandbox takes a little.
    assert.match(data.oom.by, /^(?:Pod|Container)$/u)
    assert.equal(data.oom.limitBytes, 16 * mebibyte)
    assert.ok(data.oom.peakBytes > 15 * mebibyte && data.oom.peakBytes <= 16 * mebibyte, `${data.oom.peakBytes}`)
    assert.equal(data.oom.process.name, "tail")
    assert.ok(data.oom.events.oom_kill >= 1, JSON.stringify(data.oom.events))
  })

  it(
    "say so where a child was killed and the shell ended with its exit code, of several containers the right one",
    within,
    async () => {
      const { data } = await endOf("child")
      assert.equal(data.reason, "OOMKilled")
      assert.equal(data.exitCode, 137)
      assert.equal(data.oom.by, "Container")
      assert.equal(data.oom.limitBytes, 20 * mebibyte)
      assert.equal(data.oom.process.name, "tail")
      const other = (await endOf("child", "other")).data
      assert.equal(other.exitCode, 137)
      assert.equal(other.reason, "Error")
      assert.equal(other.oom, undefined)
    }
  )

  it("say that it was the pod's limit", within, async () => {
    const { data } = await endOf("whole")
    assert.equal(data.reason, "OOMKilled")
    assert.equal(data.oom.by, "Pod")
    assert.equal(data.oom.limitBytes, 24 * mebibyte)
  })

  it(
    "say so where the runtime does not notice, since it happens in a cgroup of the container's own",
    onV1,
    async () => {
      const { data: started } = await node.waitFor("ContainerStarted", "pod/default/nested", { container: "app" })
      const { data: cgroup } = await node.waitFor("PodCgroupCreated", "pod/default/nested")
      const own = join(memory, cgroup.path, started.containerId)
      const inner = await eventually("its child runs", () =>
        readFileSync(join(own, "cgroup.procs"), "utf8")
          .split("\n")
          .find((pid) => commandLine(pid).includes("\0exec 3"))
      )
      const small = join(own, "small")
      mkdirSync(small)
      writeFileSync(join(small, "memory.limit_in_bytes"), String(8 * mebibyte))
      writeFileSync(join(small, "cgroup.procs"), inner)
      const { data } = await endOf("nested")
      assert.equal(await reasonByRuntime(started.containerId), "Error")
      assert.equal(data.reason, "OOMKilled")
      assert.equal(data.oomKilled, true)
      assert.equal(data.oom.limitBytes, 8 * mebibyte)
      assert.equal(data.oom.process.name, "tail")
    }
  )

  it("are not taken for it when something else killed them", within, async () => {
    const { data } = await endOf("signal")
    assert.equal(data.exitCode, 137)
    assert.equal(data.oomKilled, false)
    assert.equal(data.oom, undefined)
  })

  it("are explained with the numbers", within, async () => {
    await node.waitFor("PodPhaseChanged", "pod/default/itself", { to: "Failed" })
    const { stdout } = await node.command("why", "pod", "default/itself")
    assert.match(stdout, /app ended with exit code 137, out of memory/u)
    assert.match(
      stdout,
      /the kernel says +limit 16\.0 MiB, peak 16\.0 MiB, the (?:pod|container)'s limit was hit, killed tail \(pid \d+, /u
    )
  })
})
