/** Whether the node's clock was set back in a log: what a time of day then means has to be told. */
import { millis } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { formatLength } from "../times.ts"

export interface ClockState {
  /** When the last event was recorded, as text. */
  readonly last: string
  /** How often it went back, and the first time: at which sequence and by how many milliseconds. */
  readonly jumps: number
  readonly sequence: number
  readonly back: number
}

/** Clocks are disciplined by less all the time, milliseconds. */
const leastJump = 1_000

export class ClockSeen {
  private last: string
  private jumps: number
  private sequence: number
  private back: number

  constructor({ last, jumps, sequence, back }: ClockState = { last: "", jumps: 0, sequence: 0, back: 0 }) {
    this.last = last
    this.jumps = jumps
    this.sequence = sequence
    this.back = back
  }

  apply({ recordedTime, sequence }: RecordedEvent): void {
    const { last } = this
    this.last = recordedTime
    // Texts of one form stand in the order of their times: nothing is parsed as long as time goes on.
    if (recordedTime >= last) return
    const back = millis(last) - millis(recordedTime)
    // Of a damaged line's time nothing is said here.
    if (Number.isNaN(back) || back < leastJump) return
    this.jumps += 1
    if (this.jumps > 1) return
    this.sequence = sequence
    this.back = back
  }

  save(): ClockState {
    const { last, jumps, sequence, back } = this
    return { last, jumps, sequence, back }
  }

  remarks(): ReadonlyArray<string> {
    const { back, jumps, sequence } = this
    if (jumps === 0) return []
    const more = jumps === 1 ? "" : ` and ${jumps - 1} times more later`
    return [
      `chronode: the node's clock was set back by ${formatLength(back)} at sequence ${sequence}${more}: a time means its last passage; name an event's id to be exact`
    ]
  }
}
