/** What `why` is asked about. */
import type { RecordedEvent } from "../../events/envelope.ts"

/** What one asks about, and how it was found. */
export interface Question {
  readonly event: RecordedEvent
  readonly chosen: string | undefined
  /** Of a pod or container: how it is with it, and why, in a sentence. */
  readonly answer?: string
  /** Of one that was restarted: how often and why. */
  readonly restarts?: string
}
