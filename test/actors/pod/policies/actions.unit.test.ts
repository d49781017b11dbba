/**
 * What a sync pass of kubelet would do for a pod (`kuberuntime_manager.go` computePodActions), asked of the pod's actor: each row
 * is turned into a state of the actor, and the runtime answers what it asks until it has nothing more to ask but starts.
 */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { knownFlags } from "../../../../src/actors/kernel/flags.ts"
import type { PodCommand } from "../../../../src/actors/pod/commands.ts"
import { podDecider } from "../../../../src/actors/pod/decider.ts"
import { evolve, type PodEvent } from "../../../../src/actors/pod/evolve.ts"
import {
  type ContainerInState,
  emptyContainer,
  emptyPod,
  isRegular,
  type PodState,
  type SandboxInState
} from "../../../../src/actors/pod/state.ts"
import { timestamp } from "../../../../src/events/definition.ts"
import { differs, itMeets, later, type NotMet, podOf, type Row, type RowValue } from "../../../support/cases.ts"

const now = Date.parse("2026-01-01T00:00:00Z")
const ended = timestamp(now - 3_600_000)

const probesOf = (row: Row, id: string): ContainerInState["probes"] => {
  const said = (results: RowValue) => {
    const result = results?.[id]
    return result === undefined ? undefined : { result: result.toLowerCase(), output: "", because: "e0" }
  }
  const [liveness, startup] = [said(row.in.livenessResults), said(row.in.startupResults)]
  return {
    ...(liveness === undefined ? {} : { liveness }),
    ...(startup === undefined ? {} : { startup })
  }
}

/** A container as the row's runtime has it. One that was made and never ran is one whose start failed. */
const containerOf = (row: Row, name: string, init: boolean, sidecar: boolean): ContainerInState => {
  const seen = row.in.podStatus.containerStatuses?.find((c: RowValue) => c.name === name)
  const fresh = { ...emptyContainer(name, init, sidecar), imageId: "sha256:abc" }
  if (seen === undefined) return fresh
  const known = { ...fresh, attempt: 0, containerId: seen.id, because: "e0", probes: probesOf(row, seen.id) }
  if (seen.state === "running" || seen.state === "unknown")
    return { ...known, status: "running", startedAt: ended, startedBecause: "e0" }
  if (seen.state === "created") return { ...known, startRetry: { failures: 1, at: now, because: "e0" } }
  assert.equal(seen.state, "exited")
  const { exitCode } = seen
  const exit = { containerId: seen.id, attempt: 0, exitCode, reason: "", message: "", oomKilled: false }
  return { ...known, status: "exited", lastExit: { ...exit, startedAt: "", finishedAt: ended } }
}

const sandboxOf = (row: Row): SandboxInState | null => {
  const [sandbox] = row.in.podStatus.sandboxStatuses ?? []
  if (sandbox === undefined) return null
  const attempt = sandbox.metadata.attempt ?? 0
  const status = sandbox.state === "SANDBOX_READY" ? "ready" : "lost"
  return { status, attempt, sandboxId: "old", ips: ["10.0.0.1"], createdAt: ended, retry: null, because: "e0" }
}

const stateOf = (row: Row): PodState => {
  const pod = podOf(row.in.pod)
  const containers = [
    ...(pod.spec.initContainers ?? []).map((c: RowValue) =>
      containerOf(row, c.name, true, c.restartPolicy === "Always")
    ),
    ...pod.spec.containers.map((c: RowValue) => containerOf(row, c.name, false, false)),
    ...(pod.spec.ephemeralContainers ?? []).map((c: RowValue) => ({
      ...containerOf(row, c.name, false, false),
      ephemeral: true as const
    }))
  ]
  const initialized = containers.some((c) => isRegular(c) && (c.status === "running" || c.startRetry !== null))
  const definition = { pod, source: "", qosClass: "BestEffort", maxRestartPeriodSeconds: 300, because: "e0" } as const
  return {
    ...emptyPod("foo-ns/foo"),
    ...{ definition, containers, initialized, sandbox: sandboxOf(row), startTime: ended, because: "e0" },
    ...(row.in.restartAllContainers === true ? { restarting: { because: "e0" } } : {})
  }
}

/** What the runtime answers; nothing to a start, which is where the row's pass ends. */
const answerTo = (event: PodEvent): Record<string, unknown> | undefined => {
  switch (event._tag) {
    case "ContainerKillRequested":
    case "ContainerStopRequested": {
      const { container, containerId } = event
      if (event._tag === "ContainerKillRequested" && event.after !== undefined) return undefined
      const observed = { containerId, state: "exited", exitCode: 143, finishedAt: timestamp(now) }
      return { _tag: "ReportContainerStop", container, containerId, outcome: "stopped", observed }
    }
    case "SandboxStopRequested":
      return { _tag: "ReportSandboxStop", sandboxId: event.sandboxId, outcome: "stopped" }
    case "SandboxRequested":
      return { _tag: "ReportSandbox", attempt: event.attempt, outcome: "created", sandboxId: "new", ips: ["10.0.0.2"] }
    default:
      return undefined
  }
}

const eventsOf = (row: Row): ReadonlyArray<PodEvent> => {
  let state = stateOf(row)
  const events: Array<PodEvent> = []
  const learn = (command: Record<string, unknown>): void => {
    for (const { event, time } of podDecider.decide(state, { at: now, ...command } as PodCommand, knownFlags)) {
      state = evolve(state, event, { id: `e${events.length}`, time: timestamp(time ?? now) })
      events.push(event)
    }
  }
  const unclear = (row.in.podStatus.containerStatuses ?? []).filter((c: RowValue) => c.state === "unknown")
  const containers = unclear.map(({ id }: RowValue) => ({ containerId: id, state: "unknown" }))
  // A look at the runtime, which tells nothing new but that; the plan follows.
  learn({ _tag: "ObserveRuntime", uid: row.in.pod.metadata.uid, sandboxes: [], containers })
  for (let i = 0; i < events.length; i++) {
    assert.ok(i < 200, "it comes to rest")
    const answer = answerTo(events[i]!)
    if (answer !== undefined) learn(answer)
  }
  return events
}

type Tagged<Tag extends PodEvent["_tag"]> = Extract<PodEvent, { readonly _tag: Tag }>
const only = <Tag extends PodEvent["_tag"]>(events: ReadonlyArray<PodEvent>, tag: Tag): ReadonlyArray<Tagged<Tag>> =>
  events.filter((e): e is Tagged<Tag> => e._tag === tag)

const notHere = (row: Row): NotMet | undefined => {
  const { containersToKill, containersToUpdate } = row.want.actions
  if (Object.keys(containersToUpdate ?? {}).length > 0) return later("in-place resize")
  if (containersToKill?.some((kill: RowValue) => kill.message.includes("definition changed")))
    return differs("a changed manifest is another pod, as a static pod of kubelet's: the old one ends as a whole")
  const seen: ReadonlyArray<RowValue> = row.in.podStatus.containerStatuses ?? []
  const names = [...(row.in.pod.spec.initContainers ?? []), ...row.in.pod.spec.containers].map((c: RowValue) => c.name)
  const isUnclear = seen.some((c) => c.state === "unknown" && names.includes(c.name))
  if (isUnclear && seen.some((c) => c.state === "unknown" && !c.name.includes("init")))
    return differs("a container of unknown state is not run a second time where it is never to be restarted")
  const [sandbox] = row.in.podStatus.sandboxStatuses ?? []
  if (sandbox?.state === "SANDBOX_READY" && (sandbox.network?.ip ?? "") === "")
    return differs("a sandbox has its address when it is made, or is not made")
  const actions = row.want.actions
  const onlyInits = seen.length > 0 && seen.every((c) => c.name.includes("init"))
  if (actions.killPod && !actions.createSandbox && sandbox?.state !== "SANDBOX_READY" && onlyInits)
    return differs(
      "a pod that lost its sandbox before its regular containers began starts over; upstream it stays Pending"
    )
  return undefined
}

const check = (row: Row): undefined | NotMet => {
  const reason = notHere(row)
  if (reason !== undefined) return reason
  const { actions } = row.want
  const events = eventsOf(row)
  const { initContainers = [], containers, ephemeralContainers = [] } = row.in.pod.spec
  const wanted = [
    ...(actions.initContainersToStart ?? []).map((i: number) => initContainers[i].name),
    ...(actions.containersToStart ?? []).map((i: number) => containers[i].name),
    ...(actions.ephemeralContainersToStart ?? []).map((i: number) => ephemeralContainers[i].name)
  ]
  const resets: ReadonlyArray<RowValue> = actions.containersToReset ?? []
  const kills = only(events, "ContainerKillRequested")
  if (resets.length > 0) {
    const killed = resets.filter(({ kill }) => kill).map(({ name }) => name)
    assert.deepEqual(kills.map(({ container }) => container).sort(), killed.sort())
    assert.equal(only(events, "PodContainersReset").length, 1)
    return undefined
  }
  const started = only(events, "ContainerStartRequested").map(({ container }) => container)
  assert.deepEqual(started.sort(), wanted.sort())
  const sandboxes = only(events, "SandboxRequested").map(({ attempt }) => attempt)
  assert.deepEqual(sandboxes, actions.createSandbox ? [actions.attempt] : [])
  const hadSandbox = (row.in.podStatus.sandboxStatuses ?? []).length > 0
  assert.equal(only(events, "SandboxStopRequested").length > 0, actions.killPod && hadSandbox)
  if (!actions.killPod) {
    const wantedKills = (actions.containersToKill ?? []).map((kill: RowValue) => [kill.name, kill.reason])
    assert.deepEqual(kills.map((k) => [k.container, k.reason]).sort(), wantedKills.sort())
  }
  return undefined
}

describe("what a pod does next", () => {
  const file = "pod-actions.json"
  itMeets(file, "TestComputePodActions", "restarts what its policy says, in the sandbox or in a new one", check)
  itMeets(file, "TestComputePodActionsWithInitContainers", "runs init containers one after another", check)
  itMeets(
    file,
    "TestComputePodActionsWithRestartableInitContainers",
    "keeps sidecars running, and starts in order",
    check
  )
  itMeets(file, "TestComputePodActionsWithInitAndEphemeralContainers", "is not held up by other containers", check)
  itMeets(file, "TestComputePodActionsWithContainerRestartRules", "heeds each container's own policy", check)
  itMeets(file, "TestComputePodActionsForRestartAllContainers", "starts all over where a rule says so", check)
})
