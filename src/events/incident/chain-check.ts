/**
 * Checks the chain of an incident file line by line, on the bytes of the read buffer and without copying them: the hash
 * before a line is put into the 32 bytes in front of it (the end of the line above, which is done with), and the brace
 * that closed the stored event over the comma of the chain's attributes; then one call hashes both.
 */
import { digitsEqual, genesisHash, hashLinked, writeHash, writeHashOfDigits } from "../journal/chain.ts"
import { hashOpening, hashSuffixBytes, prevOpening, prevSuffixBytes } from "./format.ts"

/** Bytes that must be free in front of a line. */
export const roomBefore = 32

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const hashPattern = ascii(hashOpening)
const prevPattern = ascii(prevOpening)
const [quote, brace] = ascii('"}') as unknown as readonly [number, number]

const standsAt = (pattern: Uint8Array, bytes: Uint8Array, at: number): boolean => {
  for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false
  return true
}

/** Where the parts of one line stand in the buffer. */
export interface LinePlace {
  start: number
  /** Behind the stored event, as it is once its brace is put back. */
  storedEnd: number
  /** First hex digit of `chainhash`, or -1. */
  hashAt: number
  /** First hex digit of `chainprev`, or -1. */
  prevAt: number
}

/** Finds the chain's attributes at the end of a line, and puts the stored event's brace back in their place. */
export const locate = (bytes: Uint8Array, start: number, end: number, place: LinePlace): void => {
  place.start = start
  place.storedEnd = end
  place.hashAt = -1
  place.prevAt = -1
  const hash = end - hashSuffixBytes
  if (hash < start || bytes[end - 1] !== brace || bytes[end - 2] !== quote || !standsAt(hashPattern, bytes, hash))
    return
  place.hashAt = hash + hashPattern.length
  const prev = hash - prevSuffixBytes
  const hasPrev = prev >= start && bytes[hash - 1] === quote && standsAt(prevPattern, bytes, prev)
  if (hasPrev) place.prevAt = prev + prevPattern.length
  const cut = hasPrev ? prev : hash
  bytes[cut] = brace
  place.storedEnd = cut + 1
}

const digitsAt = (bytes: Uint8Array, at: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, 64).toString("latin1")

export interface ChainCheck {
  /**
   * Why the chain does not hold at a line, if it does not.
   *
   * @param sequence of the event; undefined where the line could not be read as one: taken for the next
   */
  readonly check: (bytes: Uint8Array, place: LinePlace, sequence: number | undefined) => string | undefined
  /** Whether any line had a chain. */
  readonly chained: () => boolean
  /** `chainhash` of the last line that had one. */
  readonly lastHash: () => string
}

/** Where a check goes on: the last line that was checked. */
export interface CheckedLine {
  readonly hash: string
  readonly sequence: number
  readonly chained: boolean
}

/**
 * @param expected whether the file says that it has a chain (it has a header)
 * @param from the line before the first one; absent: there is none
 */
export const makeChainCheck = (expected: boolean, from?: CheckedLine): ChainCheck => {
  /** The hash after the last line, as bytes, and whether there is one. */
  const last = new Uint8Array(roomBefore)
  let lastHash = from?.hash ?? genesisHash
  let lastSequence = from?.sequence ?? 0
  let lines = from === undefined ? 0 : 1
  let chained = from?.chained ?? false
  writeHash(lastHash, last, 0)

  const linkProblem = (place: LinePlace, bytes: Uint8Array, sequence: number): string | undefined => {
    const follows = lines > 0 && sequence === lastSequence + 1
    if (lines > 0 && sequence <= lastSequence)
      return `sequence ${sequence} stands after ${lastSequence}: lines were swapped or doubled`
    if (place.prevAt >= 0)
      return follows && !digitsEqual(lastHash, bytes, place.prevAt)
        ? "its chainprev is not the chainhash of the line above"
        : undefined
    if (follows || (lines === 0 && sequence === 1)) return undefined
    return lines === 0
      ? "the first event has no chainprev: lines before it are missing"
      : `sequence ${sequence} follows ${lastSequence} without a chainprev: lines between them are missing`
  }

  const check: ChainCheck["check"] = (bytes, place, sequence) => {
    const at = sequence ?? lastSequence + 1
    if (place.hashAt < 0) {
      lines++
      if (expected || chained) return "it has no chainhash: the line was changed or put in"
      lastSequence = at
      return undefined
    }
    let broken = linkProblem(place, bytes, at)
    if (!chained && lines > 0) broken = "it has a chainhash and the lines before it have none"
    chained = true
    const { start, storedEnd, hashAt, prevAt } = place
    if (prevAt >= 0) writeHashOfDigits(bytes, prevAt, bytes, start - roomBefore)
    else bytes.set(last, start - roomBefore)
    const digest = hashLinked(bytes.subarray(start - roomBefore, storedEnd))
    const holds = digitsEqual(digest, bytes, hashAt)
    // After a break the chain goes on from what the line says, so that each break is told once.
    lastHash = holds ? digest : digitsAt(bytes, hashAt)
    writeHash(lastHash, last, 0)
    broken ??= holds
      ? undefined
      : "the event, its place or its chainhash was changed: it does not follow from the one before"
    lastSequence = at
    lines++
    return broken
  }
  return { check, chained: () => chained, lastHash: () => lastHash }
}
