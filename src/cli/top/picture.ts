/** What is known of a node at one point of its log: the folded state, and what a watcher wants to see beside it. */
import { deciders } from "../../actors/deciders.ts"
import { NodeFold } from "../../actors/kernel/fold.ts"
import { actorPath } from "../../events/actor-id.ts"
import { isTrouble } from "../../events/causes.ts"
import { millis } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { EventRate } from "./rate.ts"

/** Images whose last event is remembered; those that were heard of longest ago are forgotten first. */
const maxImages = 4096

export class Picture {
  fold = new NodeFold(deciders)
  rate = new EventRate()
  /** By path of a pod's actor: its latest restart, kill or failure. */
  troubles = new Map<string, RecordedEvent>()
  /** By reference: the last that was heard of an image. */
  images = new Map<string, RecordedEvent>()
  /** `events` or `inputs`; empty before the agent's start is read. */
  recording = ""
  /** Hash of the chain after the last event, where the log has one. */
  headHash = ""
  /** Where the chain does not hold, and why; empty: it holds as far as it was checked. */
  broken = ""

  apply(recorded: RecordedEvent): void {
    this.fold.apply(recorded)
    this.rate.count(millis(recorded.recordedTime))
    const { actor, event } = recorded
    if (event._tag === "NodeStarted") this.recording = event.recording
    if (actor.kind === "image") this.heardOf(actor.name, recorded)
    if (actor.kind !== "pod") return
    const path = actorPath(actor)
    if (isTrouble(recorded)) this.troubles.set(path, recorded)
    if (!this.fold.actors.has(path)) this.troubles.delete(path)
  }

  copy(): Picture {
    const copy = new Picture()
    copy.fold = this.fold.copy()
    copy.rate = this.rate.copy()
    copy.troubles = new Map(this.troubles)
    copy.images = new Map(this.images)
    copy.recording = this.recording
    copy.headHash = this.headHash
    copy.broken = this.broken
    return copy
  }

  private heardOf(image: string, recorded: RecordedEvent): void {
    const tag = recorded.event._tag
    // Who asks for it and who no longer does says nothing of the image itself.
    if (tag === "ImageReleased" || (tag === "ImageRequested" && this.images.has(image))) return
    this.images.delete(image)
    this.images.set(image, recorded)
    if (this.images.size > maxImages) this.images.delete(this.images.keys().next().value as string)
  }
}
