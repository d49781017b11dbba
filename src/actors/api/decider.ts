/** What is written down of the API. What somebody may was decided before: here it becomes a fact, and has an end. */
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { ApiCommand, type Ended } from "./commands.ts"
import { type ApiEvent, type ApiState, evolveApi, initialApi, type OpenStream } from "./state.ts"

const restarted = "the agent ended meanwhile"

const endOf = (stream: OpenStream, command: Omit<typeof Ended.Type, "_tag">): ApiEvent => {
  const { session, podUid, container, since } = stream
  const { at, outcome, message, bytesIn, bytesOut, exitCode } = command
  const told = message === undefined ? {} : { message }
  const end = {
    ...{ session, podUid, outcome },
    ...told,
    ...(outcome === "unknown" ? {} : { duration: Math.max(0, at - since) }),
    ...(bytesIn === undefined ? {} : { bytesIn }),
    ...(bytesOut === undefined ? {} : { bytesOut })
  }
  switch (stream.type) {
    case "exec":
      return { _tag: "ExecEnded", ...end, container, ...(exitCode === undefined ? {} : { exitCode }) }
    case "attach":
      return { _tag: "AttachEnded", ...end, container }
    case "portForward":
      return { _tag: "PortForwardEnded", ...end }
    case "checkpoint":
      return { _tag: "CheckpointFailed", session, podUid, container, message: message ?? outcome }
  }
}

const decide = (state: ApiState, command: ApiCommand): ReadonlyArray<Decided<ApiEvent>> => {
  const d = new Decision<ApiState, ApiEvent>(state, evolveApi, command.at)
  const find = (session: string) => d.state.open.find((stream) => stream.session === session)
  switch (command._tag) {
    case "ServerSaw":
      d.emit(command.event)
      break
    case "Open":
      if (find(command.event.session) === undefined) d.emit(command.event)
      break
    case "Ended": {
      const stream = find(command.session)
      if (stream !== undefined) d.emit(endOf(stream, command), stream.because)
      break
    }
    case "Checkpointed": {
      const stream = find(command.session)
      if (stream === undefined) break
      const { session, podUid, container, since, because } = stream
      const { location } = command
      const duration = Math.max(0, command.at - since)
      d.emit({ _tag: "CheckpointCreated", session, podUid, container, location, duration }, because)
      break
    }
    case "StreamsLost":
      for (const session of command.sessions) {
        const stream = find(session)
        if (stream === undefined) continue
        d.emit(endOf(stream, { at: command.at, session, outcome: "unknown", message: restarted }), stream.because)
      }
      break
  }
  return d.decided
}

export const apiDecider: Decider<ApiState, ApiCommand, ApiEvent> = {
  kind: "api",
  stateVersion: 1,
  command: ApiCommand as never,
  initial: initialApi,
  decide,
  evolve: evolveApi,
  finished: ({ isServer, open }) => !isServer && open.length === 0,
  subject: ({ podUid }) => podUid,
  supervisor: (id) =>
    id.namespace === ""
      ? { kind: "node", namespace: "", name: id.name }
      : { kind: "pod", namespace: id.namespace, name: id.name }
}
