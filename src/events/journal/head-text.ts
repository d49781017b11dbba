/**
 * The head of a journal's chain as text: `<sequence>:<hash>`, e.g. `193:fbb2d712…`. Each published event carries the one
 * after it, in the header `Chronode-Chain-Head`: what is outside of the node then says what the node's log was.
 */
import { isHash } from "./chain.ts"
import type { JournalHead } from "./port.ts"

export const chainHeadHeader = "Chronode-Chain-Head"

export const headText = ({ sequence, hash }: JournalHead): string => `${sequence}:${hash}`

/** Undefined: it is none. */
export const parseHead = (text: string): JournalHead | undefined => {
  const colon = text.indexOf(":")
  const digits = text.slice(0, colon)
  const hash = text.slice(colon + 1)
  const sequence = /^\d{1,16}$/u.test(digits) ? Number(digits) : 0
  return Number.isSafeInteger(sequence) && sequence > 0 && isHash(hash) ? { sequence, hash } : undefined
}
