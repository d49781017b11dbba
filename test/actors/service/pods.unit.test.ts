/** Pods of the node behind a Service: told with their causes, down to the probe that failed; and the pure rule beside it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { selects, targetPortOf } from "../../../src/actors/service/pod-endpoints.ts"
import { actorPath } from "../../../src/events/actor-id.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import type { Pod } from "../../../src/events/pod-spec.ts"
import { makeWorld, simulate, simulatedPod, startAgent } from "../../support/simulated-node.ts"

const service = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.10, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`
const pod = (name: string, app = "web"): string =>
  simulatedPod(
    name,
    "ports: [{name: http, containerPort: 8080}]\n    readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1, failureThreshold: 1}"
  ).replace(`{ name: ${name} }`, `{ name: ${name}, labels: {app: ${app}} }`)

const key = "default/web:/IPv4"

/** Tags of what led to an event, from the first on. */
const causesOf = (events: ReadonlyArray<RecordedEvent>, last: RecordedEvent): ReadonlyArray<string> => {
  const tags: Array<string> = []
  for (let at: RecordedEvent | undefined = last; at !== undefined; ) {
    tags.unshift(at.event._tag)
    const { cause }: RecordedEvent = at
    at = events.find(({ id }) => id === cause)
  }
  return tags
}

describe("pods behind a Service", () => {
  it("come when they are ready, turn unready by a probe, drain, and go; the log tells why", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ services: { "web.yaml": service } })
        const { kernel } = world.services!
        const agent = yield* startAgent(world)
        yield* world.manifests.write("a.yaml", pod("a"))
        yield* world.manifests.write("b.yaml", pod("b"))
        yield* world.manifests.write("c.yaml", pod("c", "other"))
        yield* agent.pass(10)
        const servers = (): ReadonlyArray<string> => (kernel.rules.get(key)?.cluster ?? []).map(({ ip }) => ip)
        assert.equal(servers().length, 2)
        assert.ok(kernel.rules.get(key)?.cluster.every(({ port, local }) => port === 8080 && local))

        const a = agent.system.actors("pod").find(({ id }) => id.name === "a")?.state as never as {
          readonly sandbox: { readonly ips: ReadonlyArray<string> }
        }
        const [ip = ""] = a.sandbox.ips
        yield* world.probes.answer((question) => question.kind === "httpGet" && question.host === ip, {
          result: "failure",
          output: "503"
        })
        yield* agent.pass(3)
        assert.equal(servers().includes(ip), false)
        const events = yield* world.events
        const unready = events.findLast(({ event }) => event._tag === "EndpointUnready")!
        assert.equal(actorPath(unready.actor), `endpoint/default/web._.${ip}:8080`)
        const causes = causesOf(events, unready)
        assert.ok(causes.includes("ProbeFailed"), causes.join(" → "))
        assert.ok(causes.includes("ContainerReadinessChanged"))
        const programmed = events.findLast(({ event }) => event._tag === "ServiceProgrammed")!
        assert.equal(programmed.cause, unready.id)

        yield* world.probes.answer(() => true, { result: "success" })
        yield* agent.pass(3)
        assert.ok(servers().includes(ip))

        yield* world.manifests.remove("a.yaml")
        yield* agent.pass(20)
        assert.equal(servers().length, 1)
        const told = (yield* world.events)
          .filter(({ actor }) => actor.kind === "endpoint" && actor.name.includes(ip))
          .map(({ event }) => event._tag)
        assert.deepEqual(told.slice(-2), ["EndpointDraining", "EndpointRemoved"])
        assert.equal(told.filter((tag) => tag === "EndpointAdded").length, 1)
      })
    ))

  it("are found when the Service comes after them, and left when it goes; a restart tells nothing again", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ services: {} })
        const { kernel, manifests } = world.services!
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* world.manifests.write("a.yaml", pod("a"))
            yield* agent.pass(5)
            yield* manifests.write("web.yaml", service)
            yield* agent.pass(2)
            assert.equal(kernel.rules.get(key)?.cluster.length, 1)
          })
        )
        const before = (yield* world.events).length
        const agent = yield* startAgent(world)
        yield* agent.pass(3)
        const again = (yield* world.events)
          .slice(before)
          .filter(({ actor }) => /^(?:service|endpoint)$/.test(actor.kind))
        assert.deepEqual(again, [])
        assert.equal(kernel.rules.get(key)?.cluster.length, 1)
        yield* manifests.remove("web.yaml")
        yield* agent.pass(2)
        assert.equal(kernel.rules.size, 0)
        assert.equal(agent.system.actors("endpoint").length, 0)
      })
    ))

  it("are selected by all labels, and asked at the port that bears the name in their own protocol", () => {
    assert.equal(selects({ a: "1", b: "2" }, { a: "1", b: "2", c: "3" }), true)
    assert.equal(selects({ a: "1", b: "2" }, { a: "1" }), false)
    assert.equal(selects({}, { a: "1" }), false)
    assert.equal(selects(undefined, {}), false)
    const of = {
      spec: {
        initContainers: [
          { name: "i", image: "x", ports: [{ name: "init", containerPort: 1 }] },
          { name: "s", image: "x", restartPolicy: "Always", ports: [{ name: "side", containerPort: 2 }] }
        ],
        containers: [{ name: "c", image: "x", ports: [{ name: "dns", protocol: "UDP", containerPort: 53 }] }]
      }
    } as never as Pod
    const port = (targetPort: string | number, protocol: "TCP" | "UDP" = "TCP") =>
      targetPortOf({ name: "", protocol, port: 80, targetPort }, of)
    assert.equal(port(8080), 8080)
    assert.equal(port("side"), 2)
    assert.equal(port("init"), undefined)
    assert.equal(port("dns"), undefined)
    assert.equal(port("dns", "UDP"), 53)
  })
})
