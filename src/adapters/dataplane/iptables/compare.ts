/** What differs between chains as they should be and as iptables-save shows them. */
import { maxExamples } from "../port.ts"
import type { KeyedRule, SharedChain } from "./expected.ts"
import { normalOf } from "./normal-form.ts"
import type { ChainWrite, RuleEdit } from "./plan.ts"

/** Differences that others made, counted; with words for some of them. */
export class Drift {
  missing = 0
  altered = 0
  unexpected = 0
  readonly examples: Array<string> = []

  note(what: string): void {
    if (this.examples.length < maxExamples) this.examples.push(what)
  }
  /** So many rules were not there, and so many stood there that should not: a pair of both is one that was altered. */
  count(chain: string, missing: number, unexpected: number): void {
    const altered = Math.min(missing, unexpected)
    this.altered += altered
    this.missing += missing - altered
    this.unexpected += unexpected - altered
    if (missing + unexpected === 0) return
    const words = [
      ...(altered > 0 ? [`${altered} altered`] : []),
      ...(missing > altered ? [`${missing - altered} missing`] : []),
      ...(unexpected > altered ? [`${unexpected - altered} unexpected`] : [])
    ]
    this.note(`${chain}: ${words.join(", ")}`)
  }
}

/** How many of `rules` are not in `others`, each of which is used up by one. */
const notIn = <A>(
  rules: ReadonlyArray<A>,
  others: ReadonlyArray<string>,
  keyOf: (rule: A) => string
): ReadonlyArray<A> => {
  const left = new Map<string, number>()
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1)
  return rules.filter((rule) => {
    const count = left.get(keyOf(rule)) ?? 0
    if (count > 0) left.set(keyOf(rule), count - 1)
    return count === 0
  })
}

const same = (key: string): string => key

/** A chain whose rules stand in one order. `name`: what the chain is called to people. */
export const compareChain = (
  name: string,
  write: ChainWrite,
  saved: ReadonlyArray<string> | undefined,
  drift: Drift
): ChainWrite | undefined => {
  if (saved === undefined) {
    drift.count(name, Math.max(1, write.rules.length), 0)
    return write
  }
  const should = write.rules.map(normalOf)
  const is = saved.map(normalOf)
  const equal = (of: "key" | "comment") =>
    should.length === is.length && should.every((rule, at) => rule[of] === is[at]?.[of])
  if (!equal("key")) {
    const [wanted, found] = [should.map(({ key }) => key), is.map(({ key }) => key)]
    const missing = notIn(wanted, found, same).length
    const unexpected = notIn(found, wanted, same).length
    // The same rules in another order choose servers otherwise.
    if (missing + unexpected === 0) drift.count(name, 1, 1)
    else drift.count(name, missing, unexpected)
    return write
  }
  // Comments come and go with the number of endpoints, and are nobody's doing.
  return equal("comment") ? undefined : write
}

/**
 * Rules of a chain that are deleted one by one at most: each takes iptables a look at the whole chain, and beyond this it is
 * quicker to write the chain anew.
 */
export const maxDeletions = 128

const keyed = (key: string | undefined) => (key === undefined ? {} : { key })

/** Of the chain that a rule leads to: iptables over nf_tables finds its way among them quickest from the last to the first. */
const goalOf = ({ rule }: KeyedRule): string => rule.slice(rule.lastIndexOf(" ") + 1)
const downwards = (a: KeyedRule, b: KeyedRule): number => {
  const [one, other] = [goalOf(a), goalOf(b)]
  return one === other ? 0 : one > other ? -1 : 1
}

export const wholeChain = (chain: string, { rules, last }: SharedChain): ChainWrite => {
  const sorted = rules.toSorted(downwards)
  return { chain, rules: [...sorted.map(({ rule }) => rule), ...last], keys: sorted.map(({ key }) => key) }
}

/** A chain in which each Service has its rules: written anew only where it has to be. */
export const compareShared = (
  name: string,
  chain: string,
  { rules, last }: SharedChain,
  saved: ReadonlyArray<string> | undefined,
  drift: Drift
): { readonly write?: ChainWrite; readonly edits: ReadonlyArray<RuleEdit> } => {
  if (saved === undefined || saved.length === 0) {
    const count = rules.length + last.length
    drift.count(name, saved === undefined ? Math.max(1, count) : count, 0)
    if (saved !== undefined && count === 0) return { edits: [] }
    // Nobody is served by it yet: it need not be filled at once.
    const inserts = rules.map(({ rule, key }): RuleEdit => ({ chain, op: "insert", rule, ...keyed(key) }))
    return { write: { chain, rules: last }, edits: inserts.reverse() }
  }
  const should = rules.map((each) => ({ ...each, normal: normalOf(each.rule) }))
  const end = last.map((rule) => normalOf(rule))
  const is = saved.map((rule) => ({ rule, normal: normalOf(rule) }))
  const both = ({ normal }: { readonly normal: { readonly key: string; readonly comment: string } }): string =>
    `${normal.key}\n${normal.comment}`
  const ends = end.map((normal) => both({ normal }))
  const wanted = [...should.map(both), ...ends]
  const found = is.map(both)
  const absent = notIn(should, found, both)
  const surplus = notIn(is, wanted, both)
  const absentEnds = notIn(ends, found, same)

  const keys = (list: ReadonlyArray<{ readonly normal: { readonly key: string } }>) =>
    list.map(({ normal }) => normal.key)
  const [wantedKeys, foundKeys] = [[...keys(should), ...end.map(({ key }) => key)], keys(is)]
  drift.count(name, notIn(wantedKeys, foundKeys, same).length, notIn(foundKeys, wantedKeys, same).length)

  const atEnd = found.slice(found.length - ends.length)
  const isBehind = absentEnds.length > 0 || ends.every((each) => atEnd.includes(each))
  if (absentEnds.length === 0 && !isBehind) drift.count(name, 1, 1)
  // Ends that are there in part cannot be put in order one by one.
  const isPartly = absentEnds.length > 0 && absentEnds.length < ends.length
  if (!isBehind || isPartly || surplus.length > maxDeletions)
    return { write: wholeChain(chain, { rules, last }), edits: [] }
  const edits: ReadonlyArray<RuleEdit> = [
    ...absent.map(({ rule, key }): RuleEdit => ({ chain, op: "insert", rule, ...keyed(key) })),
    ...(absentEnds.length > 0 ? last : []).map((rule): RuleEdit => ({ chain, op: "append", rule })),
    ...surplus.map(({ rule }): RuleEdit => ({ chain, op: "delete", rule }))
  ]
  return { edits }
}
