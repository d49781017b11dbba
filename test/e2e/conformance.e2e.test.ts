// runtimes: bun (deno)
/** Node conformance tests of Kubernetes, on a real containerd: the cases of ./conformance. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, realpathSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { removeScratch } from "../../scripts/test/scratch.ts"
import { NodeUnderTest } from "../support/agent.ts"
import type { ConformanceCase, ConformanceGroup } from "./conformance/case.ts"
import { images } from "./conformance/containers.ts"
import { groups, objects } from "./conformance/groups.ts"
import { pod } from "./manifests.ts"

const skip = whyNoContainerd() ?? (process.arch === "x64" ? undefined : "needs x86-64")
const options = skip === undefined ? { timeout: 120_000 } : { timeout: 120_000, skip }

/** What a container wrote, of a line of its log: time, stream, tag, text. */
const textOf = (line: string): string => line.replace(/^\S+ std(?:out|err) [FP] /u, "")

const containerName = (index: number) => `c${index}`
const manifestOf = ({ name, spec = {}, metadata = {}, cases }: ConformanceGroup): object =>
  pod(
    name,
    {
      restartPolicy: "Never",
      containers: cases.map(({ container }, index) => ({ name: containerName(index), ...container })),
      volumes: cases.flatMap(({ volumes = [] }) => volumes),
      ...spec
    },
    metadata
  )

describe("node conformance", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let node: NodeUnderTest

  before(async () => {
    if (skip !== undefined) return
    dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "k-")))
    lab = await startContainerd(join(dir, "c"), { images })
    node = new NodeUnderTest({ dir: join(dir, "n"), name: "conformance", cri: lab.endpoint })
    for (const [index, object] of objects.entries()) node.put(`object-${index}.json`, object)
    for (const group of groups) node.put(`${group.name}.json`, manifestOf(group))
    await node.start()
  }, options)
  after(async () => {
    await node?.kill()
    await lab?.stop()
    if (dir !== undefined) await removeScratch(dir)
  }, options)

  const check = async (group: ConformanceGroup, { expect }: ConformanceCase, index: number) => {
    const actor = `pod/default/${group.name}`
    const container = containerName(index)
    const uid = (await node.waitFor("PodAdmitted", actor)).data.pod.metadata.uid
    const ended = await node.waitFor("ContainerExited", actor, { container }, { limit: options.timeout - 10_000 })
    const log = readFileSync(join(node.podLogs, `default_${group.name}_${uid}`, container, "0.log"), "utf8")
    const lines = log.split("\n").filter(Boolean).map(textOf)
    assert.equal(ended.data.exitCode, expect.exitCode ?? 0, `exit code; its log:\n${lines.join("\n")}`)
    for (const wanted of expect.lines ?? []) {
      const met = lines.some((line) => (typeof wanted === "string" ? line === wanted : wanted.test(line)))
      assert.ok(met, `no line ${wanted} in:\n${lines.join("\n")}`)
    }
    if (expect.without !== undefined) for (const line of lines) assert.doesNotMatch(line, expect.without)
    if (expect.message !== undefined) assert.equal(ended.data.message, expect.message)
  }

  for (const group of groups) {
    for (const [index, one] of group.cases.entries()) {
      it(one.conformance, options, () => check(group, one, index))
    }
  }

  it("leaves nothing behind when the pods go", options, async () => {
    for (const { name } of groups) node.remove(`${name}.json`)
    for (const { name } of groups) await node.waitFor("PodRemoved", `pod/default/${name}`)
  })
})
