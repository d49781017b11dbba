/** User namespaces of pods (KEP-127; `pkg/kubelet/userns`): which ids a pod gets, and whether it can have them. */
import { Result } from "effect"
import type { HandlerFeatures, IdMappings } from "../../../adapters/cri/port.ts"
import type { PodSpec } from "../../../events/pod-spec.ts"
import type { UserNamespace } from "../../../events/user-namespace.ts"

/** Ids of one pod: kubelet's userNamespaces.idsPerPod, a multiple of this. */
export const idsUnit = 65_536
/** Ids are 32 bits wide. */
const idSpace = 2 ** 32
/** Largest idsPerPod (`pkg/kubelet/apis/config/validation`: a signed number of 32 bits). */
export const maxIdsPerPod = 2 ** 31 - idsUnit

/** Ids on the host that are given to pods, a block each. */
export interface IdRange {
  readonly first: number
  readonly length: number
  readonly idsPerPod: number
}

/** All ids but those of the host's own users. */
export const defaultIdRange = (idsPerPod: number = idsUnit): IdRange => ({
  first: idsPerPod,
  length: idSpace - idsPerPod,
  idsPerPod
})

/** What speaks against a range (`userns_manager.go` MakeUserNsManager). */
export const idRangeProblem = ({ first, length, idsPerPod }: IdRange, maxPods: number): string | undefined => {
  if (idsPerPod % idsUnit !== 0 || idsPerPod <= 0)
    return `kubelet user namespace length ${idsPerPod} is not a multiple of ${idsUnit}`
  if (first % idsPerPod !== 0) return `kubelet user assigned ID ${first} is not a multiple of ${idsPerPod}`
  // Root of the host is nobody's.
  if (first < idsPerPod) return `kubelet user assigned ID ${first} must be greater or equal to ${idsPerPod}`
  if (length % idsPerPod !== 0) return `kubelet user assigned IDs length ${length} is not a multiple of ${idsPerPod}`
  if (first + length > idSpace)
    return `kubelet user assigned IDs ${first} to ${first + length - 1} are more than 32 bits`
  if (length / idsPerPod < maxPods) return `kubelet user assigned IDs are not enough to support ${maxPods} pods`
  return undefined
}

/** The lowest block that nobody has; undefined: all are taken. */
export const freeBlock = (range: IdRange, taken: Iterable<UserNamespace>): UserNamespace | undefined => {
  const used = new Set([...taken].flatMap(({ hostId, length }) => blocksOf(range, hostId, length)))
  for (let index = 0; index < Math.floor(range.length / range.idsPerPod); index++) {
    if (!used.has(index)) return { hostId: range.first + index * range.idsPerPod, length: range.idsPerPod }
  }
  return undefined
}

/** Indices of the blocks that ids touch: those of a pod from before the range was changed may lie across several. */
const blocksOf = ({ first, idsPerPod }: IdRange, hostId: number, length: number): ReadonlyArray<number> => {
  const from = Math.floor((hostId - first) / idsPerPod)
  const to = Math.floor((hostId + length - 1 - first) / idsPerPod)
  return Array.from({ length: Math.min(to - from + 1, maxBlocksOfOne) }, (_, i) => from + i)
}

/** Blocks that ids of one pod can touch: as many as the largest idsPerPod has units. */
const maxBlocksOfOne = idSpace / idsUnit

export const hasUserNamespace = (spec: Pick<PodSpec, "hostUsers">): boolean => spec.hostUsers === false

/** As the runtime is told it. */
export const idMappings = ({ hostId, length }: UserNamespace): IdMappings => {
  const ranges = [{ hostId, containerId: 0, length }]
  return { uids: ranges, gids: ranges }
}

/** Whether the runtime's handler can give the pod its user namespace; fails with kubelet's words. */
export const userNamespaceOf = (
  spec: Pick<PodSpec, "hostUsers">,
  handlers: ReadonlyArray<HandlerFeatures>,
  handler: string,
  given: UserNamespace | undefined
): Result.Result<UserNamespace | undefined, string> => {
  if (!hasUserNamespace(spec)) return Result.succeed(undefined)
  const features = handlers.find(({ name }) => name === handler)
  if (features?.userNamespaces !== true) {
    const who = handler === "" ? "runtime" : `RuntimeClass handler ${JSON.stringify(handler)}`
    const refusal = `can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces`
    return Result.fail(
      features === undefined ? `${refusal}: RuntimeClass handler ${JSON.stringify(handler)} not found` : refusal
    )
  }
  return given === undefined
    ? Result.fail("create user namespace: could not find an empty slot to allocate a user namespace")
    : Result.succeed(given)
}
