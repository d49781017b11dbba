/** Stream settings: what we ask for, what a stream has, and whether it can serve at all. Pure. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream"
import { covers } from "../../events/subjects.ts"
import type { StreamSettings } from "./port.ts"

const nanosPerSecond = 1_000_000_000

/** The configuration of a new stream; only what nats-server 2.9 knows. */
export const toConfig = (settings: StreamSettings) => ({
  name: settings.name,
  description: "Events of a chronode agent, in the order of its journal",
  subjects: [...settings.subjects],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_age: settings.maxAgeSeconds * nanosPerSecond,
  max_bytes: settings.maxBytes,
  num_replicas: settings.replicas,
  deny_delete: settings.denyDelete
})

const limit = (value: number, none: number, unit: string): string => (value === none ? "unlimited" : `${value} ${unit}`)

/** Where the stream is not as asked for, in words; empty when it is. */
export const differences = (settings: StreamSettings, config: StreamConfig): ReadonlyArray<string> => {
  const asked = toConfig(settings)
  const found: Array<string> = []
  const compare = (name: string, is: string, wanted: string) => {
    if (is !== wanted) found.push(`${name} is ${is}, asked for ${wanted}`)
  }
  compare("subjects", [...(config.subjects ?? [])].sort().join(","), [...asked.subjects].sort().join(","))
  compare("retention", config.retention, asked.retention)
  compare("storage", config.storage, asked.storage)
  compare("discard", config.discard, asked.discard)
  compare("max_age", limit(config.max_age / nanosPerSecond, 0, "s"), limit(settings.maxAgeSeconds, 0, "s"))
  compare("max_bytes", limit(config.max_bytes, -1, "bytes"), limit(settings.maxBytes, -1, "bytes"))
  compare("num_replicas", String(config.num_replicas), String(asked.num_replicas))
  compare("deny_delete", String(config.deny_delete === true), String(asked.deny_delete))
  if (config.max_msgs > 0) found.push(`max_msgs is ${config.max_msgs}, asked for unlimited`)
  if ((config.max_msgs_per_subject ?? -1) > 0) {
    found.push(`max_msgs_per_subject is ${config.max_msgs_per_subject}, asked for unlimited`)
  }
  return found
}

/** Why events cannot be published to this stream in order and with acknowledgements, or `undefined`. */
export const unusable = (settings: StreamSettings, config: StreamConfig): string | undefined => {
  const uncovered = settings.subjects.find((subject) => !(config.subjects ?? []).some((wide) => covers(wide, subject)))
  if (config.mirror !== undefined) return `stream ${config.name} is a mirror`
  if (uncovered !== undefined) {
    return `stream ${config.name} exists but listens to ${(config.subjects ?? []).join(", ")}, not to ${uncovered}`
  }
  if (config.sealed === true) return `stream ${config.name} is sealed`
  if (config.no_ack === true) return `stream ${config.name} does not acknowledge (no_ack)`
  return undefined
}
