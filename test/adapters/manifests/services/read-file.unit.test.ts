import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { maxPlacedBytes } from "../../../../src/adapters/manifests/services/limits.ts"
import { parseServices } from "../../../../src/adapters/manifests/services/read-file.ts"
import { serviceText, sliceText } from "./services-contract.ts"

const service = (spec: object, rest: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop" },
  spec: { ports: [{ port: 80 }], clusterIP: "10.96.0.1", ...spec },
  ...rest
})
const specOf = async (spec: object, rest: object = {}) => {
  const parsed = await parseServices(JSON.stringify(service(spec, rest)), "/s/a.json")
  assert.deepEqual(parsed.problems, [])
  return parsed.services[0]?.spec
}
const problemsOf = async (spec: object) =>
  (await parseServices(JSON.stringify(service(spec)), "/s/a.json")).problems.map((p) => `${p.field}: ${p.message}`)

describe("a Service in a manifest", () => {
  it("gets the defaults of the API", async () => {
    assert.deepEqual(await specOf({}), {
      type: "ClusterIP",
      clusterIPs: ["10.96.0.1"],
      ports: [{ name: "", protocol: "TCP", port: 80, targetPort: 80 }]
    })
  })

  it("has everything that counts for its traffic", async () => {
    const spec = await specOf(
      {
        type: "LoadBalancer",
        selector: { app: "web" },
        clusterIP: "10.96.0.1",
        clusterIPs: ["10.96.0.1", "FD00:0:0::1"],
        ports: [
          { name: "http", port: 80, targetPort: "web", nodePort: 30080 },
          { name: "dns", port: 53, protocol: "UDP", appProtocol: "x" }
        ],
        externalIPs: ["192.0.2.1"],
        loadBalancerSourceRanges: [" 10.0.0.0/8 "],
        sessionAffinity: "ClientIP",
        externalTrafficPolicy: "Local",
        internalTrafficPolicy: "Local",
        healthCheckNodePort: 32000,
        publishNotReadyAddresses: true,
        trafficDistribution: "PreferClose",
        allocateLoadBalancerNodePorts: false
      },
      {
        status: {
          loadBalancer: {
            ingress: [{ ip: "198.51.100.1" }, { ip: "198.51.100.2", ipMode: "Proxy" }, { hostname: "lb" }]
          }
        }
      }
    )
    assert.deepEqual(spec, {
      type: "LoadBalancer",
      clusterIPs: ["10.96.0.1", "fd00::1"],
      ports: [
        { name: "http", protocol: "TCP", port: 80, targetPort: "web", nodePort: 30080 },
        { name: "dns", protocol: "UDP", port: 53, targetPort: 53 }
      ],
      selector: { app: "web" },
      externalIPs: ["192.0.2.1"],
      loadBalancerIPs: ["198.51.100.1"],
      loadBalancerSourceRanges: ["10.0.0.0/8"],
      affinitySeconds: 10_800,
      internalLocal: true,
      externalLocal: true,
      healthCheckNodePort: 32000,
      trafficDistribution: "PreferClose",
      publishNotReadyAddresses: true,
      withoutNodePorts: true
    })
  })

  it("asks for the addresses that nobody gave", async () => {
    const families = async (spec: object) => (await specOf({ clusterIP: "", ...spec }))?.families
    assert.deepEqual(await families({}), ["IPv4"])
    assert.deepEqual(await families({ ipFamilies: ["IPv6"] }), ["IPv6"])
    assert.deepEqual(await families({ ipFamilyPolicy: "RequireDualStack" }), ["IPv4", "IPv6"])
    assert.deepEqual(await families({ ipFamilies: ["IPv6"], ipFamilyPolicy: "PreferDualStack" }), ["IPv6", "IPv4"])
    assert.deepEqual(await families({ clusterIP: "10.96.0.9", ipFamilyPolicy: "RequireDualStack" }), ["IPv6"])
    assert.equal(await families({ clusterIP: "None" }), undefined)
  })

  it("is refused with the field that is wrong", async () => {
    assert.deepEqual(
      await problemsOf({
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 80 }
        ]
      }),
      ["spec.ports[1].port: 80/TCP is given twice"]
    )
    assert.deepEqual(await problemsOf({ clusterIP: "10.96.0" }), ["spec.clusterIP: is no IP address"])
    assert.deepEqual(await problemsOf({ externalIPs: ["127.0.0.1"] }), [
      "spec.externalIPs[0]: 127.0.0.1 is a loopback address"
    ])
    assert.deepEqual(await problemsOf({ externalIPs: ["::ffff:127.0.0.1"] }), [
      "spec.externalIPs[0]: ::ffff:127.0.0.1 is a loopback address"
    ])
    assert.deepEqual(await problemsOf({ clusterIPs: ["10.96.0.1", "::ffff:10.96.0.2"] }), [
      "spec.clusterIPs[1]: is a second address of IPv4"
    ])
    assert.deepEqual(await problemsOf({ ports: [{ port: 80, nodePort: 30000 }] }), [
      "spec.ports[0].nodePort: is not allowed with type ClusterIP"
    ])
    assert.deepEqual(await problemsOf({ clusterIPs: ["10.96.0.1", "10.96.0.2"] }), [
      "spec.clusterIPs[1]: is a second address of IPv4"
    ])
    assert.deepEqual(await problemsOf({ loadBalancerSourceRanges: ["10.0.0.0/40"] }), [
      "spec.loadBalancerSourceRanges[0]: is no range of addresses (10.0.0.0/8)"
    ])
    assert.deepEqual(await problemsOf({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } }), [
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: must be 1 to 86400, not 86401"
    ])
    assert.deepEqual(await problemsOf({ externalTrafficPolicy: "Local" }), [
      "spec.externalTrafficPolicy: is for Services that are reached from outside: NodePort, LoadBalancer, externalIPs"
    ])
    assert.deepEqual(await problemsOf({ type: "Cluster" }), [
      'spec.type: must be one of ClusterIP, NodePort, LoadBalancer, ExternalName, not "Cluster"'
    ])
    assert.deepEqual(await problemsOf({ healthCheckNodePort: 32000 }), [
      "spec.healthCheckNodePort: is for type LoadBalancer with externalTrafficPolicy Local"
    ])
  })
})

describe("an EndpointSlice in a manifest", () => {
  it("loses the endpoints that cannot be used, each with its line, and keeps the others", async () => {
    const { slices, problems } = await parseServices(
      sliceText("web", "10.0.0.1", "10.0.0", "fd00::1", "169.254.0.1", "10.0.0.2"),
      "/s/a.yaml"
    )
    assert.deepEqual(problems, [])
    assert.deepEqual(
      slices[0]?.endpoints.map((e) => [e.address, e.ready, e.serving, e.terminating]),
      [
        ["10.0.0.1", true, true, false],
        ["10.0.0.2", true, true, false]
      ]
    )
    assert.deepEqual(slices[0]?.bad, [
      { address: "10.0.0", field: "endpoints[1].addresses[0]", message: '"10.0.0" is no IP address', line: 10 },
      {
        address: "fd00::1",
        field: "endpoints[2].addresses[0]",
        message: "fd00::1 is IPv6, and the slice is of IPv4",
        line: 11
      },
      {
        address: "169.254.0.1",
        field: "endpoints[3].addresses[0]",
        message: "169.254.0.1 is a link-local address",
        line: 12
      }
    ])
  })

  it("takes an IPv4 address within IPv6 for the IPv4 address, also where that cannot be reached", async () => {
    const { slices } = await parseServices(sliceText("web", "::ffff:10.0.0.1", "::ffff:127.0.0.1"), "/s/a.yaml")
    assert.deepEqual(
      slices[0]?.endpoints.map(({ address }) => address),
      ["10.0.0.1"]
    )
    assert.deepEqual(
      slices[0]?.bad?.map(({ message }) => message),
      ["::ffff:127.0.0.1 is a loopback address"]
    )
  })

  it("takes conditions, node, zone and hints", async () => {
    const text = JSON.stringify({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv6",
      ports: [{ name: "http", port: 8080 }],
      endpoints: [
        {
          addresses: ["fd00:0::A"],
          conditions: { ready: false, serving: true, terminating: true },
          nodeName: "n1",
          zone: "z1",
          hints: { forZones: [{ name: "z1" }], forNodes: [{ name: "n1" }] }
        }
      ]
    })
    const { slices } = await parseServices(text, "/s/a.json")
    assert.deepEqual(slices[0]?.endpoints, [
      {
        address: "fd00::a",
        ready: false,
        serving: true,
        terminating: true,
        node: "n1",
        zone: "z1",
        zoneHints: ["z1"],
        nodeHints: ["n1"]
      }
    ])
  })

  it("is refused without its Service, or for names instead of addresses", async () => {
    const wrong = async (text: string) => (await parseServices(text, "/s/a.yaml")).problems.map((p) => p.field)
    const good = sliceText("web", "10.0.0.1")
    assert.deepEqual(await wrong(good.replace(/ {2}labels.*\n/u, "")), ["metadata.labels"])
    assert.deepEqual(await wrong(good.replace("addressType: IPv4", "addressType: FQDN")), ["addressType"])
    assert.deepEqual(await wrong(good.replace("v1", "v1beta1")), ["apiVersion"])
  })
})

describe("a file of Services", () => {
  it("reads the example of four Services", async () => {
    const file = fileURLToPath(new URL("../../../cases/seed-examples/services-1.yaml", import.meta.url))
    const { services, problems, ignoredFields } = await parseServices(readFileSync(file, "utf8"), file)
    assert.deepEqual([problems, ignoredFields], [[], []])
    assert.deepEqual(
      services.map((s) => [s.name, s.spec.type, s.spec.clusterIPs, s.spec.families, s.spec.ports[0]?.nodePort]),
      [
        ["nginx-clusterip", "ClusterIP", [], ["IPv4"], undefined],
        ["nginx-nodeport", "NodePort", [], ["IPv4"], 30080],
        ["nginx-lb", "LoadBalancer", [], ["IPv4"], undefined],
        ["nginx-headless", "ClusterIP", [], undefined, undefined]
      ]
    )
  })

  it("gives the same from JSON as from YAML", async () => {
    const objects = [service({}), service({ type: "NodePort", ports: [{ port: 80, nodePort: 30001 }] })]
    const json = await parseServices(JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }), "/s/a")
    const yaml = await parseServices(objects.map((o) => `--- ${JSON.stringify(o)}`).join("\n"), "/s/a")
    const without = ({ services }: typeof json) => services.map(({ line: _, ...one }) => one)
    assert.deepEqual(without(json), without(yaml))
  })

  it("names the item of a list that is wrong, with its line, and keeps the others", async () => {
    const list = { apiVersion: "v1", kind: "List", items: [service({}), service({ clusterIP: "x" })] }
    const text = JSON.stringify(list, null, 2)
    const { services, problems } = await parseServices(text, "/s/a.json")
    assert.equal(services.length, 1)
    const line = text.split("\n").findIndex((l) => l.includes('"clusterIP": "x"')) + 1
    assert.deepEqual(
      problems.map((p) => [p.line, p.field]),
      [[line, "items[1].spec.clusterIP"]]
    )
  })

  it("does so for files of many megabytes too, without lines", async () => {
    const many = Array.from({ length: 6_000 }, (_, i) =>
      service({}, { metadata: { name: `s${i}`, annotations: { a: "x".repeat(100) } } })
    )
    const text = JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [...many, service({ clusterIP: "x", odd: 1 })]
    })
    assert.ok(text.length > maxPlacedBytes)
    const { services, problems, ignoredFields } = await parseServices(text, "/s/a.json")
    assert.equal(services.length, 6_000)
    assert.deepEqual(problems, [{ field: "items[6000].spec.clusterIP", message: "is no IP address" }])
    assert.deepEqual(
      ignoredFields.map((f) => f.field),
      ["items[6000].spec.odd"]
    )
  })

  it("leaves pods and their objects to the reader of pods, and says what it cannot read", async () => {
    const text = [
      serviceText("a"),
      "kind: Pod",
      "kind: ConfigMap",
      "kind: Endpoints",
      "kind: Namespace",
      "kind: Widget",
      "7"
    ].join("\n---\n")
    const { services, problems, ignoredFields } = await parseServices(text, "/s/a.yaml")
    assert.equal(services.length, 1)
    assert.deepEqual(
      problems.map((p) => `${p.line} ${p.message}`),
      [
        "11 Endpoints are not read: declare an EndpointSlice (discovery.k8s.io/v1)",
        '15 must be Service, EndpointSlice or List, not "Widget"',
        "17 must be a mapping with apiVersion, kind, metadata and spec"
      ]
    )
    assert.deepEqual(
      ignoredFields.map((f) => f.message),
      ["Namespace has no meaning here; ignored"]
    )
  })
})
