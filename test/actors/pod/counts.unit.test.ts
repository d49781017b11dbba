import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { podCounts } from "../../../src/actors/pod/counts.ts"
import { emptyContainer, emptyEphemeral, emptyPod, type PodState } from "../../../src/actors/pod/state.ts"

const declared = (change: Partial<PodState>): PodState => ({
  ...emptyPod("default/web"),
  definition: { pod: { metadata: {}, spec: {} } } as never,
  ...change
})
const sandbox = { status: "ready" } as never

describe("counts of pods", () => {
  it("are of those that are there, by what is done for them", () => {
    const counts = podCounts([
      emptyPod("default/refused"),
      declared({ sandbox, phase: "Running" }),
      declared({ phase: "Succeeded" }),
      declared({ termination: { reason: "ManifestRemoved" } as never, sandbox, phase: "Running" }),
      declared({
        termination: { reason: "DefinitionChanged" } as never,
        replacement: {} as never,
        cleanup: {} as never
      })
    ])
    const { running, desired, active, working } = counts
    assert.deepEqual({ running, desired, active }, { running: 2, desired: 3, active: 3 })
    assert.deepEqual(working, { sync: 2, terminating: 1, terminated: 1 })
  })

  it("tell containers by state, the dead ones too", () => {
    const containers = [
      { ...emptyContainer("a", false), status: "running" as const, dead: ["1", "2"] },
      { ...emptyContainer("b", false), status: "starting" as const },
      { ...emptyContainer("c", false), status: "exited" as const, dead: ["3"] },
      { ...emptyEphemeral("d"), status: "killing" as const }
    ]
    const counts = podCounts([declared({ containers })])
    assert.deepEqual(counts.containers, { created: 1, running: 2, exited: 3, unknown: 0 })
    assert.equal(counts.ephemeralContainers, 1)
  })
})
