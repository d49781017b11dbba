/**
 * Prints the events of one node as they arrive on NATS. It knows nothing of Chronode but its subjects and that events
 * are CloudEvents in JSON: take it as a start for a program of your own.
 *
 *     bun scripts/demo/subscriber.ts nats://127.0.0.1:4222 CHRONODE_mynode
 */
import { jetstream } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"

const [servers = "nats://127.0.0.1:4222", stream = "CHRONODE_demo"] = process.argv.slice(2)
const connection = await connect({ servers })

// The agent makes the stream when it first connects. An ordered consumer reads it from its beginning, without gaps.
const consumers = jetstream(connection).consumers
let consumer = await consumers.get(stream).catch(() => undefined)
while (consumer === undefined) {
  await new Promise((resolve) => setTimeout(resolve, 200))
  consumer = await consumers.get(stream).catch(() => undefined)
}

const sequences: Array<number> = []
process.once("SIGTERM", () => {
  const missing = (sequences.at(-1) ?? 0) - (sequences[0] ?? 1) + 1 - new Set(sequences).size
  const twice = sequences.length - new Set(sequences).size
  console.log(`received ${sequences.length} events; missing: ${missing}, twice: ${twice}`)
  process.exit(0)
})

for await (const message of await consumer.consume()) {
  const event = message.json<{ time: string; severitytext: string; sequence: string; data: Record<string, unknown> }>()
  sequences.push(Number(event.sequence))
  if (event.severitytext === "DEBUG") continue
  const [, , kind, namespace, name, type] = message.subject.split(".")
  const facts = Object.entries(event.data).filter(([, value]) => typeof value !== "object" && value !== "")
  const text = facts.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(" ")
  console.log(
    [event.time.slice(11, 23), event.severitytext.padEnd(5), `${kind}/${namespace}/${name}`, type, text].join(" ")
  )
}
