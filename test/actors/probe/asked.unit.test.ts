/**
 * Which containers are asked, and from when on: kubelet's worker decides that with each pass (`pkg/kubelet/prober/worker.go`
 * doProbe), here the pod's actor tells its probes. A row is played as a life of the pod, its messages reach the probe, and
 * the answer counts where the probe asks.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { podMessages, podReminders } from "../../../src/actors/pod/messages.ts"
import { isRestarted } from "../../../src/actors/pod/plan/start-order.ts"
import { type ContainerInState, containerIn } from "../../../src/actors/pod/state.ts"
import { isReady } from "../../../src/actors/pod/status/container-statuses.ts"
import { firstAsking } from "../../../src/actors/probe/asking.ts"
import type { ProbeCommand, ProbeObserved } from "../../../src/actors/probe/commands.ts"
import { probeDecider } from "../../../src/actors/probe/decider.ts"
import { initialResult } from "../../../src/actors/probe/state.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { timestamp } from "../../../src/events/definition.ts"
import type { ProbeType } from "../../../src/events/kinds/probe.ts"
import { differs, itMeets, type NotMet, podOf, type Row, type RowValue } from "../../support/cases.ts"
import { Story } from "../../support/given.ts"
import { PodStory, pod } from "../pod/pod-story.ts"

const podId = actorId("pod", "default", "web")
const words = { Success: "success", Failure: "failure", UNKNOWN: "unknown" } as const
const fields = { liveness: "livenessProbe", readiness: "readinessProbe", startup: "startupProbe" } as const

/** A pod and one probe of it, joined by the pod's messages. */
class Joined {
  readonly pod = new PodStory()
  readonly probe: Story<never, ProbeCommand, never>
  private readonly probeId: ReturnType<typeof actorId>
  private heard = 0

  constructor(container: string, probe: ProbeType) {
    this.probeId = actorId("probe", "default", `web.${container}.${probe}`)
    this.probe = new Story(probeDecider as never, this.probeId)
  }

  /** What the pod's last events say to the probe. */
  deliver(): this {
    const events = this.pod.log.slice(this.heard)
    this.heard = this.pod.log.length
    for (const { event } of events) this.send(podMessages(event, this.pod.state, podId, this.pod.at))
    return this
  }

  /** What a new life of the agent says again. Answers what the probe decides of it. */
  restart() {
    return this.send(podReminders(this.pod.state, podId, this.pod.at))
  }

  private send(messages: ReturnType<typeof podMessages>) {
    return messages.flatMap(({ to, command }) =>
      to.kind === "probe" && to.name === this.probeId.name ? this.probe.when(command as ProbeCommand) : []
    )
  }

  get asked() {
    return (this.probe.state as { readonly asked: ReturnType<typeof probeDecider.initial>["asked"] }).asked
  }

  answer(result: ProbeObserved["result"]): void {
    const { containerId } = this.asked!
    const told = { result, output: "", timedOut: false, duration: 1 }
    this.probe.when({ _tag: "ProbeObserved", at: this.pod.at, containerId, ...told })
  }
}

/** Whether a container that ended is to run again. */
const comesBack = (story: PodStory, c: ContainerInState): boolean =>
  c.status === "starting" || c.again === true || story.state.restarting != null || isRestarted(story.state, c)

const withImages = (containers: RowValue): RowValue =>
  (containers ?? []).map((c: RowValue) => ({ ...c, image: "busybox:1" }))

const play = (row: Row): Joined => {
  const { in: given } = row
  const type = given.probeType.toLowerCase() as ProbeType
  const { spec, metadata } = podOf(given.pod)
  const statuses: ReadonlyArray<RowValue> = [
    ...(given.podStatus?.containerStatuses ?? []),
    ...(given.podStatus?.initContainerStatuses ?? [])
  ]
  const status = statuses.find(({ name }) => name === given.container)
  const probe = given.probe ?? {}
  // A container that has not started, where the row does not say why: its startup probe has not passed yet.
  const gate = status?.started === false ? { startupProbe: { exec: {} } } : {}
  const watched = (containers: RowValue) =>
    withImages(containers).map((c: RowValue) =>
      c.name === given.container ? { ...c, ...gate, [fields[type]]: probe } : c
    )
  const joined = new Joined(given.container, type)
  const { pod: story } = joined
  story.at = Date.parse(status?.state.running?.startedAt ?? given.now)
  story.desire(
    pod({
      ...spec,
      containers: watched(spec.containers),
      ...(spec.initContainers === undefined ? {} : { initContainers: watched(spec.initContainers) })
    })
  )
  story.sandboxCreated()
  story.imagePresent()
  if (status?.state.running !== undefined || status?.state.terminated !== undefined || status?.state.waiting) {
    for (const { name } of [...(spec.initContainers ?? []), ...spec.containers])
      if (containerIn(story.state, name)?.status === "starting") story.started(name)
    joined.deliver()
    if (type === "startup" && status.started === true && status.state.running !== undefined)
      story.probe(given.container, "startup", "success")
  }
  joined.deliver()
  const trigger = statuses.find(({ name, state }) => name !== given.container && state.terminated !== undefined)
  const restartsAll = trigger ?? (status?.state.waiting === undefined ? undefined : spec.containers[1])
  if (restartsAll !== undefined) {
    story.ended(restartsAll.name, 1)
    joined.deliver()
    story.stopped(given.container)
  } else if (status?.state.terminated !== undefined) story.ended(given.container, status.state.terminated.exitCode)
  if (metadata.deletionTimestamp !== undefined) story.undesire()
  return joined.deliver()
}

const isDue = ({ asked, pod: { at } }: Joined, now: string): boolean =>
  asked !== null && !asked.onHold && firstAsking(asked, at) <= Date.parse(now)

const check = (row: Row): undefined | NotMet => {
  const { in: given, want } = row
  const type = given.probeType.toLowerCase() as ProbeType
  if (given.podStatus?.phase === "Failed")
    return differs("a pod whose containers run has not failed: it fails when nothing of it runs any more")
  const joined = play(row)
  const c = containerIn(joined.pod.state, given.container)!
  const stored = Object.values(want.state.stored)[0] as keyof typeof words | undefined
  if (isDue(joined, given.now)) {
    joined.answer(given.probeOutcome)
    assert.equal(joined.asked?.result, words[stored!])
    assert.equal(joined.asked?.onHold, want.state.onHold)
    return undefined
  }
  assert.equal(want.state.resultRun, 0, "it is asked upstream")
  assert.equal(want.state.onHold, false)
  const isRunning = c.status === "running" || c.status === "killing"
  if (isRunning && joined.asked !== null) assert.equal(joined.asked.result, words[stored!])
  // Nobody asks: what upstream stores as a failure is that it is not ready.
  else if (!isRunning) assert.equal(isReady(joined.pod.state.definition!.pod, c), false)
  if (c.status === "exited" || c.status === "starting") {
    const ended = joined.pod.log.some(({ event }) => event._tag === "ContainerExited")
    if (ended) assert.equal(comesBack(joined.pod, c), want.continue)
  }
  assert.equal(type === "readiness" && given.pod.metadata.deletionTimestamp !== undefined, false, "readiness goes on")
  return undefined
}

describe("a container", () => {
  const file = "prober-worker.json"
  itMeets(file, "TestDoProbe", "is asked while it runs and its pod is to run; readiness until its end", check)
  itMeets(file, "TestInitialDelay", "is asked when its initial delay is over", check)
  itMeets(file, "TestLivenessProbeDisabledByStarted", "is asked for liveness once it has started", check)
  itMeets(file, "TestDoProbeWithContainerRestartRules", "is not asked between two lives, by its own policy", check)
  itMeets(file, "TestDoProbeWithContainerRestartAllContainers", "is not asked while all start over", check)
  itMeets(
    file,
    "TestDoProbe_TerminatedRestartableInitContainerWithRestartPolicyNever",
    "that is a sidecar comes back whatever the pod's policy",
    check
  )
  itMeets(
    file,
    "TestDoProbe_TerminatedContainerWithRestartPolicyNever",
    "that has ended for good is not asked again",
    check
  )

  itMeets(
    file,
    "TestChangeContainerStatusOnKubeletRestart",
    "keeps what its probes said over a restart of the agent (KEP-4781)",
    (row) => {
      const isNew = row.name.includes("not restart")
      if (!isNew && row.gates?.ChangeContainerStatusOnKubeletRestart === true)
        return differs("the gate ChangeContainerStatusOnKubeletRestart is on in this row; it is off by default")
      const type = row.in.probeType.toLowerCase() as ProbeType
      const joined = play(row)
      const before = containerIn(joined.pod.state, row.in.container)!
      if (isNew) {
        const said = joined.asked?.result ?? before.probes[type]?.result
        // A startup probe that has passed is not begun again; upstream stores no result of it yet.
        if (type !== "startup") assert.equal(said, words[Object.values(row.want.state.stored)[0] as keyof typeof words])
        return undefined
      }
      if (type !== "startup") joined.answer("success")
      const { asked } = joined
      if (type === "readiness") joined.pod.probe(row.in.container, "readiness", "success")
      const ready = containerIn(joined.pod.state, row.in.container)?.ready
      assert.deepEqual(joined.restart(), [], "nothing begins anew")
      assert.deepEqual(joined.asked, asked)
      assert.equal(containerIn(joined.pod.state, row.in.container)?.ready, ready)
      if (type === "startup") assert.equal(before.probes.startup?.result, "success")
      else assert.equal(asked?.result, "success")
      return undefined
    }
  )

  it("begins with what counts before any answer", () => {
    assert.deepEqual((["liveness", "readiness", "startup"] as const).map(initialResult), [
      "success",
      "failure",
      "unknown"
    ])
    const delayed = { spec: { initialDelaySeconds: 10 }, startedAt: timestamp(1000), last: null }
    assert.equal(firstAsking(delayed, 5000), 11_000)
    assert.equal(firstAsking(delayed, 60_000), 60_000)
  })

  it("goes on in its own rhythm where an earlier life of the agent asked it", () => {
    const asked = { spec: { periodSeconds: 10 }, startedAt: timestamp(3000), last: "success" } as const
    assert.deepEqual(
      [3500, 12_999, 13_000, 13_001, 123_456].map((begun) => firstAsking(asked, begun)),
      [13_000, 13_000, 13_000, 23_000, 133_000]
    )
  })
})
