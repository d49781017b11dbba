/** Real servers of weight 0 are waited for, and not without bound. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Drains, maxDraining } from "../../../../src/adapters/dataplane/ipvs/drains.ts"
import { type KnownServer, serverKey } from "../../../../src/adapters/dataplane/ipvs/steps.ts"
import type { Destination } from "../../../../src/adapters/netlink/ipvs.ts"
import { modelKernel } from "./model-kernel.ts"

const id = { family: "IPv4", protocol: "TCP", address: "10.96.0.1", port: 80 } as const
const options = { scheduler: "rr", flags: 0, timeout: 0, prefix: 32 }
const key = "10.96.0.1:80/TCP"

const drained = (count: number) => {
  const kernel = modelKernel()
  kernel.ipvs.change([{ do: "newService", service: id, options }])
  const weights: KnownServer["weights"] = new Map()
  const { reals } = kernel.servers.get(key)!
  for (let n = 0; n < count; n++) {
    const real = { ip: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: 8080, weight: 0 }
    weights.set(serverKey(real), real)
    const destination: Destination = {
      ...{ family: "IPv4", address: real.ip, port: 8080, forwarding: "masquerade", weight: 0, upper: 0, lower: 0 }
    }
    reals.set(`${real.ip} 8080`, { ...destination, active: 1, inactive: 0, persistent: 0 })
  }
  return { kernel, reals, known: new Map([[key, { id, options, weights }]]) }
}

describe("real servers that drain", () => {
  it("are so many at most, and the longest known go first", () => {
    const { kernel, reals, known } = drained(maxDraining + 2)
    const drains = new Drains()
    drains.sweep(kernel.ipvs, known, new Set([key]))
    assert.equal(reals.size, maxDraining)
    assert.ok(!reals.has("10.0.0.0 8080") && !reals.has("10.0.0.1 8080") && reals.has("10.0.0.2 8080"))
    assert.equal(known.get(key)!.weights.size, maxDraining)
    assert.equal(drains.size, 1)
  })

  it("are forgotten when they are gone, whoever took them away", () => {
    const { kernel, reals, known } = drained(3)
    const drains = new Drains()
    drains.sweep(kernel.ipvs, known, new Set([key]))
    reals.delete("10.0.0.0 8080")
    reals.set("10.0.0.1 8080", { ...reals.get("10.0.0.1 8080")!, active: 0 })
    drains.sweep(kernel.ipvs, known)
    assert.deepEqual([[...reals.keys()], [...known.get(key)!.weights.keys()]], [["10.0.0.2 8080"], ["10.0.0.2 8080"]])
    reals.clear()
    drains.sweep(kernel.ipvs, known)
    assert.equal(drains.size, 0)
  })
})
