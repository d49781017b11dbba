import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Flags } from "../../../src/actors/kernel/flags.ts"
import { canonical } from "../../../src/actors/kernel/json.ts"
import { podDecider } from "../../../src/actors/pod/decider.ts"
import { podView } from "../../../src/actors/pod/view.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { only, tags } from "../../support/given.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const steps = (events: Parameters<typeof tags>[0]): ReadonlyArray<string> =>
  tags(events).filter((tag) => !/^Pod(Condition|Phase)Changed$|^ContainerReadinessChanged$/u.test(tag))

const probe = { httpGet: { port: 8080, path: "/healthz" } }
const id = actorId("pod", "default", "web")

describe("a pod that starts", () => {
  it("is admitted once, however often it is desired", () => {
    const story = new PodStory()
    assert.deepEqual(steps(story.desire()), ["PodAdmitted", "SandboxRequested"])
    assert.deepEqual(story.desire(), [])
  })

  it("waits for its volumes, then for its sandbox and its image, in whatever order they come", () => {
    const wanted = pod({ volumes: [{ name: "data", emptyDir: {} }] })
    const story = new PodStory()
    assert.deepEqual(steps(story.desire(wanted)), ["PodAdmitted"])
    assert.deepEqual(steps(story.imagePresent()), ["ContainerImageReady"])
    assert.deepEqual(steps(story.volumeMounted("data")), ["PodVolumeReady", "SandboxRequested"])
    assert.deepEqual(steps(story.sandboxCreated()), ["SandboxCreated", "ContainerStartRequested"])
    assert.deepEqual(steps(story.started("app")), ["ContainerCreated", "ContainerStarted"])
    assert.equal(story.state.phase, "Running")
    assert.equal(story.state.conditions.Ready?.status, true)
  })

  it("runs init containers one after another, and the others at once when they are done", () => {
    const story = new PodStory()
    story.desire(
      pod({ initContainers: [container("one"), container("two")], containers: [container("a"), container("b")] })
    )
    story.imagePresent()
    assert.deepEqual(
      only(story.sandboxCreated(), "ContainerStartRequested").map((e) => e.event.container),
      ["one"]
    )
    story.started("one")
    assert.deepEqual(
      only(story.ended("one", 0), "ContainerStartRequested").map((e) => e.event.container),
      ["two"]
    )
    assert.equal(podView(id, story.state).status, "Init:1/2")
    story.started("two")
    assert.deepEqual(
      only(story.ended("two", 0), "ContainerStartRequested").map((e) => e.event.container),
      ["a", "b"]
    )
  })

  it("fails for good when an init container fails under restartPolicy Never, and takes the sandbox down", () => {
    const story = new PodStory()
    story.desire(pod({ restartPolicy: "Never", initContainers: [container("one")] }))
    story.imagePresent()
    story.sandboxCreated()
    story.started("one")
    assert.deepEqual(steps(story.ended("one", 3)), ["ContainerExited", "SandboxStopRequested"])
    assert.equal(story.state.phase, "Failed")
    assert.deepEqual(steps(story.sandboxStopped()), ["SandboxStopped"])
  })

  it("says why an image is missing, once, and starts when it comes", () => {
    const story = new PodStory()
    story.desire()
    story.sandboxCreated()
    const failed = {
      _tag: "ReportImage",
      image: "busybox:1",
      outcome: "failed",
      reason: "ErrImagePull",
      message: "no such host"
    } as const
    assert.deepEqual(steps(story.tell(failed)), ["ContainerWaiting"])
    assert.equal(podView(id, story.state).status, "ErrImagePull")
    assert.deepEqual(story.tell(failed), [])
    assert.deepEqual(steps(story.imagePresent()), ["ContainerImageReady", "ContainerStartRequested"])
  })

  it("tries a failed sandbox again after a growing pause, under the same attempt", () => {
    const story = new PodStory()
    story.desire()
    const fail = () => story.tell({ _tag: "ReportSandbox", attempt: 0, outcome: "failed", message: "no network" })
    assert.equal(only(fail(), "SandboxFailed")[0]?.event.retryAt, "2026-01-01T00:00:01.000Z")
    assert.deepEqual(story.timer("sandbox"), [], "not before its time")
    story.wait(1)
    assert.deepEqual(
      only(story.timer("sandbox"), "SandboxRequested").map((e) => e.event.attempt),
      [0]
    )
    assert.equal(only(fail(), "SandboxFailed")[0]?.event.retryAt, "2026-01-01T00:00:03.000Z")
  })

  it("is tried again every 10 s where it waits for what it refers to, and before that flag ever more seldom", () => {
    const pauses = (reason: string, flags?: Flags) => {
      const story = new PodStory(flags)
      story.desire()
      story.imagePresent()
      story.sandboxCreated()
      return [0, 1, 2, 3].map(() => {
        const { attempt } = story.state.containers[0]!
        const message = 'configmap "c" not found'
        const [failed] = only(
          story.tell({ _tag: "ReportContainerStart", container: "app", attempt, outcome: "failed", reason, message }),
          "ContainerStartFailed"
        )
        const seconds = (Date.parse(failed!.event.retryAt) - story.at) / 1000
        story.wait(seconds)
        assert.deepEqual(steps(story.timer("start/app")), ["ContainerStartRequested"])
        return seconds
      })
    }
    assert.deepEqual(pauses("CreateContainerConfigError"), [10, 10, 10, 10])
    assert.deepEqual(pauses("CreateContainerError"), [10, 20, 40, 80])
    assert.deepEqual(pauses("CreateContainerConfigError", new Set([1])), [10, 20, 40, 80])
  })

  it("is rejected when its definition cannot be recorded, and says so once", () => {
    const story = new PodStory()
    const huge = pod({ containers: [container("app", { args: ["x".repeat(40_000)] })] })
    assert.deepEqual(tags(story.desire(huge)), ["PodRejected"])
    assert.deepEqual(story.desire(huge), [])
    assert.deepEqual(tags(story.undesire()), ["PodRemoved"])
    assert.equal(podDecider.finished?.(story.state), true)
  })

  it("is rejected when a request is above its limit, and the field is named", () => {
    const resources = { requests: { memory: "64Mi" }, limits: { memory: "32Mi" } }
    const [rejected] = only(
      new PodStory().desire(pod({ containers: [container("app", { resources })] })),
      "PodRejected"
    )
    assert.equal(rejected?.event.field, "spec.containers[0].resources.requests.memory")
  })
})

describe("a container that ends", () => {
  it("is restarted at once the first time, then after 10 s, 20 s, … of its end", () => {
    const story = new PodStory().running()
    const delays: Array<number> = []
    assert.deepEqual(steps(story.wait(1).ended("app", 1)), ["ContainerExited", "ContainerStartRequested"])
    for (let crash = 0; crash < 7; crash++) {
      story.started("app")
      const [backOff] = only(story.wait(1).ended("app", 1), "ContainerBackOffStarted")
      delays.push(backOff?.event.delaySeconds ?? Number.NaN)
      assert.equal(podView(id, story.state).status, "CrashLoopBackOff")
      story.wait((backOff?.event.delaySeconds ?? 0) - 1)
      assert.deepEqual(steps(story.timer("back-off/app")), [], "not a second too early")
      assert.deepEqual(steps(story.wait(1).timer("back-off/app")), ["ContainerStartRequested"])
    }
    assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300])
    assert.equal(story.state.containers[0]?.attempt, 8)
  })

  it("is forgiven after a life of more than ten minutes", () => {
    const story = new PodStory().running()
    story.wait(1).ended("app", 1)
    story.started("app")
    assert.deepEqual(steps(story.wait(601).ended("app", 1)), ["ContainerExited", "ContainerStartRequested"])
  })

  it("is caused by nothing but its own start, and causes its restart", () => {
    const story = new PodStory().running()
    const started = story.log.find((e) => e.event._tag === "ContainerStarted")
    const [exited, again] = story.wait(1).ended("app", 137, { reason: "OOMKilled" })
    assert.equal(exited?.cause, started?.id)
    assert.equal(again?.event._tag, "ContainerStartRequested")
    assert.equal(again?.cause, exited?.id)
    assert.deepEqual(exited?.event._tag === "ContainerExited" && [exited.event.oomKilled, exited.event.signal], [
      true,
      9
    ])
  })

  for (const [policy, exitCode, phase] of [
    ["Never", 0, "Succeeded"],
    ["Never", 1, "Failed"],
    ["OnFailure", 0, "Succeeded"]
  ] as const) {
    it(`under ${policy} with exit code ${exitCode} ends the pod as ${phase}, and the sandbox goes`, () => {
      const story = new PodStory().running(pod({ restartPolicy: policy, volumes: [{ name: "v", emptyDir: {} }] }))
      assert.deepEqual(steps(story.ended("app", exitCode)), ["ContainerExited", "SandboxStopRequested"])
      assert.equal(story.state.phase, phase)
      assert.deepEqual(steps(story.sandboxStopped()), ["SandboxStopped", "PodVolumesReleased"])
      assert.deepEqual(
        story.tell({ _tag: "ReportVolume", volume: "v", outcome: "unmounted" }).map((e) => e.event._tag),
        ["PodVolumeRemoved"]
      )
      assert.equal(story.state.phase, phase, "a terminal phase never leaves")
    })
  }

  it("counts as lost, with exit code 137, when the runtime does not know it any more", () => {
    const story = new PodStory().running()
    const [lost] = only(
      story.tell({
        _tag: "ObserveRuntime",
        uid: "uid-1",
        sandboxes: [],
        containers: [{ containerId: "app-0", state: "missing" }]
      }),
      "ContainerExited"
    )
    assert.deepEqual([lost?.event.exitCode, lost?.event.reason], [137, "ContainerStatusUnknown"])
  })

  it("ends once: the same exit seen again changes nothing", () => {
    const story = new PodStory().running(pod({ restartPolicy: "Never" }))
    story.ended("app", 1)
    assert.deepEqual(story.ended("app", 1), [])
  })
})

describe("probes of a pod", () => {
  it("liveness failure kills the container with the probe's grace, and its end restarts it", () => {
    const liveness = { ...probe, terminationGracePeriodSeconds: 5 }
    const story = new PodStory().running(pod({ containers: [container("app", { livenessProbe: liveness })] }))
    const [reported, kill] = story.probe("app", "liveness", "failure")
    assert.equal(reported?.event._tag, "ContainerProbeReported")
    assert.equal(kill?.event._tag === "ContainerKillRequested" && kill.event.gracePeriodSeconds, 5)
    assert.equal(kill?.cause, reported?.id)
    assert.deepEqual(story.probe("app", "liveness", "failure"), [], "it is being killed already")
    const after = story.wait(1).stopped("app")
    assert.deepEqual(steps(after), ["ContainerExited", "ContainerStartRequested"])
    assert.equal(after[0]?.cause, kill?.id)
  })

  it("readiness makes the container and the pod ready and unready, and kills nothing", () => {
    const story = new PodStory().running(pod({ containers: [container("app", { readinessProbe: probe })] }))
    assert.equal(story.state.conditions.Ready?.status, false)
    story.probe("app", "readiness", "success")
    assert.equal(story.state.conditions.Ready?.status, true)
    assert.deepEqual(steps(story.probe("app", "readiness", "failure")), ["ContainerProbeReported"])
    assert.equal(story.state.conditions.Ready?.status, false)
    assert.equal(story.state.containers[0]?.status, "running")
  })

  it("a container with a startup probe is not ready before it has passed", () => {
    const story = new PodStory().running(pod({ containers: [container("app", { startupProbe: probe })] }))
    assert.equal(story.state.conditions.Ready?.status, false)
    story.probe("app", "startup", "success")
    assert.equal(story.state.conditions.Ready?.status, true)
  })

  it("a report about an earlier container of the name is not taken for the present one", () => {
    const story = new PodStory().running(pod({ containers: [container("app", { livenessProbe: probe })] }))
    story.ended("app", 1)
    story.started("app")
    assert.deepEqual(
      story.tell({
        _tag: "ReportProbe",
        container: "app",
        containerId: "app-0",
        probe: "liveness",
        result: "failure",
        output: ""
      }),
      []
    )
  })
})

describe("a pod that ends", () => {
  it("stops its containers, then its sandbox, then volumes, then everything, and is gone", () => {
    const story = new PodStory().running(pod({ volumes: [{ name: "v", emptyDir: {} }] }))
    assert.deepEqual(steps(story.undesire()), ["PodTerminationRequested", "ContainerKillRequested"])
    assert.equal(podView(id, story.state).status, "Terminating")
    assert.deepEqual(steps(story.stopped("app")), ["ContainerExited", "SandboxStopRequested"])
    assert.deepEqual(steps(story.sandboxStopped()), ["SandboxStopped", "PodVolumesReleased"])
    const unmounted = { _tag: "ReportVolume", volume: "v", outcome: "unmounted" } as const
    assert.deepEqual(steps(story.tell(unmounted)), ["PodVolumeRemoved", "PodCleanupRequested"])
    assert.deepEqual(steps(story.tell({ _tag: "ReportCleanup", outcome: "done" })), ["PodRemoved"])
    assert.equal(podDecider.finished?.(story.state), true)
  })

  it("while its sandbox is being made waits for the outcome and takes it down", () => {
    const story = new PodStory()
    story.desire()
    assert.deepEqual(steps(story.undesire()), ["PodTerminationRequested"])
    assert.deepEqual(steps(story.sandboxCreated()), ["SandboxCreated", "SandboxStopRequested"])
  })

  it("while a container starts waits for the outcome and stops it", () => {
    const story = new PodStory()
    story.desire()
    story.imagePresent()
    story.sandboxCreated()
    story.undesire()
    assert.deepEqual(steps(story.started("app")), ["ContainerCreated", "ContainerStarted", "ContainerKillRequested"])
  })

  it("gives every container at least two seconds", () => {
    const story = new PodStory().running(pod({ terminationGracePeriodSeconds: 0 }))
    assert.equal(only(story.undesire(), "ContainerKillRequested")[0]?.event.gracePeriodSeconds, 2)
  })

  it("tries what fails again after a pause", () => {
    const story = new PodStory().running()
    story.undesire()
    const failed = {
      _tag: "ReportContainerStop",
      container: "app",
      containerId: "app-0",
      outcome: "failed",
      message: "timeout"
    } as const
    assert.deepEqual(steps(story.tell(failed)), ["PodOperationFailed"])
    assert.deepEqual(steps(story.wait(1).timer("kill/app")), ["ContainerKillRequested"])
    story.stopped("app")
    const stopFailed = {
      _tag: "ReportSandboxStop",
      sandboxId: "sandbox-0",
      outcome: "failed",
      message: "busy"
    } as const
    assert.deepEqual(steps(story.tell(stopFailed)), ["PodOperationFailed"])
    assert.deepEqual(steps(story.wait(1).timer("sandbox")), ["SandboxStopRequested"])
    assert.deepEqual(steps(story.sandboxStopped()), ["SandboxStopped", "PodCleanupRequested"])
    assert.deepEqual(steps(story.tell({ _tag: "ReportCleanup", outcome: "failed", message: "busy" })), [
      "PodOperationFailed"
    ])
    assert.deepEqual(steps(story.wait(1).timer("cleanup")), ["PodCleanupRequested"])
  })
})

describe("a definition that changes", () => {
  it("lets the old pod end wholly before the new one starts", () => {
    const story = new PodStory().running()
    assert.deepEqual(steps(story.desire(pod({}, "uid-2"))), [
      "PodReplacementQueued",
      "PodTerminationRequested",
      "ContainerKillRequested"
    ])
    story.stopped("app")
    story.sandboxStopped()
    const done = story.tell({ _tag: "ReportCleanup", outcome: "done" })
    assert.deepEqual(steps(done), ["PodRemoved", "PodAdmitted", "SandboxRequested"])
    assert.equal(story.state.definition?.pod.metadata.uid, "uid-2")
    assert.equal(podDecider.finished?.(story.state), false)
  })

  it("keeps only the newest definition that waits, and drops it when it is gone", () => {
    const story = new PodStory().running()
    story.desire(pod({}, "uid-2"))
    assert.deepEqual(tags(story.desire(pod({}, "uid-3"))), ["PodReplacementQueued"])
    assert.deepEqual(tags(story.undesire("uid-2")), [], "it is not the one that waits any more")
    assert.deepEqual(tags(story.undesire("uid-3")), ["PodReplacementDropped"])
    story.stopped("app")
    story.sandboxStopped()
    assert.deepEqual(steps(story.tell({ _tag: "ReportCleanup", outcome: "done" })), ["PodRemoved"])
  })

  it("that comes back while its pod ends is started anew when that is gone", () => {
    const story = new PodStory().running()
    story.undesire()
    assert.deepEqual(tags(story.desire()), ["PodReplacementQueued"])
    story.stopped("app")
    story.sandboxStopped()
    assert.deepEqual(steps(story.tell({ _tag: "ReportCleanup", outcome: "done" })), [
      "PodRemoved",
      "PodAdmitted",
      "SandboxRequested"
    ])
  })
})

describe("a sandbox that is lost", () => {
  it("ends the containers in it, is taken down, and a new one follows with the next attempt", () => {
    const story = new PodStory().running(pod({ initContainers: undefined as never }))
    const lost = story.tell({
      _tag: "ObserveRuntime",
      uid: "uid-1",
      sandboxes: [{ sandboxId: "sandbox-0", state: "notReady" }],
      containers: []
    })
    assert.deepEqual(steps(lost), ["SandboxLost", "ContainerKillRequested"])
    assert.deepEqual(steps(story.stopped("app")), ["ContainerExited", "SandboxStopRequested"])
    const again = story.sandboxStopped()
    assert.deepEqual(
      only(again, "SandboxRequested").map((e) => e.event.attempt),
      [1]
    )
    assert.deepEqual(steps(story.sandboxCreated(1)), ["SandboxCreated", "ContainerStartRequested"])
  })

  it("takes its init containers along; of these no restarts are shown once they are through", () => {
    const story = new PodStory()
    story.desire(pod({ initContainers: [container("prepare")] }))
    story.sandboxCreated()
    story.imagePresent()
    story.started("prepare")
    story.ended("prepare", 0)
    story.started("app")
    story.tell({
      _tag: "ObserveRuntime",
      uid: "uid-1",
      sandboxes: [{ sandboxId: "sandbox-0", state: "notReady" }],
      containers: []
    })
    story.stopped("app")
    story.sandboxStopped()
    story.sandboxCreated(1)
    story.started("prepare")
    assert.equal(podView(id, story.state).restarts, 1)
    story.ended("prepare", 0)
    story.started("app")
    assert.equal(podView(id, story.state).restarts, 1)
  })
})

describe("a container that cannot start", () => {
  const failed = (more: Record<string, unknown> = {}) =>
    ({
      _tag: "ReportContainerStart",
      container: "app",
      attempt: 0,
      outcome: "failed",
      reason: "CreateContainerError",
      message: "no",
      ...more
    }) as const

  it("is tried again after 10 s under the same attempt when nothing was created", () => {
    const story = new PodStory()
    story.desire()
    story.imagePresent()
    story.sandboxCreated()
    assert.deepEqual(steps(story.tell(failed())), ["ContainerStartFailed"])
    assert.equal(podView(id, story.state).status, "CreateContainerError")
    assert.deepEqual(steps(story.timer("start/app")), [])
    assert.deepEqual(
      only(story.wait(10).timer("start/app"), "ContainerStartRequested").map((e) => e.event.attempt),
      [0]
    )
  })

  it("asks for its image again when the runtime has lost it", () => {
    const story = new PodStory()
    story.desire()
    story.imagePresent()
    story.sandboxCreated()
    story.tell(failed({ imageMissing: true }))
    assert.deepEqual(steps(story.wait(10).timer("start/app")), [], "no start without an image")
    assert.deepEqual(steps(story.imagePresent()), ["ContainerImageReady", "ContainerStartRequested"])
  })
})

describe("the fold of a pod", () => {
  it("gives the same state from the log as it had live, through a whole life", () => {
    const story = new PodStory().running(
      pod({
        initContainers: [],
        volumes: [{ name: "v", emptyDir: {} }],
        containers: [container("app", { livenessProbe: probe, readinessProbe: probe })]
      })
    )
    story.probe("app", "readiness", "success")
    story.wait(5).ended("app", 2)
    story.started("app")
    story.wait(5).probe("app", "liveness", "failure")
    story.stopped("app", 137)
    story.wait(10).timer("back-off/app")
    story.started("app")
    story.desire(pod({}, "uid-2"))
    assert.equal(canonical(story.refolded()), canonical(story.state))
  })
})
