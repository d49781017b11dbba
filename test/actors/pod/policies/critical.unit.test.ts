/** Critical pods, and whose place they take (`pkg/kubelet/types/pod_update.go`, `pkg/kubelet/preemption/preemption.go`). */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { Result } from "effect"
import {
  hasSidecar,
  isCriticalPod,
  isCriticalPriority,
  isMirrorPod,
  isNodeCriticalPod,
  isPreemptable,
  isStaticPod,
  podSource
} from "../../../../src/actors/pod/admission/critical.ts"
import { asksForLess, distance, podsToPreempt, subtract } from "../../../../src/actors/pod/admission/preemption.ts"
import { itMeets, podOf, type Row, type RowValue } from "../../../support/cases.ts"

describe("a critical pod", () => {
  const file = "pod-kind.json"
  const asks = (test: string, behaviour: string, question: (pod: RowValue) => boolean) =>
    itMeets(file, test, behaviour, ({ in: { pod }, want }: Row) => {
      assert.equal(question(podOf(pod)), want.expected)
      return undefined
    })
  asks("TestIsCriticalPod", "is static, a mirror or of a system priority", isCriticalPod)
  asks("TestIsNodeCriticalPod", "is node-critical by its class", isNodeCriticalPod)
  asks("TestIsMirrorPod", "may be a mirror", isMirrorPod)
  asks("TestIsStaticPod", "may be static", isStaticPod)
  asks("TestHasRestartableInitContainer", "may have sidecars", ({ spec }) => hasSidecar(spec))
  itMeets(file, "TestIsCriticalPodBasedOnPriority", "is known by its priority", ({ in: { priority }, want }) => {
    assert.equal(isCriticalPriority(priority), want.expected)
    return undefined
  })
  itMeets(file, "TestGetPodSource", "says where it came from", ({ in: { pod }, want }) => {
    assert.equal(podSource(podOf(pod)), want.errExpected ? undefined : want.expected)
    return undefined
  })
})

describe("preemption", () => {
  const file = "preemption.json"
  itMeets(
    file,
    "TestPreemptable",
    "goes by criticality, then by priority",
    ({ in: { preemptor, preemptee }, want }) => {
      assert.equal(isPreemptable(podOf(preemptor), podOf(preemptee)), want.expected)
      return undefined
    }
  )
  itMeets(file, "TestAdmissionRequirementsDistance", "weighs each resource alike", ({ in: given, want }) => {
    assert.equal(distance(given.requirements, podOf(given.pod)), want.distance)
    return undefined
  })
  itMeets(file, "TestAdmissionRequirementsSubtract", "knows what is still missing", ({ in: given, want }) => {
    assert.deepEqual(subtract(given.requirements, [podOf(given.pod)]), want.requirements)
    return undefined
  })
  itMeets(file, "TestSmallerResourceRequest", "spares who asks for more", ({ in: { pod1, pod2 }, want }) => {
    assert.equal(asksForLess(podOf(pod1), podOf(pod2)), want.result)
    return undefined
  })
  itMeets(file, "TestGetPodsToPreempt", "takes as few pods as possible, lower classes first", ({ in: given, want }) => {
    const pods: ReadonlyArray<RowValue> = given.pods.map(podOf)
    const chosen = podsToPreempt(podOf(given.preemptor), pods, given.requirements)
    if (want.error !== null) {
      assert.equal(Result.isFailure(chosen) ? chosen.failure : undefined, want.error)
      return undefined
    }
    const names = Result.isSuccess(chosen) ? chosen.success.map(({ metadata }) => metadata.generateName).sort() : []
    assert.deepEqual(names, [...want.pods].sort())
    return undefined
  })
})
