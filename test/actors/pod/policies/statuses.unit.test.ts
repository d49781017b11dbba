/**
 * Statuses and phase as kubelet would report them (`kubelet_pods.go` convertToAPIContainerStatuses, generateAPIPodStatus). kubelet
 * derives them anew from the runtime's lists and from what it reported before; here they are read off the actor's state, which
 * each row is turned into.
 */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { Decision } from "../../../../src/actors/kernel/decision.ts"
import { knownFlags } from "../../../../src/actors/kernel/flags.ts"
import { evolve } from "../../../../src/actors/pod/evolve.ts"
import { isRestarted } from "../../../../src/actors/pod/plan/start-order.ts"
import {
  type ContainerInState,
  type Exit,
  emptyContainer,
  emptyPod,
  type PodState
} from "../../../../src/actors/pod/state.ts"
import { containerStatuses } from "../../../../src/actors/pod/status/container-statuses.ts"
import { planReport } from "../../../../src/actors/pod/status/report.ts"
import type { ContainerStatus } from "../../../../src/actors/pod/status/status.ts"
import { differs, itMeets, podOf, type Row, type RowValue } from "../../../support/cases.ts"

const when = "2026-01-01T00:00:00.000Z"
const exitOf = (exitCode: number, reason = ""): Exit => ({
  containerId: "c",
  attempt: 0,
  ...{ exitCode, reason, message: "", oomKilled: false, startedAt: "", finishedAt: when }
})
/** What the actor notes of a container that the runtime does not know any more. */
const lost = exitOf(137, "ContainerStatusUnknown")

/** A container from the runtime's instances, newest first; else from what was reported before. */
const containerOf = (
  name: string,
  init: boolean,
  seen: ReadonlyArray<RowValue>,
  before: RowValue
): ContainerInState => {
  const c = emptyContainer(name, init)
  const [newest, older] = seen
  const last =
    older?.state === "exited"
      ? exitOf(older.exitCode)
      : (before?.state?.terminated ?? before?.lastState?.terminated ?? null)
  const previousExit = last === null ? null : exitOf(last.exitCode, last.reason)
  if (newest?.state === "running") {
    return {
      ...c,
      status: "running",
      attempt: newest.restartCount,
      containerId: "c",
      startedAt: when,
      lastExit: previousExit
    }
  }
  if (newest?.state === "exited")
    return { ...c, status: "exited", attempt: 0, lastExit: exitOf(newest.exitCode), previousExit }
  const ended = before?.state?.terminated
  if (ended !== undefined) return { ...c, status: "exited", attempt: 0, lastExit: exitOf(ended.exitCode, ended.reason) }
  if (before?.state?.running !== undefined) return { ...c, status: "exited", attempt: 0, lastExit: lost }
  const lastEnd = before?.lastState?.terminated
  return lastEnd === undefined ? c : { ...c, lastExit: exitOf(lastEnd.exitCode, lastEnd.reason) }
}

interface Given {
  readonly pod: RowValue
  readonly runtime: RowValue
  readonly before: ReadonlyArray<RowValue>
  readonly terminal: boolean
  readonly phase: PodState["phase"] | undefined
}

const stateOf = ({ pod: written, runtime, before, terminal, phase }: Given): PodState => {
  const pod = podOf(written)
  const seen = (name: string) => (runtime.containerStatuses ?? []).filter((c: RowValue) => c.name === name)
  const reported = (name: string) => before.find((status) => status.name === name)
  const containers = (list: ReadonlyArray<RowValue> | undefined, init: boolean) =>
    (list ?? []).map(({ name }) => containerOf(name, init, seen(name), reported(name)))
  const definition = { pod, source: "", qosClass: "BestEffort", maxRestartPeriodSeconds: 300, because: "e0" } as const
  const main = containers(pod.spec.containers, false)
  const state: PodState = {
    ...emptyPod("new/foo"),
    definition,
    containers: [...containers(pod.spec.initContainers, true), ...main],
    initialized: main.some((c) => c.status === "running"),
    ...(phase === undefined ? {} : { phase }),
    termination: terminal ? { reason: "ManifestRemoved", gracePeriodSeconds: 30, at: 0, because: "e0" } : null
  }
  return state
}

const reported = (state: PodState): Pick<PodState, "phase" | "conditions"> => {
  const d = new Decision(state, evolve, 0, knownFlags)
  planReport(d)
  return d.state
}

const waitingFor = (state: PodState, reasons: (c: ContainerInState) => string | undefined): PodState => ({
  ...state,
  containers: state.containers.map((c) => {
    const reason = reasons(c)
    return reason === undefined || c.status !== "exited" ? c : { ...c, waiting: { reason, message: "" } }
  })
})

/** What of a status is compared: its state, and the end before. */
const essence = ({ name, state, lastState }: Pick<ContainerStatus, "name" | "state" | "lastState">) => {
  const side = (s: RowValue) =>
    s.running !== undefined
      ? "running"
      : s.terminated !== undefined
        ? `terminated ${s.terminated.exitCode} ${s.terminated.reason ?? ""}`.trim()
        : s.waiting !== undefined
          ? `waiting ${s.waiting.reason ?? ""}`
          : "none"
  return [name, side(state), side(lastState)]
}
const sorted = (statuses: ReadonlyArray<RowValue> | null | undefined) =>
  (statuses ?? []).map((status) => essence({ lastState: {}, ...status })).sort()

const compare = (state: PodState, want: RowValue): undefined => {
  const { phase, conditions } = reported(state)
  assert.equal(phase, want.phase)
  const scheduled = want.conditions?.find(({ type }: RowValue) => type === "PodScheduled")
  if (scheduled !== undefined) assert.equal(conditions.PodScheduled?.status, scheduled.status === "True")
  assert.deepEqual(sorted(containerStatuses(state, "init")), sorted(want.initContainerStatuses))
  assert.deepEqual(sorted(containerStatuses(state, "regular")), sorted(want.containerStatuses))
  return undefined
}

describe("the status of a pod", () => {
  const file = "pod-status.json"
  const byPolicy = (row: Row) => {
    const { pod, podStatus, isPodTerminal } = row.in
    const state = stateOf({ pod, runtime: podStatus, before: [], terminal: isPodTerminal, phase: undefined })
    // kubelet knows why each of them waits; only one that comes back waits for it.
    return compare(
      waitingFor(state, (c) => (isRestarted(state, c) ? "test-error" : undefined)),
      row.want.status
    )
  }
  itMeets(file, "TestGenerateAPIPodStatusWithDifferentRestartPolicies", "tells who comes back", byPolicy)
  itMeets(
    file,
    "TestGenerateAPIPodStatusWithContainerRestartPolicies",
    "tells who comes back by its own rules",
    byPolicy
  )
  const known = new Map<string, string>()
  itMeets(file, "TestGenerateAPIPodStatusWithReasonCache", "tells why a container waits", (row) => {
    const { pod, podStatus, isPodTerminal, reasons, previousContainerStatuses } = row.in
    if (podStatus.containerStatuses.some((c: RowValue) => c.state === "unknown"))
      return differs("a container whose state the runtime does not know stays as it was until the runtime does")
    const { initContainerStatuses, containerStatuses: reported } = pod.status
    const before = [...(previousContainerStatuses ?? []), ...(initContainerStatuses ?? []), ...(reported ?? [])]
    // Reasons are remembered from row to row, as in the test.
    for (const [name, reason] of Object.entries(reasons as Record<string, string>)) known.set(name, reason)
    const state = stateOf({ pod, runtime: podStatus, before, terminal: isPodTerminal, phase: undefined })
    return compare(
      waitingFor(state, (c) => known.get(c.name)),
      row.want
    )
  })
  itMeets(file, "Test_generateAPIPodStatus", "keeps a terminal phase", (row) => {
    const { pod, podStatus, isPodTerminal, previousStatus } = row.in
    const before = previousStatus?.containerStatuses ?? []
    const terminalPhase = [previousStatus?.phase, pod.status?.phase].find((p) => p === "Succeeded" || p === "Failed")
    return compare(
      stateOf({ pod, runtime: podStatus, before, terminal: isPodTerminal, phase: terminalPhase }),
      row.want.status
    )
  })
})

/** All containers start over: those that kubelet has removed are to run again; the end of one that runs was for that. */
const startingOver = (state: PodState, runtime: RowValue): PodState => ({
  ...state,
  restarting: { because: "e1" },
  containers: state.containers.map((c) => {
    const isThere = (runtime.containerStatuses ?? []).some(({ name }: RowValue) => name === c.name)
    if (!isThere) return { ...c, status: "exited", again: true, lastExit: c.lastExit ?? exitOf(137) }
    const { lastExit } = c
    if (c.status !== "running" || lastExit === null) return c
    return { ...c, again: false, lastExit: { ...lastExit, killedFor: "RestartAllContainers" } }
  })
})

describe("the statuses of containers", () => {
  itMeets("container-statuses.json", "TestConvertToAPIContainerStatusesForUser", "say as whom they run", (row) => {
    if (row.gates?.SupplementalGroupsPolicy === false)
      return differs("the gate SupplementalGroupsPolicy is off in this row; it is locked on since")
    const { pod, podStatus } = row.in
    const state = stateOf({ pod, runtime: podStatus, before: [], terminal: false, phase: undefined })
    const [{ user: seen }] = podStatus.containerStatuses
    const user = seen?.linux === undefined ? {} : { user: seen.linux }
    const [status] = containerStatuses({ ...state, containers: state.containers.map((c) => ({ ...c, ...user })) })
    // Where the runtime tells of a user that is none, the API's is empty, and ours absent.
    assert.deepEqual(status?.user?.linux, row.want.statuses[0].user?.linux)
    return undefined
  })

  itMeets("container-statuses.json", "TestConvertToAPIContainerStatuses", "follow what is known of them", (row) => {
    const { pod, podStatus, previous, podRestarting, isInitContainer } = row.in
    const state = stateOf({ pod, runtime: podStatus, before: previous ?? [], terminal: false, phase: undefined })
    const isForgotten = isInitContainer && pod.spec.initContainers.some((c: RowValue) => c.restartPolicy !== "Always")
    if (isForgotten) return differs("the journal knows the end of an init container that the runtime has forgotten")
    const shown = podRestarting ? startingOver(state, podStatus) : state
    assert.deepEqual(sorted(containerStatuses(shown, isInitContainer ? "init" : "regular")), sorted(row.want.statuses))
    return undefined
  })
})
