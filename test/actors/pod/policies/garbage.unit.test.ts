/** What the runtime and the disk hold and nobody needs (`pkg/kubelet/kuberuntime/kuberuntime_gc.go`). */
import assert from "node:assert/strict"
import { describe } from "node:test"
import {
  containerGarbage,
  logDirectoryGarbage,
  type PodFates,
  sandboxGarbage
} from "../../../../src/actors/runtime/garbage.ts"
import { itMeets, type Row, type RowValue } from "../../../support/cases.ts"

const file = "runtime-gc.json"
/** Times in the rows: small numbers are long ago, "now" is now. */
const now = 10 ** 13
const fatesOf = ({ removedPodUIDs, terminatedPodUIDs, evictTerminatingPods }: RowValue): PodFates => ({
  isDeleted: (uid) => removedPodUIDs.includes(uid),
  isTerminated: (uid) => terminatedPodUIDs.includes(uid),
  evictTerminated: evictTerminatingPods
})
const remaining = (count: number, garbage: ReadonlyArray<string>): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => i).filter((i) => !garbage.includes(String(i)))

describe("garbage", () => {
  itMeets(file, "TestContainerGC", "are dead containers beyond those that are kept", (row: Row) => {
    const { containers, policy, allSourcesReady } = row.in
    const seen = containers.map((c: RowValue, i: number) => ({
      id: String(i),
      podUid: c.podUID,
      name: c.container,
      attempt: c.attempt,
      createdAt: c.createdAtUnixNano === "now" ? now : c.createdAtUnixNano,
      state: c.state
    }))
    const { minAgeSeconds, maxPerPodContainer, maxContainers } = policy
    const kept = { minAge: minAgeSeconds * 1000, maxPerPodContainer, maxContainers }
    const garbage = containerGarbage(seen, kept, fatesOf(row.in), allSourcesReady, now)
    assert.deepEqual(remaining(seen.length, garbage), row.want.remain)
    return undefined
  })
  itMeets(file, "TestSandboxGC", "are sandboxes that are down and empty, but for the newest", (row) => {
    const { sandboxes, containers } = row.in
    const seen = sandboxes.map((s: RowValue, i: number) => ({
      id: String(i),
      podUid: s.podUID,
      attempt: s.attempt,
      createdAt: s.createdAtUnixSeconds * 1000,
      state: s.state,
      hasContainers: containers.some((c: RowValue) => c.podUID === s.podUID && c.sandboxAttempt === s.attempt)
    }))
    assert.deepEqual(remaining(seen.length, sandboxGarbage(seen, fatesOf(row.in))), row.want.remain)
    return undefined
  })
  itMeets(file, "TestPodLogDirectoryGC", "are log directories of pods that are gone", (row) => {
    const { root, directories, removedPodUIDs, allSourcesReady } = row.in
    const isDeleted = (uid: string) => removedPodUIDs.includes(uid)
    const garbage = logDirectoryGarbage(directories, { isDeleted }, allSourcesReady).map((name) => `${root}/${name}`)
    assert.deepEqual(garbage.toSorted(), row.want.removed.toSorted())
    return undefined
  })
})
