/**
 * What a look at the manifest directory changes. Events tell differences only; a broken new version of a file keeps the
 * pods of its last good one; an unreadable directory concludes nothing.
 */
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { type FileReport, type ManifestsScanned, type ObjectsScanned, SourceCommand } from "./commands.ts"
import {
  type DeclaredPod,
  evolveSource,
  fullName,
  initialSource,
  objectKey,
  type SourceEvent,
  type SourceState,
  toldKey
} from "./state.ts"

type SourceDecision = Decision<SourceState, SourceEvent>

/**
 * Characters of the list of pods that one file may hold desired, as JSON. One version alone stays under it (the adapter
 * sees to that); it bounds what a row of half broken versions adds up to, since the list has to fit into an event.
 */
const maxDesiredCharacters = 16 * 1024

/** As many of `kept`, in order, as fit beside `pods`. */
const fitting = (pods: ReadonlyArray<DeclaredPod>, kept: ReadonlyArray<DeclaredPod>): ReadonlyArray<DeclaredPod> => {
  let room = maxDesiredCharacters - JSON.stringify(pods).length
  return kept.filter((pod) => {
    room -= JSON.stringify(pod).length + 1
    return room >= 0
  })
}

const decide = (state: SourceState, command: SourceCommand): ReadonlyArray<Decided<SourceEvent>> => {
  const d = new Decision<SourceState, SourceEvent>(state, evolveSource, command.at)
  switch (command._tag) {
    case "DirectoryUnreadable":
      if (state.unreadable?.message !== command.message) {
        d.emit({ _tag: "SourceUnreadable", path: command.path, message: command.message })
      }
      break
    case "ManifestsScanned":
      if (state.unreadable !== null) d.emit({ _tag: "SourceReadable", path: command.path }, state.unreadable.because)
      learnFiles(d, command)
      break
    case "ObjectsScanned":
      learnObjects(d, command)
      break
  }
  return d.decided
}

/** Each is caused by what was read of its file. */
const learnObjects = (d: SourceDecision, { declared, gone }: ObjectsScanned): void => {
  for (const object of declared) {
    const known = d.state.objects?.[objectKey(object)]
    if (known?.hash === object.hash && known.file === object.file) continue
    const because = d.state.files[object.file]?.because
    d.emit({ _tag: known === undefined ? "ObjectDeclared" : "ObjectChanged", ...object }, because)
  }
  for (const name of gone) {
    const known = d.state.objects?.[objectKey(name)]
    if (known === undefined) continue
    d.emit({ _tag: "ObjectRemoved", ...name, file: known.file }, d.state.files[known.file]?.because)
  }
}

const learnFiles = (d: SourceDecision, command: ManifestsScanned): void => {
  // Who declares a pod after this look: what the command says, else what is known.
  const owners = new Map<string, string>()
  const changed = new Set([...command.files.map((f) => f.file), ...command.gone])
  for (const [file, { pods }] of Object.entries(d.state.files)) {
    if (!changed.has(file)) for (const pod of pods) owners.set(fullName(pod), file)
  }
  for (const { file, pods } of command.files) for (const pod of pods) owners.set(fullName(pod), file)
  const isElsewhere =
    (file: string) =>
    (pod: DeclaredPod): boolean => {
      const owner = owners.get(fullName(pod))
      return owner !== undefined && owner !== file
    }
  for (const report of command.files) learnFile(d, report, isElsewhere(report.file))
  for (const file of command.gone) {
    const known = d.state.files[file]
    if (known === undefined) continue
    d.emit({ _tag: "ManifestRemoved", file, pods: known.pods.filter((pod) => !isElsewhere(file)(pod)) })
  }
}

const isSame = (a: ReadonlyArray<DeclaredPod>, b: ReadonlyArray<DeclaredPod>): boolean => {
  const key = (pod: DeclaredPod): string => `${fullName(pod)} ${pod.uid}`
  const known = new Set(a.map(key))
  return a.length === b.length && b.every((pod) => known.has(key(pod)))
}

const learnFile = (d: SourceDecision, report: FileReport, isElsewhere: (pod: DeclaredPod) => boolean): void => {
  const { file, hash, pods, objects, problems, ignored } = report
  const known = d.state.files[file]
  const before = known?.pods ?? []
  const declared = new Set(pods.map(fullName))
  const missing = before.filter((pod) => !declared.has(fullName(pod)) && !isElsewhere(pod))
  // What a broken document declared cannot be known: whatever is missing may be in it, and runs on.
  const kept = problems.length > 0 ? fitting(pods, missing) : []
  const desired = [...pods, ...kept]
  const dropped = missing.filter((pod) => !kept.includes(pod))
  const isUsable = problems.length === 0 || pods.length > 0 || objects !== undefined
  let read: string | undefined
  if (!isSame(before, desired) || (isUsable && known?.hash !== hash)) {
    read = d.emit({
      _tag: "ManifestRead",
      file,
      hash,
      pods: desired,
      ...(dropped.length === 0 ? {} : { dropped }),
      ...(objects === undefined ? {} : { objects })
    })
  }
  const isNews = (key: string): boolean => {
    const now = d.state.files[file]
    return now?.hash !== hash || !now.told.includes(key)
  }
  for (const problem of problems) {
    if (isNews(toldKey("invalid", problem))) d.emit({ _tag: "ManifestInvalid", file, hash, ...problem })
  }
  for (const field of ignored) {
    if (isNews(toldKey("ignored", field))) d.emit({ _tag: "ManifestFieldIgnored", file, hash, ...field }, read)
  }
}

export const sourceDecider: Decider<SourceState, SourceCommand, SourceEvent> = {
  kind: "source",
  stateVersion: 1,
  command: SourceCommand as never,
  initial: () => initialSource,
  decide,
  evolve: evolveSource
}
