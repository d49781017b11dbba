/** `chronode diff A B`: the states of two logs, or of one log at two points, side by side. */
import { Effect } from "effect"
import { parseActorPath } from "../events/actor-id.ts"
import type { Execute } from "./command.ts"
import { type ActorDifference, type FieldDifference, stateDifferences } from "./differences.ts"
import { codeOf, type Folded, hashOf, remarks } from "./event-log/fold-log.ts"
import { type LogPoint, parseLogPoint } from "./event-log/moments.ts"
import { openChainedLog } from "./event-log/open-log.ts"
import { CommandFailed } from "./exit.ts"
import { actorText } from "./render.ts"
import { type FoldOptions, foldAt } from "./snapshots/fold-at.ts"
import { foldOptions } from "./snapshots/options.ts"
import type { Terminal } from "./terminal.ts"
import { oneLine, painter } from "./text.ts"

interface DiffFlags {
  readonly dataDir: string
  readonly snapshots: boolean
  readonly output: "text" | "json"
}

/** Characters of a value that are printed. */
const maxValueCharacters = 60

interface Side extends Folded {
  readonly name: string
}

const foldPoint = (
  { from, moment }: LogPoint,
  dataDir: string,
  options: FoldOptions
): Effect.Effect<Side, CommandFailed> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* openChainedLog(from, dataDir)
      return { name: log.name, ...(yield* foldAt(log, moment, options)) }
    })
  )

export const execute: Execute<DiffFlags, [a: string, b: string]> = async ({ terminal }, flags, first, second) => {
  const options = foldOptions(terminal, flags)
  const side = (text: string) => foldPoint(parseLogPoint(text, terminal.now()), flags.dataDir, options)
  const [a, b] = await Effect.runPromise(Effect.all([side(first), side(second)]))
  for (const folded of [a, b]) {
    for (const remark of remarks(folded)) terminal.note(remark)
    if (folded.fold.events === 0) throw new CommandFailed(`${folded.name} holds no events up to that point`)
  }
  if (a.fold.node !== b.fold.node)
    throw new CommandFailed(
      `${a.name} is of node ${a.fold.node}, ${b.name} of node ${b.fold.node}`,
      "diff compares two states of one node"
    )
  const differences = stateDifferences(a.fold, b.fold)
  if (flags.output === "json") {
    const summary = ({ name, fold }: Side) => ({
      name,
      time: fold.lastTime,
      sequence: fold.lastSequence,
      stateHash: hashOf(fold)
    })
    const document = { node: a.fold.node, a: summary(a), b: summary(b), equal: differences.length === 0, differences }
    terminal.out(`${JSON.stringify(document, null, 2)}\n`)
  } else print(terminal, a, b, differences)
  return Math.max(codeOf(a), codeOf(b))
}

const valueText = (value: unknown): string => {
  const text = oneLine(typeof value === "string" ? value : JSON.stringify(value))
  return text.length > maxValueCharacters ? `${text.slice(0, maxValueCharacters - 1)}…` : text === "" ? '""' : text
}

const sides = (difference: FieldDifference): readonly [a: string, b: string] => [
  "a" in difference ? valueText(difference.a) : "(none)",
  "b" in difference ? valueText(difference.b) : "(none)"
]

const print = (terminal: Terminal, a: Side, b: Side, differences: ReadonlyArray<ActorDifference>): void => {
  const paint = painter(terminal.colours)
  for (const [letter, { name, fold }] of [
    ["A", a],
    ["B", b]
  ] as const)
    terminal.out(`${paint("bold", letter)}  ${name}, up to sequence ${fold.lastSequence} (${fold.lastTime})\n`)
  if (differences.length === 0) terminal.out("\nthe same state\n")
  for (const { actor, kind, fields } of differences) {
    const id = parseActorPath(actor)
    const text = id === undefined ? actor : actorText(id)
    terminal.out(
      `\n${paint("bold", text)}${kind === "changed" ? "" : `  ${kind === "added" ? "only in B" : "only in A"}`}\n`
    )
    const width = Math.max(0, ...fields.map(({ field }) => field.length))
    for (const difference of fields) {
      const [left, right] = sides(difference)
      terminal.out(`    ${difference.field.padEnd(width)}  ${paint("red", left)} → ${paint("green", right)}\n`)
    }
  }
}
