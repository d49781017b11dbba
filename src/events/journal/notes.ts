/** Notes: small facts beside the log that are caches only. */
import { JournalError } from "./port.ts"

/** Of a note's value, in UTF-8 bytes. */
export const maxNoteBytes = 4096

export const noteTooLarge = (path: string, key: string, value: string): JournalError =>
  new JournalError({
    reason: "EventTooLarge",
    path,
    message: `note ${key} takes ${Buffer.byteLength(value)} bytes, ${maxNoteBytes} are the most`
  })
