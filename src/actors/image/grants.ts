/** A look at what the actors of all images know of pulls: whom they gave an image. */
import { Context } from "effect"
import { repositoryOf } from "./reference.ts"
import type { ImageState } from "./state.ts"
import type { KnownGrant } from "./verification.ts"

export interface GrantsNow {
  readonly grants: ReadonlyArray<KnownGrant>
  /** Names (without tag and digest) that are being pulled with the credentials of Secrets. */
  readonly underWay: ReadonlySet<string>
}

export class ImageGrants extends Context.Service<ImageGrants, { readonly now: () => GrantsNow }>()(
  "chronode/ImageGrants"
) {}

export const grantsOf = (actors: ReadonlyArray<{ readonly state: unknown }>): GrantsNow => {
  const grants: Array<KnownGrant> = []
  const underWay = new Set<string>()
  for (const { state } of actors) {
    const { image, secrets, pulling, grants: own } = state as ImageState
    if (pulling !== null && secrets !== undefined) underWay.add(repositoryOf(image))
    for (const grant of own ?? []) grants.push({ ...grant, repository: repositoryOf(image) })
  }
  return { grants, underWay }
}
