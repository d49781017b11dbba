/**
 * A long log that the real deciders wrote: pods whose server fails its liveness probe again and again. Every line is what a
 * node would have recorded, so that it can be decided again.
 */
import { Result } from "effect"
import { v7 } from "uuid"
import { deciders } from "../src/actors/deciders.ts"
import { pendingIndex } from "../src/actors/kernel/decision.ts"
import { knownFlags } from "../src/actors/kernel/flags.ts"
import { evolveActor } from "../src/actors/kernel/fold.ts"
import type { PodState } from "../src/actors/pod/state.ts"
import { type ActorId, actorId, actorPath } from "../src/events/actor-id.ts"
import { severityOf } from "../src/events/catalogue.ts"
import { timestamp } from "../src/events/definition.ts"
import { makeChain } from "../src/events/journal/chain.ts"
import { placeDrafts } from "../src/events/journal/draft.ts"
import type { EventDraft, JournalRow } from "../src/events/journal/port.ts"

export const logNode = "node-1"
const podCount = 30
const image = "registry.example/web:1.27.3"
const liveness = { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 2, failureThreshold: 3 }

const podOf = (name: string) => ({
  metadata: { namespace: "default", name, uid: `0b5f1a3c77d94e0b8a0f3f51${name}` },
  spec: {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    containers: [{ name: "app", image, livenessProbe: liveness, env: [{ name: "MODE", value: "fast" }] }]
  }
})

type Told = Readonly<Record<string, unknown>> & { readonly _tag: string }

class Writer {
  readonly drafts: Array<EventDraft> = []
  at: number
  private readonly states = new Map<string, unknown>()
  private readonly sequences = new Map<string, number>()

  constructor(start: number) {
    this.at = start
  }

  state(actor: ActorId): unknown {
    return this.states.get(actorPath(actor))
  }

  /** As the kernel does it (drafts.ts), without mailboxes and effects. Answers the id of the last event. */
  tell(actor: ActorId, told: Told, cause?: string): string | undefined {
    const decider = deciders.get(actor.kind)!
    const path = actorPath(actor)
    const command = { at: this.at, ...told }
    let state = this.states.get(path) ?? decider.initial(actor)
    const decided = decider.decide(state, command, knownFlags)
    const ids = decided.map(() => v7())
    for (const [i, { event, because, time }] of decided.entries()) {
      const meta = { id: ids[i]!, time: timestamp(time ?? this.at) }
      state = evolveActor(decider, actor, state, event, meta)
      const sequence = (this.sequences.get(path) ?? 0) + 1
      this.sequences.set(path, sequence)
      const index = because === undefined ? undefined : pendingIndex(because)
      const subject = decider.subject?.(state)
      this.drafts.push({
        ...meta,
        actor,
        subject,
        actorSequence: sequence,
        cause: index === undefined ? (because ?? cause) : ids[index],
        correlation: subject,
        traceparent: undefined,
        severity: severityOf(event),
        command: i === 0 ? JSON.stringify(command) : undefined,
        event
      })
    }
    this.states.set(path, state)
    return ids.at(-1)
  }
}

const begin = (writer: Writer): void => {
  writer.tell(actorId("node", "", logNode), {
    _tag: "AgentStarted",
    version: "bench",
    host: "bench",
    kernel: "6.1.0",
    architecture: "x86_64",
    cgroupVersion: "v2",
    bootId: "b",
    pid: 1,
    recording: "events",
    flags: [...knownFlags],
    recoveredEvents: 0,
    recoveredActors: 0
  })
}

/** One pod: its start, then its probe fails, it is killed, waits and comes back, over and over. */
class PodStory {
  readonly pod: ActorId
  readonly probe: ActorId
  readonly writer: Writer
  private readonly name: string
  private round = 0

  constructor(writer: Writer, name: string) {
    this.writer = writer
    this.name = name
    this.pod = actorId("pod", "default", name)
    this.probe = actorId("probe", "default", `${name}.app.liveness`)
  }

  private get container() {
    const [container] = (this.writer.state(this.pod) as PodState).containers
    return container!
  }

  start(): void {
    const { writer, pod } = this
    writer.tell(pod, { _tag: "DesirePod", pod: podOf(this.name), source: `/etc/manifests/${this.name}.yaml` })
    writer.tell(pod, { _tag: "ReportImage", image, outcome: "present", imageId: `sha256:${"ab12".repeat(16)}` })
    writer.tell(pod, {
      _tag: "ReportSandbox",
      attempt: 0,
      outcome: "created",
      sandboxId: `${this.name}-`.padEnd(64, "5"),
      ips: ["10.88.0.7"],
      createdAt: timestamp(writer.at)
    })
    this.run()
  }

  private run(): void {
    const { writer, pod, probe } = this
    const { attempt } = this.container
    const containerId = `${this.name}-${attempt}-`.padEnd(64, "c")
    const startedAt = timestamp(writer.at)
    writer.tell(pod, { _tag: "ReportContainerCreated", container: "app", attempt, containerId })
    const started = { container: "app", attempt, containerId, outcome: "started", startedAt }
    const cause = writer.tell(pod, { _tag: "ReportContainerStart", ...started })
    writer.tell(
      probe,
      {
        _tag: "StartProbe",
        podUid: podOf(this.name).metadata.uid,
        pod: `default/${this.name}`,
        container: "app",
        containerId,
        probe: "liveness",
        spec: liveness,
        host: "10.88.0.7",
        ports: {},
        startedAt
      },
      cause
    )
    this.answer("success", "")
  }

  private answer(result: "success" | "failure", output: string): string | undefined {
    const { containerId } = this.container
    return this.writer.tell(this.probe, {
      _tag: "ProbeObserved",
      containerId,
      result,
      output,
      timedOut: false,
      duration: 3
    })
  }

  /** Twenty events, more or less. */
  fail(): void {
    const { writer, pod, probe } = this
    this.round += 1
    const output = "HTTP probe failed with statuscode: 503"
    let cause: string | undefined
    for (let n = 0; n < liveness.failureThreshold; n++) cause = this.answer("failure", output)
    const { containerId } = this.container
    const place = { container: "app", containerId }
    cause = writer.tell(pod, { _tag: "ReportProbe", ...place, probe: "liveness", result: "failure", output }, cause)
    writer.tell(probe, { _tag: "StopProbe", reason: "its container is being stopped" }, cause)
    const observed = { containerId, state: "exited", exitCode: 143, reason: "Error", finishedAt: timestamp(writer.at) }
    writer.tell(pod, { _tag: "ReportContainerStop", ...place, outcome: "stopped", observed })
    const { backOff, dead } = this.container
    if (backOff !== null) {
      // Its turn comes when the back-off is over; the others wait as long.
      writer.at = Math.max(writer.at, backOff.until)
      writer.tell(pod, { _tag: "TimerFired", key: "back-off/app", dueAt: backOff.until }, backOff.because)
    }
    this.run()
    writer.tell(pod, { _tag: "ReportContainersRemoved", container: "app", containerIds: dead.slice(0, -1) })
  }
}

/** At least `count` rows, as a journal holds them. */
export const decidedRows = function* (count: number, start: number): Generator<JournalRow> {
  const chain = makeChain()
  const writer = new Writer(start)
  begin(writer)
  const pods = Array.from({ length: podCount }, (_, i) => new PodStory(writer, `web-${i}`))
  let sequence = 0
  const rows = function* (): Generator<JournalRow> {
    for (const draft of writer.drafts.splice(0)) {
      sequence += 1
      const { line } = Result.getOrThrow(placeDrafts("bench", logNode, [draft], sequence, writer.at))[0]!
      const previousHash = chain.head()
      const hash = chain.next(line)
      yield sequence === 1 ? { sequence, line, hash, previousHash } : { sequence, line, hash }
    }
  }
  for (const pod of pods) {
    pod.start()
    yield* rows()
  }
  while (sequence < count)
    for (const pod of pods) {
      writer.at += 50
      pod.fail()
      yield* rows()
    }
}
