/**
 * What kubelet's status manager makes of a status (`pkg/kubelet/status/status_manager.go`), as far as a node has it: there is no
 * API object into which a status is merged; each change is an event, and conditions are told one by one.
 */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { Decision } from "../../../../src/actors/kernel/decision.ts"
import { knownFlags } from "../../../../src/actors/kernel/flags.ts"
import { evolve, type PodDecision } from "../../../../src/actors/pod/evolve.ts"
import { emptyContainer, emptyPod, type PodState } from "../../../../src/actors/pod/state.ts"
import { containerStatuses } from "../../../../src/actors/pod/status/container-statuses.ts"
import { finalPhase, finalStatuses } from "../../../../src/actors/pod/status/final-statuses.ts"
import { planReport, tellCondition } from "../../../../src/actors/pod/status/report.ts"
import { millis, timestamp } from "../../../../src/events/definition.ts"
import { differs, itMeets, podOf, type RowValue } from "../../../support/cases.ts"

const file = "status-manager.json"
const long = "2026-01-01T00:00:00.000Z"
const now = millis("2026-01-02T00:00:00.000Z")

const decision = (state: PodState): PodDecision => new Decision(state, evolve, now, knownFlags)
const conditionsOf = (status: RowValue): PodState["conditions"] =>
  Object.fromEntries(
    (status.conditions ?? []).map((c: RowValue) => [
      c.type,
      { status: c.status === "True", reason: c.reason ?? "", message: c.message ?? "", since: long }
    ])
  )
const definitionOf = (pod: RowValue): NonNullable<PodState["definition"]> => ({
  pod: podOf(pod),
  source: "",
  qosClass: "BestEffort",
  maxRestartPeriodSeconds: 300,
  because: "e0"
})

describe("a status", () => {
  itMeets(file, "TestMergePodStatus", "says that a pod failed when nothing of it can run any more", (row) => {
    const { pod, apiStatus, kubeletStatus, couldHaveRunningContainers } = row.in
    const others = [...apiStatus.conditions, ...kubeletStatus.conditions].some(
      (c: RowValue) => c.type === "example.com/feature" || c.reason === "EvictedByEvictionAPI"
    )
    if (others) return differs("no API server: nobody else sets conditions of a pod")
    if (kubeletStatus.phase !== "Failed")
      return differs("no API server: a status is not merged into the one before; conditions are told one by one")
    const target = kubeletStatus.conditions.find((c: RowValue) => c.type === "DisruptionTarget")
    // An eviction is to come; what a pod is preempted for is told in the same way.
    const reason = target === undefined ? kubeletStatus.reason : "Preempting"
    const running = { ...emptyContainer("app", false), status: "running" as const, attempt: 0, containerId: "c" }
    const d = decision({
      ...emptyPod("new/foo"),
      definition: definitionOf({ ...pod, spec: { containers: [{ name: "app", image: "i" }] } }),
      containers: [couldHaveRunningContainers ? running : { ...running, status: "exited" }],
      initialized: true,
      phase: "Running",
      conditions: conditionsOf(apiStatus),
      failed: { reason: reason ?? "", message: kubeletStatus.message, because: "e1" }
    })
    planReport(d)
    const { status } = row.want
    assert.equal(d.state.phase, status.phase)
    const wanted = status.conditions
    for (const { type, status: value, reason: why } of wanted) {
      if (couldHaveRunningContainers && type !== "DisruptionTarget") continue
      assert.deepEqual(
        [type, d.state.conditions[type]?.status, d.state.conditions[type]?.reason],
        [type, value === "True", why ?? ""]
      )
    }
    const isWanted = wanted.some(({ type }: RowValue) => type === "DisruptionTarget")
    assert.equal(d.state.conditions.DisruptionTarget !== undefined, isWanted)
    return undefined
  })

  itMeets(file, "TestTerminatePod_DefaultUnknownStatus", "gives every container of a finished pod an end", (row) => {
    const { spec, status } = podOf(row.in.pod)
    const { initContainerStatuses: init = [], containerStatuses: main = [], phase } = status
    const ends = finalStatuses(spec, { init, main })
    const plain = (list: ReadonlyArray<RowValue>) =>
      list.map(({ name, state, lastState }) => {
        const { exitCode, reason, message } = state.terminated ?? {}
        return [name, Object.keys(state), exitCode, reason, message, lastState.terminated?.exitCode]
      })
    assert.deepEqual(plain(ends.init), plain(row.want.status.initContainerStatuses ?? []))
    assert.deepEqual(plain(ends.main), plain(row.want.status.containerStatuses ?? []))
    assert.equal(finalPhase(phase), row.want.status.phase)
    return undefined
  })
  itMeets(file, "TestTerminatePod_EnsurePodPhaseIsTerminal", "of a finished pod has a final phase", (row) => {
    assert.equal(finalPhase(row.in.status.phase), row.want.status.phase)
    return undefined
  })
})

describe("a condition", () => {
  const told = (before: PodState["conditions"], condition: RowValue) => {
    const d = decision({ ...emptyPod("new/foo"), conditions: before })
    tellCondition(d, condition, () => undefined)
    return d
  }
  itMeets(file, "TestUpdateLastTransitionTime", "keeps the time of its last transition", (row) => {
    const { condition, oldCondition } = row.in
    if (condition === null) return differs("a condition is told by its own event; there is none without it")
    const before = oldCondition === null ? {} : conditionsOf({ conditions: [oldCondition] })
    const { since } = told(before, { ...condition, reason: "another" }).state.conditions[condition.type]!
    assert.equal(since, row.want.expectUpdate ? timestamp(now) : long)
    return undefined
  })
  itMeets("restart-policy.json", "TestUpdatePodCondition", "is told when it changes", (row) => {
    const { status, condition } = row.in
    assert.equal(told(conditionsOf(status), condition).decided.length > 0, row.want.changed)
    return undefined
  })
})

describe("the statuses of containers", () => {
  const state = (spec: RowValue): PodState => ({
    ...emptyPod("new/foo"),
    definition: definitionOf({ spec }),
    containers: [
      ...(spec.initContainers ?? []).map((c: RowValue) => emptyContainer(c.name, true)),
      ...(spec.containers ?? []).map((c: RowValue) => emptyContainer(c.name, false))
    ]
  })
  const names = (list: ReadonlyArray<{ readonly name: string }>) => list.map(({ name }) => name)
  itMeets("pod-kind.json", "TestSortInitContainerStatuses", "stand in the order of the manifest", (row) => {
    const { containers: initContainers } = row.in
    const statuses = containerStatuses(state({ initContainers }), "init")
    // Rows of fewer statuses than containers: here each container has one.
    const wanted = names(row.want.sortedStatuses)
    assert.deepEqual(
      names(statuses).filter((name) => wanted.includes(name)),
      wanted
    )
    return undefined
  })
  itMeets(
    "pod-status.json",
    "TestGenerateAPIPodStatusWithSortedContainers",
    "stand in the order of the manifest",
    (row) => {
      const statuses = containerStatuses(state(row.in.pod.spec), "regular")
      assert.deepEqual(
        names(statuses),
        names(row.want.containerStatuses ?? row.want.status?.containerStatuses ?? row.in.pod.spec.containers)
      )
      return undefined
    }
  )
})
