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

/**
 * Of one pod. One shim runs all containers of a pod, and that of containerd 1.6 stands still for 20 s where some dozens start
 * and end at the same moment.
 */
const containersAtOnce = 6
const placeOf = (index: number) => Math.floor(index / containersAtOnce)
const podName = ({ name }: ConformanceGroup, place: number) => `${name}-${place}`
const containerName = (index: number) => `c${index}`

/** A group's pods: its cases by some at a time. */
const manifestsOf = (group: ConformanceGroup): ReadonlyArray<object> => {
  const { spec = {}, metadata: { uid, ...metadata } = {}, cases } = group
  return Array.from({ length: placeOf(cases.length - 1) + 1 }, (_, place) => {
    const own = [...cases.entries()].filter(([index]) => placeOf(index) === place)
    return pod(
      podName(group, place),
      {
        restartPolicy: "Never",
        containers: own.map(([index, { container }]) => ({ name: containerName(index), ...container })),
        volumes: own.flatMap(([, { volumes = [] }]) => volumes),
        ...spec
      },
      { ...metadata, ...(uid === undefined ? {} : { uid: `${uid}${place}` }) }
    )
  })
}
const pods = groups.flatMap(manifestsOf) as ReadonlyArray<{ readonly metadata: { readonly name: string } }>

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
    for (const manifest of pods) node.put(`${manifest.metadata.name}.json`, manifest)
    await node.start()
  }, options)
  after(async () => {
    await node?.kill()
    await lab?.stop()
    if (dir !== undefined) await removeScratch(dir)
  }, options)

  const check = async (group: ConformanceGroup, { expect }: ConformanceCase, index: number) => {
    const name = podName(group, placeOf(index))
    const actor = `pod/default/${name}`
    const container = containerName(index)
    const uid = (await node.waitFor("PodAdmitted", actor)).data.pod.metadata.uid
    const ended = await node.waitFor("ContainerExited", actor, { container }, { limit: options.timeout - 10_000 })
    const log = readFileSync(join(node.podLogs, `default_${name}_${uid}`, container, "0.log"), "utf8")
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
    for (const { metadata } of pods) node.remove(`${metadata.name}.json`)
    for (const {
      metadata: { name }
    } of pods)
      await node.waitFor("PodRemoved", `pod/default/${name}`)
  })
})
