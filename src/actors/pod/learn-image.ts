/** What an image's report means for the containers that run it, and for volumes that are images (KEP-4639). */
import { waitingFor } from "../image/failure.ts"
import type { CommandOf } from "./commands.ts"
import type { PodDecision } from "./evolve.ts"
import { everyContainer } from "./spec-extension.ts"
import { containerIn, imageVolumesOf, isAlive } from "./state.ts"

type Report = CommandOf<"ReportImage">

export const learnImage = (d: PodDecision, command: Report): void => {
  const pod = d.state.definition?.pod
  if (pod === undefined) return
  for (const { name, image } of everyContainer(pod.spec)) {
    const c = containerIn(d.state, name)
    if (image !== command.image || c === undefined || c.imageId !== "") continue
    if (command.outcome === "failed") waits(d, name, command)
    else d.emit({ _tag: "ContainerImageReady", container: name, image, imageId: command.imageId ?? image })
  }
  for (const { name, image, imageId } of d.state.imageVolumes ?? []) {
    if (image !== command.image || imageId !== "") continue
    if (command.outcome === "present") {
      d.emit({ _tag: "PodVolumeReady", volume: name, path: "", imageId: command.imageId ?? image })
    } else {
      // Containers that do not mount it are none the worse (`kuberuntime_manager.go` toKubeContainerImageVolumes).
      for (const c of everyContainer(pod.spec)) {
        const uses = imageVolumesOf(d.state, c.name).some((volume) => volume.name === name)
        const known = containerIn(d.state, c.name)
        if (uses && known !== undefined && !isAlive(known)) waits(d, c.name, command)
      }
    }
  }
}

const waits = (d: PodDecision, container: string, command: Report): void => {
  const { reason, message } = waitingFor(command.image, {
    reason: command.reason ?? "ErrImagePull",
    message: command.message ?? "",
    attempt: command.attempt ?? 1
  })
  const known = containerIn(d.state, container)?.waiting
  if (known?.reason === reason && known.message === message) return
  d.emit({ _tag: "ContainerWaiting", container, reason, message })
}
