/** What `why` says of every kind of incident that there is a golden log of: its first line, and the chain with its evidence. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect, Result, Stream } from "effect"
import { isOfPod } from "../../../src/cli/filter.ts"
import { PodVerdict } from "../../../src/cli/why/verdict.ts"
import { tell } from "../../../src/events/catalogue.ts"
import { causeChain, evidence, trigger } from "../../../src/events/causes.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { readIncident } from "../../../src/events/incident/reader.ts"

const eventsOf = async (name: string): Promise<ReadonlyArray<RecordedEvent>> => {
  const path = fileURLToPath(new URL(`../../golden/0.1.0/${name}.ndjson`, import.meta.url))
  const entries = await Effect.runPromise(Stream.runCollect(readIncident(path)))
  return [...entries].map(({ event }) => Result.getOrThrow(event))
}
/** Times of day are the reader's: T stands for each. */
const withoutTimes = (text: string): string => text.replace(/(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/gu, "T")

const get = "GET http://10.88.0.1:8080/healthz"
const answers: ReadonlyArray<readonly [log: string, pod: string, answer: string]> = [
  ["liveness-kill", "web", `restarted twice since T: its liveness probe ${get} answered 503 three times`],
  ["liveness-kill-obeyed", "web", `restarted once since T: its liveness probe ${get} answered 503 three times`],
  [
    "agent-upgraded",
    "before",
    `succeeded at T: its liveness probe ${get} answered 503 three times, so that it was stopped; app ended with exit code 0 (restartPolicy OnFailure)`
  ],
  [
    "liveness-times-out",
    "web",
    `restarted once since T: its liveness probe ${get} did not answer in time twice; app waits until T (back-off 10 s)`
  ],
  [
    "startup-probe-fails",
    "web",
    `restarted once since T: its startup probe ${get} failed three times: connection refused; app waits until T (back-off 10 s)`
  ],
  ["readiness-and-startup", "web", `app is not ready since T: its readiness probe ${get} answered 500 three times`],
  [
    "readiness-flaps",
    "web",
    `is ready again; app was unready three times, at last at T: its readiness probe ${get} answered 503 twice`
  ],
  [
    "crash-back-off-grows-and-resets",
    "web",
    "restarted nine times since T: app ended with exit code 1; app waits until T (back-off 80 s)"
  ],
  ["crash-loop-inputs", "web", "restarted six times since T: app ended with exit code 1"],
  ["out-of-memory", "web", "restarted twice since T: app ran out of memory (OOMKilled)"],
  ["init-fails", "web", "failed at T: prepare ended with exit code 3 (restartPolicy Never)"],
  ["init-fails-then-succeeds", "web", "restarted twice since T: prepare ended with exit code 3"],
  [
    "start-fails",
    "web",
    'restarted twice since T: app could not be started: exec: "/nowhere": stat /nowhere: no such file or directory: unknown'
  ],
  ["job-succeeds-and-fails", "good", "succeeded at T: app ended with exit code 0 (restartPolicy Never)"],
  ["job-succeeds-and-fails", "bad", "failed at T: app ended with exit code 4 (restartPolicy Never)"],
  [
    "termination-with-grace-and-kill",
    "web",
    "removed at T: its manifest is gone; deaf did not end within 5 s and was killed (SIGKILL)"
  ],
  [
    "image-missing",
    "web",
    'app cannot start: ErrImagePull: failed to pull and unpack image "registry.local/nowhere:1": failed to resolve reference "registry.local/nowhere:1": registry.local/nowhere:1: not found (since T)'
  ],
  [
    "image-comes-late",
    "web",
    "runs since T; for 30s before that: app cannot start: ErrImagePull: dial tcp 192.0.2.1:443: i/o timeout"
  ],
  [
    "image-never-pulled",
    "web",
    "runs since T; for 30s before that: app cannot start: ErrImageNeverPull: image registry.local/absent:1 is not on the node, and is never pulled (imagePullPolicy Never)"
  ],
  [
    "image-name-invalid",
    "web",
    'app cannot start: InvalidImageName: image name "registry.local/UPPER:1" has upper-case letters in its name (since T)'
  ],
  ["volumes-fail", "web", "removed at T: its manifest is gone"],
  ["replaced-and-removed", "web", "removed at T: its manifest is gone"],
  ["manifests-of-many-hands", "web", "runs since T and is ready; its definition changed at T"],
  ["bad-manifests", "a", "runs since T and is ready; it had no restart, kill or failure"],
  ["runtime-comes-back", "web", "restarted once since T: app ended with exit code 2"],
  ["runtime-lost", "web", "restarted once since T: the sandbox of app was lost"],
  ["agent-killed-after-the-effect", "web", "runs since T and is ready; it had no restart, kill or failure"],
  [
    "actor-fails-and-escalates",
    "web",
    "is ready again; its actor volume web.data failed on resume: undefined is not a function, eight times since T"
  ],
  ["disk-full", "new", "runs since T and is ready; it had no restart, kill or failure"]
]

const verdictOn = (events: ReadonlyArray<RecordedEvent>, name: string): PodVerdict => {
  const verdict = new PodVerdict()
  for (const event of events) if (isOfPod(event.actor, { namespace: "default", name })) verdict.apply(event)
  return verdict
}

describe("the first line of why pod", () => {
  for (const [log, pod, answer] of answers)
    it(`of ${log}, ${pod}: ${answer}`, async () => {
      assert.equal(withoutTimes(verdictOn(await eventsOf(log), pod).verdict().text), answer)
    })

  it("tells what is missing while it is missing: a volume, a sandbox, readiness, an end that takes its time", async () => {
    const events = await eventsOf("volumes-fail")
    const until = (tag: string, count: number): string => {
      let seen = 0
      const end = events.findIndex(({ event }) => event._tag === tag && ++seen === count)
      return withoutTimes(verdictOn(events.slice(0, end + 1), "web").verdict().text)
    }
    assert.equal(
      until("VolumeMountFailed", 3),
      "volume data is missing: /srv/data does not exist (hostPath type Directory) (since T, tried twice)"
    )
    assert.equal(until("VolumeMounted", 1), "volume tmp is missing: EIO: i/o error, mkdir (since T, tried four times)")
    assert.equal(
      until("VolumeUnmountFailed", 2),
      "ending since T: its manifest is gone; volume tmp cannot be taken down: EBUSY: resource busy, rmdir (tried twice)"
    )
    assert.equal(until("ContainerStarted", 1), "app is not ready yet")
    assert.equal(until("PodTerminationRequested", 1), "ending since T: its manifest is gone")
    assert.match(until("ContainerReadinessChanged", 1), /^runs since T; for 15s before that: volume tmp is missing: /u)
  })
})

const chainOf = async (events: ReadonlyArray<RecordedEvent>, tag: string) => {
  const last = events.findLast(({ event }) => event._tag === tag)!
  return Effect.runPromise(causeChain(last, (id) => Effect.succeed(events.find((event) => event.id === id))))
}
const told = ({ event }: RecordedEvent): string => (event._tag === "Unknown" ? "" : tell(event))

describe("the chain of causes, oldest first", () => {
  const chains: ReadonlyArray<
    readonly [log: string, last: string, tags: ReadonlyArray<string>, trigger: string | undefined]
  > = [
    [
      "liveness-kill-inputs",
      "ContainerExited",
      ["ProbeFailed", "ProbeResultChanged", "ContainerProbeReported", "ContainerKillRequested", "ContainerExited"],
      "liveness probe of app failed (1/3): HTTP probe failed with statuscode: 503"
    ],
    [
      "out-of-memory",
      "ContainerBackOffStarted",
      ["ContainerStarted", "ContainerExited", "ContainerBackOffStarted"],
      "app ended with exit code 137 (out of memory)"
    ],
    [
      "image-missing",
      "ContainerWaiting",
      ["PodAdmitted", "ImageRequested", "ImagePullStarted", "ImagePullFailed", "ContainerWaiting"],
      'ErrImagePull: registry.local/nowhere:1: failed to pull and unpack image "registry.local/nowhere:1": failed to resolve reference "registry.local/nowhere:1": registry.local/nowhere:1: not found'
    ],
    [
      "termination-with-grace-and-kill",
      "ContainerExited",
      ["ManifestRemoved", "PodTerminationRequested", "ContainerKillRequested", "ContainerExited"],
      "/manifests/web.yaml is gone"
    ],
    [
      "runtime-lost",
      "ContainerStarted",
      ["SandboxStopped", "SandboxRequested", "SandboxCreated", "ContainerStartRequested", "ContainerStarted"],
      "sandbox 0000000000000 is lost: it is not ready"
    ]
  ]
  for (const [log, last, tags, set] of chains)
    it(`of ${log} ends with ${tags.join(", ")}`, async () => {
      const { steps, missing } = await chainOf(await eventsOf(log), last)
      assert.equal(missing, undefined)
      assert.deepEqual(
        steps.slice(-tags.length).map(({ event }) => event._tag),
        tags
      )
      const first = trigger(steps)
      assert.equal(first === undefined ? undefined : told(first), set)
    })

  it("shows what each step saw: output and count, exit code and memory, attempts and times", async () => {
    const of = (events: ReadonlyArray<RecordedEvent>, tag: string) =>
      Object.fromEntries(evidence(events.find(({ event }) => event._tag === tag)!))
    const kill = await eventsOf("liveness-kill-inputs")
    assert.deepEqual(of(kill, "ProbeFailed"), {
      output: "HTTP probe failed with statuscode: 503",
      failure: "1 of 3",
      took: "0 ms"
    })
    assert.equal(of(kill, "ProbeResultChanged")["in a row"], "3, threshold 3")
    assert.equal(of(kill, "ContainerKillRequested").grace, "5 s")
    const memory = of(await eventsOf("out-of-memory"), "ContainerExited")
    assert.deepEqual([memory["exit code"], memory["out of memory"], memory["ran for"]], ["137", "yes", "2.0 s"])
    const obeyed = of(await eventsOf("liveness-kill-obeyed"), "ContainerExited")
    assert.deepEqual([obeyed["exit code"], obeyed["stopped for"]], ["0", "LivenessProbe"])
    const pull = of(await eventsOf("image-comes-late"), "ImagePullFailed")
    assert.deepEqual([pull.attempt, pull["tried again"]], ["1", "2026-01-01T00:00:10.000Z"])
  })
})
