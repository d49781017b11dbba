/** Resources in the statuses of pods and containers: what was granted, and what is in force. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { overlaid, resourcesOf } from "../../../../src/actors/pod/resources/pod-resources.ts"
import { compare, quantityOf } from "../../../../src/actors/pod/resources/quantity.ts"
import { emptyContainer, emptyPod, type PodState } from "../../../../src/actors/pod/state.ts"
import {
  aggregatedResources,
  containerResourceStatus,
  podResourceStatus,
  type ResourceStatus,
  resourcesInForce
} from "../../../../src/actors/pod/status/resource-statuses.ts"
import { containerViews, podView } from "../../../../src/actors/pod/view.ts"
import { actorId } from "../../../../src/events/actor-id.ts"
import type { ResourceRequirements } from "../../../../src/events/pod-spec.ts"
import { itMeets, podOf, type Row, type RowValue } from "../../../support/cases.ts"
import { container, PodStory, pod } from "../pod-story.ts"

const when = "2026-01-01T00:00:00.000Z"

/** What the runtime tells of a container's cgroup. */
const seenBy = (cri: RowValue): ResourceRequirements => {
  const side = (cpu: string | undefined, memory: string | undefined) => ({
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory })
  })
  return {
    requests: side(cri.cpuRequest, cri.memoryRequest),
    limits: side(cri.cpuLimit, cri.memoryLimit)
  }
}

/** A pod whose containers are as the runtime lists them, with what it tells of them in force. */
const stateOf = (written: RowValue, listed: ReadonlyArray<RowValue>): PodState => {
  const p = podOf(written)
  const containers = Object.fromEntries(listed.map(({ name, resources }) => [name, seenBy(resources)]))
  return {
    ...emptyPod("new/foo"),
    definition: { pod: p, source: "", qosClass: "Burstable", maxRestartPeriodSeconds: 300, because: "e0" },
    containers: p.spec.containers.map(({ name }: RowValue) => {
      const { state } = listed.find((c) => c.name === name)
      const c = { ...emptyContainer(name, false), attempt: 0, containerId: "c" }
      if (state === "running") return { ...c, status: "running" as const, startedAt: when }
      return { ...c, status: state === "exited" ? ("exited" as const) : ("starting" as const) }
    }),
    resize: { actuated: overlaid(resourcesOf(p), { containers }), because: "e1" }
  }
}

const wantedOf = ({ allocatedResources, resources }: RowValue): ResourceStatus => ({
  ...(allocatedResources === undefined ? {} : { allocatedResources }),
  resources
})

describe("resources in a status", () => {
  const file = "container-statuses.json"
  itMeets(file, "TestConvertToAPIContainerStatusesForResources", "are what was granted and what is in force", (row) => {
    const { pod: written, podStatus, containers, allocatedResources } = row.in
    // What is allocated stands in the definition here.
    const allocated = containers.map((c: RowValue) => ({ ...c, resources: allocatedResources ?? c.resources }))
    const state = stateOf({ ...written, spec: { ...written.spec, containers: allocated } }, podStatus.containerStatuses)
    for (const status of row.want.statuses)
      assert.deepEqual(containerResourceStatus(state, status.name), wantedOf(status))
    return undefined
  })

  itMeets("pod-status.json", "Test_generateAPIPodStatusForInPlaceVPAEnabled", "are summed up for the pod", (row) => {
    const { pod: written, podStatus } = row.in
    const state = stateOf(written, podStatus.containerStatuses)
    const { status } = row.want
    assert.deepEqual(podResourceStatus(state), wantedOf(status))
    for (const c of status.containerStatuses) assert.deepEqual(containerResourceStatus(state, c.name), wantedOf(c))
    return undefined
  })

  const sum = (side: "requests" | "limits") => (row: Row) => {
    const { spec, status } = podOf(row.in.pod)
    const told = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
    const inForce = Object.fromEntries(told.map(({ name, resources }: RowValue) => [name, resources]))
    const { [side]: texts = {} } = aggregatedResources(
      podOf({ ...row.in.pod, spec: { ...spec, containers: spec.containers ?? [] } }),
      row.in.options.useStatusResources === true ? { containers: inForce } : undefined
    )
    const wanted: Readonly<Record<string, string>> = row.want[side]
    assert.deepEqual(Object.keys(texts), Object.keys(wanted))
    for (const [name, text] of Object.entries(wanted))
      assert.equal(compare(quantityOf(texts[name]), quantityOf(text)), 0)
    return undefined
  }
  const has = (side: string) => (table: { rows: ReadonlyArray<Row> }) => table.rows[0]?.want[side] !== undefined
  const aggregate = "TestAggregateContainerRequestsAndLimits"
  itMeets("pod-resources.json", aggregate, "are summed up over what runs at once", sum("requests"), has("requests"))
  itMeets("pod-resources.json", aggregate, "limit what runs at once", sum("limits"), has("limits"))

  it("of a cgroup that cannot hold less are those that were granted", () => {
    const seen = { requests: { cpu: "2m" }, limits: { cpu: "10m" } }
    const small = { requests: { cpu: "1m" }, limits: { cpu: "5m" } }
    assert.deepEqual(resourcesInForce(small, seen, true), small)
    const larger = { requests: { cpu: "3m" }, limits: { cpu: "11m" } }
    assert.deepEqual(resourcesInForce(larger, seen, true), seen)
  })

  it("stay as they were until a resize is in force, in the views of a pod and its containers", () => {
    const sized = (cpu: string) => {
      const amounts = { cpu, memory: "64Mi" }
      return pod({ containers: [container("app", { resources: { requests: amounts, limits: amounts } })] })
    }
    const id = actorId("pod", "default", "web")
    const story = new PodStory()
    const shown = () => {
      const [c] = containerViews(id, story.state)
      const { allocatedResources, resources, containers } = podView(id, story.state)
      assert.deepEqual(containers[0]?.resources, c?.resources)
      return [allocatedResources.cpu, resources.limits?.cpu, c?.allocatedResources?.cpu, c?.resources?.requests?.cpu]
    }
    story.desire(sized("100m"))
    assert.deepEqual(shown(), ["100m", "100m", undefined, undefined])
    story.imagePresent()
    story.sandboxCreated()
    story.started("app")
    assert.deepEqual(shown(), ["100m", "100m", "100m", "100m"])
    story.tell({ _tag: "DesirePod", pod: sized("200m"), source: "/m/web.yaml" })
    assert.deepEqual(shown(), ["200m", "100m", "200m", "100m"])
    story.tell({ _tag: "ReportResize", outcome: "done", containers: ["app"] })
    assert.deepEqual(shown(), ["200m", "200m", "200m", "200m"])
  })
})
