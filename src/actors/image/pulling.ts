/**
 * One pull, live: waits for its turn, has the credentials looked up, and asks the runtime with one after another until the
 * registry takes one (`pkg/kubelet/kuberuntime/kuberuntime_image.go` PullImage).
 */
import { Clock, Effect, Result, type Semaphore } from "effect"
import {
  type CredentialSource,
  Credentials,
  type CredentialsRequest,
  describeSource
} from "../../adapters/credentials/port.ts"
import { ContainerRuntime } from "../../adapters/cri/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { ImageCommand } from "./commands.ts"
import { ImageGrants } from "./grants.ts"
import { type PullLimiter, tooManyPulls } from "./pull-limits.ts"
import { parseReference, repositoryOf } from "./reference.ts"
import type { ImageState } from "./state.ts"
import { type GrantedSecret, keepsOpenGrants, mustPull, type Verification } from "./verification.ts"

export type PullNeeds = ContainerRuntime | Credentials | ImageGrants
type Emit = (outgoing: Outgoing) => Effect.Effect<void>

export interface PullLimits {
  readonly turns: Semaphore.Semaphore
  readonly limiter: PullLimiter
  readonly verification: Verification
}

export const withTag = (image: string): string => {
  const reference = parseReference(image)
  return "problem" in reference ? image : reference.withTag
}

/** With which credentials the actor's pods ask. */
export const requestOf = ({ namespace }: ActorId, { image, secrets = [] }: ImageState): CredentialsRequest => ({
  repository: repositoryOf(image),
  namespace,
  secrets
})

/** Sources and problems that an event tells. */
const maxTold = 20
const someOf = (texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  texts.length <= maxTold ? texts : [...texts.slice(0, maxTold), `and ${texts.length - maxTold} more`]

/** Go's NewAggregate: one error as it is, several in brackets, the same ones once. */
const aggregate = (messages: ReadonlyArray<string>): string => {
  const different = [...new Set(messages)]
  return different.length === 1 ? different[0]! : `[${different.join(", ")}]`
}

type Pulled = Result.Result<
  { readonly imageId: string; readonly credentials?: string; readonly grant?: { readonly secret?: GrantedSecret } },
  string
>

/** Whom a pull with these credentials gives the image; nothing where that need not be remembered. */
const granted = (source: CredentialSource | undefined, verification: Verification) => {
  if (source?.kind === "secret") {
    const { namespace, name, hash } = source
    return { grant: { secret: { namespace, name, hash } } }
  }
  return keepsOpenGrants(verification) ? { grant: {} } : {}
}

/** `told`: before the registry is asked, whose credentials will be tried. */
const askRegistry = (
  asked: CredentialsRequest & { readonly image: string },
  told: (credentials: ReadonlyArray<string>, problems: ReadonlyArray<string>) => Effect.Effect<void>,
  { limiter, verification }: PullLimits
): Effect.Effect<Pulled, never, ContainerRuntime | Credentials> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const { lookUp } = yield* Credentials
    const { credentials, problems } = yield* lookUp(asked)
    yield* told(someOf([...new Set(credentials.map(({ source }) => describeSource(source)))]), someOf(problems))
    if (!limiter.accept(yield* Clock.currentTimeMillis)) return Result.fail(tooManyPulls)
    const messages: Array<string> = []
    for (const credential of credentials.length === 0 ? [undefined] : credentials) {
      const result = yield* Effect.result(runtime.pullImage(withTag(asked.image), undefined, credential))
      if (Result.isFailure(result)) messages.push(result.failure.message)
      else {
        const taken = credential === undefined ? {} : { credentials: describeSource(credential.source) }
        return Result.succeed({ imageId: result.success, ...taken, ...granted(credential?.source, verification) })
      }
    }
    return Result.fail(aggregate(messages))
  })

/** Bytes, where the runtime tells. */
const sizeOf = (imageId: string): Effect.Effect<{ readonly size?: number }, never, ContainerRuntime> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const status = yield* runtime.imageStatus(imageId).pipe(Effect.catch(() => Effect.succeed(undefined)))
    return status === undefined || !Number.isSafeInteger(status.size) ? {} : { size: status.size }
  })

/** Whether the pods of this actor have yet to prove that they may have an image that is on the node. */
export const isUnverified = (
  asked: CredentialsRequest,
  imageId: string,
  verification: Verification
): Effect.Effect<boolean, never, Credentials | ImageGrants> =>
  Effect.gen(function* () {
    const { repository } = asked
    const { grants, underWay } = (yield* ImageGrants).now()
    const image = { imageId, repository, isUnderWay: underWay.has(repository) }
    // Most images have no grants, and nothing is asked then.
    if (!mustPull(verification, image, grants, [])) return false
    const { secretsFor } = yield* Credentials
    return mustPull(verification, image, grants, yield* secretsFor(asked))
  })

/**
 * After a restart: the pull may have ended well before it. Who insists on pulling, or has to prove something by it, gets it
 * anew; it is quick then.
 */
const endedBefore = (
  { waiting, pulling, image: name, secrets }: ImageState,
  asked: CredentialsRequest,
  verification: Verification
): Effect.Effect<ImageCommand | undefined, never, PullNeeds> =>
  Effect.gen(function* () {
    if (secrets !== undefined || waiting.some((w) => w.policy === "Always")) return undefined
    const runtime = yield* ContainerRuntime
    const image = yield* runtime.imageStatus(withTag(name)).pipe(Effect.catch(() => Effect.succeed(undefined)))
    if (image === undefined || (yield* isUnverified(asked, image.id, verification))) return undefined
    const at = yield* Clock.currentTimeMillis
    const duration = Math.max(0, Math.round(at - (pulling?.since ?? at)))
    return { _tag: "PullSucceeded", at, imageId: image.id, duration }
  })

/** `state`: when the work begins; where the pull has started already, it was an agent before that began it. */
export const pullImage = (
  limits: PullLimits,
  state: ImageState,
  id: ActorId,
  emit: Emit
): Effect.Effect<void, never, PullNeeds> =>
  Effect.gen(function* () {
    const tell = (command: ImageCommand) => emit({ to: id, command })
    const asked = requestOf(id, state)
    const ended = state.pulling === null ? undefined : yield* endedBefore(state, asked, limits.verification)
    if (ended !== undefined) return yield* tell(ended)
    const since = yield* Clock.currentTimeMillis
    yield* limits.turns.withPermit(
      Effect.gen(function* () {
        const begun = yield* Clock.currentTimeMillis
        const queued = Math.max(0, Math.round(begun - since))
        const turn = (credentials: ReadonlyArray<string>, problems: ReadonlyArray<string>) =>
          Effect.flatMap(Clock.currentTimeMillis, (at) => tell({ _tag: "PullTurn", at, queued, credentials, problems }))
        const result = yield* askRegistry({ ...asked, image: state.image }, turn, limits)
        const at = yield* Clock.currentTimeMillis
        if (Result.isFailure(result)) return yield* tell({ _tag: "PullFailed", at, message: result.failure })
        const duration = Math.max(0, Math.round(at - begun))
        const size = yield* sizeOf(result.success.imageId)
        yield* tell({ _tag: "PullSucceeded", at, ...result.success, duration, ...size })
      })
    )
  })
