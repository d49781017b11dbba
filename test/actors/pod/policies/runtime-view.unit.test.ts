/** What the runtime says of a pod, as the pod takes it (`pkg/kubelet/kuberuntime/helpers.go`, `pkg/kubelet/container/helpers.go`). */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { evolve, type PodEvent } from "../../../../src/actors/pod/evolve.ts"
import { podGracePeriod } from "../../../../src/actors/pod/plan/grace.ts"
import { isInitFailed } from "../../../../src/actors/pod/plan/start-order.ts"
import { emptyContainer, type PodState } from "../../../../src/actors/pod/state.ts"
import { observedState } from "../../../../src/actors/runtime/exit-status.ts"
import { decodeContainerStatus } from "../../../../src/adapters/cri/decode.ts"
import { ContainerState } from "../../../../src/adapters/cri/generated/api_pb.js"
import { differs, itMeets, type RowValue } from "../../../support/cases.ts"
import { only, tags } from "../../../support/given.ts"
import { container, PodStory, pod } from "../pod-story.ts"

/** A container's status as the protocol has it. */
const statusOf = (row: RowValue) => {
  const number = typeof row.state === "number" ? row.state : ContainerState[row.state as keyof typeof ContainerState]
  const time = (nanos: number | undefined) => BigInt(nanos ?? 0)
  return decodeContainerStatus({
    ...{ id: "id", metadata: { name: "c", attempt: 0 }, image: { image: "" }, imageRef: "", exitCode: 0 },
    ...{ reason: "", message: "", labels: {}, annotations: {}, mounts: [], logPath: "", stopSignal: 0 },
    ...row,
    ...{ createdAt: time(row.createdAt), startedAt: time(row.startedAt), finishedAt: time(row.finishedAt) },
    state: number,
    stopSignal: 0
  } as never)
}

describe("what the runtime says of a container", () => {
  const file = "container-config.json"
  itMeets(file, "TestToKubeContainerState", "is known by its state; one that is new is unknown", (row) => {
    assert.equal(observedState(statusOf({ state: row.in.state, createdAt: 1 }).state), row.want.expected)
    return undefined
  })
  itMeets(file, "TestToKubeContainerStatus", "is how it ended, too", (row) => {
    const { status } = row.want
    const own = statusOf(row.in.status)
    assert.equal(observedState(own.state), status.state)
    assert.deepEqual(
      [own.id, own.exitCode, own.reason, own.message],
      [row.in.status.id, status.exitCode, status.reason, status.message]
    )
    assert.deepEqual(
      [own.startedAt !== undefined, own.finishedAt !== undefined],
      [status.startedAt, status.finishedAt].map((time) => time != null && !time.startsWith("0001"))
    )
    return undefined
  })
  itMeets(file, "TestIsInitContainerFailed", "tells whether an init container failed", (row) => {
    const { state, exitCode, reason } = row.in.status
    if (state === "unknown")
      return differs("a container whose state the runtime does not know is stopped first; then its end counts")
    if (reason === "OOMKilled")
      return differs("its exit code says whether it succeeded; that memory ran out beside it is told")
    const story = new PodStory()
    story.desire(pod({ restartPolicy: "Never", initContainers: [container("init")] }))
    const init = { ...emptyContainer("init", true), attempt: 0 }
    const exit = {
      containerId: "c",
      attempt: 0,
      exitCode,
      reason,
      message: "",
      oomKilled: false,
      startedAt: "",
      finishedAt: ""
    }
    const is: PodState["containers"][number] =
      state === "exited"
        ? { ...init, status: "exited", lastExit: exit }
        : { ...init, status: state === "running" ? "running" : "starting" }
    assert.equal(isInitFailed({ ...story.state, containers: [is] }), row.want.isFailed)
    return undefined
  })
  itMeets(
    "container-helpers.json",
    "TestHasAnyActiveRegularContainerStarted",
    "tells whether its pod is initialized",
    (row) => {
      const { spec, podStatus } = row.in
      const story = new PodStory()
      story.desire(
        pod({
          containers: spec.containers.map((c: RowValue) => container(c.name)),
          initContainers: spec.initContainers.map((c: RowValue) => container(c.name))
        })
      )
      const meta = { id: "e", time: "2026-01-01T00:00:00.000Z" } as never
      const started = (name: string): PodEvent => ({
        _tag: "ContainerStarted",
        container: name,
        containerId: name,
        attempt: 0,
        startedAt: "2026-01-01T00:00:00.000Z"
      })
      const ran = (list: ReadonlyArray<RowValue> | undefined) =>
        (list ?? []).filter(({ state }) => state === "running" || state === "exited").map(({ name }) => started(name))
      const active = podStatus.activeContainerStatuses ?? []
      const before = (podStatus.containerStatuses ?? []).filter(
        (c: RowValue) => !active.some((a: RowValue) => a.id === c.id && a.name === c.name)
      )
      const events: ReadonlyArray<PodEvent> = [
        ...ran(before),
        { _tag: "SandboxRequested", attempt: 1, reason: "" },
        ...ran(active)
      ]
      const state = events.reduce((now, event) => evolve(now, event, meta), story.state)
      assert.equal(state.initialized, row.want.result)
      return undefined
    }
  )
})

describe("what the runtime says of sandboxes", () => {
  itMeets("pod-actions.json", "TestPodSandboxChanged", "tells whether the pod needs another one", (row) => {
    const { sandboxStatuses = [] } = row.in.podStatus
    const ready = sandboxStatuses.filter((s: RowValue) => s.state === "SANDBOX_READY")
    if (ready.length > 1) return differs("the actor knows the one sandbox that it asked for; others are garbage")
    if (row.in.pod.spec.hostNetwork === true)
      return differs("a changed manifest is another pod, as a static pod of kubelet's")
    if (ready.length === 1 && !(ready[0].network?.ip?.length > 0))
      return differs("a sandbox has its address when it is made, or is not made")
    const story = new PodStory()
    const first = story.desire()
    const attempts: Array<number> = only(first, "SandboxRequested").map(({ event }) => event.attempt)
    const newest = sandboxStatuses[0]?.metadata.attempt ?? 0
    for (let attempt = 0; sandboxStatuses.length > 0 && attempt <= newest; attempt++) {
      attempts.length = 0
      story.sandboxCreated(attempt)
      if (ready.length > 0) break
      const sandboxes = [{ sandboxId: `sandbox-${attempt}`, state: "notReady" }]
      story.tell({ _tag: "ObserveRuntime", uid: "uid-1", sandboxes, containers: [] })
      attempts.push(...only(story.sandboxStopped(attempt), "SandboxRequested").map(({ event }) => event.attempt))
    }
    assert.deepEqual(attempts, row.want.changed ? [row.want.attempt] : [])
    return undefined
  })
})

describe("the time that a pod has to end", () => {
  itMeets("termination-order.json", "Test_calculateEffectiveGracePeriod", "is a second at least", (row) => {
    const { specGracePeriodSeconds, deletionGracePeriodSeconds, overrideSeconds } = row.in
    const own = podGracePeriod(
      { terminationGracePeriodSeconds: specGracePeriodSeconds },
      deletionGracePeriodSeconds ?? undefined,
      overrideSeconds ?? undefined
    )
    assert.equal(own, row.want.gracePeriodSeconds)
    const story = new PodStory().running(
      pod({
        terminationGracePeriodSeconds: 0,
        containers: [container("app", { lifecycle: { preStop: { sleep: { seconds: 1 } } } })]
      })
    )
    const ending = story.undesire()
    assert.equal(only(ending, "PodTerminationRequested")[0]?.event.gracePeriodSeconds, 1)
    assert.ok(tags(ending).includes("ContainerHookStarted"), "its preStop hook runs")
    return undefined
  })
})
