/** Facts about actors themselves, written by the kernel on behalf of an actor of any kind, in that actor's sequence. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"

const text = Schema.String

export const ActorFailed = defineEvent("ActorFailed", {
  kind: "any",
  severity: "ERROR",
  about:
    "An actor died of a defect while it handled a command; the command is dropped, the actor is rebuilt from the journal.",
  fields: {
    command: text,
    error: text,
    /** Failures within the supervisor's period, this one included. */ failures: Schema.Int
  },
  tell: (e) => `actor failed on ${e.command}: ${e.error}`
})

export const ActorRestarted = defineEvent("ActorRestarted", {
  kind: "any",
  severity: "WARN",
  about: "An actor was rebuilt from the journal.",
  fields: { events: Schema.Int },
  tell: (e) => `actor rebuilt from ${e.events} events`
})

export const ActorEscalated = defineEvent("ActorEscalated", {
  kind: "any",
  severity: "ERROR",
  about: "An actor failed more often than its supervisor bears; the failure goes up to the supervisor.",
  fields: { failures: Schema.Int, periodSeconds: Schema.Int, supervisor: text },
  tell: (e) => `failed ${e.failures} times in ${e.periodSeconds} s; escalated to ${e.supervisor}`
})

export const ActorCheckpointed = defineEvent("ActorCheckpointed", {
  kind: "any",
  severity: "DEBUG",
  about: "The whole state of an actor at this point, so that older events can be dropped. A fold may start here.",
  fields: { stateVersion: Schema.Int, state: Schema.Json },
  tell: () => "state written down"
})

export const InputRecorded = defineEvent("InputRecorded", {
  kind: "any",
  severity: "TRACE",
  about: "A command that led to nothing, written in flight-recorder mode (`recording: inputs`) for exact what-if runs.",
  fields: {},
  tell: () => "an input that changed nothing"
})

export const actorEvents = [ActorFailed, ActorRestarted, ActorEscalated, ActorCheckpointed, InputRecorded] as const
