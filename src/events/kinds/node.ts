/** Facts about the node and its agent. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"

const text = Schema.String

export const NodeStarted = defineEvent("NodeStarted", {
  kind: "node",
  about: "The agent started on this node and has folded its journal.",
  fields: {
    version: text,
    /** `bun 1.4.5` or `deno 2.9.6`. */
    host: text,
    kernel: text,
    architecture: text,
    cgroupVersion: Schema.Literals(["v1", "v2", "none"]),
    bootId: text,
    pid: Schema.Int,
    recording: Schema.Literals(["events", "inputs"]),
    /** Numbers of the decision flags in force: how deciders behave (see kernel/flags.ts). */
    flags: Schema.Array(Schema.Int),
    recoveredEvents: Schema.Int,
    recoveredActors: Schema.Int,
    /** Directory of the pods' logs. */
    podLogsDir: Schema.optionalKey(text)
  },
  tell: (e) =>
    `agent ${e.version} started on ${e.host}, kernel ${e.kernel}, cgroup ${e.cgroupVersion}; recovered ${e.recoveredActors} actors from ${e.recoveredEvents} events`
})

export const NodeStopped = defineEvent("NodeStopped", {
  kind: "node",
  about: "The agent stopped in good order; containers run on.",
  fields: { reason: text },
  tell: (e) => `agent stopped: ${e.reason}`
})

export const AdmissionClosed = defineEvent("AdmissionClosed", {
  kind: "node",
  severity: "ERROR",
  about: "No new pod is admitted: the disk that holds the journal is full or nearly so. Running pods go on.",
  fields: { reason: text, freeBytes: Schema.Int },
  tell: (e) => `no new pods are admitted: ${e.reason} (${e.freeBytes} bytes free)`
})

export const AdmissionOpened = defineEvent("AdmissionOpened", {
  kind: "node",
  about: "New pods are admitted again.",
  fields: { freeBytes: Schema.Int },
  tell: (e) => `new pods are admitted again (${e.freeBytes} bytes free)`
})

export const JournalPruned = defineEvent("JournalPruned", {
  kind: "node",
  about: "The oldest part of the journal was dropped by the retention rules, after it had been published.",
  fields: { throughSequence: Schema.Int, events: Schema.Int, /** Chain hash at the cut. */ hash: text },
  tell: (e) => `journal pruned through ${e.throughSequence} (${e.events} events)`
})

export const nodeEvents = [NodeStarted, NodeStopped, AdmissionClosed, AdmissionOpened, JournalPruned] as const
