/** What is told of a Service: declared, changed, rejected beside what is in force, programmed, removed. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { DeclareService, ReportProgrammed, ServiceCommand } from "../../../src/actors/service/commands.ts"
import { serviceDecider } from "../../../src/actors/service/decider.ts"
import { serviceActor } from "../../../src/actors/service/identity.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { ServiceSpec } from "../../../src/events/service-shape.ts"
import { Story, tags } from "../../support/given.ts"
import { seededRandom } from "../../support/random.ts"

const id = serviceActor("default", "web")
const spec: ServiceSpec = {
  type: "NodePort",
  clusterIPs: ["10.96.0.10"],
  ports: [{ name: "", protocol: "TCP", port: 80, targetPort: 8080, nodePort: 30_080 }],
  selector: { app: "web" }
}
const declare = (change: Partial<DeclareService> = {}): DeclareService => ({
  _tag: "DeclareService",
  at: 1000,
  spec,
  file: "/services/web.yaml",
  hash: "h1",
  ...change
})
const programmed = (change: Partial<ReportProgrammed> = {}): ReportProgrammed => ({
  _tag: "ReportProgrammed",
  at: 1100,
  added: ["10.0.0.1:8080"],
  removed: [],
  duration: 1.5,
  latency: 3,
  serving: [{ port: "", protocol: "TCP", family: "IPv4", cluster: 1, local: 1 }],
  digest: "d1",
  ...change
})
const taken = {
  field: "spec.ports[0].nodePort",
  message: "30080/TCP is default/older's",
  holder: "default/older"
}

describe("a Service", () => {
  it("is declared once, with what this node chose, below the proxy", () => {
    const story = new Story(serviceDecider, id)
    const allotted = ["clusterIPs", "ports[0].nodePort"]
    assert.deepEqual(story.when(declare({ allotted }))[0]?.event, {
      _tag: "ServiceDeclared",
      spec,
      file: "/services/web.yaml",
      hash: "h1",
      allotted
    })
    assert.deepEqual(story.when(declare({ allotted })), [])
    assert.deepEqual(story.when(declare({ allotted, spec: JSON.parse(JSON.stringify(spec)) })), [])
    assert.deepEqual(serviceDecider.supervisor?.(id), actorId("proxy", "", "services"))
  })

  it("is changed by another declaration, and by another allotment", () => {
    const story = new Story(serviceDecider, id)
    story.when(declare())
    assert.deepEqual(tags(story.when(declare({ hash: "h2", spec: { ...spec, affinitySeconds: 10 } }))), [
      "ServiceChanged"
    ])
    assert.deepEqual(tags(story.when(declare({ hash: "h2", spec: { ...spec, clusterIPs: ["10.96.0.11"] } }))), [
      "ServiceChanged"
    ])
  })

  it("stays as it is in force while a change of it is rejected, which is told once for each reason", () => {
    const story = new Story(serviceDecider, id)
    story.when(declare())
    const wrong = declare({ hash: "h2", problems: [taken] })
    assert.deepEqual(tags(story.when(wrong)), ["ServiceRejected"])
    assert.deepEqual(story.when(wrong), [])
    assert.equal(story.state.declared?.hash, "h1")
    const other = { ...taken, message: "30080/TCP is default/third's", holder: "default/third" }
    assert.deepEqual(tags(story.when({ ...wrong, problems: [other] })), ["ServiceRejected"])
    // Taken back, and taken up.
    assert.deepEqual(tags(story.when(declare())), ["ServiceChanged"])
    assert.equal(story.state.rejected, null)
    story.when(wrong)
    assert.deepEqual(tags(story.when(declare({ hash: "h2" }))), ["ServiceChanged"])
    assert.equal(story.state.declared?.hash, "h2")
  })

  it("that was never in force is remembered as rejected, and declared when what hindered it is gone", () => {
    const story = new Story(serviceDecider, id)
    story.when(declare({ problems: [taken] }))
    assert.equal(serviceDecider.finished?.(story.state), false)
    assert.deepEqual(tags(story.when(declare())), ["ServiceDeclared"])
    assert.deepEqual(tags(story.when({ _tag: "RemoveService", at: 2000 })), ["ServiceRemoved"])
    assert.equal(serviceDecider.finished?.(story.state), true)
    assert.deepEqual(story.when({ _tag: "RemoveService", at: 2000 }), [])
  })

  it("is programmed when servers came or went, and once for each of its changes", () => {
    const story = new Story(serviceDecider, id)
    story.when(declare())
    assert.deepEqual(tags(story.when(programmed())), ["ServiceProgrammed"])
    // A restart of the agent puts the same into the kernel.
    assert.deepEqual(story.when(programmed()), [])
    assert.deepEqual(tags(story.when(programmed({ added: [], digest: "d2" }))), ["ServiceProgrammed"])
    assert.deepEqual(story.state.programmed?.serving, programmed().serving)
  })

  it("that is gone tells what left the kernel, and is forgotten all the same", () => {
    const story = new Story(serviceDecider, id)
    story.when(declare())
    story.when(programmed())
    story.when({ _tag: "RemoveService", at: 2000 })
    assert.deepEqual(story.when(programmed()), [])
    const [left] = story.when(programmed({ added: [], removed: ["10.0.0.1:8080"], serving: [] }))
    assert.equal(left?.event._tag, "ServiceProgrammed")
    assert.equal(serviceDecider.finished?.(story.state), true)
  })

  it("tells each endpoint that cannot be used once, whatever else changes in its slice", () => {
    const story = new Story(serviceDecider, id)
    story.when(declare())
    const bad = { address: "300.0.0.1", field: "endpoints[0].addresses[0]", message: "is no IP address", line: 7 }
    const worse = { address: "fd00::1", field: "endpoints[1].addresses[0]", message: "is not of the family IPv4" }
    const reject = (hash: string, endpoints: ReadonlyArray<typeof worse>): ServiceCommand => ({
      _tag: "RejectEndpoints",
      at: 1200,
      slice: "web-abc",
      file: "/services/slices.yaml",
      hash,
      endpoints
    })
    assert.deepEqual(tags(story.when(reject("s1", [bad]))), ["EndpointRejected"])
    assert.deepEqual(tags(story.when(reject("s1", [bad, worse]))), ["EndpointRejected"])
    assert.deepEqual(story.when(reject("s1", [bad, worse])), [])
    // The slice changed elsewhere.
    assert.deepEqual(story.when(reject("s2", [bad])), [])
    assert.deepEqual(tags(story.when(reject("s2", [{ ...bad, address: "x" }]))), ["EndpointRejected"])
  })

  it("never breaks its fold by any commands in any order", () => {
    const { pick } = seededRandom("Services")
    for (let round = 0; round < 200; round++) {
      const story = new Story(serviceDecider, id)
      for (let step = 0; step < 12; step++) {
        const command = pick<ServiceCommand>([
          declare({ hash: pick(["h1", "h2"]), file: pick(["/a", "/b"]) }),
          declare({ hash: pick(["h1", "h2"]), problems: [taken] }),
          { _tag: "RemoveService", at: 1000 },
          programmed({ digest: pick(["d1", "d2"]), added: pick([[], ["10.0.0.1:8080"]]) })
        ])
        story.when(command)
        assert.deepEqual(story.when(command), [])
      }
      assert.deepEqual(story.refolded(), story.state)
    }
  })
})
