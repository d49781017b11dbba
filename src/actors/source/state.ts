/** What the source knows of its files: a fold of its events. */
import type { EventsOf } from "../../events/catalogue.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { ManifestPod, ObjectKind, sourceEvents } from "../../events/kinds/source.ts"

export type SourceEvent = EventsOf<typeof sourceEvents>
export type DeclaredPod = typeof ManifestPod.Type

export interface FileInState {
  /** Of the content that was seen last, valid or not. */
  readonly hash: string
  /** Desired because of this file. */
  readonly pods: ReadonlyArray<DeclaredPod>
  /** What was said about this content, as keys. */
  readonly told: ReadonlyArray<string>
  /** Id of the event that told its content; only where it declares objects, which are caused by it. */
  readonly because?: string
}

export interface ObjectInState {
  readonly file: string
  readonly hash: string
}

export interface SourceState {
  readonly files: Readonly<Record<string, FileInState>>
  /** ConfigMaps, Secrets and Services by `kind namespace/name`; absent where there never was one. */
  readonly objects?: Readonly<Record<string, ObjectInState>>
  /** Pods that were desired once and are not any more, uid by full name, the latest `maxRemoved`: to be told again. */
  readonly removed: Readonly<Record<string, string>>
  readonly unreadable: { readonly message: string; readonly because: string } | null
}

export const maxRemoved = 256

export const initialSource: SourceState = { files: {}, removed: {}, unreadable: null }

export const fullName = (pod: { readonly namespace: string; readonly name: string }): string =>
  `${pod.namespace}/${pod.name}`

interface ObjectName {
  readonly kind: typeof ObjectKind.Type
  readonly namespace: string
  readonly name: string
}

/** `Secret default/login` */
export const objectKey = ({ kind, namespace, name }: ObjectName): string => `${kind} ${namespace}/${name}`

export const parseObjectKey = (key: string): ObjectName => {
  const [kind = "", rest = ""] = key.split(" ", 2)
  const [namespace = "", name = ""] = rest.split("/", 2)
  return { kind: kind as ObjectName["kind"], namespace, name }
}

/** Key of something that is said about a file's content, so that it is said once. */
export const toldKey = (
  kind: "invalid" | "ignored",
  about: { readonly line?: number; readonly field?: string; readonly message: string }
): string => `${kind} ${about.line ?? ""} ${about.field ?? ""} ${about.message}`

const withFile = (state: SourceState, file: string, change: FileInState): SourceState => ({
  ...state,
  files: { ...state.files, [file]: change }
})

const tell = (
  state: SourceState,
  event: { readonly file: string; readonly hash: string },
  key: string
): SourceState => {
  const known = state.files[event.file]
  const told = known?.hash === event.hash ? known.told : []
  const because = known?.because === undefined ? {} : { because: known.because }
  return withFile(state, event.file, { hash: event.hash, pods: known?.pods ?? [], told: [...told, key], ...because })
}

const withRemoved = (
  removed: SourceState["removed"],
  gone: ReadonlyArray<DeclaredPod>,
  desired: ReadonlyArray<DeclaredPod>
): SourceState["removed"] => {
  const wanted = new Set(desired.map(fullName))
  const fresh = new Set(gone.map(fullName))
  const entries = [
    ...Object.entries(removed).filter(([name]) => !wanted.has(name) && !fresh.has(name)),
    ...gone.map((pod) => [fullName(pod), pod.uid] as const)
  ]
  return Object.fromEntries(entries.slice(-maxRemoved))
}

export const evolveSource = (state: SourceState, event: SourceEvent, meta: EventMeta): SourceState => {
  switch (event._tag) {
    case "ManifestRead":
      return {
        ...withFile(state, event.file, {
          hash: event.hash,
          pods: event.pods,
          told: [],
          ...(event.objects === undefined ? {} : { because: meta.id })
        }),
        removed: withRemoved(state.removed, event.dropped ?? [], event.pods)
      }
    case "ManifestInvalid":
      return tell(state, event, toldKey("invalid", event))
    case "ManifestFieldIgnored":
      return tell(state, event, toldKey("ignored", event))
    case "ManifestRemoved": {
      const { [event.file]: _, ...files } = state.files
      return { ...state, files, removed: withRemoved(state.removed, event.pods, []) }
    }
    case "ObjectDeclared":
    case "ObjectChanged": {
      const { file, hash } = event
      return { ...state, objects: { ...state.objects, [objectKey(event)]: { file, hash } } }
    }
    case "ObjectRemoved": {
      const { [objectKey(event)]: _, ...objects } = state.objects ?? {}
      return { ...state, objects }
    }
    case "SourceUnreadable":
      return { ...state, unreadable: { message: event.message, because: meta.id } }
    case "SourceReadable":
      return { ...state, unreadable: null }
  }
}
