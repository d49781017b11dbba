/** Passes of eviction, step by step, by kubelet's own scenarios (`pkg/kubelet/eviction/eviction_manager_test.go`). */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { pressureRefusal } from "../../../src/actors/eviction/rules/admission.ts"
import { candidateOf } from "../../../src/actors/eviction/rules/candidate.ts"
import { withContainerFs } from "../../../src/actors/eviction/rules/container-fs.ts"
import { observationsOf } from "../../../src/actors/eviction/rules/observations.ts"
import {
  isRelieved,
  type Sight,
  type SyncConfig,
  type SyncState,
  synchronize,
  type Victim,
  victimOf
} from "../../../src/actors/eviction/rules/synchronize.ts"
import { differs, itMeets, podOf, type RowValue } from "../../support/cases.ts"
import {
  metAsWritten,
  metTo,
  observationsTo,
  sortedThresholds,
  stateFrom,
  thresholdFrom,
  thresholdTo,
  timesFrom,
  withoutNull
} from "./from-rows.ts"

const file = "eviction-manager.json"

const tests = [
  "TestMemoryPressure_VerifyPodStatus",
  "TestPIDPressure_VerifyPodStatus",
  "TestDiskPressureNodeFs_VerifyPodStatus",
  "TestMemoryPressure",
  "TestPIDPressure",
  "TestDiskPressureNodeFs",
  "TestMinReclaim",
  "TestNodeReclaimFuncs",
  "TestInodePressureFsInodes",
  "TestStaticCriticalPodsAreNotEvicted",
  "TestStorageLimitEvictions",
  "TestAllocatableMemoryPressure",
  "TestUpdateMemcgThreshold",
  "TestManagerWithLocalStorageCapacityIsolationOpen"
]

interface Pass {
  readonly state: SyncState
  readonly victims: ReadonlyArray<Victim>
  readonly reclaims: ReadonlyArray<string>
}

/** What the actor does around the rules: node-level reclaim between two looks. */
const pass = (config: SyncConfig, before: SyncState, sight: Sight, after: RowValue): Pass => {
  const { state, todo } = synchronize(config, before, sight)
  const chosen = (shortage: Parameters<typeof victimOf>[1]): ReadonlyArray<Victim> => {
    const victim = victimOf(config, shortage, sight)
    return victim === undefined ? [] : [victim]
  }
  switch (todo._tag) {
    case "Nothing":
      return { state, victims: [], reclaims: [] }
    case "EvictLimited":
      return { state, victims: todo.victims, reclaims: [] }
    case "Evict":
      return { state, victims: chosen(todo.shortage), reclaims: [] }
    case "Reclaim": {
      const observations = after === null ? sight.observations : observationsOf(withoutNull(after))
      const isEnough = isRelieved(config, { layout: sight.layout, observations })
      return { state, victims: isEnough ? [] : chosen(todo.shortage), reclaims: todo.reclaims }
    }
  }
}

describe("a pass of eviction", () => {
  for (const test of tests) {
    itMeets(file, test, "does what kubelet does", ({ in: given, want, gates }) => {
      if (gates?.KubeletSeparateDiskGC === false && want.error !== null)
        return differs("without the gate KubeletSeparateDiskGC a split file system is an error; here it is always on")
      const layout = {
        dedicatedImageFs: given.dedicatedImageFs,
        separateContainerFs: given.dedicatedContainerFs
      }
      const thresholds = given.config.thresholds.map(thresholdFrom)
      const config: SyncConfig = {
        thresholds,
        pressureTransitionPeriod: given.config.pressureTransitionPeriodSeconds * 1000,
        maxPodGracePeriodSeconds: given.config.maxPodGracePeriodSeconds,
        localStorageCapacityIsolation: given.localStorageCapacityIsolation
      }
      const summary = withoutNull(given.summary)
      const candidates = (given.pods ?? []).map((pod: RowValue) =>
        candidateOf(
          podOf(withoutNull(pod)),
          summary.pods?.find(({ podRef }: RowValue) => podRef.uid === pod.metadata.uid),
          layout
        )
      )
      const sight = { now: Date.parse(given.now), layout, observations: observationsOf(summary), candidates }
      const { state, victims, reclaims } = pass(config, stateFrom(given.state), sight, given.summaryAfterGC)

      assert.deepEqual(victims.map(({ candidate }) => candidate.name).sort(), [...want.returned].sort())
      assert.equal(reclaims.includes("images"), want.imageGC, "imageGC")
      assert.equal(reclaims.includes("containers"), want.containerGC, "containerGC")
      if (want.killed !== null) {
        const victim = victims.find(({ candidate }) => candidate.name === want.killed.pod)!
        assert.equal(victim.gracePeriodSeconds, want.killed.gracePeriodOverrideSeconds)
        assert.equal(victim.message, want.killed.status.message)
        const disrupted = want.killed.status.conditions ?? []
        assert.equal(victim.limit === undefined, disrupted.length > 0, "DisruptionTarget")
      }
      assert.deepEqual([...state.conditions].sort(), [...(want.state.nodeConditions ?? [])].sort())
      assert.deepEqual(state.conditionTimes, timesFrom(want.state.nodeConditionsLastObservedAt))
      assert.deepEqual(metTo(state.met), metAsWritten(want.state.thresholdsFirstObservedAt))
      assert.deepEqual(
        sortedThresholds(state.thresholdsMet.map(thresholdTo)),
        sortedThresholds(want.state.thresholdsMet)
      )
      assert.deepEqual(observationsTo(state.lastObservations), want.state.lastObservations)
      assert.ok(withContainerFs(thresholds, layout).thresholds.length >= thresholds.length)
      return undefined
    })
  }
  itMeets(file, "TestAdmitUnderNodeConditions and others", "lets pods in or not", ({ in: given, want }) => {
    const refusal = pressureRefusal(podOf(withoutNull(given.pod)), given.nodeConditions)
    assert.equal(refusal === undefined, want.admit)
    assert.equal(refusal?.reason ?? "", want.reason)
    assert.equal(refusal?.message ?? "", want.message)
    return undefined
  })
})
