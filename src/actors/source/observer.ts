/** Looks at the manifest directory whenever a look is due, and tells the source's actor what differs. */
import { Clock, Effect, Stream } from "effect"
import { type ManifestFile, type ManifestSnapshot, Manifests } from "../../adapters/manifests/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { FileReport, SourceCommand } from "./commands.ts"

/** Bytes of JSON in one command; it stands as text in an event of at most 64 KiB, beside the event's own fields. */
const maxCommandBytes = 24 * 1024

const reportOf = ({ file, hash, pods, problems, ignoredFields }: ManifestFile): FileReport => ({
  file,
  hash,
  pods: pods.map(({ metadata: { namespace, name, uid } }) => ({ namespace, name, uid })),
  problems,
  ignored: ignoredFields
})

/** Reports in pieces that fit into a command each. A report that is larger by itself goes alone. */
const inPieces = (
  reports: ReadonlyArray<{ readonly report: FileReport; readonly size: number }>
): ReadonlyArray<ReadonlyArray<FileReport>> => {
  const pieces: Array<Array<FileReport>> = []
  let room = 0
  for (const { report, size } of reports) {
    const last = pieces.at(-1)
    if (last === undefined || size > room) {
      pieces.push([report])
      room = maxCommandBytes - size
    } else {
      last.push(report)
      room -= size
    }
  }
  return pieces
}

const gonePieces = (files: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const perPiece = 64
  return Array.from({ length: Math.ceil(files.length / perPiece) }, (_, i) =>
    files.slice(i * perPiece, (i + 1) * perPiece)
  )
}

/** What was told of each file, as JSON, so that only differences are told. */
class Told {
  private readonly reports = new Map<string, string>()
  private isReadable = false

  /** `files`: those that the actor knows from before. They are told at the first look whatever they are. */
  constructor(files: Iterable<string>) {
    for (const file of files) this.reports.set(file, "")
  }

  /** Commands for the actor, in the order in which they are to be sent. */
  commands(snapshot: ManifestSnapshot, at: number): ReadonlyArray<SourceCommand> {
    const path = snapshot.directory
    if (snapshot._tag === "Unreadable") {
      this.isReadable = false
      return [{ _tag: "DirectoryUnreadable", at, path, message: snapshot.message }]
    }
    const reports = snapshot.files.map(reportOf).map((report) => ({ report, json: JSON.stringify(report) }))
    const changed = reports.filter(({ report, json }) => this.reports.get(report.file) !== json)
    const present = new Set(reports.map(({ report }) => report.file))
    const gone = [...this.reports.keys()].filter((file) => !present.has(file))
    for (const { report, json } of changed) this.reports.set(report.file, json)
    for (const file of gone) this.reports.delete(file)
    const commands: ReadonlyArray<SourceCommand> = [
      ...inPieces(changed.map(({ report, json }) => ({ report, size: Buffer.byteLength(json) }))).map(
        (files): SourceCommand => ({ _tag: "ManifestsScanned", at, path, files, gone: [] })
      ),
      // After what is there: a pod that moved from one file to another is desired all the time.
      ...gonePieces(gone).map(
        (files): SourceCommand => ({ _tag: "ManifestsScanned", at, path, files: [], gone: files })
      )
    ]
    const isNewlyReadable = !this.isReadable
    this.isReadable = true
    if (commands.length > 0 || !isNewlyReadable) return commands
    return [{ _tag: "ManifestsScanned", at, path, files: [], gone: [] }]
  }
}

/** `files`: full paths of the files that the actor knows. Runs until interrupted. */
export const observeManifests = (
  id: ActorId,
  files: ReadonlyArray<string>,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, Manifests> =>
  Effect.gen(function* () {
    const manifests = yield* Manifests
    const told = new Told(files)
    yield* Stream.runForEach(manifests.changes, () =>
      Effect.gen(function* () {
        const snapshot = yield* manifests.scan
        const at = yield* Clock.currentTimeMillis
        yield* Effect.forEach(told.commands(snapshot, at), (command) => emit({ to: id, command }), { discard: true })
      })
    )
  })
