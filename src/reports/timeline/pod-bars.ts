/** States of pods, their sandboxes and containers, from the events of the pod's actor and of the images that it waits for. */
import type { NodeEvent } from "../../events/catalogue.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { PodPhase } from "../../events/kinds/pod.ts"
import type { Bars } from "./bars.ts"
import type { Lanes } from "./lanes.ts"
import type { StateName } from "./model.ts"

interface Pod {
  readonly lanes: Array<number>
  phase: PodPhase
  ready: boolean
  wasReady: boolean
  terminating: boolean
}

const stateOf = ({ phase, ready, terminating, wasReady }: Pod): StateName => {
  if (terminating) return "terminating"
  if (phase === "Succeeded") return "completed"
  if (phase === "Failed") return "failed"
  if (phase === "Pending") return "waiting"
  if (phase === "Unknown") return "unknown"
  return ready ? "ready" : wasReady ? "not ready" : "running"
}

export class PodBars {
  private readonly lanes: Lanes
  private readonly bars: Bars
  private readonly pods = new Map<number, Pod>()
  /** Lanes of containers by the image that they were declared with. */
  private readonly byImage = new Map<string, Set<number>>()

  constructor(lanes: Lanes, bars: Bars) {
    this.lanes = lanes
    this.bars = bars
  }

  /** @param lane of the event; @param index its position */
  apply({ actor, event }: RecordedEvent<NodeEvent>, lane: number, at: number, index: number): void {
    const begin = (state: StateName, anew = false): void => this.bars.begin(lane, state, at, index, anew)
    switch (event._tag) {
      case "PodAdmitted": {
        const { initContainers = [], containers, ephemeralContainers = [] } = event.pod.spec
        const pod: Pod = { lanes: [lane], phase: "Pending", ready: false, wasReady: false, terminating: false }
        this.pods.set(lane, pod)
        begin("waiting", true)
        for (const each of [...initContainers, ...containers, ...ephemeralContainers])
          this.beginContainer(actor, each, at, index)
        break
      }
      case "EphemeralContainersAdded":
        for (const each of event.containers) this.beginContainer(actor, each, at, index)
        break
      case "PodRejected":
        begin("rejected")
        break
      case "PodPhaseChanged":
        this.changePod(lane, at, index, (pod) => ({ phase: event.to, ready: pod.ready && event.to === "Running" }))
        break
      case "PodConditionChanged":
        if (event.condition === "Ready")
          this.changePod(lane, at, index, (pod) => ({ ready: event.status, wasReady: pod.wasReady || event.status }))
        break
      case "PodTerminationRequested":
        this.changePod(lane, at, index, () => ({ terminating: true }))
        break
      case "PodRemoved":
        for (const each of this.pods.get(lane)?.lanes ?? [lane]) this.bars.end(each, at)
        this.pods.delete(lane)
        break
      case "SandboxRequested":
        this.belongs(actor, lane)
        begin("starting")
        break
      case "SandboxCreated":
        begin("ready")
        break
      case "SandboxFailed":
        begin("back-off")
        break
      case "SandboxLost":
        begin("lost")
        break
      case "SandboxStopRequested":
        begin("stopping")
        break
      case "SandboxStopped":
        this.bars.end(lane, at)
        break
      case "ContainerImageReady":
        this.bars.change(lane, ["pulling", "back-off"], "waiting", at, index)
        break
      case "ContainerWaiting":
      case "ContainerStartFailed":
      case "ContainerBackOffStarted":
        begin("back-off")
        break
      case "ContainerStartRequested":
        this.belongs(actor, lane)
        begin("starting", true)
        break
      case "ContainerStarted":
        begin("running")
        break
      case "ContainerReadinessChanged":
        if (event.ready) this.bars.change(lane, ["starting", "running", "not ready"], "ready", at, index)
        else this.bars.change(lane, ["ready"], "not ready", at, index)
        break
      case "ContainerKillRequested":
        begin("stopping")
        break
      case "ContainerExited":
        // A log that begins in the middle still tells since when it ran.
        if (this.bars.state(lane) === undefined && event.startedAt !== undefined)
          this.bars.begin(lane, "running", Math.min(Date.parse(event.startedAt), at), index)
        begin(event.exitCode === 0 ? "completed" : "failed")
        break
    }
  }

  /** What an image's pull means for the containers that wait for it. */
  applyImage(event: NodeEvent, at: number, index: number): void {
    const waiting = "image" in event ? this.byImage.get(event.image) : undefined
    if (waiting === undefined) return
    for (const lane of waiting) {
      if (event._tag === "ImagePullStarted") this.bars.change(lane, ["waiting", "back-off"], "pulling", at, index)
      else if (event._tag === "ImagePullFailed") this.bars.change(lane, ["pulling"], "back-off", at, index)
      else if (event._tag === "ImagePulled") this.bars.change(lane, ["pulling"], "waiting", at, index)
    }
  }

  private beginContainer(
    actor: { readonly namespace: string; readonly name: string },
    { name, image }: { readonly name: string; readonly image: string },
    at: number,
    index: number
  ): void {
    const container = this.lanes.container(actor.namespace, actor.name, name)
    this.bars.begin(container, "waiting", at, index, true)
    const waiting = this.byImage.get(image) ?? new Set()
    this.byImage.set(image, waiting.add(container))
  }

  private changePod(lane: number, at: number, index: number, change: (pod: Pod) => Partial<Pod>): void {
    const known = this.pods.get(lane)
    // A log that begins in the middle: what is not told is taken for a pod that runs.
    const pod = known ?? { lanes: [lane], phase: "Running", ready: false, wasReady: false, terminating: false }
    this.pods.set(lane, Object.assign(pod, change(pod)))
    this.bars.begin(lane, stateOf(pod), at, index)
  }

  /** The lane ends with its pod. */
  private belongs(actor: { readonly namespace: string; readonly name: string }, lane: number): void {
    const pod = this.pods.get(this.lanes.pod(actor.namespace, actor.name))
    if (pod !== undefined && !pod.lanes.includes(lane)) pod.lanes.push(lane)
  }
}
