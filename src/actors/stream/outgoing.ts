/** From a journal row to a message: the subject and the id come out of the stored bytes, which are sent as they are. */
import type { OutgoingMessage } from "../../adapters/nats/port.ts"
import { actorId, nodeToken, parseActorPath, parseSource, subjectOf } from "../../events/actor-id.ts"
import { headText } from "../../events/journal/head-text.ts"
import type { JournalRow } from "../../events/journal/port.ts"

/** The envelope's first keys, in the order in which events are encoded. Anything else takes the slow path. */
const head = /^\{"specversion":"1\.0","id":"([^"\\]+)","source":"([^"\\]+)","type":"([^"\\]+)"/u
/** What may stand in a header as it is. */
const idPattern = /^[\x21-\x7e]{1,256}$/u
const tagPattern = /^dev\.chronode\.([A-Za-z0-9]+)\.v\d+$/u

interface Envelope {
  readonly id: string
  readonly source: string
  readonly type: string
}

const envelopeOf = (line: string): Envelope | undefined => {
  const quick = head.exec(line)
  if (quick !== null) return { id: quick[1] as string, source: quick[2] as string, type: quick[3] as string }
  try {
    const { id, source, type } = JSON.parse(line) as Record<string, unknown>
    return typeof id === "string" && typeof source === "string" && typeof type === "string"
      ? { id, source, type }
      : undefined
  } catch {
    return undefined
  }
}

const maxCachedSources = 10_000

export const makeOutgoing = (node: string): ((row: JournalRow) => OutgoingMessage) => {
  // Sources repeat: `chronode.<node>.<kind>.<namespace>.<name>.` is worked out once for each.
  const prefixes = new Map<string, string>()
  const prefixOf = (source: string): string | undefined => {
    const known = prefixes.get(source)
    if (known !== undefined) return known
    const parts = parseSource(source)
    const actor = parts === undefined ? undefined : parseActorPath(parts.path)
    if (actor === undefined) return undefined
    const prefix = subjectOf(node, actorId(actor.kind, actor.namespace, actor.name), "")
    if (prefixes.size >= maxCachedSources) prefixes.clear()
    prefixes.set(source, prefix)
    return prefix
  }
  return (row) => {
    const chainHead = headText(row)
    const envelope = envelopeOf(row.line)
    const id = envelope !== undefined && idPattern.test(envelope.id) ? envelope.id : row.hash
    const prefix = envelope === undefined ? undefined : prefixOf(envelope.source)
    if (envelope === undefined || prefix === undefined) {
      // No event of ours should look so; it is still sent, in its place, for the stream to be the journal's equal.
      return {
        subject: `chronode.${nodeToken(node)}.unknown._._.Unknown`,
        id,
        line: row.line,
        chainHead
      }
    }
    const tag = tagPattern.exec(envelope.type)?.[1] ?? nodeToken(envelope.type)
    return { subject: prefix + tag, id, line: row.line, chainHead }
  }
}

/** The journal sequence in a line of this node, or `undefined`: no CloudEvent, or another node's. */
export const sequenceIn = (node: string, line: string): number | undefined => {
  try {
    const { source, sequence } = JSON.parse(line) as Record<string, unknown>
    if (typeof source !== "string" || typeof sequence !== "string" || !/^\d{1,20}$/u.test(sequence)) return undefined
    const value = Number(sequence)
    return parseSource(source)?.node === node && Number.isSafeInteger(value) ? value : undefined
  } catch {
    return undefined
  }
}
