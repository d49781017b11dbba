/**
 * Prints ends of containers and failed probes as they happen, on Bun, Deno or Node. It remembers what it has dealt with:
 * stopped and started again, it goes on behind the last event that it acknowledged.
 *
 *     npm install chronode
 *     NATS_URL=nats://127.0.0.1:4222 node docs/examples/subscriber.mjs [NODE]
 */
import process from "node:process"
import { subscribe } from "chronode/client"

const stop = new AbortController()
process.on("SIGINT", () => stop.abort())
process.on("SIGTERM", () => stop.abort())

const [node] = process.argv.slice(2)
const events = subscribe({
  connect: { servers: process.env.NATS_URL ?? "nats://127.0.0.1:4222" },
  ...(node === undefined ? {} : { node }),
  type: ["ContainerExited", "ProbeFailed"],
  durable: "example-subscriber",
  signal: stop.signal
})

for await (const { event, ackConfirmed } of events) {
  const { namespace, name } = event.actor
  switch (event.tag) {
    case "ContainerExited":
      console.log(`${event.time} ${namespace}/${name}: ${event.data.container} ended with ${event.data.exitCode}`)
      break
    case "ProbeFailed":
      console.log(`${event.time} ${namespace}/${name}: ${event.data.output}`)
      break
    case "Unknown":
      console.log(`${event.time} ${namespace}/${name}: ${event.type}, which this library does not know`)
      break
  }
  await ackConfirmed()
}
console.log("stopped")
