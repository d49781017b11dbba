/** Services into the kernel by the actors of a simulated node: the start, changes, failures, drift, a restart. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import { failure } from "../../../src/adapters/dataplane/memory.ts"
import type { ServiceRules } from "../../../src/adapters/dataplane/port.ts"
import { actorPath } from "../../../src/events/actor-id.ts"
import type { NodeEvent } from "../../../src/events/catalogue.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import {
  makeWorld,
  type SimulatedAgent,
  type SimulationOptions,
  simulate,
  startAgent,
  type World
} from "../../support/simulated-node.ts"

const service = (name: string, spec = "", ports = "[{port: 80}]"): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {clusterIP: ${/ip: ([\d.~]+)/.exec(spec)?.[1] ?? "10.96.0.10"}, ports: ${ports}${spec.replace(/ip: [\d.~]+/, "")}}
`
const slice = (name: string, addresses: ReadonlyArray<string>, unready: ReadonlyArray<string> = []): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-a, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{port: 8080}]
endpoints:
${addresses.map((ip) => `- {addresses: ["${ip}"], conditions: {ready: ${!unready.includes(ip)}}}`).join("\n")}
`

interface Node {
  readonly world: World & { readonly services: NonNullable<World["services"]> }
  readonly agent: SimulatedAgent
}

const onNode = (
  files: Readonly<Record<string, string>>,
  story: (node: Node) => Effect.Effect<void, unknown, Scope.Scope>,
  options: SimulationOptions = {}
): Promise<void> =>
  simulate(
    Effect.gen(function* () {
      const world = yield* makeWorld({ ...options, services: files })
      const agent = yield* startAgent(world)
      yield* agent.pass(1)
      yield* story({ world: world as Node["world"], agent })
    })
  )

const serversOf = (rules: ServiceRules | undefined): ReadonlyArray<string> =>
  (rules?.cluster ?? []).map(({ ip, port }) => `${ip}:${port}`).sort()

const since = (world: World, sequence: number, tag?: NodeEvent["_tag"]) =>
  Effect.map(world.events, (events) =>
    events.filter((e) => e.sequence > sequence && (tag === undefined || e.event._tag === tag))
  )
const head = (world: World) => Effect.map(world.events, (events) => events.at(-1)?.sequence ?? 0)
const tagsOf = (events: ReadonlyArray<RecordedEvent>): ReadonlyArray<string> =>
  events.map(({ actor, event }) => `${actorPath(actor)} ${event._tag}`)

const web = { "web.yaml": service("web"), "slice.yaml": slice("web", ["10.0.0.1", "10.0.0.2"]) }
const key = "default/web:/IPv4"

describe("Services on a node", () => {
  it("are in the kernel after the start, and the log tells it once", () =>
    onNode(web, ({ world, agent }) =>
      Effect.gen(function* () {
        const { kernel } = world.services
        assert.deepEqual(serversOf(kernel.rules.get(key)), ["10.0.0.1:8080", "10.0.0.2:8080"])
        assert.deepEqual(kernel.calls, { resync: 1, apply: 0, changes: 0 })
        const told = tagsOf(yield* since(world, 0)).filter((text) => /^(?:service|endpoint|proxy)/.test(text))
        assert.deepEqual([...told].sort(), [
          "endpoint/default/web._.10.0.0.1:8080 EndpointAdded",
          "endpoint/default/web._.10.0.0.2:8080 EndpointAdded",
          "proxy/_/services DataplaneSynced",
          "proxy/_/services ProxyStarted",
          "service/default/web ServiceDeclared",
          "service/default/web ServiceProgrammed"
        ])
        const before = yield* head(world)
        yield* agent.pass(10)
        assert.deepEqual(yield* since(world, before), [])
      })
    ))

  it("follow their endpoints, each change told with its cause", () =>
    onNode(web, ({ world, agent }) =>
      Effect.gen(function* () {
        const { kernel, manifests } = world.services
        const before = yield* head(world)
        yield* manifests.write("slice.yaml", slice("web", ["10.0.0.1", "10.0.0.2", "10.0.0.3"], ["10.0.0.1"]))
        yield* agent.pass(1)
        assert.deepEqual(serversOf(kernel.rules.get(key)), ["10.0.0.2:8080", "10.0.0.3:8080"])
        assert.equal(kernel.calls.resync, 1)
        const events = yield* since(world, before)
        const [programmed] = events.filter(({ event }) => event._tag === "ServiceProgrammed")
        assert.ok(programmed?.event._tag === "ServiceProgrammed")
        const causes = events.filter(({ actor }) => actor.kind === "endpoint").map(({ id }) => id)
        assert.ok(causes.includes(programmed.cause ?? ""), "it is caused by an endpoint's event")
        const all = events.flatMap(({ event }) => (event._tag === "ServiceProgrammed" ? [event] : []))
        assert.deepEqual(
          all.flatMap(({ added }) => added),
          ["10.0.0.3:8080"]
        )
        assert.deepEqual(
          all.flatMap(({ removed }) => removed),
          ["10.0.0.1:8080"]
        )
        yield* manifests.remove("web.yaml")
        yield* agent.pass(1)
        assert.equal(kernel.rules.size, 0)
        assert.ok(agent.telemetry!.counts.programmed > 0)
      })
    ))

  it("rest after a change where they have very many servers, and others are taken at once meanwhile", () => {
    // 1,000 servers rest 40 ms.
    const large = (count: number) =>
      slice(
        "large",
        Array.from({ length: count }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
      )
    const files = { ...web, "large.yaml": service("large", "ip: 10.96.0.11"), "large-slice.yaml": large(990) }
    return onNode(files, ({ world, agent }) =>
      Effect.gen(function* () {
        const { kernel, manifests } = world.services
        const count = (name: string) => serversOf(kernel.rules.get(`default/${name}:/IPv4`)).length
        yield* agent.pass(1)
        yield* manifests.write("large-slice.yaml", large(995))
        yield* agent.pass(0.01)
        assert.equal(count("large"), 995, "the first change is in force at once")
        yield* manifests.write("large-slice.yaml", large(1000))
        yield* manifests.write("slice.yaml", slice("web", ["10.0.0.1"]))
        yield* agent.pass(0.01)
        assert.deepEqual([count("web"), count("large")], [1, 995], "it rests, and the other does not")
        yield* agent.pass(0.05)
        assert.equal(count("large"), 1000)
      })
    )
  })

  it("come back after a flush that the kernel tells of, and after one that only a comparison finds", () =>
    onNode(web, ({ world, agent }) =>
      Effect.gen(function* () {
        const { kernel } = world.services
        yield* kernel.flush(true)
        yield* agent.pass(1)
        assert.equal(kernel.rules.size, 1)
        yield* kernel.flush(false)
        yield* agent.pass(31)
        assert.equal(kernel.rules.size, 1)
        const drifts = yield* since(world, 0, "DataplaneDrifted")
        assert.deepEqual(
          drifts.map(({ event }) => event._tag === "DataplaneDrifted" && [event.noticedBy, event.missing]),
          [
            ["notification", 1],
            ["resync", 1]
          ]
        )
      })
    ))

  it("wait with a back-off while the kernel takes nothing, and are there afterwards, told as a chain", () =>
    onNode(web, ({ world, agent }) =>
      Effect.gen(function* () {
        const { kernel, manifests } = world.services
        const before = yield* head(world)
        kernel.failing = () => failure("Failed", "netlink: ENOBUFS", 105)
        yield* manifests.write("slice.yaml", slice("web", ["10.0.0.1", "10.0.0.9"]))
        yield* agent.pass(5)
        const failures = yield* since(world, before, "DataplaneFailed")
        assert.ok(failures.length >= 4 && failures.length <= 7, `${failures.length} failures in 5 s`)
        assert.ok(failures[0]?.event._tag === "DataplaneFailed")
        assert.deepEqual(failures[0].event.services, ["default/web"])
        const cause = (yield* since(world, before)).find(({ id }) => id === failures[0]?.cause)
        assert.equal(cause?.actor.kind, "endpoint")
        assert.deepEqual(serversOf(kernel.rules.get(key)), ["10.0.0.1:8080", "10.0.0.2:8080"])
        const health = agent.telemetry!.service.healthy
        assert.equal(health(), true)
        yield* agent.pass(60)
        assert.equal(health(), false, "a change has waited for longer than two sync periods")
        kernel.failing = undefined
        yield* agent.pass(40)
        assert.equal(health(), true)
        assert.deepEqual(serversOf(kernel.rules.get(key)), ["10.0.0.1:8080", "10.0.0.9:8080"])
        const recovered = yield* since(world, before, "DataplaneRecovered")
        assert.equal(recovered.length, 1)
        assert.equal(recovered[0]?.cause, (yield* since(world, before, "DataplaneFailed")).at(-1)?.id)
      })
    ))

  it("are served while another one is refused, by the kernel's answer or by finding out", () =>
    onNode(
      { ...web, "other.yaml": service("other", "ip: 10.96.0.11"), "o.yaml": slice("other", ["10.0.1.1"]) },
      ({ world, agent }) =>
        Effect.gen(function* () {
          const { kernel, manifests } = world.services
          const before = yield* head(world)
          kernel.failing = (_, changes) =>
            changes.some((change) => change.key === key) ? failure("Failed", "EINVAL", 22) : undefined
          yield* manifests.write("slice.yaml", slice("web", ["10.0.0.5"]))
          yield* manifests.write("o.yaml", slice("other", ["10.0.1.2"]))
          yield* agent.pass(3)
          assert.deepEqual(serversOf(kernel.rules.get("default/other:/IPv4")), ["10.0.1.2:8080"])
          assert.deepEqual(serversOf(kernel.rules.get(key)), ["10.0.0.1:8080", "10.0.0.2:8080"])
          const failed = yield* since(world, before, "DataplaneFailed")
          const last = failed.at(-1)?.event
          assert.ok(last?._tag === "DataplaneFailed" && last.reason === "Refused")
          assert.deepEqual(last.services, ["default/web"])
          kernel.failing = undefined
          yield* agent.pass(40)
          assert.deepEqual(serversOf(kernel.rules.get(key)), ["10.0.0.5:8080"])
          assert.equal((yield* since(world, before, "DataplaneRecovered")).length, 1)
        })
    ))

  it("are as they were after a restart: nothing is torn down, nothing is told again", () =>
    simulate(
      Effect.gen(function* () {
        const files = {
          ...web,
          "auto.yaml": service("auto", "ip: ~", "[{port: 53, protocol: UDP}]").replace("clusterIP: ~, ", "")
        }
        const world = (yield* makeWorld({ services: files })) as Node["world"]
        const { kernel } = world.services
        yield* Effect.scoped(Effect.flatMap(startAgent(world), (agent) => agent.pass(1)))
        const before = new Map(kernel.rules)
        const allotted = before.get("default/auto:/IPv4")?.clusterIP ?? ""
        assert.match(allotted, /^10\.(?:9[6-9]|10\d|11[01])\./)
        const sequence = yield* head(world)
        const agent = yield* startAgent(world)
        yield* agent.pass(2)
        assert.deepEqual(kernel.rules, before)
        const told = (yield* since(world, sequence)).filter(({ actor }) =>
          /^(?:service|endpoint|proxy)/.test(actor.kind)
        )
        assert.deepEqual(tagsOf(told), ["proxy/_/services ProxyStarted", "proxy/_/services DataplaneSynced"])
      })
    ))

  it("take up what was declared and taken away while the agent was down", () =>
    simulate(
      Effect.gen(function* () {
        const world = (yield* makeWorld({ services: web })) as Node["world"]
        const { kernel, manifests } = world.services
        yield* Effect.scoped(Effect.flatMap(startAgent(world), (agent) => agent.pass(1)))
        yield* manifests.write("slice.yaml", slice("web", ["10.0.0.2", "10.0.0.7"]))
        yield* manifests.write("new.yaml", service("new", "ip: 10.96.0.12"))
        const agent = yield* startAgent(world)
        yield* agent.pass(2)
        assert.deepEqual(serversOf(kernel.rules.get(key)), ["10.0.0.2:8080", "10.0.0.7:8080"])
        assert.ok(kernel.rules.has("default/new:/IPv4"))
        yield* manifests.remove("slice.yaml")
        yield* agent.pass(1)
        assert.deepEqual(serversOf(kernel.rules.get(key)), [])
      })
    ))

  it("that ask for one node port get it in turn: the older has it, both are named, the younger takes it up", () =>
    onNode(
      { "a.yaml": service("a", "ip: 10.96.0.1, type: NodePort", "[{port: 80, nodePort: 30080}]") },
      ({ world, agent }) =>
        Effect.gen(function* () {
          const { kernel, manifests } = world.services
          yield* manifests.write(
            "b.yaml",
            service("b", "ip: 10.96.0.2, type: NodePort", "[{port: 80, nodePort: 30080}]")
          )
          yield* agent.pass(1)
          assert.equal(kernel.rules.has("default/b:/IPv4"), false)
          const [rejected] = yield* since(world, 0, "ServiceRejected")
          assert.ok(rejected?.event._tag === "ServiceRejected")
          assert.deepEqual([rejected.actor.name, rejected.event.problems[0]?.holder], ["b", "default/a"])
          assert.match(rejected.event.problems[0]?.message ?? "", /node port 30080\/TCP is taken by default\/a/)
          yield* manifests.remove("a.yaml")
          yield* agent.pass(1)
          assert.equal(kernel.rules.get("default/b:/IPv4")?.nodePort, 30_080)
        })
    ))

  it("are not served while the machine lacks something, which is told once and looked for again", () =>
    simulate(
      Effect.gen(function* () {
        const world = (yield* makeWorld({ services: web })) as Node["world"]
        const { kernel } = world.services
        kernel.missing = [{ what: "nft", remedy: "install nftables" }]
        const agent = yield* startAgent(world)
        yield* agent.pass(25)
        assert.equal(kernel.calls.resync, 0)
        assert.equal((yield* since(world, 0, "ProxyUnavailable")).length, 1)
        yield* agent.pass(40)
        assert.equal(agent.telemetry!.service.healthy(), false)
        kernel.missing = []
        yield* agent.pass(10)
        assert.equal(kernel.rules.size, 1)
        assert.equal(agent.telemetry!.service.healthy(), true)
      })
    ))

  it("keep flows of UDP to servers that serve, and lose those to servers that are gone", () =>
    onNode(
      {
        "dns.yaml": service("dns", "ip: 10.96.0.53", "[{port: 53, protocol: UDP}]"),
        "slice.yaml": slice("dns", ["10.0.0.1", "10.0.0.2"]).replace("{port: 8080}", "{port: 53, protocol: UDP}")
      },
      ({ world, agent }) =>
        Effect.gen(function* () {
          const { conntrack, manifests } = world.services
          const flow = (server: string, sourcePort: number) => ({
            family: "IPv4" as const,
            protocol: "UDP" as const,
            original: { source: "10.0.9.9", destination: "10.96.0.53", sourcePort, destinationPort: 53 },
            reply: { source: server, destination: "10.0.9.9", sourcePort: 53, destinationPort: sourcePort }
          })
          conntrack.flows = [flow("10.0.0.1", 4001), flow("10.0.0.2", 4002)]
          yield* manifests.write(
            "slice.yaml",
            slice("dns", ["10.0.0.2"]).replace("{port: 8080}", "{port: 53, protocol: UDP}")
          )
          yield* agent.pass(3)
          assert.deepEqual(
            conntrack.flows.map(({ reply }) => reply.source),
            ["10.0.0.2"]
          )
          const [removed] = yield* since(world, 0, "StaleFlowsRemoved")
          assert.ok(removed?.event._tag === "StaleFlowsRemoved" && removed.event.count === 1)
        })
    ))
})
