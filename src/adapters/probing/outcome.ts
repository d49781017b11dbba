/** What the single ways of asking answer, before the port's bounds are applied. */
import { maxOutputBytes } from "./port.ts"

export interface Outcome {
  /** `warning` is a success that something is to be said of (`pkg/probe/probe.go`). */
  readonly result: "success" | "warning" | "failure" | "error"
  readonly output: string
  readonly timedOut: boolean
}

export const succeeded = (output: string): Outcome => ({ result: "success", output, timedOut: false })
export const failed = (output: string): Outcome => ({ result: "failure", output, timedOut: false })
/** The container could not be asked: nothing is concluded. */
export const unknown = (output: string): Outcome => ({ result: "error", output, timedOut: false })
export const late = (seconds: number): Outcome => ({
  result: "failure",
  output: `no answer within ${seconds} s`,
  timedOut: true
})

/** The first bytes of a text, cut between characters. */
export const clip = (text: string, bytes = maxOutputBytes): string => {
  const encoded = new TextEncoder().encode(text)
  if (encoded.length <= bytes) return text
  // A character that the cut goes through decodes to a replacement: left out.
  return new TextDecoder().decode(encoded.subarray(0, bytes)).replace(/\uFFFD+$/u, "")
}
