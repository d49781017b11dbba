/**
 * What is chosen with `/` or `--filter`: an expression of the filter language, or plain text. It chooses events; and of
 * the tables the rows for which it holds by what they are, or that a chosen event is about.
 */
import type { RecordedEvent } from "../../events/envelope.ts"
import type { Condition } from "../filter/expression.ts"
import { EventFields } from "../filter/fields.ts"
import { PodsByUid } from "../filter/pods.ts"
import { tagOf } from "../filter/tags.ts"
import { actorText, sentence } from "../render.ts"
import { keysOf, type Row } from "./tables.ts"

/** What no plain word has, and every expression does. */
const operators = /[=<>!&|()[\]"'?]/u

export const isExpression = (text: string): boolean => operators.test(text)

/** Keys that are remembered; beyond that rows are found by what they are only. */
const maxKeys = 65_536

export class Choice {
  readonly text: string
  private readonly test: (recorded: RecordedEvent, pod: string) => boolean
  private readonly holdsFor: (row: Row) => boolean
  private readonly pods = new PodsByUid()
  private readonly keys = new Set<string>()

  private constructor(
    text: string,
    test: (recorded: RecordedEvent, pod: string) => boolean,
    holdsFor: (row: Row) => boolean
  ) {
    this.text = text
    this.test = test
    this.holdsFor = holdsFor
  }

  static all(): Choice {
    return new Choice(
      "",
      () => true,
      () => true
    )
  }

  static of(condition: Condition): Choice {
    return new Choice(condition.expression, condition.matches, ({ fields }) => condition.matchesFields(fields))
  }

  static containing(words: string): Choice {
    const wanted = words.toLowerCase()
    const has = (text: string): boolean => text.toLowerCase().includes(wanted)
    return new Choice(
      words,
      (recorded) => has(`${actorText(recorded.actor)} ${tagOf(recorded)} ${sentence(recorded)}`),
      ({ cells, title }) => has(title) || cells.some(({ text }) => has(text))
    )
  }

  /** The same, with nothing learnt yet. */
  fresh(): Choice {
    return new Choice(this.text, this.test, this.holdsFor)
  }

  /** To be asked of each event in the order of the log: it learns whose uid is whose, and which rows it is about. */
  isEvent(recorded: RecordedEvent): boolean {
    const pod = this.pods.of(recorded)
    if (!this.test(recorded, pod)) return false
    if (this.text !== "" && this.keys.size < maxKeys) {
      const { container } = new EventFields(recorded, pod, new Date(0))
      for (const key of keysOf(recorded, pod, container)) this.keys.add(key)
    }
    return true
  }

  isRow(row: Row): boolean {
    return this.keys.has(row.key) || this.holdsFor(row)
  }
}
