/** Facts about publishing the journal to NATS JetStream. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"

const text = Schema.String

export const StreamConnected = defineEvent("StreamConnected", {
  kind: "stream",
  about: "The publisher is connected; it goes on after the last event that the stream itself holds.",
  fields: {
    server: text,
    serverVersion: text,
    stream: text,
    /** Journal sequence of the first event to be published now. */
    resumeFrom: Schema.Int,
    /** Events in the journal that are not in the stream yet. */
    lag: Schema.Int
  },
  tell: (e) =>
    `publishing to stream ${e.stream} at ${e.server} (${e.serverVersion}) from ${e.resumeFrom}, ${e.lag} behind`
})

export const StreamDisconnected = defineEvent("StreamDisconnected", {
  kind: "stream",
  severity: "WARN",
  about: "The stream cannot be reached or refuses; events wait in the journal.",
  fields: { server: text, message: text },
  tell: (e) => `not publishing to ${e.server}: ${e.message}`
})

export const StreamCreated = defineEvent("StreamCreated", {
  kind: "stream",
  about: "The stream did not exist and was created.",
  fields: {
    stream: text,
    subjects: Schema.Array(text),
    maxAgeSeconds: Schema.Int,
    maxBytes: Schema.Int
  },
  tell: (e) => `created stream ${e.stream} for ${e.subjects.join(", ")}`
})

export const StreamConfigurationDiffers = defineEvent("StreamConfigurationDiffers", {
  kind: "stream",
  severity: "WARN",
  about: "The stream exists with other settings than those asked for. They are left as they are.",
  fields: { stream: text, differences: Schema.Array(text) },
  tell: (e) => `stream ${e.stream} differs from what was asked: ${e.differences.join("; ")}`
})

export const streamEvents = [StreamConnected, StreamDisconnected, StreamCreated, StreamConfigurationDiffers] as const
