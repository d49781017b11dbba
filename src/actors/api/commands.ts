/** What the actors of the API are told: by its server, by those who open streams, and by the streams' ends. */
import { Schema } from "effect"
import {
  ApiListenFailed,
  ApiListening,
  ApiRefusalsOmitted,
  ApiRequestRefused,
  AttachStarted,
  CertificateExpiring,
  CertificateRefused,
  CertificateReloaded,
  CheckpointRequested,
  ExecStarted,
  PortForwardStarted,
  ReadOnlyPortOpened,
  StreamOutcome
} from "../../events/kinds/api.ts"

const text = Schema.String
const at = Schema.Finite
const optional = Schema.optionalKey

/** What the server saw: each becomes the event that it holds, as it is. */
export const ServerSaw = Schema.TaggedStruct("ServerSaw", {
  at,
  event: Schema.Union([
    ApiListening.schema,
    ApiListenFailed.schema,
    ReadOnlyPortOpened.schema,
    CertificateReloaded.schema,
    CertificateRefused.schema,
    CertificateExpiring.schema,
    ApiRequestRefused.schema,
    ApiRefusalsOmitted.schema
  ])
})

/** Somebody who may wants a stream, or a checkpoint. Becomes its event. */
export const Open = Schema.TaggedStruct("Open", {
  at,
  event: Schema.Union([ExecStarted.schema, AttachStarted.schema, PortForwardStarted.schema, CheckpointRequested.schema])
})
export type Opening = (typeof Open.Type)["event"]

/** A stream is over. */
export const Ended = Schema.TaggedStruct("Ended", {
  at,
  session: text,
  outcome: StreamOutcome,
  message: optional(text),
  bytesIn: optional(Schema.Int),
  bytesOut: optional(Schema.Int),
  exitCode: optional(Schema.Int)
})

export const Checkpointed = Schema.TaggedStruct("Checkpointed", { at, session: text, location: text })

/** After a restart of the agent, or of this actor: streams that are gone, and nobody saw their end. */
export const StreamsLost = Schema.TaggedStruct("StreamsLost", { at, sessions: Schema.Array(text) })

export const ApiCommand = Schema.Union([ServerSaw, Open, Ended, Checkpointed, StreamsLost])
export type ApiCommand = typeof ApiCommand.Type
