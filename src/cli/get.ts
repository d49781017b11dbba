/** `chronode get pods|containers|probes|volumes|services|endpoints|node` */
import { Effect } from "effect"
import { stringify } from "yaml"
import { columns, nodeViews, type ViewName } from "./columns.ts"
import type { Execute } from "./command.ts"
import { codeOf, remarks } from "./event-log/fold-log.ts"
import { momentFlag } from "./event-log/moments.ts"
import { openChainedLog } from "./event-log/open-log.ts"
import { foldAt } from "./snapshots/fold-at.ts"
import { foldOptions } from "./snapshots/options.ts"
import { table } from "./text.ts"

interface GetFlags {
  readonly from: string
  readonly at?: string
  readonly snapshots: boolean
  readonly output: "table" | "wide" | "json" | "yaml"
  readonly dataDir: string
}

const nameOf = (what: string): ViewName => (what === "node" || what.endsWith("s") ? what : `${what}s`) as ViewName

export const execute: Execute<GetFlags, [what: string]> = async ({ terminal }, flags, what) => {
  const at = momentFlag("--at", flags.at, terminal.now())
  const folded = await Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(openChainedLog(flags.from, flags.dataDir), (log) => foldAt(log, at, foldOptions(terminal, flags)))
    )
  )
  const { fold } = folded
  for (const remark of remarks(folded)) terminal.note(remark)
  const views = nodeViews(fold)
  const name = nameOf(what)
  // There is one node: it is not a list of one.
  const document = () => (name === "node" ? (views.node[0] ?? null) : views[name])
  if (flags.output === "json") terminal.out(`${JSON.stringify(document(), null, 2)}\n`)
  else if (flags.output === "yaml") terminal.out(stringify(document()))
  else {
    // In a file time stands still: ages are counted to its last event.
    const isLive = flags.from === "journal" && at === undefined
    const now = at?._tag === "Time" ? at.at : isLive ? terminal.now() : Date.parse(fold.lastTime)
    const { header, rows } = columns(views, name, now, flags.output === "wide")
    if (rows.length === 0) terminal.note(`no ${name === "node" ? "events" : name}`)
    else terminal.out(table(header, rows))
  }
  return codeOf(folded)
}
