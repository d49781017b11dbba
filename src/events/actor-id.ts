/** Who writes an event: the identity of an actor, as a path, as a CloudEvents source and as NATS subject tokens. */
import { type ActorKind, actorKinds } from "./actor-kinds.ts"
import { makeSharedTexts } from "./shared-text.ts"

export interface ActorId {
  readonly kind: ActorKind
  /** Empty where the kind has no namespaces. */
  readonly namespace: string
  readonly name: string
}

export const actorId = (kind: ActorKind, namespace: string, name: string): ActorId => ({ kind, namespace, name })

/** `pod/default/web`; `_` stands for "no namespace". The key of an actor in the kernel and in the journal. */
export const actorPath = (id: ActorId): string => {
  let path = paths.get(id)
  if (path === undefined) {
    path = `${id.kind}/${id.namespace === "" ? "_" : id.namespace}/${id.name}`
    paths.set(id, path)
  }
  return path
}
/** An actor's id is one object for all its events: its path is made once. */
const paths = new WeakMap<ActorId, string>()

export const parseActorPath = (path: string): ActorId | undefined => {
  const first = path.indexOf("/")
  const second = path.indexOf("/", first + 1)
  if (first < 0 || second < 0) return undefined
  const kind = path.slice(0, first)
  // One text for all actors of a kind: there may be 100,000.
  const known = actorKinds.find((one) => one === kind)
  if (known === undefined) return undefined
  const namespace = path.slice(first + 1, second)
  const id: ActorId = {
    kind: known,
    namespace: namespace === "_" ? "" : shared(namespace),
    name: path.slice(second + 1)
  }
  paths.set(id, path)
  return id
}

/** Names of namespaces repeat. */
const shared = makeSharedTexts(1_024)

/** `/nodes/<node>/<kind>/<ns>/<name>`, a URI reference. */
export const sourceOf = (node: string, path: string): string => `/nodes/${encodeURIComponent(node)}/${encodeURI(path)}`

export const parseSource = (source: string): { readonly node: string; readonly path: string } | undefined => {
  if (!source.startsWith("/nodes/")) return undefined
  const end = source.indexOf("/", 7)
  if (end < 0) return undefined
  try {
    const rest = source.slice(end + 1)
    return {
      node: decodeURIComponent(source.slice(7, end)),
      path: rest.includes("%") ? decodeURI(rest) : rest
    }
  } catch {
    return undefined
  }
}

/** One token of a NATS subject: `.` (and what NATS forbids) is written `_`. */
const token = (text: string): string => (text === "" ? "_" : text.replace(/[.\s*>\u0000-\u001f]/gu, "_"))

/** `chronode.<node>.<kind>.<namespace>.<name>.<Type>` */
export const subjectOf = (node: string, id: ActorId, tag: string): string =>
  `chronode.${token(node)}.${id.kind}.${token(id.namespace)}.${token(id.name)}.${tag}`

/** All subjects of one node: what its stream listens to. */
export const nodeSubjects = (node: string): string => `chronode.${token(node)}.>`
/** The node's name as it stands in subjects and stream names. */
export const nodeToken = token
