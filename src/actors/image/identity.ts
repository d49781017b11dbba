/**
 * Which actor is there for an image. Pods without imagePullSecrets share one for each image. Those with some share it in their
 * namespace, where they name the same Secrets: what one pod may pull, another may not. Pure.
 */
import { type ActorId, actorId } from "../../events/actor-id.ts"
import { fnv1a32 } from "../pod/plan/spec-hash.ts"

/** Stands in no name of a Secret as it is written here, so that the last one ends the image. */
const mark = "+"
/** Characters of the names of Secrets in the actor's name; longer ones are told apart by a hash. */
const maxNames = 200

const hex = (text: string): string => fnv1a32(new TextEncoder().encode(text)).toString(16).padStart(8, "0")

const namesOf = (secrets: ReadonlyArray<string>): string => {
  const names = secrets.map(encodeURIComponent).join(",")
  if (names.length <= maxNames) return names
  return `${secrets.length}-secrets-${hex(names)}${hex([...names].reverse().join(""))}`
}

/** `image`: as the pod writes it. `secrets`: names, in the order of the pod. */
export const imageActor = (image: string, namespace: string, secrets: ReadonlyArray<string>): ActorId =>
  secrets.length === 0 ? actorId("image", "", image) : actorId("image", namespace, `${image}${mark}${namesOf(secrets)}`)

/** The image as the pod writes it. */
export const imageOfActor = ({ namespace, name }: ActorId): string =>
  namespace === "" ? name : name.slice(0, Math.max(0, name.lastIndexOf(mark)))
