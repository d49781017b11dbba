/** `chronode state FILE | --journal`: the folded state of every actor, whole, as the deciders see it. */
import { Effect } from "effect"
import { stringify } from "yaml"
import type { Execute } from "./command.ts"
import { codeOf, type Folded, hashOf, remarks } from "./event-log/fold-log.ts"
import { momentFlag } from "./event-log/moments.ts"
import { fileOrJournal, openChainedLog } from "./event-log/open-log.ts"
import { CommandFailed } from "./exit.ts"
import { isOfPod, type PodName, parsePodName } from "./filter.ts"
import { foldAt } from "./snapshots/fold-at.ts"
import { foldOptions } from "./snapshots/options.ts"

interface StateFlags {
  readonly journal?: boolean
  readonly at?: string
  readonly pod?: string
  readonly snapshots: boolean
  readonly dataDir: string
  readonly output: "yaml" | "json"
}

export const execute: Execute<StateFlags, [file: string | undefined]> = async ({ terminal }, flags, file) => {
  const from = fileOrJournal("state", file, flags.journal)
  const moment = momentFlag("--at", flags.at, terminal.now())
  const pod = flags.pod === undefined ? undefined : parsePodName(flags.pod)
  const { name, folded } = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(from, flags.dataDir)
        return { name: log.name, folded: yield* foldAt(log, moment, foldOptions(terminal, flags)) }
      })
    )
  )
  for (const remark of remarks(folded)) terminal.note(remark)
  if (folded.fold.events === 0)
    throw new CommandFailed(`${name} holds no events${moment === undefined ? "" : " up to then"}`)
  const document = stateDocument(folded, pod)
  if (pod !== undefined && Object.keys(document.actors).length === 0)
    throw new CommandFailed(
      `no pod ${pod.namespace}/${pod.name} lives in ${name} at that point`,
      "pods are listed by: chronode get pods --from FILE --at TIME"
    )
  terminal.out(flags.output === "json" ? `${JSON.stringify(document, null, 2)}\n` : stringify(document))
  return codeOf(folded)
}

/** The whole state with its hash; with `pod` only its actors, under the hash of the whole all the same. */
const stateDocument = ({ fold }: Folded, pod: PodName | undefined) => {
  const actors = [...fold.actors]
    .filter(([, { id }]) => pod === undefined || isOfPod(id, pod))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    node: fold.node,
    time: fold.lastTime,
    sequence: fold.lastSequence,
    events: fold.events,
    stateHash: hashOf(fold),
    actors: Object.fromEntries(
      actors.map(([path, { state, actorSequence }]) => [path, { actorSequence, state }] as const)
    )
  }
}
