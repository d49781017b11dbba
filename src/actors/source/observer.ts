/** Looks at the manifest directory whenever a look is due, and tells the source's actor what differs. */
import { Clock, Effect, Stream } from "effect"
import {
  type DeclaredObject,
  type ManifestFile,
  type ManifestSnapshot,
  Manifests
} from "../../adapters/manifests/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { FileReport, SourceCommand } from "./commands.ts"
import { objectKey, parseObjectKey } from "./state.ts"

/** Bytes of JSON in one command; it stands as text in an event of at most 64 KiB, beside the event's own fields. */
const maxCommandBytes = 24 * 1024

const reportOf = ({ file, hash, pods, objects, problems, ignoredFields }: ManifestFile): FileReport => ({
  file,
  hash,
  pods: pods.map(({ metadata: { namespace, name, uid } }) => ({ namespace, name, uid })),
  ...(objects === 0 ? {} : { objects }),
  problems,
  ignored: ignoredFields
})

/** What is told in pieces that fit into a command each. One that is larger by itself goes alone. */
const inPieces = <A>(
  told: ReadonlyArray<{ readonly what: A; readonly json: string }>
): ReadonlyArray<ReadonlyArray<A>> => {
  const pieces: Array<Array<A>> = []
  let room = 0
  for (const { what, json } of told) {
    const size = Buffer.byteLength(json)
    const last = pieces.at(-1)
    if (last === undefined || size > room) {
      pieces.push([what])
      room = maxCommandBytes - size
    } else {
      last.push(what)
      room -= size
    }
  }
  return pieces
}

const gonePieces = <A>(names: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const perPiece = 64
  return Array.from({ length: Math.ceil(names.length / perPiece) }, (_, i) =>
    names.slice(i * perPiece, (i + 1) * perPiece)
  )
}

/** What was told, as JSON by name, so that only differences are told. */
class Differences<A> {
  private readonly told = new Map<string, string>()
  private readonly nameOf: (what: A) => string

  /** `known`: from before. They are told at the first look whatever they are. */
  constructor(known: Iterable<string>, nameOf: (what: A) => string) {
    for (const name of known) this.told.set(name, "")
    this.nameOf = nameOf
  }

  take(all: ReadonlyArray<A>) {
    const now = all.map((what) => ({ what, name: this.nameOf(what), json: JSON.stringify(what) }))
    const changed = now.filter(({ name, json }) => this.told.get(name) !== json)
    const present = new Set(now.map(({ name }) => name))
    const gone = [...this.told.keys()].filter((name) => !present.has(name))
    for (const { name, json } of changed) this.told.set(name, json)
    for (const name of gone) this.told.delete(name)
    return { changed, gone }
  }
}

/** What the source's actor was told. */
export class Told {
  private readonly files: Differences<FileReport>
  private readonly objects: Differences<DeclaredObject>
  private isReadable = false
  private last: Pick<Extract<ManifestSnapshot, { readonly _tag: "Readable" }>, "files" | "objects"> | undefined

  /** `files`, `objects`: those that the actor knows from before. */
  constructor(files: Iterable<string>, objects: Iterable<string>) {
    this.files = new Differences(files, ({ file }) => file)
    this.objects = new Differences<DeclaredObject>(objects, objectKey)
  }

  /** Commands for the actor, in the order in which they are to be sent. */
  commands(snapshot: ManifestSnapshot, at: number): ReadonlyArray<SourceCommand> {
    const path = snapshot.directory
    if (snapshot._tag === "Unreadable") {
      this.isReadable = false
      this.last = undefined
      return [{ _tag: "DirectoryUnreadable", at, path, message: snapshot.message }]
    }
    // Most looks see what the last one saw, and get the same value for it.
    const { files: filesBefore, objects: objectsBefore } = this.last ?? {}
    if (snapshot.files === filesBefore && snapshot.objects === objectsBefore) return []
    this.last = snapshot
    const { changed, gone } = this.files.take(snapshot.files.map(reportOf))
    const commands: ReadonlyArray<SourceCommand> = [
      ...inPieces(changed).map((files): SourceCommand => ({ _tag: "ManifestsScanned", at, path, files, gone: [] })),
      // After what is there: a pod that moved from one file to another is desired all the time.
      ...gonePieces(gone).map(
        (files): SourceCommand => ({ _tag: "ManifestsScanned", at, path, files: [], gone: files })
      )
    ]
    const isNewlyReadable = !this.isReadable
    this.isReadable = true
    const files: ReadonlyArray<SourceCommand> =
      commands.length > 0 || !isNewlyReadable ? commands : [{ _tag: "ManifestsScanned", at, path, files: [], gone: [] }]
    return [...files, ...this.objectCommands(snapshot.objects, at)]
  }

  private objectCommands(all: ReadonlyArray<DeclaredObject>, at: number): ReadonlyArray<SourceCommand> {
    const { changed, gone } = this.objects.take(all)
    return [
      ...inPieces(changed).map((declared): SourceCommand => ({ _tag: "ObjectsScanned", at, declared, gone: [] })),
      ...gonePieces(gone.map(parseObjectKey)).map(
        (names): SourceCommand => ({ _tag: "ObjectsScanned", at, declared: [], gone: names })
      )
    ]
  }
}

/** `files`, `objects`: full paths and keys of those that the actor knows. Runs until interrupted. */
export const observeManifests = (
  id: ActorId,
  files: ReadonlyArray<string>,
  objects: ReadonlyArray<string>,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, Manifests> =>
  Effect.gen(function* () {
    const manifests = yield* Manifests
    const told = new Told(files, objects)
    yield* Stream.runForEach(manifests.changes, () =>
      Effect.gen(function* () {
        const snapshot = yield* manifests.scan
        const at = yield* Clock.currentTimeMillis
        yield* Effect.forEach(told.commands(snapshot, at), (command) => emit({ to: id, command }), { discard: true })
      })
    )
  })
