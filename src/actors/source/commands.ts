/** What the observer of the manifest directory tells the source's actor. */
import { Schema } from "effect"
import { ManifestObject, ManifestPod, ObjectKind } from "../../events/kinds/source.ts"

const text = Schema.String
const opt = Schema.optionalKey
const at = Schema.Finite

/** One file as it is now. */
export const FileReport = Schema.Struct({
  file: text,
  hash: text,
  pods: Schema.Array(ManifestPod),
  /** How many objects beside pods it declares; absent: none. */
  objects: opt(Schema.Int),
  problems: Schema.Array(
    Schema.Struct({ line: opt(Schema.Int), column: opt(Schema.Int), field: opt(text), message: text })
  ),
  ignored: Schema.Array(Schema.Struct({ line: opt(Schema.Int), field: text, message: text }))
})
export type FileReport = typeof FileReport.Type

/**
 * The directory could be read. `files`: those that differ from what was told before (a command has 64 KiB at most, so
 * not the whole directory); `gone`: those that were told before and are not there any more.
 */
export const ManifestsScanned = Schema.TaggedStruct("ManifestsScanned", {
  at,
  path: text,
  files: Schema.Array(FileReport),
  gone: Schema.Array(text)
})
export type ManifestsScanned = typeof ManifestsScanned.Type
/**
 * Objects beside the pods. `declared`: those that differ from what was told before; `gone`: those that were told before and
 * are not there any more. Told after the files that declare them.
 */
export const ObjectsScanned = Schema.TaggedStruct("ObjectsScanned", {
  at,
  declared: Schema.Array(ManifestObject),
  gone: Schema.Array(Schema.Struct({ kind: ObjectKind, namespace: text, name: text }))
})
export type ObjectsScanned = typeof ObjectsScanned.Type
export const DirectoryUnreadable = Schema.TaggedStruct("DirectoryUnreadable", { at, path: text, message: text })

export const SourceCommand = Schema.Union([ManifestsScanned, ObjectsScanned, DirectoryUnreadable])
export type SourceCommand = typeof SourceCommand.Type
