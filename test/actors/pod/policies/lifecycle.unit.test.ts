import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { podDecider } from "../../../../src/actors/pod/decider.ts"
import {
  type BackOff,
  crashBackOffPolicy,
  crashDecision,
  crashMessage,
  grow,
  isPastDeadline,
  pullBackOffPolicy,
  pullRetryAt
} from "../../../../src/actors/pod/plan/backoff.ts"
import { gracePeriod } from "../../../../src/actors/pod/plan/grace.ts"
import {
  allMayRestart,
  asksToRestartAll,
  isRestartable,
  isRestartedAfterExit,
  type LastInstance,
  matchingRule,
  shouldStart
} from "../../../../src/actors/pod/plan/restart.ts"
import { allContainers, describePod } from "../../../../src/actors/pod/spec-extension.ts"
import {
  allContainersRestarting,
  anyRegularStarted,
  containersReady,
  initialized,
  podReadyToStartContainers,
  ready
} from "../../../../src/actors/pod/status/conditions.ts"
import { isTerminalPhase, podPhase } from "../../../../src/actors/pod/status/phase.ts"
import type { ContainerState } from "../../../../src/adapters/cri/port.ts"
import { goDuration } from "../../../../src/events/go-duration.ts"
import { differs, itMeets, judge, podOf, type Row, type RowValue, readCase } from "../../../support/cases.ts"
import { only } from "../../../support/given.ts"
import { PodStory, pod } from "../pod-story.ts"

const specOf = (spec: RowValue) => podOf({ spec }).spec
const states: Record<string, ContainerState> = {
  running: "CONTAINER_RUNNING",
  exited: "CONTAINER_EXITED",
  created: "CONTAINER_CREATED",
  unknown: "CONTAINER_UNKNOWN"
}
/** The newest instance comes first in a runtime view. */
const lastIn =
  (podStatus: RowValue) =>
  (name: string): LastInstance | undefined => {
    const found = podStatus.containerStatuses?.find((status: RowValue) => status.name === name)
    return found === undefined ? undefined : { state: states[found.state]!, exitCode: found.exitCode }
  }

describe("restarting a container", () => {
  const file = "restart-policy.json"
  itMeets(file, "TestContainerHasRestartablePolicy", "follows rules, its own policy, the pod's", (row) => {
    assert.equal(isRestartedAfterExit(specOf(row.in.podSpec), row.in.container, row.in.exitCode), row.want.restart)
    return undefined
  })
  itMeets(file, "TestIsContainerRestartable", "is possible unless every word forbids it", (row) => {
    assert.equal(isRestartable(specOf(row.in.podSpec), row.in.container), row.want.restartable)
    return undefined
  })
  itMeets(file, "TestAllContainersCouldRestart", "may take all others along", (row) => {
    assert.equal(allMayRestart(specOf(row.in.podSpec)), row.want.result)
    return undefined
  })
  itMeets(file, "TestFindMatchingContainerRestartRule", "takes the first rule that matches", (row) => {
    const rule = matchingRule(row.in.container, row.in.exitCode)
    assert.equal(rule !== undefined, row.want.found)
    if (rule !== undefined) assert.deepEqual(rule, row.want.rule)
    return undefined
  })
  itMeets("container-helpers.json", "TestShouldContainerBeRestarted", "depends on how it ended", (row) => {
    const pod = podOf(row.in.pod)
    const container = allContainers(pod.spec).find(({ name }) => name === row.in.container)!
    assert.equal(shouldStart(pod, container, lastIn(row.in.podStatus)(container.name)), row.want.restart)
    return undefined
  })
  itMeets("container-helpers.json", "TestShouldAllContainersRestart", "restarts all where a rule says so", (row) => {
    const already = row.in.apiStatus?.conditions?.some(
      (condition: RowValue) => condition.type === "AllContainersRestarting" && condition.status === "True"
    )
    assert.equal(asksToRestartAll(specOf(row.in.pod.spec), lastIn(row.in.podStatus), already), row.want.restartAll)
    return undefined
  })
})

describe("the phase of a pod", () => {
  it("follows from the containers' statuses (TestPodPhaseWith*)", () => {
    let rows = 0
    for (const table of readCase("pod-phase.json").tables) {
      const tally = judge(`pod-phase.json ${table.origin.test}`, table.rows, (row: Row) => {
        const { pod, statuses, podIsTerminal, podHasInitialized } = row.in
        const input = {
          spec: podOf(pod).spec,
          statuses: statuses ?? [],
          terminal: podIsTerminal,
          initialized: podHasInitialized
        }
        assert.equal(podPhase(input), row.want.phase)
        return undefined
      })
      rows += tally.met
    }
    assert.equal(rows, 94)
  })
  itMeets("restart-policy.json", "TestIsPodTerminal", "is terminal once failed or succeeded", (row) => {
    assert.equal(isTerminalPhase(row.in.podPhase), row.want.expected)
    return undefined
  })
})

describe("the conditions of a pod", () => {
  const file = "status-conditions.json"
  const same = (condition: unknown, row: Row) => {
    const { lastProbeTime, lastTransitionTime, ...want } = row.want.condition
    assert.equal(lastProbeTime, null)
    assert.equal(lastTransitionTime, null)
    assert.deepEqual(condition, want)
    return undefined
  }
  const statusesOf = (row: Row) => row.in.containerStatuses ?? undefined
  itMeets(file, "TestGenerateContainersReadyCondition", "say whether all containers are ready", (row) =>
    same(containersReady(specOf(row.in.pod.spec), statusesOf(row), row.in.phase), row)
  )
  itMeets(file, "TestGeneratePodReadyCondition", "say whether the pod is ready, gates included", (row) =>
    same(ready(specOf(row.in.pod.spec), statusesOf(row), row.in.phase, row.in.conditions ?? []), row)
  )
  itMeets(file, "TestGeneratePodInitializedCondition", "say whether init is through", (row) =>
    same(initialized(specOf(row.in.pod.spec), statusesOf(row), row.in.phase), row)
  )
  itMeets(file, "TestGeneratePodReadyToStartContainersCondition", "say whether the sandbox is up", (row) => {
    const sandbox = row.in.podStatus.sandboxStatuses?.[0]
    const sight =
      sandbox === undefined ? undefined : { ready: sandbox.state === "SANDBOX_READY", ips: [sandbox.network?.ip ?? ""] }
    return same(podReadyToStartContainers(specOf(row.in.pod.spec), sight), row)
  })
  itMeets(file, "TestGenerateAllContainersRestartingCondition", "say whether all containers restart", (row) =>
    same(allContainersRestarting(specOf(row.in.pod.spec), lastIn(row.in.podStatus), row.in.phase), row)
  )
  itMeets("container-helpers.json", "TestHasAnyRegularContainerStarted", "know that a regular container ran", (row) => {
    assert.equal(anyRegularStarted(specOf(row.in.spec), row.in.statuses), row.want.result)
    return undefined
  })
})

/** Deletes a running pod; each container ends so long after its signal as the row says. Whole seconds until each signal. */
const waitedSeconds = (row: Row): Record<string, number> => {
  const containers: ReadonlyArray<RowValue> = row.in.containers
  const grace = Math.max(...containers.map((c) => c.gracePeriodSeconds))
  const { initContainers: sidecars, containers: main } = podOf(row.in.pod).spec
  const story = new PodStory()
  story.desire(pod({ initContainers: sidecars, containers: main, terminationGracePeriodSeconds: grace }))
  story.sandboxCreated()
  story.imagePresent("busybox")
  for (const { name } of [...sidecars, ...main]) story.started(name)
  const begun = story.at
  const waited: Record<string, number> = {}
  const ends: Array<{ readonly name: string; readonly at: number }> = []
  const signalled = (name: string): void => {
    waited[name] = Math.floor((story.at - begun) / 1000)
    ends.push({ name, at: story.at + containers.find((c) => c.name === name).runsAfterTurnSeconds * 1000 })
  }
  const learn = (events: ReturnType<PodStory["undesire"]>): void => {
    for (const { event } of only(events, "ContainerKillRequested"))
      if (event.after === undefined) signalled(event.container)
    for (const { event } of only(events, "ContainerStopRequested")) signalled(event.container)
  }
  learn(story.undesire())
  while (ends.length > 0 || Object.keys(waited).length < containers.length) {
    const next = ends.sort((a, b) => a.at - b.at)[0]
    const timer = [...(podDecider.timers?.(story.state) ?? [])].sort((a, b) => a.dueAt - b.dueAt)[0]
    if (next !== undefined && next.at <= (timer?.dueAt ?? next.at)) {
      ends.shift()
      story.at = next.at
      learn(story.stopped(next.name))
    } else {
      assert.ok(timer !== undefined, "somebody moves on")
      story.at = timer.dueAt
      learn(story.timer(timer.key))
    }
  }
  return waited
}

describe("stopping a container", () => {
  itMeets("container-config.json", "TestKillContainerGracePeriod", "gives it its time, two seconds at least", (row) => {
    const pod = podOf(row.in.pod)
    assert.equal(gracePeriod(pod, pod.spec.containers[0], row.in.reason), row.want.gracePeriodSeconds)
    return undefined
  })
  const file = "termination-order.json"
  itMeets(file, "TestTerminationOrdering*", "lets sidecars wait for the others, in reverse order", (row) => {
    assert.deepEqual(waitedSeconds(row), row.want.waitedSeconds)
    return undefined
  })
})

const seconds = (text: string): number => {
  const [, minutes = "0", rest = "0"] = /^(?:(\d+)m)?(\d+)s$/u.exec(text) ?? assert.fail(text)
  return Number(minutes) * 60 + Number(rest)
}

describe("back-off", () => {
  const file = "crash-loop.json"
  itMeets(file, "TestCrashLoopBackOffConfiguration", "is configured by its maximum", (row) => {
    if (row.gates?.ReduceDefaultCrashLoopBackOffDecay)
      return differs("the gate ReduceDefaultCrashLoopBackOffDecay (alpha) is on in this row; here it is off")
    const policy = crashBackOffPolicy(seconds(row.in.maxContainerRestartPeriod) * 1000)
    assert.equal(policy.initial / 1000, row.want.initialSeconds)
    assert.equal(policy.maximum / 1000, row.want.maxSeconds)
    return undefined
  })
  itMeets(file, "TestActiveDeadlineHandler", "knows a pod's own deadline", (row) => {
    const { startTime } = row.in.pod.status
    const started = startTime === undefined ? undefined : Date.parse(startTime)
    const past = isPastDeadline(row.in.pod.spec.activeDeadlineSeconds, started, Date.parse(row.in.now))
    assert.equal(past, row.want.exceeded)
    return undefined
  })
  itMeets(file, "TestDoBackOff", "holds a container that ended", (row) => {
    const policy = {
      ...crashBackOffPolicy(row.in.backoff.maxSeconds * 1000),
      initial: row.in.backoff.initialSeconds * 1000
    }
    const [status] = row.in.podStatus.containerStatuses
    const now = Date.parse(row.in.now)
    if (status.state === "running") {
      assert.equal(row.want.inBackOff, false)
      return undefined
    }
    // The row that is in back-off has been through one restart before; its recorded state does not show it.
    const last: BackOff | undefined = row.name === "in backoff" ? grow(policy, undefined, now) : undefined
    const decision = crashDecision(policy, last, Date.parse(status.finishedAt), now)
    assert.equal(!decision.start, row.want.inBackOff)
    if (!decision.start)
      assert.equal(crashMessage(decision.delay, row.in.container, describePod(podOf(row.in.pod))), row.want.message)
    return undefined
  })

  it("starts at once, then waits 10 s from each end, doubling to 300 s", () => {
    const policy = crashBackOffPolicy()
    const delays: Array<number> = []
    let last: BackOff | undefined
    let now = 1_000_000
    for (let restarts = 0; restarts < 8; restarts += 1) {
      const finishedAt = now + 1000
      now = finishedAt
      const waiting = crashDecision(policy, last, finishedAt, now)
      if (!waiting.start) {
        assert.equal(crashDecision(policy, last, finishedAt, waiting.until - 1).start, false)
        now = waiting.until
      }
      delays.push((now - finishedAt) / 1000)
      const decision = crashDecision(policy, last, finishedAt, now)
      assert.ok(decision.start)
      last = decision.backOff
    }
    assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300])
  })
  it("forgives a container that ran for more than ten minutes, and no shorter run", () => {
    const policy = crashBackOffPolicy()
    const last: BackOff = { delay: 160_000, updatedAt: 0 }
    assert.deepEqual(crashDecision(policy, last, 600_000, 600_000), { start: false, until: 760_000, delay: 160_000 })
    assert.deepEqual(crashDecision(policy, last, 600_001, 600_001), {
      start: true,
      backOff: { delay: 10_000, updatedAt: 600_001 }
    })
    // The wait itself is not part of the quiet time.
    assert.deepEqual(crashDecision(policy, last, 590_000, 750_000), {
      start: true,
      backOff: { delay: 300_000, updatedAt: 750_000 }
    })
  })
  it("holds pulls for 10 s to 300 s after each failure", () => {
    let last = grow(pullBackOffPolicy, undefined, 0)
    assert.equal(pullRetryAt(last), 10_000)
    for (let failures = 0; failures < 9; failures += 1) last = grow(pullBackOffPolicy, last, pullRetryAt(last))
    assert.equal(last.delay, 300_000)
    assert.equal(grow(pullBackOffPolicy, last, last.updatedAt + 600_001).delay, 10_000)
  })
  it("writes durations as Go does", () => {
    const pairs = [
      [0, "0s"],
      [250, "250ms"],
      [1500, "1.5s"],
      [10_000, "10s"],
      [80_000, "1m20s"],
      [300_000, "5m0s"],
      [3_600_000, "1h0m0s"]
    ] as const
    for (const [milliseconds, text] of pairs) assert.equal(goDuration(milliseconds), text)
  })
})
