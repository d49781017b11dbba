/** Sidecars, lifecycle hooks, the pod's deadline and restarts of all containers, as the pod's actor decides them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import {
  activeDeadline,
  type Flags,
  killUnknown,
  knownFlags,
  leastGracePeriod
} from "../../../src/actors/kernel/flags.ts"
import { podDecider } from "../../../src/actors/pod/decider.ts"
import type { PodEvent } from "../../../src/actors/pod/evolve.ts"
import { podMessages } from "../../../src/actors/pod/messages.ts"
import { podView } from "../../../src/actors/pod/view.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { type Happened, only, tags } from "../../support/given.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const id = actorId("pod", "default", "web")
type Events = ReadonlyArray<Happened<PodEvent>>
const steps = (events: Events): ReadonlyArray<string> =>
  tags(events).filter((tag) => !/^Pod(Condition|Phase)Changed$|^ContainerReadinessChanged$/u.test(tag))
const starts = (events: Events): ReadonlyArray<string> =>
  only(events, "ContainerStartRequested").map(({ event }) => event.container)
const kills = (events: Events): ReadonlyArray<readonly [string, string]> =>
  only(events, "ContainerKillRequested").map(({ event }) => [event.container, event.reason])
const signals = (events: Events): ReadonlyArray<string> =>
  only(events, "ContainerStopRequested").map(({ event }) => event.container)

const sidecar = (name: string, more: Parameters<typeof container>[1] = {}) =>
  container(name, { restartPolicy: "Always", ...more })
const startupProbe = { httpGet: { port: 80 } }
const exec = (...command: ReadonlyArray<string>) => ({ exec: { command } })

/** In a sandbox, with its image: the next thing is a start. */
const placed = (wanted: ReturnType<typeof pod>): { readonly story: PodStory; readonly events: Events } => {
  const story = new PodStory()
  story.desire(wanted)
  story.imagePresent()
  return { story, events: story.sandboxCreated() }
}

describe("a sidecar", () => {
  const mesh = () =>
    placed(
      pod({
        restartPolicy: "Never",
        initContainers: [container("prepare"), sidecar("proxy", { startupProbe }), sidecar("logs")],
        containers: [container("app")]
      })
    )
  const running = () => {
    const { story } = mesh()
    story.started("prepare")
    story.ended("prepare", 0)
    story.started("proxy")
    story.probe("proxy", "startup", "success", "")
    story.started("logs")
    story.started("app")
    return story
  }

  it("holds up what is declared after it until it has started, and runs on", () => {
    const { story, events } = mesh()
    assert.deepEqual(starts(events), ["prepare"])
    story.started("prepare")
    assert.deepEqual(starts(story.ended("prepare", 0)), ["proxy"])
    assert.deepEqual(starts(story.started("proxy")), [], "its startup probe has not passed")
    assert.equal(podView(id, story.state).status, "Init:1/3")
    assert.deepEqual(starts(story.probe("proxy", "startup", "success", "")), ["logs"])
    const [next] = only(story.started("logs"), "ContainerStartRequested")
    assert.equal(next?.event.container, "app")
    story.started("app")
    assert.equal(podView(id, story.state).ready, "3/3")
    assert.equal(story.state.phase, "Running")
  })

  it("is asked by its own probes", () => {
    const { story } = mesh()
    story.started("prepare")
    story.ended("prepare", 0)
    const started = only(story.started("proxy"), "ContainerStarted")[0]!.event
    const [told] = podMessages(started, story.state, id, story.at)
    assert.equal(told?.to.name, "web.proxy.startup")
  })

  it("is restarted whatever the pod's policy is, with a back-off, as long as the pod has work", () => {
    const story = running()
    assert.deepEqual(starts(story.wait(1).ended("proxy", 0)), ["proxy"])
    story.started("proxy")
    assert.deepEqual(steps(story.wait(1).ended("proxy", 0)), ["ContainerExited", "ContainerBackOffStarted"])
    assert.equal(story.state.phase, "Running")
  })

  it("ends when the regular containers have ended for good, the last declared first", () => {
    const story = running()
    const events = story.wait(5).ended("app", 0)
    assert.deepEqual(kills(events), [
      ["proxy", "PodCompleted"],
      ["logs", "PodCompleted"]
    ])
    const [proxy, logs] = only(events, "ContainerKillRequested")
    assert.deepEqual([proxy?.event.after, logs?.event.after], [["logs"], undefined])
    assert.deepEqual(signals(story.wait(2).stopped("logs")), ["proxy"])
    assert.equal(only(story.log, "ContainerStopRequested")[0]?.event.gracePeriodSeconds, 28)
    assert.deepEqual(steps(story.stopped("proxy")), ["ContainerExited", "SandboxStopRequested"])
    assert.equal(story.state.phase, "Succeeded")
  })

  it("waits for the others when the pod is deleted, but no longer than its grace period", () => {
    const story = running()
    const events = story.undesire()
    assert.deepEqual(
      only(events, "ContainerKillRequested").map(({ event }) => [event.container, event.after ?? []]),
      [
        ["proxy", ["app", "logs"]],
        ["logs", ["app"]],
        ["app", []]
      ]
    )
    assert.deepEqual(signals(story.wait(3).stopped("app")), ["logs"])
    assert.deepEqual(story.wait(26).timer("hold/proxy"), [], "one second is left")
    const [late] = only(story.wait(1).timer("hold/proxy"), "ContainerStopRequested")
    assert.equal(late?.event.container, "proxy")
    assert.equal(late?.event.gracePeriodSeconds, 2)
    assert.match(late?.event.reason ?? "", /grace period is over while it waited for logs/u)
    story.stopped("logs")
    assert.deepEqual(steps(story.stopped("proxy")), ["ContainerExited", "SandboxStopRequested"])
  })

  it("ends with a pod whose init container failed for good", () => {
    const { story } = placed(pod({ restartPolicy: "Never", initContainers: [sidecar("proxy"), container("prepare")] }))
    story.started("proxy")
    story.started("prepare")
    assert.deepEqual(kills(story.ended("prepare", 1)), [["proxy", "PodCompleted"]])
    story.stopped("proxy")
    assert.equal(story.state.phase, "Failed")
  })

  it("begins anew with the others in a new sandbox", () => {
    const story = running()
    story.tell({
      _tag: "ObserveRuntime",
      uid: "uid-1",
      sandboxes: [{ sandboxId: "sandbox-0", state: "notReady" }],
      containers: []
    })
    assert.equal(story.state.containers.filter((c) => c.status === "killing").length, 3)
    for (const name of ["proxy", "logs", "app"]) story.stopped(name)
    story.sandboxStopped()
    // The policy is Never and the regular container has run: nothing is left to do in a new one.
    assert.equal(story.state.phase, "Failed")
    assert.equal(story.state.sandbox?.status, "stopped")
  })
})

describe("a postStart hook", () => {
  const hooked = () =>
    placed(
      pod({
        containers: [
          container("app", { lifecycle: { postStart: exec("warm-up") }, livenessProbe: startupProbe }),
          container("other")
        ]
      })
    )

  it("runs right after the start, and holds up readiness, probes and the containers declared after it", () => {
    const { story, events } = hooked()
    assert.deepEqual(starts(events), ["app"])
    const begun = story.started("app")
    assert.deepEqual(steps(begun), ["ContainerCreated", "ContainerStarted", "ContainerHookStarted"])
    const [hook] = only(begun, "ContainerHookStarted")
    assert.deepEqual([hook?.event.hook, hook?.event.target], ["PostStart", "exec warm-up"])
    assert.equal(hook?.cause, only(begun, "ContainerStarted")[0]?.id)
    assert.deepEqual(podMessages(only(begun, "ContainerStarted")[0]!.event, story.state, id, story.at), [])
    assert.equal(story.state.containers[0]?.ready, false)
    const done = story.wait(2).hookEnded("app", "PostStart")
    assert.deepEqual(steps(done), ["ContainerHookEnded", "ContainerStartRequested"])
    assert.deepEqual(starts(done), ["other"])
    assert.equal(story.state.containers[0]?.ready, true)
    const asked = podMessages(only(done, "ContainerHookEnded")[0]!.event, story.state, id, story.at)
    assert.equal(asked[0]?.to.name, "web.app.liveness")
  })

  it("that fails stops its container, which its policy restarts", () => {
    const { story } = hooked()
    story.started("app")
    const events = story.hookEnded("app", "PostStart", { outcome: "failed", output: "no such file" })
    assert.deepEqual(kills(events), [["app", "FailedPostStartHook"]])
    const [ended] = only(events, "ContainerHookEnded")
    assert.equal(ended?.event.reason, "FailedPostStartHook")
    assert.equal(only(events, "ContainerKillRequested")[0]?.cause, ended?.id)
    assert.deepEqual(starts(story.stopped("app")).includes("app"), true)
    assert.equal(only(story.log, "ContainerExited")[0]?.event.killedFor, "FailedPostStartHook")
  })

  it("that failed leaves a container of policy OnFailure down that obeyed with exit code 0", () => {
    const { story } = placed(
      pod({ restartPolicy: "OnFailure", containers: [container("app", { lifecycle: { postStart: exec("warm-up") } })] })
    )
    story.started("app")
    story.hookEnded("app", "PostStart", { outcome: "failed" })
    assert.deepEqual(starts(story.stopped("app", 0)), [])
  })

  it("holds up the next one where its container is a sidecar", () => {
    const { story } = placed(pod({ initContainers: [sidecar("proxy", { lifecycle: { postStart: exec("wait") } })] }))
    assert.deepEqual(starts(story.started("proxy")), [])
    assert.deepEqual(starts(story.hookEnded("proxy", "PostStart")), ["app"])
  })

  it("is of no matter when its container ended meanwhile, and runs again with the next one", () => {
    const { story } = hooked()
    story.started("app")
    assert.deepEqual(starts(story.ended("app", 1)).includes("app"), true)
    const before = story.containerId("app")
    assert.deepEqual(story.hookEnded("app", "PostStart", { containerId: "app-0" }), [])
    assert.notEqual(before, "app-0")
    assert.ok(steps(story.started("app")).includes("ContainerHookStarted"))
  })
})

describe("a preStop hook", () => {
  const polite = (preStop: object, grace = 10, flags?: Flags) =>
    new PodStory(flags).running(
      pod({ terminationGracePeriodSeconds: grace, containers: [container("app", { lifecycle: { preStop } })] })
    )

  it("runs before the stop signal and takes from the grace period", () => {
    const story = polite(exec("drain"))
    const events = story.undesire()
    assert.deepEqual(steps(events), ["PodTerminationRequested", "ContainerKillRequested", "ContainerHookStarted"])
    assert.equal(only(events, "ContainerKillRequested")[0]?.event.preStop, true)
    const done = story.wait(4).hookEnded("app", "PreStop")
    assert.deepEqual(steps(done), ["ContainerHookEnded", "ContainerStopRequested"])
    assert.equal(only(done, "ContainerStopRequested")[0]?.event.gracePeriodSeconds, 6)
    assert.equal(only(done, "ContainerStopRequested")[0]?.cause, only(done, "ContainerHookEnded")[0]?.id)
  })

  it("that fails is told, and holds nothing up", () => {
    const story = polite(exec("drain"))
    story.undesire()
    const done = story.hookEnded("app", "PreStop", { outcome: "failed", output: "exit code 1" })
    assert.equal(only(done, "ContainerHookEnded")[0]?.event.reason, "FailedPreStopHook")
    assert.deepEqual(signals(done), ["app"])
  })

  it("that does not come to an end gets the grace period, and its container two seconds more", () => {
    const story = polite(exec("hang"))
    story.undesire()
    const [late] = only(story.wait(10).timer("hold/app"), "ContainerStopRequested")
    assert.equal(late?.event.gracePeriodSeconds, 2)
    assert.match(late?.event.reason ?? "", /while it waited for its preStop hook/u)
  })

  it("may sleep, which its timer ends", () => {
    const story = polite({ sleep: { seconds: 5 } })
    const [hook] = only(story.undesire(), "ContainerHookStarted")
    assert.equal(hook?.event.until, "2026-01-01T00:00:05.000Z")
    const wanted = podDecider.timers?.(story.state).map(({ key }) => key)
    assert.deepEqual(wanted, ["hold/app", "hook/app/PreStop"])
    assert.deepEqual(steps(story.wait(5).timer("hook/app/PreStop")), ["ContainerHookEnded", "ContainerStopRequested"])
  })

  it("runs before the kill for a failed probe too, and within a second in a pod that gives itself no time", () => {
    const livenessProbe = { httpGet: { port: 80 } }
    const lifecycle = { preStop: exec("drain") }
    const story = new PodStory().running(pod({ containers: [container("app", { lifecycle, livenessProbe })] }))
    assert.ok(steps(story.probe("app", "liveness", "failure")).includes("ContainerHookStarted"))
    const ending = ["PodTerminationRequested", "ContainerKillRequested"]
    assert.deepEqual(steps(polite(exec("drain"), 0).undesire()), [...ending, "ContainerHookStarted"])
    const flags = new Set([...knownFlags].filter((number) => number !== leastGracePeriod.number))
    assert.deepEqual(steps(polite(exec("drain"), 0, flags).undesire()), ending)
  })

  it("is given up when its container ends by itself", () => {
    const story = polite(exec("drain"))
    story.undesire()
    assert.deepEqual(steps(story.ended("app", 0)), ["ContainerExited", "SandboxStopRequested"])
    assert.deepEqual(story.hookEnded("app", "PreStop"), [])
    assert.deepEqual(podDecider.timers?.(story.state), [])
  })
})

describe("readiness gates", () => {
  it("keep a pod from being ready: there is nobody here who sets such conditions", () => {
    const story = new PodStory().running(pod({ readinessGates: [{ conditionType: "example.com/balanced" }] }))
    const { ContainersReady, Ready } = story.state.conditions
    assert.equal(ContainersReady?.status, true)
    assert.deepEqual([Ready?.status, Ready?.reason], [false, "ReadinessGatesNotReady"])
    assert.match(Ready?.message ?? "", /readiness gate "example.com\/balanced" does not exist/u)
  })
})

describe("the condition AllContainersRestarting", () => {
  it("is there in pods whose rules restart all containers, and true until all have ended", () => {
    const rules = [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }] as const
    const wanted = pod({
      restartPolicy: "Never",
      containers: [container("app"), container("watch", { restartPolicy: "Never", restartPolicyRules: rules })]
    })
    const story = new PodStory().running(wanted)
    const condition = () => story.state.conditions.AllContainersRestarting
    assert.equal(condition()?.status, false)
    story.ended("watch", 42)
    assert.deepEqual([condition()?.status, condition()?.reason], [true, "RestartAllContainersStarted"])
    story.stopped("app")
    assert.equal(condition()?.status, false)
    assert.equal(new PodStory().running().state.conditions.AllContainersRestarting, undefined)
  })
})

describe("activeDeadlineSeconds", () => {
  const limited = pod({ activeDeadlineSeconds: 60, containers: [container("app"), container("other")] })

  it("fails the pod and stops its containers, and nothing is started again", () => {
    const story = new PodStory().running(limited)
    assert.deepEqual(
      podDecider.timers?.(story.state).map(({ key, dueAt }) => [key, dueAt - story.at]),
      [["deadline", 60_000]]
    )
    const events = story.wait(60).timer("deadline")
    assert.deepEqual(steps(events), ["PodDeadlineExceeded", "ContainerKillRequested", "ContainerKillRequested"])
    assert.equal(story.state.phase, "Running", "while its containers run")
    assert.deepEqual(steps(story.stopped("app")), ["ContainerExited"])
    const last = story.stopped("other")
    assert.deepEqual(steps(last), ["ContainerExited", "SandboxStopRequested"])
    assert.deepEqual(only(last, "PodPhaseChanged")[0]?.event, {
      _tag: "PodPhaseChanged",
      from: "Running",
      to: "Failed",
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline"
    })
    assert.equal(podView(id, story.state).status, "DeadlineExceeded")
    assert.deepEqual(podDecider.timers?.(story.state), [])
    story.sandboxStopped()
    assert.deepEqual(steps(story.undesire()), ["PodTerminationRequested", "PodCleanupRequested"])
  })

  it("counts from the pod's start, also while its image is missing", () => {
    const story = new PodStory()
    story.desire(limited)
    story.sandboxCreated()
    assert.deepEqual(steps(story.wait(60).timer("deadline")), ["PodDeadlineExceeded", "SandboxStopRequested"])
    assert.equal(story.state.phase, "Failed")
    assert.deepEqual(steps(story.imagePresent()).includes("ContainerStartRequested"), false)
  })

  it("says nothing of a pod that is done", () => {
    const story = new PodStory().running(pod({ activeDeadlineSeconds: 60, restartPolicy: "Never" }))
    story.ended("app", 0)
    assert.deepEqual(podDecider.timers?.(story.state), [])
    assert.deepEqual(steps(story.wait(61).timer("deadline")), [])
  })

  it("did nothing before there was the flag", () => {
    const flags = new Set([...knownFlags].filter((n) => n !== activeDeadline.number))
    const story = new PodStory(flags).running(limited)
    assert.deepEqual(story.wait(61).timer("deadline"), [])
  })
})

describe("restart rules of a container", () => {
  const rules = (action: "Restart" | "RestartAllContainers") => ({
    restartPolicy: "Never" as const,
    restartPolicyRules: [{ action, exitCodes: { operator: "In" as const, values: [42] } }]
  })

  it("restart it for the exit codes they name, whatever its policy says", () => {
    const story = new PodStory().running(pod({ containers: [container("app", rules("Restart")), container("other")] }))
    assert.deepEqual(starts(story.ended("app", 42)), ["app"])
    story.started("app")
    assert.deepEqual(steps(story.ended("app", 1)), ["ContainerExited"])
    assert.equal(story.state.phase, "Running")
  })

  it("let a container's own policy stand before the pod's", () => {
    const story = new PodStory().running(
      pod({
        restartPolicy: "Never",
        containers: [container("app", { restartPolicy: "OnFailure" }), container("other")]
      })
    )
    assert.deepEqual(starts(story.ended("app", 1)), ["app"])
  })

  it("may restart all containers of the pod, init containers first", () => {
    const { story } = placed(
      pod({
        initContainers: [container("prepare")],
        containers: [container("app", rules("RestartAllContainers")), container("other")]
      })
    )
    story.started("prepare")
    story.ended("prepare", 0)
    story.started("app")
    story.started("other")
    const events = story.wait(1).ended("app", 42)
    assert.deepEqual(steps(events), ["ContainerExited", "PodRestartRequested", "ContainerKillRequested"])
    assert.deepEqual(kills(events), [["other", "RestartAllContainers"]])
    const reset = story.stopped("other")
    assert.deepEqual(steps(reset), ["ContainerExited", "PodContainersReset", "ContainerStartRequested"])
    assert.deepEqual(starts(reset), ["prepare"])
    story.started("prepare")
    assert.deepEqual(starts(story.ended("prepare", 0)), ["app", "other"])
    story.started("app")
    story.started("other")
    assert.equal(story.state.phase, "Running")
    // Again within ten minutes: the one that asked for it has to wait, and so has what it asks for.
    assert.ok(steps(story.wait(1).ended("app", 42)).includes("ContainerBackOffStarted"))
  })

  it("may do so by a sidecar's exit, also where the others are never restarted by themselves", () => {
    const { story } = placed(
      pod({
        restartPolicy: "Never",
        initContainers: [sidecar("proxy", { ...rules("RestartAllContainers"), restartPolicy: "Always" })]
      })
    )
    story.started("proxy")
    story.started("app")
    story.wait(1).ended("proxy", 42)
    assert.deepEqual(starts(story.stopped("app")), ["proxy"])
    assert.equal(story.state.phase, "Running", "it is not over: both come back")
    assert.equal(podView(id, story.state).containers[0]?.state.waiting?.reason, "RestartingAllContainers")
    assert.deepEqual(starts(story.started("proxy")), ["app"])
    assert.equal(story.state.phase, "Running")
    story.started("app")
    assert.deepEqual(kills(story.ended("app", 0)), [["proxy", "PodCompleted"]])
  })

  it("ends the pod when the exit code is not among them", () => {
    const story = new PodStory().running(pod({ containers: [container("app", rules("RestartAllContainers"))] }))
    assert.deepEqual(steps(story.ended("app", 3)), ["ContainerExited", "SandboxStopRequested"])
    assert.equal(story.state.phase, "Failed")
  })
})

describe("a container whose state the runtime does not know", () => {
  const unclear = (story: PodStory) =>
    story.tell({
      _tag: "ObserveRuntime",
      uid: "uid-1",
      sandboxes: [],
      containers: [{ containerId: story.containerId("app"), state: "unknown" }]
    })

  it("is stopped and started again", () => {
    const story = new PodStory().running()
    assert.deepEqual(kills(unclear(story)), [["app", "Unknown"]])
    assert.deepEqual(unclear(story), [], "once")
    assert.deepEqual(starts(story.stopped("app")), ["app"])
  })

  it("was left alone before there was the flag", () => {
    const story = new PodStory(new Set([...knownFlags].filter((n) => n !== killUnknown.number))).running()
    assert.deepEqual(unclear(story), [])
  })
})

describe("a pod that is deleted", () => {
  it("while an init container runs ends at once, sidecars last", () => {
    const { story } = placed(pod({ initContainers: [sidecar("proxy"), container("prepare")] }))
    story.started("proxy")
    story.started("prepare")
    const events = story.undesire()
    assert.deepEqual(kills(events).length, 2)
    assert.deepEqual(signals(events), [])
  })

  it("while a container starts waits for it and stops it then", () => {
    const { story } = placed(pod({ initContainers: [sidecar("proxy")] }))
    story.started("proxy")
    assert.deepEqual(kills(story.undesire()), [["proxy", "PodTerminating"]])
    assert.deepEqual(only(story.log, "ContainerKillRequested")[0]?.event.after, ["app"])
    assert.deepEqual(kills(story.started("app")), [["app", "PodTerminating"]])
    assert.deepEqual(signals(story.stopped("app")), ["proxy"])
  })

  it("while all its containers start over just ends", () => {
    const restartPolicyRules = [
      { action: "RestartAllContainers" as const, exitCodes: { operator: "In" as const, values: [42] } }
    ]
    const story = new PodStory().running(
      pod({ containers: [container("app", { restartPolicy: "Never", restartPolicyRules }), container("other")] })
    )
    story.ended("app", 42)
    story.undesire()
    assert.deepEqual(steps(story.stopped("other")), ["ContainerExited", "SandboxStopRequested"])
  })
})
