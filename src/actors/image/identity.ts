/**
 * Which actor is there for an image. Pods without imagePullSecrets share one for each image. Those with some share it in their
 * namespace, where they name the same Secrets: what one pod may pull, another may not. Pure.
 */
import { type ActorId, actorId } from "../../events/actor-id.ts"

/** Stands in no name of a Secret as it is written here, so that the last one ends the image. */
const mark = "+"

/** `image`: as the pod writes it. `secrets`: names, in the order of the pod. */
export const imageActor = (image: string, namespace: string, secrets: ReadonlyArray<string>): ActorId =>
  secrets.length === 0
    ? actorId("image", "", image)
    : actorId("image", namespace, `${image}${mark}${secrets.map(encodeURIComponent).join(",")}`)

export interface ImageActorParts {
  readonly image: string
  /** Empty where there are no secrets. */
  readonly namespace: string
  readonly secrets: ReadonlyArray<string>
}

export const partsOf = ({ namespace, name }: ActorId): ImageActorParts => {
  const at = namespace === "" ? -1 : name.lastIndexOf(mark)
  if (at < 0) return { image: name, namespace, secrets: [] }
  return {
    image: name.slice(0, at),
    namespace,
    secrets: name
      .slice(at + 1)
      .split(",")
      .map(decodeURIComponent)
  }
}
