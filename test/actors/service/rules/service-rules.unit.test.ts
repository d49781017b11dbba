/** Rules of a Service for the kernel: what goes into them, what comes of a change, and what it costs. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Endpoint, portKey } from "../../../../src/actors/service/rules/endpoint.ts"
import {
  healthCheckOf,
  portRules,
  type ServedService,
  serverChanges,
  serviceRules
} from "../../../../src/actors/service/rules/service-rules.ts"
import { endpointsOfSlices, slicedChanges } from "../../../../src/actors/service/rules/slices.ts"
import type { DeclaredSlice } from "../../../../src/adapters/services/port.ts"
import type { ServiceSpec } from "../../../../src/events/service-shape.ts"

const vantage = { nodeName: "node-a", zone: "zone-a" }
const http = { name: "http", protocol: "TCP", port: 80, targetPort: 8080 } as const
const dns = { name: "dns", protocol: "UDP", port: 53, targetPort: "dns", nodePort: 30_053 } as const

const service = (more: Partial<ServiceSpec> = {}): ServedService => ({
  namespace: "default",
  name: "web",
  spec: { type: "ClusterIP", clusterIPs: ["10.96.0.1", "fd00::1"], ports: [http], ...more }
})

const endpoint = (address: string, more: Partial<Endpoint> = {}): Endpoint => ({
  address,
  port: 8080,
  ready: true,
  serving: true,
  terminating: false,
  ...more
})

const behind = (port: { readonly name: string; readonly protocol: "TCP" | "UDP" }, ...endpoints: Array<Endpoint>) =>
  new Map([[portKey(port.name, port.protocol), endpoints]])

describe("rules of a Service", () => {
  it("are one entry per port and family, each with the servers of its port and family", () => {
    const endpoints = new Map([
      ...behind(http, endpoint("10.0.0.1", { node: "node-a" }), endpoint("fd00:1::1"), endpoint("10.0.0.2")),
      ...behind(dns, endpoint("10.0.0.3", { port: 5353 }))
    ])
    const rules = serviceRules(service({ type: "NodePort", ports: [http, dns] }), endpoints, vantage, ["IPv4", "IPv6"])
    assert.deepEqual(
      rules.map(({ family, portName, clusterIP, nodePort, cluster }) => [
        family,
        portName,
        clusterIP,
        nodePort,
        cluster.map(({ ip, local }) => `${ip}${local ? " here" : ""}`)
      ]),
      [
        ["IPv4", "http", "10.96.0.1", undefined, ["10.0.0.1 here", "10.0.0.2"]],
        ["IPv4", "dns", "10.96.0.1", 30_053, ["10.0.0.3"]],
        ["IPv6", "http", "fd00::1", undefined, ["fd00:1::1"]],
        ["IPv6", "dns", "fd00::1", 30_053, []]
      ]
    )
    assert.deepEqual(
      rules.map(({ hasAny }) => hasAny),
      [true, true, true, false]
    )
  })

  it("say that servers are elsewhere, where the policy is Local and none is here", () => {
    const endpoints = behind(http, endpoint("10.0.0.2", { node: "node-b" }))
    const [rules] = serviceRules(service({ internalLocal: true }), endpoints, vantage, ["IPv4"])
    assert.deepEqual([rules?.cluster, rules?.local, rules?.hasAny], [[], [], true])
  })

  it("send new connections to a server that is being ended as long as no other is left", () => {
    const ending = endpoint("10.0.0.1", { ready: false, terminating: true, node: "node-a" })
    const other = endpoint("10.0.0.2", { node: "node-b" })
    const of = (...endpoints: Array<Endpoint>) =>
      portRules(
        service({ type: "NodePort", externalLocal: true }),
        { ...http, nodePort: 30_080 },
        "IPv4",
        endpoints,
        vantage
      )
    const both = of(ending, other)
    assert.deepEqual(
      both?.cluster.map(({ ip }) => ip),
      ["10.0.0.2"]
    )
    assert.deepEqual(
      both?.local.map(({ ip }) => ip),
      ["10.0.0.1"],
      "each policy decides by itself"
    )
    const alone = of(ending)
    assert.deepEqual(
      alone?.cluster.map(({ ip }) => ip),
      ["10.0.0.1"]
    )
    assert.deepEqual(serverChanges(both, alone), { added: [], removed: ["10.0.0.2:8080"] })
    assert.deepEqual(serverChanges(undefined, both).added.toSorted(), ["10.0.0.1:8080", "10.0.0.2:8080"])
    assert.equal(of(endpoint("10.0.0.1", { ready: false, serving: false, terminating: true }))?.hasAny, false)
  })

  it("are none for a headless Service, an ExternalName, another proxy's, and a family without cluster IP", () => {
    const count = (spec: Partial<ServiceSpec>) =>
      serviceRules(service(spec), new Map(), vantage, ["IPv4", "IPv6"]).length
    assert.equal(count({ clusterIPs: [] }), 0)
    assert.equal(count({ type: "ExternalName" }), 0)
    assert.equal(count({ proxyName: "cilium" }), 0)
    assert.equal(count({ clusterIPs: ["fd00::1"] }), 1)
  })

  it("count ready servers of this node for load balancers, each address once", () => {
    const balanced = service({
      type: "LoadBalancer",
      externalLocal: true,
      healthCheckNodePort: 31_000,
      ports: [http, dns]
    })
    const here = endpoint("10.0.0.1", { node: "node-a" })
    const endpoints = new Map([
      ...behind(http, here, endpoint("10.0.0.2", { node: "node-b" })),
      ...behind(dns, here, endpoint("10.0.0.3", { node: "node-a", ready: false }))
    ])
    assert.deepEqual(healthCheckOf(balanced, endpoints, vantage), { port: 31_000, localReady: 1 })
    assert.equal(healthCheckOf(service(), endpoints, vantage), undefined)
  })
})

describe("what rules cost", () => {
  const slice = (n: number, endpoints: number, ready = true): DeclaredSlice => ({
    namespace: "default",
    name: `web-${n}`,
    service: "web",
    family: "IPv4",
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
    endpoints: Array.from({ length: endpoints }, (_, i) => {
      const at = n * endpoints + i
      return {
        address: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`,
        ready,
        serving: true,
        terminating: false,
        node: `node-${at % 100}`,
        zone: "zone-a",
        zoneHints: ["zone-a"]
      }
    }),
    bad: [],
    file: "/slices.yaml",
    hash: ""
  })

  /** Milliseconds for `count` endpoints: taken in, made rules of, and compared after a change of a hundredth of them. */
  const taken = (count: number): number => {
    const slices = Array.from({ length: 100 }, (_, n) => slice(n, count / 100))
    const started = performance.now()
    const endpoints = endpointsOfSlices(slices)
    const lists = new Map([...endpoints].map(([port, list]) => [port, list.values()]))
    const [rules] = serviceRules(service({ trafficDistribution: "PreferSameZone" }), lists, vantage, ["IPv4"])
    const changed = endpointsOfSlices([...slices.slice(1), slice(0, count / 100, false)])
    const changes = slicedChanges(endpoints, changed)
    const millis = performance.now() - started
    assert.equal(rules?.cluster.length, count)
    assert.equal(changes.changed.length, count / 100)
    return millis
  }

  it("grows with the endpoints of one Service, and no faster, up to 100,000", () => {
    const small = Math.max(
      1,
      ...[0, 1, 2]
        .map(() => taken(10_000))
        .toSorted((a, b) => a - b)
        .slice(1, 2)
    )
    const large = Math.min(taken(100_000), taken(100_000))
    console.log(`10,000 endpoints: ${small.toFixed(0)} ms; 100,000: ${large.toFixed(0)} ms`)
    // Ten times as many; a square would be a hundred.
    assert.ok(large < small * 50, `${large.toFixed(0)} ms is out of proportion to ${small.toFixed(0)} ms`)
  })

  it("a change of a small Service costs microseconds", () => {
    const web = service()
    const endpoints = Array.from({ length: 10 }, (_, i) => endpoint(`10.0.0.${i}`, { node: `node-${i}` }))
    const turns = 20_000
    let before = portRules(web, http, "IPv4", endpoints, vantage)
    const started = performance.now()
    for (let i = 0; i < turns; i++) {
      const ready = i % 2 === 0
      const now = portRules(web, http, "IPv4", [endpoint("10.0.0.0", { ready }), ...endpoints.slice(1)], vantage)
      const { added, removed } = serverChanges(before, now)
      assert.equal(added.length + removed.length, i === 0 ? 0 : 1)
      before = now
    }
    const micros = ((performance.now() - started) * 1000) / turns
    assert.ok(micros < 1000, `took ${micros.toFixed(1)} µs`)
  })
})
