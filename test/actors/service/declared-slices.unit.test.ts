/** What EndpointSlices declare, as commands for endpoints: first, later, and of more endpoints than fit into one call. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { DeclaredSlices } from "../../../src/actors/service/declared-slices.ts"
import { Table } from "../../../src/actors/service/table.ts"
import type { DeclaredSlice } from "../../../src/adapters/services/port.ts"
import { maxEndpoints } from "../../../src/adapters/services/port.ts"

const ready = { ready: true, serving: true, terminating: false }
const slice = (name: string, count: number, from = 0, service = "web"): DeclaredSlice => ({
  namespace: "default",
  name,
  service,
  family: "IPv4",
  ports: [{ name: "", protocol: "TCP", port: 8080 }],
  endpoints: Array.from({ length: count }, (_, i) => {
    const at = from + i
    return { address: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, ...ready }
  }),
  bad: [],
  file: "/slices.yaml",
  hash: name
})
const newSlices = () => new DeclaredSlices(new Table({ nodeName: "node-a" }, ["IPv4"]))

describe("declared slices", () => {
  it("tell endpoints that come and go, and nothing of those that stay", () => {
    const slices = newSlices()
    const [one, two] = [slice("one", 2), slice("two", 1, 10)]
    const told = slices.take([one, two], 1).map(({ to, command }) => `${command._tag} ${to.name}`)
    assert.deepEqual(told, [
      "DesireEndpoint web._.10.0.0.0:8080",
      "DesireEndpoint web._.10.0.0.1:8080",
      "DesireEndpoint web._.10.0.0.10:8080"
    ])
    assert.deepEqual(slices.take([one, two], 2), [])
    const later = slices.take([one], 3).map(({ to, command }) => `${command._tag} ${to.name}`)
    assert.deepEqual(later, ["UndesireEndpoint web._.10.0.0.10:8080"])
  })

  it("may have as many endpoints in one Service as a directory takes", () => {
    const all = Array.from({ length: maxEndpoints / 1000 }, (_, n) => slice(`web-${n}`, 1000, n * 1000))
    const slices = newSlices()
    assert.equal(slices.take(all, 1).length, maxEndpoints)
    assert.equal(slices.take([], 2).length, maxEndpoints)
  })
})
