/**
 * The runtime's listing against the pods' states: what changed, and what belongs to nobody. Pure. Pods are given as they
 * were before the listing was asked for, so that what began meanwhile is not taken for lost.
 */
import type { Container, Sandbox } from "../../adapters/cri/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { ContainerInState, PodState } from "../pod/state.ts"
import { uidOf } from "../pod/state.ts"

export const podUidLabel = "io.kubernetes.pod.uid"

export interface PodFinding {
  readonly pod: ActorId
  readonly uid: string
  readonly sandboxes: ReadonlyArray<{ readonly sandboxId: string; readonly state: "notReady" | "missing" }>
  /** Containers that ended (to be asked for their exit) or are unknown to the runtime. */
  readonly exited: ReadonlyArray<string>
  readonly missing: ReadonlyArray<string>
  /** Containers that should run, and whose state the runtime itself does not know. */
  readonly unclear: ReadonlyArray<string>
}

export interface Comparison {
  readonly findings: ReadonlyArray<PodFinding>
  /** Sandboxes of pods that are not on this node now. */
  readonly strays: ReadonlyArray<Sandbox>
}

type Pods = ReadonlyArray<{ readonly id: ActorId; readonly state: PodState }>

const nothing: Comparison = { findings: [], strays: [] }

const isSame = <A>(one: ReadonlyArray<A>, other: ReadonlyArray<A>): boolean =>
  one.length === other.length && one.every((item, n) => item === other[n])

/**
 * `compare`, of looks that follow one another every second: what is the very same as at the last look, and led to nothing
 * then, leads to nothing now. Adapters list what has not changed as the value of the listing before.
 */
export const makeComparison = (): typeof compare => {
  let last: Parameters<typeof compare> = [[], [], []]
  let found = nothing
  return (pods, sandboxes, containers) => {
    const [podsBefore, sandboxesBefore, containersBefore] = last
    const isQuiet =
      found.findings.length + found.strays.length === 0 &&
      isSame(sandboxes, sandboxesBefore) &&
      isSame(containers, containersBefore) &&
      pods.length === podsBefore.length &&
      pods.every(({ state }, n) => state === podsBefore[n]?.state)
    if (isQuiet) return nothing
    last = [pods, sandboxes, containers]
    found = compare(pods, sandboxes, containers)
    return found
  }
}

export const compare = (
  pods: Pods,
  sandboxes: ReadonlyArray<Sandbox>,
  containers: ReadonlyArray<Container>
): Comparison => {
  const sandboxById = new Map(sandboxes.map((s) => [s.id, s]))
  const containerById = new Map(containers.map((c) => [c.id, c]))
  const known = new Set<string>()
  const findings: Array<PodFinding> = []
  for (const { id, state } of pods) {
    const uid = uidOf(state)
    if (uid === "") continue
    known.add(uid)
    const sandbox = state.sandbox?.status === "ready" ? sandboxById.get(state.sandbox.sandboxId) : undefined
    const lost =
      state.sandbox?.status !== "ready" || sandbox?.state === "SANDBOX_READY"
        ? []
        : [
            {
              sandboxId: state.sandbox.sandboxId,
              state: sandbox === undefined ? ("missing" as const) : ("notReady" as const)
            }
          ]
    const exited: Array<ContainerInState> = []
    const missing: Array<ContainerInState> = []
    const unclear: Array<ContainerInState> = []
    for (const c of state.containers) {
      if (c.status !== "running" && c.status !== "killing") continue
      const found = containerById.get(c.containerId)
      if (found === undefined) missing.push(c)
      else if (found.state === "CONTAINER_EXITED") exited.push(c)
      // One that is being stopped for it already is not told of again.
      else if (found.state === "CONTAINER_UNKNOWN" && c.status === "running") unclear.push(c)
    }
    if (lost.length + exited.length + missing.length + unclear.length === 0) continue
    findings.push({
      pod: id,
      uid,
      sandboxes: lost,
      exited: exited.map((c) => c.containerId),
      missing: missing.map((c) => c.containerId),
      unclear: unclear.map((c) => c.containerId)
    })
  }
  const strays = sandboxes.filter((s) => {
    const uid = s.labels[podUidLabel]
    return uid !== undefined && !known.has(uid)
  })
  return { findings, strays }
}
