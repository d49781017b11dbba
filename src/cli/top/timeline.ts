/**
 * The newest part of a log, in memory, such that the state at any event of it can be had at once: pieces of the log, each
 * with the picture before it. Bounded by count and by size; the oldest pieces are dropped.
 */
import type { RecordedEvent } from "../../events/envelope.ts"
import { Picture } from "./picture.ts"

/** Events that are kept, and the characters of their lines. */
export const maxEvents = 4096
export const maxCharacters = 16 * 1024 * 1024
/** Events of a piece: what a step back folds again at most. */
const pieceEvents = 256

/** An event with what its line says of the chain. */
export interface Entry {
  readonly recorded: RecordedEvent
  /** Characters of its line. */
  readonly length: number
  readonly hash?: string | undefined
  readonly broken?: string | undefined
}

interface Piece {
  /** The number of events before it since the timeline began. */
  readonly before: number
  readonly picture: Picture
  readonly entries: Array<Entry>
  characters: number
}

const applyTo = (picture: Picture, { recorded, hash, broken }: Entry): void => {
  picture.apply(recorded)
  if (hash !== undefined) picture.headHash = hash
  if (broken !== undefined && picture.broken === "") picture.broken = broken
}

export class Timeline {
  private pieces: Array<Piece>
  private newest: Picture
  private characters = 0

  /** @param start what is known before the first event */
  constructor(start = new Picture()) {
    this.pieces = [{ before: 0, picture: start.copy(), entries: [], characters: 0 }]
    this.newest = start.copy()
  }

  /** Positions are counted from the timeline's beginning: after how many events. */
  get last(): number {
    const piece = this.pieces.at(-1) as Piece
    return piece.before + piece.entries.length
  }
  /** The oldest position that is kept. */
  get first(): number {
    return (this.pieces[0] as Piece).before
  }

  push(entry: Entry): void {
    let piece = this.pieces.at(-1) as Piece
    if (piece.entries.length >= pieceEvents) {
      piece = { before: this.last, picture: this.newest.copy(), entries: [], characters: 0 }
      this.pieces.push(piece)
    }
    piece.entries.push(entry)
    piece.characters += entry.length
    this.characters += entry.length
    applyTo(this.newest, entry)
    while (this.pieces.length > 1 && (this.last - this.first > maxEvents || this.characters > maxCharacters)) {
      this.characters -= (this.pieces[0] as Piece).characters
      this.pieces.shift()
    }
  }

  /** The picture after so many events. The newest one is the timeline's own: it goes on with what is pushed. */
  at(position: number): Picture {
    if (position >= this.last) return this.newest
    const piece = this.pieces.findLast(({ before }) => before <= position) ?? (this.pieces[0] as Piece)
    const picture = piece.picture.copy()
    for (const entry of piece.entries.slice(0, position - piece.before)) applyTo(picture, entry)
    return picture
  }

  /** The events up to a position, newest first. */
  *backFrom(position: number): Generator<RecordedEvent> {
    for (const piece of this.pieces.toReversed())
      for (let i = Math.min(piece.entries.length, position - piece.before) - 1; i >= 0; i--)
        yield (piece.entries[i] as Entry).recorded
  }

  /** The events from one position up to another, oldest first. */
  *between(from: number, to: number): Generator<RecordedEvent> {
    for (const piece of this.pieces)
      for (let i = Math.max(0, from - piece.before); i < Math.min(piece.entries.length, to - piece.before); i++)
        yield (piece.entries[i] as Entry).recorded
  }

  /** The same, which what is pushed from now on does not reach. */
  frozen(): Timeline {
    const copy = new Timeline()
    copy.pieces = this.pieces.map((piece) => ({ ...piece, entries: [...piece.entries] }))
    copy.newest = this.newest.copy()
    copy.characters = this.characters
    return copy
  }
}
