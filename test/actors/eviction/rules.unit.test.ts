/** The rules of eviction, by kubelet's own tables (`pkg/kubelet/eviction/helpers_test.go`). */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { Result } from "effect"
import { candidateOf } from "../../../src/actors/eviction/rules/candidate.ts"
import { withContainerFs } from "../../../src/actors/eviction/rules/container-fs.ts"
import { evictionMessage } from "../../../src/actors/eviction/rules/message.ts"
import {
  conditionsLastObserved,
  conditionsOf,
  conditionsSince,
  firstObserved,
  metGracePeriod,
  thresholdsMet,
  thresholdsUpdated
} from "../../../src/actors/eviction/rules/met.ts"
import { noticeUsage } from "../../../src/actors/eviction/rules/notifier.ts"
import { observationsOf } from "../../../src/actors/eviction/rules/observations.ts"
import {
  byDisk,
  byDiskExcess,
  byMemory,
  byMemoryExcess,
  byPriority,
  byProcesses,
  type Comparator,
  type DiskPart,
  ordered
} from "../../../src/actors/eviction/rules/rank.ts"
import { parsePercentage, parseThresholds, withAllocatable } from "../../../src/actors/eviction/rules/settings.ts"
import { byEvictionPriority, reclaimable, sameValue } from "../../../src/actors/eviction/rules/thresholds.ts"
import { parseQuantity, value } from "../../../src/actors/pod/resources/quantity.ts"
import { itMeets, judge, podOf, type Row, type RowValue, type Table } from "../../support/cases.ts"
import {
  metAsWritten,
  metFrom,
  metTo,
  observationsFrom,
  observationsTo,
  sortedThresholds,
  thresholdFrom,
  thresholdTo,
  timesFrom,
  withoutNull
} from "./from-rows.ts"

const file = "eviction.json"
const oneFs = { dedicatedImageFs: false, separateContainerFs: false }
const bytes = (text: string): number => value(Result.getOrThrow(parseQuantity(text)))

/**
 * Two tables have grace periods of some nanoseconds, which stand there as `0.0`: another text than `0`, and the same number
 * for JSON. Here they are a nanosecond.
 */
const meetsWithNanoseconds = (test: string, behaviour: string, check: (row: Row) => void) =>
  it(`${behaviour} (${test})`, () => {
    const text = readFileSync(new URL(`../../cases/${file}`, import.meta.url), "utf8")
    const { tables }: { readonly tables: ReadonlyArray<Table> } = JSON.parse(
      text.replaceAll(/("gracePeriodSeconds": *)0\.0(?=[,\s}])/gu, "$11e-9")
    )
    judge(`${file} ${test}`, tables.find(({ origin }) => origin.test === test)!.rows, (row) => {
      check(row)
      return undefined
    })
  })

const meets = (test: string, behaviour: string, check: (row: Row) => void) =>
  itMeets(file, test, behaviour, (row) => {
    check(row)
    return undefined
  })

const thresholdsEqual = (actual: ReadonlyArray<RowValue>, wanted: RowValue): void =>
  assert.deepEqual(sortedThresholds(actual), sortedThresholds(wanted))

describe("settings of eviction", () => {
  meets("TestParseThresholdConfig", "are read into thresholds", ({ in: given, want }) => {
    const parsed = parseThresholds({
      enforceNodeAllocatable: given.enforceNodeAllocatable ?? [],
      evictionHard: given.evictionHard ?? {},
      evictionSoft: given.evictionSoft ?? {},
      evictionSoftGracePeriod: given.evictionSoftGracePeriod ?? {},
      evictionMinimumReclaim: given.evictionMinimumReclaim ?? {}
    })
    assert.equal(Result.isFailure(parsed) ? parsed.failure : null, want.error)
    if (Result.isSuccess(parsed)) thresholdsEqual(parsed.success.map(thresholdTo), want.thresholds)
  })
  meets("TestParsePercentage", "may be percentages", ({ in: given, want }) => {
    const parsed = parsePercentage(given.text)
    assert.equal(Result.isFailure(parsed) ? parsed.failure : null, want.error)
    if (Result.isSuccess(parsed)) assert.equal(Number(parsed.success.toFixed(7)), want.fraction)
  })
  meetsWithNanoseconds("TestAddAllocatableThresholds", "hold for the cgroup of all pods", ({ in: given, want }) =>
    thresholdsEqual(withAllocatable(given.thresholds.map(thresholdFrom)).map(thresholdTo), want.thresholds)
  )
  meetsWithNanoseconds("TestAddContainerFsThresholds", "follow for containerfs", ({ in: given, want }) => {
    const { thresholds, ignored } = withContainerFs(given.thresholds.map(thresholdFrom), {
      dedicatedImageFs: given.separateImageFs,
      separateContainerFs: given.separateContainerFs
    })
    thresholdsEqual(thresholds.map(thresholdTo), want.thresholds)
    assert.equal(ignored ?? null, want.error)
  })
  meets("TestCompareThresholdValue", "are equal or not", ({ in: { a, b }, want }) =>
    assert.equal(
      sameValue(
        thresholdFrom({ signal: "", value: a, gracePeriodSeconds: 0, minReclaim: null }).value,
        thresholdFrom({ signal: "", value: b, gracePeriodSeconds: 0, minReclaim: null }).value
      ),
      want.equal
    )
  )
})

describe("thresholds", () => {
  meets("TestSortByEvictionPriority", "are dealt with in order", ({ in: given, want }) =>
    assert.deepEqual(
      byEvictionPriority(given.thresholds.map(thresholdFrom)).map(({ signal }) => signal),
      want.expected.map(({ signal }: RowValue) => signal)
    )
  )
  meets("TestGetReclaimableThreshold", "are of resources that can be reclaimed", ({ in: given, want }) => {
    const found = reclaimable(given.thresholds.map(thresholdFrom))
    assert.equal(found !== undefined, want.found)
    if (found === undefined) return
    assert.equal(found.resource, want.resource)
    thresholdsEqual([thresholdTo(found.threshold)], [want.threshold])
  })
  for (const test of ["TestThresholdsMet", "TestPercentageThresholdsMet"]) {
    meets(test, "are met or not", ({ in: given, want }) =>
      thresholdsEqual(
        thresholdsMet(
          given.thresholds.map(thresholdFrom),
          observationsFrom(given.observations),
          given.enforceMinReclaim ?? false
        ).map(thresholdTo),
        want.thresholds
      )
    )
  }
  meets("TestThresholdsUpdatedStats", "count with new figures only", ({ in: given, want }) =>
    thresholdsEqual(
      thresholdsUpdated(
        given.thresholds.map(thresholdFrom),
        observationsFrom(given.observations),
        observationsFrom(given.lastObservations)
      ).map(thresholdTo),
      want.thresholds
    )
  )
  meets("TestThresholdsFirstObservedAt", "are met since the first time", ({ in: given, want }) =>
    assert.deepEqual(
      metTo(firstObserved(given.thresholds.map(thresholdFrom), metFrom(given.lastObservedAt), Date.parse(given.now))),
      metAsWritten(want.observedAt)
    )
  )
  meets("TestThresholdsMetGracePeriod", "are met for their grace period", ({ in: given, want }) =>
    thresholdsEqual(metGracePeriod(metFrom(given.observedAt), Date.parse(given.now)).map(thresholdTo), want.thresholds)
  )
})

describe("conditions of the node", () => {
  meets("TestNodeConditions", "follow from thresholds", ({ in: given, want }) =>
    assert.deepEqual(conditionsOf(given.thresholds.map(thresholdFrom)), want.conditions)
  )
  meets("TestNodeConditionsLastObservedAt", "remember when they were seen", ({ in: given, want }) =>
    assert.deepEqual(
      conditionsLastObserved(given.conditions, timesFrom(given.lastObservedAt), Date.parse(given.now)),
      timesFrom(want.observedAt)
    )
  )
  meets("TestNodeConditionsObservedSince", "hold for the transition period", ({ in: given, want }) =>
    assert.deepEqual(
      conditionsSince(timesFrom(given.observedAt), given.periodSeconds * 1000, Date.parse(given.now)),
      want.conditions
    )
  )
  meets("TestHasNodeConditions", "are asked for by name", ({ in: given, want }) =>
    assert.equal(given.conditions.includes(given.condition), want.result)
  )
})

describe("figures", () => {
  meets("TestMakeSignalObservations", "are taken from a summary", ({ in: given, want }) =>
    assert.deepEqual(observationsTo(observationsOf(withoutNull(given.summary))), want.observations)
  )
  meets("TestUpdateThreshold", "say when the kernel shall tell", ({ in: given, want }) =>
    // The kernel's refusal, which the other rows of the table are about, is the adapter's to tell.
    assert.equal(
      noticeUsage(
        {
          availableBytes: bytes(given.available),
          workingSetBytes: bytes(given.workingSet),
          usageBytes: bytes(given.usage)
        },
        thresholdFrom(given.evictionThreshold)
      ),
      bytes(want.expectedThreshold)
    )
  )
  meets("TestEvictionMessage", "are told of the pod that goes", ({ in: given, want }) => {
    const pod = podOf(withoutNull(given.pod))
    const stats = {
      podRef: { name: "", namespace: "", uid: "" },
      startTime: "",
      ...(given.podMemoryUsage === "" ? {} : { memory: { time: "", workingSetBytes: bytes(given.podMemoryUsage) } }),
      containers: given.containerMemoryUsage.map(({ name, usage }: RowValue) => ({
        name,
        startTime: "",
        memory: { time: "", workingSetBytes: bytes(usage) }
      }))
    }
    assert.deepEqual(
      evictionMessage(
        given.resource,
        candidateOf(pod, stats, oneFs),
        given.thresholds.map(thresholdFrom),
        observationsFrom(given.observations)
      ),
      { message: want.message, annotations: want.annotations }
    )
  })
})

const parts: ReadonlyArray<DiskPart> = ["root", "logs", "volumes"]
const comparators: Readonly<Record<string, Comparator>> = {
  exceedsMemoryRequest: byMemoryExcess,
  "exceedsDiskRequest:ephemeral-storage": byDiskExcess(parts, "ephemeral-storage"),
  priority: byPriority,
  memory: byMemory,
  process: byProcesses,
  "disk:ephemeral-storage": byDisk(parts, "ephemeral-storage"),
  "disk:inodes": byDisk(parts, "inodes")
}

describe("the ranking", () => {
  const tests = [
    "TestOrderedByExceedsRequestMemory",
    "TestOrderedByExceedsRequestDisk",
    "TestOrderedByPriority",
    "TestOrderedbyDisk",
    "TestOrderedbyInodes",
    "TestOrderedByPriorityDisk",
    "TestOrderedByPriorityInodes",
    "TestOrderedByMemory",
    "TestOrderedByPriorityMemory",
    "TestOrderedByPriorityProcess"
  ]
  for (const test of tests) {
    itMeets("eviction-rank.json", test, "is kubelet's", ({ in: given, want }) => {
      const candidates = given.pods.map((pod: RowValue) =>
        candidateOf(podOf(withoutNull(pod)), withoutNull(given.stats?.[pod.metadata.name] ?? undefined), oneFs)
      )
      assert.deepEqual(
        ordered(
          candidates,
          given.comparators.map((name: string) => comparators[name]!)
        ).map(({ name }) => name),
        want.order
      )
      return undefined
    })
  }
})
