/**
 * Which of the publisher's reports become events: only those that change what is known. NATS may be away for hours and
 * the publisher may fail a thousand times; the log holds one `StreamDisconnected` for the
 * outage, and one for each different refusal.
 */
import { Schema } from "effect"
import type { EventsOf } from "../../events/catalogue.ts"
import type { streamEvents } from "../../events/kinds/stream.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { initial, maxProblemsTold, type StreamActorState } from "./state.ts"

const at = Schema.Finite

/** A session stands and the place to go on from is known. */
export const PublisherConnected = Schema.TaggedStruct("PublisherConnected", {
  at,
  server: Schema.String,
  serverVersion: Schema.String,
  stream: Schema.String,
  resumeFrom: Schema.Int,
  lag: Schema.Int
})
/**
 * `refused`: the server is there and says no (a password, a right, the stream's settings), which somebody has to mend;
 * else it is out of reach. `message` must not vary from one attempt to the next while the problem is the same.
 */
export const PublisherDisconnected = Schema.TaggedStruct("PublisherDisconnected", {
  at,
  refused: Schema.Boolean,
  server: Schema.String,
  message: Schema.String
})
export const PublisherCreatedStream = Schema.TaggedStruct("PublisherCreatedStream", {
  at,
  stream: Schema.String,
  subjects: Schema.Array(Schema.String),
  maxAgeSeconds: Schema.Int,
  maxBytes: Schema.Int
})
/** `differences`: empty when the stream is as asked for. */
export const PublisherComparedSettings = Schema.TaggedStruct("PublisherComparedSettings", {
  at,
  stream: Schema.String,
  differences: Schema.Array(Schema.String)
})

export const StreamCommand = Schema.Union([
  PublisherConnected,
  PublisherDisconnected,
  PublisherCreatedStream,
  PublisherComparedSettings
])
export type StreamCommand = typeof StreamCommand.Type
export type StreamEvent = EventsOf<typeof streamEvents>

const sameTexts = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((text, index) => text === b[index])

const decide = (state: StreamActorState, command: StreamCommand): ReadonlyArray<Decided<StreamEvent>> => {
  switch (command._tag) {
    case "PublisherConnected": {
      const { server, serverVersion, stream, resumeFrom, lag } = command
      const same =
        state.connection === "connected" &&
        state.server === server &&
        state.serverVersion === serverVersion &&
        state.stream === stream
      return same ? [] : [{ event: { _tag: "StreamConnected", server, serverVersion, stream, resumeFrom, lag } }]
    }
    case "PublisherDisconnected": {
      const { message, refused, server } = command
      // Out of reach is out of reach: "the connection broke" and "connection refused" right behind it are one outage.
      const known = refused ? state.problems.includes(message) : state.connection === "disconnected"
      const told = known || state.problems.length >= maxProblemsTold
      return told ? [] : [{ event: { _tag: "StreamDisconnected", server, message } }]
    }
    case "PublisherCreatedStream": {
      const { stream, subjects, maxAgeSeconds, maxBytes } = command
      return [{ event: { _tag: "StreamCreated", stream, subjects, maxAgeSeconds, maxBytes } }]
    }
    case "PublisherComparedSettings": {
      const { stream, differences } = command
      if (differences.length === 0 || sameTexts(state.differences, differences)) return []
      return [{ event: { _tag: "StreamConfigurationDiffers", stream, differences } }]
    }
  }
}

const evolve = (state: StreamActorState, event: StreamEvent): StreamActorState => {
  switch (event._tag) {
    case "StreamConnected": {
      const { server, serverVersion, stream } = event
      return { ...state, connection: "connected", server, serverVersion, stream, problems: [] }
    }
    case "StreamDisconnected":
      return {
        ...state,
        connection: "disconnected",
        server: event.server,
        problems: [...state.problems, event.message]
      }
    case "StreamCreated":
      return { ...state, stream: event.stream, differences: [] }
    case "StreamConfigurationDiffers":
      return { ...state, differences: event.differences }
  }
}

export const streamDecider: Decider<StreamActorState, StreamCommand, StreamEvent> = {
  kind: "stream",
  stateVersion: 1,
  command: StreamCommand,
  initial,
  decide,
  evolve
}
