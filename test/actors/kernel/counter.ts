/** A small actor for the kernel's tests: it counts, asks for timers, reacts, and dies when told so. */
import { Effect, Schema } from "effect"
import type { Behavior, Outgoing } from "../../../src/actors/kernel/behavior.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { EventOf } from "../../../src/events/catalogue.ts"
import { timestamp } from "../../../src/events/definition.ts"

// Volumes' events serve as the counter's facts: the kernel knows the catalogue only.
export type CounterEvent = EventOf<"VolumeMountFailed"> | EventOf<"VolumeUnmounted"> | EventOf<"VolumeMounted">

const Command = Schema.Union([
  Schema.TaggedStruct("Add", { at: Schema.Number, n: Schema.Int }),
  Schema.TaggedStruct("Nothing", { at: Schema.Number }),
  Schema.TaggedStruct("Die", { at: Schema.Number }),
  Schema.TaggedStruct("ReactAndDie", { at: Schema.Number }),
  Schema.TaggedStruct("Wake", { at: Schema.Number, in: Schema.Number }),
  Schema.TaggedStruct("End", { at: Schema.Number }),
  Schema.TaggedStruct("TimerFired", { at: Schema.Number, key: Schema.String, dueAt: Schema.Number })
])
export type CounterCommand = typeof Command.Type

export interface CounterState {
  readonly total: number
  readonly wakeAt: number | null
  readonly woken: number
  readonly begun: boolean
}

export const counter = (name: string) => actorId("volume", "default", name)

const fact = (attempt: number, message: string, retryAt = 0): CounterEvent => ({
  _tag: "VolumeMountFailed",
  podUid: "u",
  volume: "v",
  message,
  attempt,
  retryAt: timestamp(retryAt)
})

export interface CounterLog {
  readonly reactions: Array<string>
  readonly resumed: Array<number>
}

export const counterBehavior = (
  log: CounterLog,
  onReact?: (attempt: number) => ReadonlyArray<Outgoing>
): Behavior<CounterState, CounterCommand, CounterEvent, never> => ({
  kind: "volume",
  stateVersion: 1,
  command: Command as never,
  initial: () => ({ total: 0, wakeAt: null, woken: 0, begun: false }),
  decide: (state, command) => {
    switch (command._tag) {
      case "Add":
        return [{ event: fact(command.n, "add") }]
      case "Nothing":
        return []
      case "Die":
        throw new Error("told to die")
      case "ReactAndDie":
        return [{ event: fact(0, "react and die") }]
      case "Wake":
        return [{ event: fact(0, "wake", command.at + command.in) }]
      case "End":
        return [{ event: { _tag: "VolumeUnmounted", podUid: "u", volume: "v" } }]
      case "TimerFired":
        return state.wakeAt === null ? [] : [{ event: { _tag: "VolumeMounted", podUid: "u", volume: "v", path: "/" } }]
    }
  },
  evolve: (state, event) => {
    if (event._tag === "VolumeUnmounted") return { ...state, begun: false }
    if (event._tag === "VolumeMounted") return { ...state, begun: true, wakeAt: null, woken: state.woken + 1 }
    if (event.message === "wake") return { ...state, begun: true, wakeAt: Date.parse(event.retryAt) }
    return { ...state, begun: true, total: state.total + event.attempt }
  },
  timers: (state) => (state.wakeAt === null ? [] : [{ key: "wake", dueAt: state.wakeAt }]),
  finished: (state) => !state.begun,
  react: ({ event }) =>
    Effect.sync(() => {
      if (event._tag !== "VolumeMountFailed") return []
      if (event.message === "react and die") throw new Error("died while reacting")
      log.reactions.push(`${event.message} ${event.attempt}`)
      return onReact?.(event.attempt) ?? []
    }),
  resume: (state) =>
    Effect.sync(() => {
      log.resumed.push(state.total)
      return []
    })
})
