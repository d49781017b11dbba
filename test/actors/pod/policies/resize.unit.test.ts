import assert from "node:assert/strict"
import { describe } from "node:test"
import {
  type ContainerUpdate,
  isResizeInProgress,
  memoryProblem,
  resizeActions
} from "../../../../src/actors/pod/plan/resize-actions.ts"
import {
  isSameResources,
  type PodResources,
  resourcesOf,
  withResources
} from "../../../../src/actors/pod/resources/pod-resources.ts"
import { itMeets, podOf, type RowValue } from "../../../support/cases.ts"

/** With the gate off nothing of a pod as a whole is resized: rows that say so are judged without it. */
const countsPodLevel = (gates: Readonly<Record<string, boolean>> | undefined): boolean =>
  gates?.InPlacePodLevelResourcesVerticalScaling === true

const withoutPodLevel = (pod: RowValue): RowValue => {
  const { resources: _, ...spec } = pod.spec
  return { ...pod, spec }
}

describe("a resize in place", () => {
  itMeets("pod-actions.json", "TestComputePodActionsForPodResize", "updates what can be, restarts what must", (row) => {
    const whole = countsPodLevel(row.gates)
    const pod = podOf(whole ? row.in.pod : withoutPodLevel(row.in.pod))
    const known = row.in.actuatedResources?.[pod.metadata.uid] ?? {}
    const actuated: PodResources = {
      ...(whole && known.podLevelResources != null ? { pod: known.podLevelResources } : {}),
      containers: known.containerResources ?? {}
    }
    const statuses: ReadonlyArray<{ name: string; state: string }> = row.in.podStatus.containerStatuses
    const runs = (name: string) => statuses.find((s) => s.name === name)?.state === "running"
    const found = resizeActions(pod, actuated, runs)
    const { actions } = row.want
    const shown = (updates: ReadonlyArray<ContainerUpdate>) =>
      updates.map(({ container, desired, current }) => ({
        container,
        containerID: `://id${statuses.findIndex((s) => s.name === container) + 1}`,
        desiredContainerResources: desired,
        currentContainerResources: current
      }))
    assert.deepEqual(shown(found.cpu), actions.containersToUpdate?.cpu ?? [])
    assert.deepEqual(shown(found.memory), actions.containersToUpdate?.memory ?? [])
    assert.deepEqual(
      found.restart,
      (actions.containersToKill ?? []).map((kill: RowValue) => kill.name)
    )
    assert.equal(found.podLevel, actions.updatePodLevelResources ?? false)
    return undefined
  })

  itMeets(
    "pod-actions.json",
    "TestValidatePodResizeAction",
    "takes no memory away that is in use",
    ({ in: input, want }) => {
      const update = { container: "foo1", desired: input.desiredResources, current: input.currentResources }
      const problem = memoryProblem(
        [update],
        { from: input.currentPodMemLimit ?? undefined, to: input.desiredPodMemLimit ?? undefined },
        { pod: input.podMemoryUsage ?? undefined, container: () => input.containerMemoryUsage ?? undefined }
      )
      assert.equal(problem, want.error ?? undefined)
      return undefined
    }
  )

  itMeets(
    "pod-actions.json",
    "TestIsPodResizeInProgress",
    "is under way until what runs has what it was given",
    (row) => {
      const { containers, podLevelResources } = row.in
      const requirements = (amounts: RowValue) => ({
        requests: { cpu: `${amounts.cpuReq}m`, memory: String(amounts.memReq) },
        limits: { cpu: `${amounts.cpuLim}m`, memory: String(amounts.memLim) }
      })
      const list = (containers as ReadonlyArray<RowValue>).map((c, i) => ({ ...c, name: `c${i}` }))
      const written = list.map((c) => ({
        name: c.name,
        image: "busybox",
        resources: requirements(c.allocated),
        ...(c.sidecar ? { restartPolicy: "Always" } : {})
      }))
      const init = list.flatMap((c, i) => (c.sidecar || c.nonSidecarInit ? [written[i]] : []))
      const main = list.flatMap((c, i) => (c.sidecar || c.nonSidecarInit ? [] : [written[i]]))
      const whole = countsPodLevel(row.gates) ? podLevelResources : null
      const pod = podOf({
        metadata: { name: "p", namespace: "d", uid: "u" },
        spec: {
          containers: main,
          initContainers: init,
          ...(whole == null ? {} : { resources: requirements(whole.allocated) })
        }
      })
      const actuated: PodResources = {
        ...(whole?.actuated == null ? {} : { pod: requirements(whole.actuated) }),
        containers: Object.fromEntries(
          list.flatMap((c) => (c.actuated == null ? [] : [[c.name, requirements(c.actuated)]]))
        )
      }
      const runs = (name: string) => list.find((c) => c.name === name)?.isRunning === true
      assert.equal(isResizeInProgress(pod, actuated, runs), row.want.inProgress)
      return undefined
    }
  )

  itMeets("pod-resources.json", "TestUpdatePodFromAllocation", "gives a pod what it was admitted with", (row) => {
    const whole = countsPodLevel(row.gates)
    const pod = podOf(row.in.pod)
    const { containerResources, podLevelResources } = row.in.allocated ?? {}
    const allocated: PodResources = {
      ...(whole && podLevelResources != null ? { pod: podLevelResources } : {}),
      containers: containerResources ?? {}
    }
    const updated = withResources(pod, allocated)
    assert.equal(isSameResources(resourcesOf(updated), resourcesOf(pod)), !row.want.updated)
    if (row.want.updated) {
      assert.ok(isSameResources(resourcesOf(updated), resourcesOf(podOf(row.want.pod))))
    } else assert.deepEqual(updated, pod)
    return undefined
  })
})
