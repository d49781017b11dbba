import assert from "node:assert/strict"
import { it } from "node:test"
import { Effect } from "effect"
import { makeMemoryConntrack } from "../../../src/adapters/conntrack/memory.ts"
import { conntrackContract } from "./conntrack-contract.ts"

conntrackContract(
  "connections in memory",
  Effect.sync(() => {
    const memory = makeMemoryConntrack()
    return {
      conntrack: memory.service,
      track: async (family, ports, to) => {
        const address = family === "IPv4" ? "127.0.0.1" : "::1"
        const added = ports.map((from) => ({
          family,
          protocol: "UDP" as const,
          original: { source: address, destination: address, sourcePort: from, destinationPort: to },
          reply: { source: address, destination: address, sourcePort: to, destinationPort: from }
        }))
        memory.flows = [...memory.flows, ...added]
      }
    }
  })
)

it("connections in memory fail where the test wants it", async () => {
  const memory = makeMemoryConntrack()
  memory.refuse = "NoPermission"
  const error = await Effect.runPromise(Effect.flip(memory.service.flows("IPv4", "UDP")))
  assert.equal(error.reason, "NoPermission")
})
