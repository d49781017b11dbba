/** A pod's life as a story for tests: a runtime that does what it is asked, told in few words. */

import type { Flags } from "../../../src/actors/kernel/flags.ts"
import type { PodCommand } from "../../../src/actors/pod/commands.ts"
import { podDecider } from "../../../src/actors/pod/decider.ts"
import type { PodEvent } from "../../../src/actors/pod/evolve.ts"
import type { PodState } from "../../../src/actors/pod/state.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { timestamp } from "../../../src/events/definition.ts"
import type { Container, Pod } from "../../../src/events/pod-spec.ts"
import { type Happened, Story } from "../../support/given.ts"

export const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "busybox:1",
  ...more
})

export const pod = (spec: Partial<Pod["spec"]> = {}, uid = "uid-1"): Pod => ({
  metadata: { namespace: "default", name: "web", uid },
  spec: { containers: [container("app")], restartPolicy: "Always", terminationGracePeriodSeconds: 30, ...spec }
})

export class PodStory extends Story<PodState, PodCommand, PodEvent> {
  at = Date.parse("2026-01-01T00:00:00Z")

  constructor(flags?: Flags) {
    super(podDecider, actorId("pod", "default", "web"), flags)
  }

  tell(
    command: Record<string, unknown> & { readonly _tag: PodCommand["_tag"] },
    cause?: string
  ): ReadonlyArray<Happened<PodEvent>> {
    return this.when({ at: this.at, ...command } as unknown as PodCommand, cause)
  }

  /** Seconds go by. */
  wait(seconds: number): this {
    this.at += seconds * 1000
    return this
  }

  desire(wanted: Pod = pod()) {
    return this.tell({ _tag: "DesirePod", pod: wanted, source: "/manifests/web.yaml" })
  }

  undesire(uid = "uid-1") {
    return this.tell({ _tag: "UndesirePod", uid, reason: "ManifestRemoved" })
  }

  volumeMounted(volume: string) {
    return this.tell({ _tag: "ReportVolume", volume, outcome: "mounted", path: `/pods/${volume}` })
  }

  sandboxCreated(attempt = 0) {
    const sandboxId = `sandbox-${attempt}`
    return this.tell({
      _tag: "ReportSandbox",
      attempt,
      outcome: "created",
      sandboxId,
      ips: ["10.1.0.2"],
      createdAt: timestamp(this.at)
    })
  }

  imagePresent(image = "busybox:1") {
    return this.tell({ _tag: "ReportImage", image, outcome: "present", imageId: "sha256:abc" })
  }

  containerId(name: string): string {
    const c = this.state.containers.find((candidate) => candidate.name === name)
    return `${name}-${c?.attempt ?? 0}`
  }

  /** The container that was asked for is created and runs. */
  started(name: string) {
    const attempt = this.state.containers.find((c) => c.name === name)?.attempt ?? 0
    const containerId = this.containerId(name)
    return [
      ...this.tell({ _tag: "ReportContainerCreated", container: name, attempt, containerId }),
      ...this.tell({
        _tag: "ReportContainerStart",
        container: name,
        attempt,
        outcome: "started",
        containerId,
        startedAt: timestamp(this.at)
      })
    ]
  }

  /** Seen by the observer: the container ended now. */
  ended(name: string, exitCode: number, more: Record<string, unknown> = {}) {
    return this.tell({
      _tag: "ObserveRuntime",
      uid: this.state.definition?.pod.metadata.uid ?? "",
      sandboxes: [],
      containers: [
        {
          containerId: this.containerId(name),
          state: "exited",
          exitCode,
          finishedAt: timestamp(this.at),
          reason: exitCode === 0 ? "Completed" : "Error",
          ...more
        }
      ]
    })
  }

  /** A stop that was asked for is done. */
  stopped(name: string, exitCode = 143) {
    const containerId = this.containerId(name)
    return this.tell({
      _tag: "ReportContainerStop",
      container: name,
      containerId,
      outcome: "stopped",
      observed: { containerId, state: "exited", exitCode, finishedAt: timestamp(this.at) }
    })
  }

  /** A hook that asked something of its container is through. */
  hookEnded(name: string, hook: "PostStart" | "PreStop", more: Record<string, unknown> = {}) {
    const told = { containerId: this.containerId(name), outcome: "succeeded", output: "", timedOut: false, duration: 7 }
    return this.tell({ _tag: "ReportHook", container: name, hook, ...told, ...more })
  }

  sandboxStopped(attempt = 0) {
    return this.tell({ _tag: "ReportSandboxStop", sandboxId: `sandbox-${attempt}`, outcome: "stopped" })
  }

  probe(name: string, probe: "liveness" | "readiness" | "startup", result: "success" | "failure", output = "HTTP 503") {
    return this.tell({
      _tag: "ReportProbe",
      container: name,
      containerId: this.containerId(name),
      probe,
      result,
      output
    })
  }

  timer(key: string) {
    return this.tell({ _tag: "TimerFired", key, dueAt: this.at })
  }

  /** From desired to running, with one container `app`. */
  running(wanted: Pod = pod()): this {
    this.desire(wanted)
    for (const v of wanted.spec.volumes ?? []) this.volumeMounted(v.name)
    this.sandboxCreated()
    this.imagePresent()
    for (const c of wanted.spec.containers) this.started(c.name)
    return this
  }
}
