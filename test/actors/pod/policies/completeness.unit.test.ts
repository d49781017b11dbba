/** Every table of the files that judge pods is either judged by a test of this folder or named here, with the reason. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { readCase, type Table } from "../../../support/cases.ts"

const files = [
  "admission.json",
  "cgroup-names.json",
  "container-config.json",
  "container-helpers.json",
  "container-resources.json",
  "container-statuses.json",
  "crash-loop.json",
  "dns.json",
  "env-files.json",
  "env-vars.json",
  "expansion.json",
  "hostname.json",
  "hosts-file.json",
  "mounts.json",
  "oom-score.json",
  "pod-actions.json",
  "pod-cgroup-config.json",
  "pod-kind.json",
  "pod-phase.json",
  "pod-resources.json",
  "pod-status.json",
  "preemption.json",
  "qos-cgroups.json",
  "qos-class.json",
  "quantity.json",
  "restart-policy.json",
  "runtime-gc.json",
  "status-conditions.json",
  "status-manager.json",
  "sysctl.json",
  "termination-order.json"
]

const elsewhere: Readonly<Record<string, string>> = {
  TestSubtractOverheadFromResourceConfig:
    "the runtime is told of overhead and resources of a sandbox when it is made; no call changes them later",
  TestMergeResourceConfig: "values of a cgroup are computed whole, never merged",
  TestConvertToAPIContainerStatusesWithImageVolumeDigest:
    "digests of image volumes in a container's status (alpha, gate ImageVolumeWithDigest)",
  TestStatusEquality: "no status is sent: each change of it is an event of its own",
  "TestStatusNormalization*":
    "no object holds all statuses: each end is an event with at most 4 KiB of last words, and times are as exact as the runtime tells them",
  TestRemoveMissingExtendedResources:
    "extended resources come with device plugins; what the node does not offer is not counted",
  TestGenerateContainerConfigWithMemoryQoSEnforced: "memory QoS (alpha, KEP-2570)",
  TestQoSContainerCgroup: "memory QoS (alpha, KEP-2570)",
  TestSandboxToContainerState: "a sandbox is ready or lost; it is not shown as a container",
  TestContainerByCreatedThenID: "which life of a container is the last is known by its attempt, which its actor counts",
  TestPodSandboxByCreatedThenID: "which sandbox is the last is known by its attempt, which its actor counts",
  TestParseContainerID: "ids are the runtime's own, without its name before them",
  TestToRuntimeProtocol: "protocols have the same names on both sides here",
  TestRestartCountByLogDir: "the journal knows the restart count",
  TestFieldPath: "references of API events",
  TestParsePodFullName: "kubelet's full names are not used",
  TestBuildPodFullName: "kubelet's full names are not used",
  TestIsPodAvailable: "availability (minReadySeconds) is asked by controllers of an API server"
}

describe("the upstream tables about pods", () => {
  it("are all judged, or left out by name", () => {
    const folder = new URL("./", import.meta.url)
    const own = new URL(import.meta.url).pathname.split("/").at(-1)
    const judging = readdirSync(folder)
      .filter((name) => name.endsWith(".test.ts") && name !== own)
      .map((name) => readFileSync(new URL(name, folder), "utf8"))
      .join("\n")
    const forgotten: Array<string> = []
    const leftOut = new Map<string, number>()
    for (const file of files) {
      const content = readCase(file)
      for (const { origin, rows } of (content.tables ?? [content]) as ReadonlyArray<Table>) {
        if (judging.includes(`"${origin.test}"`) || file === "pod-phase.json") continue
        const reason = elsewhere[origin.test]
        if (reason === undefined) forgotten.push(`${file} ${origin.test}`)
        else leftOut.set(reason, (leftOut.get(reason) ?? 0) + rows.length)
      }
    }
    for (const [reason, rows] of leftOut) console.log(`cases: left out: ${rows} rows: ${reason}`)
    assert.deepEqual(forgotten, [])
  })
})
