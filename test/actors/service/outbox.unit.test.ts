/** Commands for Services and endpoints on their way: in order for each Service, in turn between Services. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { endpointActor } from "../../../src/actors/endpoint/identity.ts"
import type { Outgoing } from "../../../src/actors/kernel/behavior.ts"
import { serviceActor } from "../../../src/actors/service/identity.ts"
import { atOnce, Outbox } from "../../../src/actors/service/outbox.ts"
import { Table } from "../../../src/actors/service/table.ts"

const newOutbox = () => new Outbox(new Table({ nodeName: "node-a" }, ["IPv4"]))
const endpoint = (service: string, port: number): Outgoing => ({
  to: endpointActor("default", { service, portName: "", address: "10.0.0.1", port }),
  command: { _tag: "UndesireEndpoint", at: port } as never
})
const many = (service: string, count: number) => Array.from({ length: count }, (_, i) => endpoint(service, i + 1))
const portsOf = (outgoing: ReadonlyArray<Outgoing>, service: string) =>
  outgoing.filter(({ to }) => to.name.startsWith(`${service}.`)).map(({ command }) => (command as { at?: number }).at)

describe("the outbox of Services", () => {
  it("gives each Service its turn, however much another has", () => {
    const outbox = newOutbox()
    outbox.add(many("huge", 10_000))
    outbox.take()
    outbox.add([
      ...many("small", 2),
      { to: serviceActor("default", "small"), command: { _tag: "RemoveService", at: 1 } as never }
    ])
    const next = outbox.take()
    assert.equal(next.length, atOnce)
    assert.deepEqual(portsOf(next, "small"), [1, 2])
    assert.ok(next.some(({ to }) => to.kind === "service"))
  })

  it("keeps the order of each Service, and loses nothing", () => {
    const outbox = newOutbox()
    outbox.add(many("one", 1000))
    outbox.add(many("two", 700))
    const taken: Array<Outgoing> = []
    while (outbox.size > 0) taken.push(...outbox.take())
    for (const [service, count] of [
      ["one", 1000],
      ["two", 700]
    ] as const)
      assert.deepEqual(
        portsOf(taken, service),
        Array.from({ length: count }, (_, i) => i + 1)
      )
    assert.deepEqual(outbox.take(), [])
  })
})
