/** Ids of traces and spans that are the same for the same key, and times as OpenTelemetry has them. */
import { createHash } from "node:crypto"
import type { HrTime } from "@opentelemetry/api"

/** A traceparent of the W3C: version, trace id, parent's span id, flags. */
export const traceparentPattern = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/u

/** `bytes` of a hash as hex. */
const idOf = (key: string, bytes: number): string =>
  createHash("sha256")
    .update(key)
    .digest("hex")
    .slice(0, bytes * 2)

/** Of the trace that a `traceparent` names, else of its key. */
export const traceIdOf = (key: string, traceparent: string | undefined): string =>
  (traceparent === undefined ? undefined : traceparentPattern.exec(traceparent)?.[1]) ?? idOf(key, 16)
export const spanIdOf = (key: string): string => idOf(key, 8)

/** @param at milliseconds since the epoch */
export const hrTime = (at: number): HrTime => [Math.floor(at / 1000), (at % 1000) * 1_000_000]
