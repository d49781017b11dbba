/** Who gets an address or a node port that two ask for, and what is allotted to those that ask for any. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Outgoing } from "../../../src/actors/kernel/behavior.ts"
import { type AllotmentRanges, allot, defaultNodePorts } from "../../../src/actors/service/allotment.ts"
import { Claims } from "../../../src/actors/service/claims.ts"
import type { DeclareService } from "../../../src/actors/service/commands.ts"
import { Declarations } from "../../../src/actors/service/declarations.ts"
import { EndpointsOfService } from "../../../src/actors/service/port-endpoints.ts"
import type { DeclaredService } from "../../../src/adapters/services/port.ts"
import type { ServiceSpec } from "../../../src/events/service-shape.ts"
import { seededRandom } from "../../support/random.ts"

const ranges: AllotmentRanges = { clusterIPs: ["10.96.0.0/12", "fd00:96::/112"], nodePorts: defaultNodePorts }

const spec = (change: Partial<ServiceSpec> = {}): ServiceSpec => ({
  type: "ClusterIP",
  clusterIPs: [],
  families: ["IPv4"],
  ports: [{ name: "", protocol: "TCP", port: 80, targetPort: 8080 }],
  ...change
})
const fixed = (ip: string, change: Partial<ServiceSpec> = {}): ServiceSpec => {
  const { families: _, ...rest } = spec({ clusterIPs: [ip], ...change })
  return rest
}
const service = (name: string, its: ServiceSpec): DeclaredService => ({
  namespace: "default",
  name,
  file: `/services/${name}.yaml`,
  hash: JSON.stringify(its),
  spec: its,
  labels: {}
})
const withNodePort = (ip: string, nodePort: number): ServiceSpec =>
  fixed(ip, { type: "NodePort", ports: [{ name: "", protocol: "TCP", port: 80, targetPort: 8080, nodePort }] })

/** By the Service's name: its holder where it is rejected, else what it has. */
const outcome = (outgoing: ReadonlyArray<Outgoing>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    outgoing.map(({ to, command }) => {
      const { problems, spec: its } = command as DeclareService
      if (command._tag === "RemoveService") return [to.name, "removed"]
      return [to.name, problems === undefined ? its.clusterIPs.join() : problems.map(({ holder }) => holder).join()]
    })
  )

describe("what two Services ask for", () => {
  it("goes to the first by name of those that come together, and to the other when it is free", () => {
    const declarations = new Declarations([], ranges)
    const [a, b] = [service("a", withNodePort("10.0.0.1", 30_000)), service("b", withNodePort("10.0.0.2", 30_000))]
    assert.deepEqual(outcome(declarations.take([b, a], 1)), { a: "10.0.0.1", b: "default/a" })
    assert.deepEqual(declarations.take([b, a], 2), [])
    assert.deepEqual(outcome(declarations.take([b], 3)), { a: "removed", b: "10.0.0.2" })
  })

  it("stays with who has it, whoever else changes; a change that cannot be leaves what was before", () => {
    const declarations = new Declarations([], ranges)
    const [a, z] = [service("a", fixed("10.0.0.1")), service("z", withNodePort("10.0.0.2", 30_000))]
    declarations.take([a, z], 1)
    const greedy = service("a", withNodePort("10.0.0.1", 30_000))
    assert.deepEqual(outcome(declarations.take([greedy, z], 2)), { a: "default/z" })
    // `a` still has its address.
    const thief = service("t", fixed("10.0.0.1"))
    assert.deepEqual(outcome(declarations.take([greedy, z, thief], 3)), { t: "default/a" })
    assert.deepEqual(outcome(declarations.take([greedy, thief], 4)), { z: "removed", a: "10.0.0.1", t: "default/a" })
  })

  it("goes to the one that the log knows first", () => {
    const known = (name: string, since: string) => ({
      namespace: "default",
      name,
      state: { since, declared: null, rejected: null, programmed: null }
    })
    const declarations = new Declarations(
      [known("a", "2026-01-02T00:00:00Z"), known("b", "2026-01-01T00:00:00Z")],
      ranges
    )
    const all = ["a", "b", "0"].map((name, i) => service(name, withNodePort(`10.0.0.${i + 1}`, 30_000)))
    assert.deepEqual(outcome(declarations.take(all, 1)), { a: "default/b", b: "10.0.0.2", "0": "default/b" })
  })

  it("is an address with a port, an external address, a node port or a health check's port; other ports are free", () => {
    const declarations = new Declarations([], ranges)
    const external = fixed("10.0.0.2", { externalIPs: ["192.0.2.1"] })
    const all = [
      service("a", fixed("10.0.0.1", { externalIPs: ["192.0.2.1"] })),
      service("b", external),
      service("c", fixed("10.0.0.1", { ports: [{ name: "", protocol: "UDP", port: 80, targetPort: 80 }] })),
      service("d", { ...withNodePort("10.0.0.4", 30_001) }),
      service("e", fixed("10.0.0.5", { type: "LoadBalancer", healthCheckNodePort: 30_001, withoutNodePorts: true }))
    ]
    const { a, b, c, d, e } = outcome(declarations.take(all, 1))
    assert.deepEqual([a, b, c, d, e], ["10.0.0.1", "default/a", "10.0.0.1", "10.0.0.4", "default/d"])
  })
})

describe("what is allotted", () => {
  const give = (name: string, its: ServiceSpec, claims = new Claims()) => allot(name, its, undefined, claims, ranges)

  it("is told by the name, lies above what is left to others, and is kept", () => {
    const first = give("default/web", spec({ families: ["IPv4", "IPv6"], type: "NodePort" }))
    assert.deepEqual(first, give("default/web", spec({ families: ["IPv4", "IPv6"], type: "NodePort" })))
    assert.deepEqual(first.allotted, ["clusterIPs", "ports[0].nodePort"])
    assert.match(first.spec.clusterIPs.join(" "), /^10\.(?:9[6-9]|1\d\d)\.\d+\.\d+ fd00:96::[0-9a-f]+$/)
    const port = first.spec.ports[0]?.nodePort ?? 0
    assert.ok(port >= 30_000 + 86 && port <= 32_767, String(port))
    const claims = new Claims()
    claims.take("default/web", first.spec)
    const moved = allot("default/web", { ...spec({ type: "NodePort" }), affinitySeconds: 5 }, first, claims, ranges)
    assert.equal(moved.spec.clusterIPs[0], first.spec.clusterIPs[0])
    assert.equal(moved.spec.ports[0]?.nodePort, port)
  })

  it("goes after what others have written, and each gets another one until the range is used up", () => {
    const small: AllotmentRanges = { clusterIPs: ["10.1.0.0/29"], nodePorts: { first: 30_000, last: 30_001 } }
    const declarations = new Declarations([], small)
    const all = [...["a", "b", "c", "d", "e"].map((name) => service(name, spec())), service("z", fixed("10.1.0.3"))]
    const given = outcome(declarations.take(all, 1))
    assert.equal(given.z, "10.1.0.3")
    assert.equal(new Set(Object.values(given)).size, 6)
    const [full] = declarations.take([...all, service("f", spec())], 2).map(({ command }) => command as DeclareService)
    assert.match(full?.problems?.[0]?.message ?? "", /used up/)
  })

  it("is nothing for headless Services, those of other names and of other proxies, and node ports on request only", () => {
    const { families: _, ...headless } = spec()
    for (const its of [headless, spec({ type: "ExternalName" }), spec({ proxyName: "other" })])
      assert.deepEqual(give("default/x", its).allotted, [])
    const balancer = give("default/x", spec({ type: "LoadBalancer", withoutNodePorts: true, externalLocal: true }))
    assert.deepEqual(balancer.allotted, ["clusterIPs", "healthCheckNodePort"])
    const missing = allot("default/x", spec({ families: ["IPv6"] }), undefined, new Claims(), {
      ...ranges,
      clusterIPs: []
    })
    assert.match(missing.problems[0]?.message ?? "", /no range of IPv6/)
  })
})

describe("the endpoints of a Service", () => {
  it("are found, replaced and taken away, few or many", () => {
    const { int, chance } = seededRandom("endpoints of a Service")
    const all = new EndpointsOfService()
    const model = new Map<string, boolean>()
    for (let step = 0; step < 3_000; step++) {
      const place = { address: `10.0.0.${int(1, step < 1_000 ? 20 : 200)}`, port: int(1, 2) }
      const name = `${place.address} ${place.port}`
      if (chance(0.4)) {
        all.delete(place, () => true)
        model.delete(name)
      } else {
        const ready = chance(0.5)
        const facts = { ready, serving: ready, terminating: false }
        all.set("http/TCP", {
          service: "web",
          portName: "http",
          protocol: "TCP",
          ...place,
          ...facts,
          from: "x",
          since: 0
        })
        model.set(name, ready)
      }
    }
    const found = [...(all.get("http/TCP") ?? [])]
    assert.equal(found.length, model.size)
    for (const { address, port, ready } of found) {
      assert.equal(model.get(`${address} ${port}`), ready)
      assert.equal(all.get("http/TCP")?.get({ address, port })?.ready, ready)
    }
  })
})
