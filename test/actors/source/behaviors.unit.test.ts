/**
 * Source, image, volume and probe on the real kernel, with everything outside in memory and virtual time. In place of the
 * pod stands an actor that only keeps what it is told.
 */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { Context, Effect, Layer, Result, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { imageBehavior } from "../../../src/actors/image/behavior.ts"
import { ImageGrants } from "../../../src/actors/image/grants.ts"
import type { AnyBehavior, Behavior, Command } from "../../../src/actors/kernel/behavior.ts"
import { knownFlags } from "../../../src/actors/kernel/flags.ts"
import { Redecision } from "../../../src/actors/kernel/redecide.ts"
import { makeActorSystem } from "../../../src/actors/kernel/system.ts"
import { Admission } from "../../../src/actors/node/admission.ts"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { Pods } from "../../../src/actors/pod/pods.ts"
import { PodSettings } from "../../../src/actors/pod/settings.ts"
import { probeBehavior } from "../../../src/actors/probe/behavior.ts"
import { RuntimeView } from "../../../src/actors/runtime/features.ts"
import { RuntimeReach } from "../../../src/actors/runtime/reach.ts"
import { makeSourceBehavior, manifestSource } from "../../../src/actors/source/behavior.ts"
import { Placements } from "../../../src/actors/source/placements.ts"
import { volumeBehavior } from "../../../src/actors/volume/behavior.ts"
import { MemoryCredentials } from "../../../src/adapters/credentials/memory.ts"
import { Credentials } from "../../../src/adapters/credentials/port.ts"
import { ContainerRuntime, CriError } from "../../../src/adapters/cri/port.ts"
import { ManifestsControl, layer as manifestsLayer } from "../../../src/adapters/manifests/memory.ts"
import type { Manifests } from "../../../src/adapters/manifests/port.ts"
import { ProberControl, layer as proberLayer } from "../../../src/adapters/probing/memory.ts"
import type { Prober } from "../../../src/adapters/probing/port.ts"
import { VolumesControl, layer as volumesLayer } from "../../../src/adapters/volumes/memory.ts"
import type { Volumes } from "../../../src/adapters/volumes/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { NodeEvent } from "../../../src/events/catalogue.ts"
import { decodeLine } from "../../../src/events/decode.ts"
import { timestamp } from "../../../src/events/definition.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { Journal } from "../../../src/events/journal/port.ts"
import { effectTest } from "../../support/effect.ts"

const sourceBehavior = makeSourceBehavior([manifestSource])

type Needs =
  | Admission
  | Credentials
  | ImageGrants
  | Manifests
  | Placements
  | PodSettings
  | Prober
  | Volumes
  | ContainerRuntime
  | RuntimeReach

/** An actor of kind pod that writes nothing and keeps what it is told. */
const listener = (told: Array<Command>): Behavior<null, Command, NodeEvent, never> => ({
  kind: "pod",
  stateVersion: 1,
  command: Schema.Any as never,
  initial: () => null,
  decide: (_, command) => {
    told.push(command)
    return []
  },
  evolve: (state) => state
})

/** Images of the node, and what pulling does; a pull takes three seconds. */
const makeImages = () => {
  const present = new Set<string>()
  const broken = new Set<string>()
  const calls: Array<string> = []
  const service = {
    imageStatus: (image: string) =>
      Effect.sync(() => {
        calls.push(`status ${image}`)
        return present.has(image) ? { id: `id of ${image}` } : undefined
      }),
    pullImage: (image: string) =>
      Effect.sync(() => void calls.push(`pull ${image}`)).pipe(
        Effect.andThen(Effect.sleep(3000)),
        Effect.andThen(
          Effect.suspend(() => {
            if (broken.has(image))
              return Effect.fail(new CriError({ reason: "NotFound", call: "PullImage", message: "404" }))
            present.add(image)
            return Effect.succeed(`id of ${image}`)
          })
        )
      )
  } as unknown as (typeof ContainerRuntime)["Service"]
  return { present, broken, calls, service }
}

const manifest = (value: string) => `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: app, image: busybox, env: [{name: A, value: ${value}}]}]
`

/** A node whose agent can be started again and again over one journal and one outside world. */
const makeNode = Effect.gen(function* () {
  const { journal } = yield* makeMemoryJournal({ node: "n1" })
  const images = makeImages()
  const world = yield* Layer.build(
    Layer.mergeAll(
      manifestsLayer({ nodeName: "n1" }),
      proberLayer,
      volumesLayer,
      Layer.succeed(ContainerRuntime, images.service),
      Layer.succeed(Credentials, MemoryCredentials.make([])),
      Layer.succeed(Placements, { roomFor: () => undefined, userNamespaceFor: () => undefined, forget: () => {} }),
      Layer.succeed(RuntimeView, { state: () => undefined }),
      Layer.succeed(Pods, { all: () => [], everRan: () => Effect.succeed(false) }),
      Layer.succeed(ImageGrants, { now: () => ({ grants: [], underWay: new Set<string>() }) }),
      Layer.succeed(PodSettings, { maxContainerRestartPeriodSeconds: 300 } as PodSettings["Service"]),
      Admission.layer,
      RuntimeReach.layer
    )
  )
  const told: Array<Command> = []
  /** Starts an agent; it dies with the scope, as with SIGKILL: nothing is said or finished. */
  const startAgent = Effect.gen(function* () {
    const behaviors = [nodeDecider, sourceBehavior, imageBehavior, volumeBehavior, probeBehavior, listener(told)]
    const system = yield* makeActorSystem<Needs>(behaviors as unknown as ReadonlyArray<AnyBehavior<Needs>>, {
      recording: "events"
    })
    yield* system.recover
    yield* system.start([actorId("node", "", "n1"), manifestSource])
    return system
  }).pipe(Effect.provideService(Journal, journal), Effect.provide(world))

  const events = Effect.map(Stream.runCollect(journal.read({})), (rows) =>
    rows.map(({ line }) => {
      const decoded = decodeLine(line)
      assert.ok(Result.isSuccess(decoded), line)
      return decoded.success as RecordedEvent
    })
  )
  /** Lets `duration` pass, and everything that it sets going end. */
  const pass = (duration: `${number} seconds`) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(duration)
      yield* Effect.promise(() => new Promise((done) => setTimeout(done, 5)))
      yield* TestClock.adjust(0)
    })
  /** Takes what the pod was told since the last time. */
  const heard = () => told.splice(0)
  return { world, images, startAgent, events, pass, heard }
})

const tagsOf = (commands: ReadonlyArray<Command>) => commands.map((c) => c._tag)
const eventTags = (events: ReadonlyArray<RecordedEvent>) => events.map((e) => e.event._tag)

/** What was recorded is decided the same again, from the log alone. */
const assertReplays = (events: ReadonlyArray<RecordedEvent>) => {
  const kinds = [sourceBehavior, imageBehavior, volumeBehavior, probeBehavior]
  const redecision = new Redecision(new Map(kinds.map((b) => [b.kind, b as never])), { flags: knownFlags })
  for (const event of events) redecision.apply(event)
  assert.deepEqual(redecision.end(), [])
  assert.ok(redecision.decisions > 0)
}

describe("the source of manifests, live", () => {
  effectTest(
    "tells pods that they are desired, changed and not desired any more, and again after a restart",
    Effect.gen(function* () {
      const { world, startAgent, events, pass, heard } = yield* makeNode
      const directory = Context.get(world, ManifestsControl)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* startAgent
          yield* pass("1 seconds")
          yield* directory.write("web.yaml", manifest("s3cret"))
          yield* pass("1 seconds")
          const [desire] = heard()
          assert.ok(desire?._tag === "DesirePod")
          assert.doesNotMatch(JSON.stringify(desire), /s3cret/u)
          yield* directory.write("web.yaml", manifest("other"))
          yield* pass("1 seconds")
          assert.deepEqual(tagsOf(heard()), ["DesirePod"])
          yield* directory.write("web.yaml", "kind: [")
          yield* pass("1 seconds")
          assert.deepEqual(tagsOf(heard()), [])
          yield* directory.write("web.yaml", manifest("other"))
          yield* pass("1 seconds")
          assert.deepEqual(tagsOf(heard()), ["DesirePod"])
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* startAgent
          yield* pass("1 seconds")
          assert.deepEqual(tagsOf(heard()), ["DesirePod"])
          yield* directory.setUnreadable("gone")
          yield* pass("30 seconds")
          assert.deepEqual(tagsOf(heard()), [])
          yield* directory.setUnreadable(undefined)
          yield* directory.remove("web.yaml")
          yield* pass("1 seconds")
          assert.deepEqual(tagsOf(heard()), ["UndesirePod"])
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* startAgent
          yield* pass("1 seconds")
          assert.deepEqual(tagsOf(heard()), ["UndesirePod"])
        })
      )
      const all = yield* events
      assert.deepEqual(eventTags(all), [
        "ManifestRead",
        "ManifestRead",
        "ManifestInvalid",
        "ManifestRead",
        "SourceUnreadable",
        "SourceReadable",
        "ManifestRemoved"
      ])
      assertReplays(all)
    }),
    { timeout: 60_000 }
  )

  effectTest(
    "tells files that vanished while the agent was down, and directories of any size in commands of bounded size",
    Effect.gen(function* () {
      const { world, startAgent, events, pass, heard } = yield* makeNode
      const directory = Context.get(world, ManifestsControl)
      for (let i = 0; i < 400; i++) {
        yield* directory.write(`web-${i}.yaml`, manifest("a").replace("name: web", `name: web-${i}`))
      }
      yield* Effect.scoped(Effect.andThen(startAgent, pass("1 seconds")))
      const first = yield* events
      assert.equal(first.length, 400)
      assert.ok(first.every((e) => (e.command?.length ?? 0) < 32 * 1024))
      heard()
      for (let i = 0; i < 400; i++) if (i !== 7) yield* directory.remove(`web-${i}.yaml`)
      yield* Effect.scoped(Effect.andThen(startAgent, pass("1 seconds")))
      const removed = (yield* events).slice(400)
      assert.equal(removed.length, 399)
      assert.ok(removed.every((e) => e.event._tag === "ManifestRemoved"))
    }),
    { timeout: 60_000 }
  )
})

describe("an image, live", () => {
  effectTest(
    "is pulled for a pod, tried again when that fails, and finished after a crash in the middle",
    Effect.gen(function* () {
      const { images, startAgent, events, pass, heard } = yield* makeNode
      const image = actorId("image", "", "busybox")
      const request = { _tag: "RequestImage", at: 0, image: "busybox", pod: "default/web", policy: "IfNotPresent" }
      images.broken.add("busybox:latest")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const system = yield* startAgent
          yield* system.tell(image, request)
          yield* pass("4 seconds")
          const [failed] = heard() as ReadonlyArray<Command & { reason?: string; retryAt?: string }>
          assert.equal(failed?.reason, "ErrImagePull")
          assert.equal(failed?.retryAt, timestamp(13_000))
          yield* pass("8 seconds")
          images.broken.clear()
          yield* pass("2 seconds")
          assert.deepEqual(images.calls, [
            "status busybox:latest",
            "pull busybox:latest",
            "status busybox:latest",
            "pull busybox:latest"
          ])
        })
      )
      // The agent is gone; the runtime ends the pull by itself.
      images.present.add("busybox:latest")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* startAgent
          yield* pass("1 seconds")
          const [done] = heard() as ReadonlyArray<Command & { outcome?: string; imageId?: string }>
          assert.deepEqual(
            [done?._tag, done?.outcome, done?.imageId],
            ["ReportImage", "present", "id of busybox:latest"]
          )
          assert.equal(images.calls.filter((call) => call.startsWith("pull")).length, 2)
        })
      )
      const all = yield* events
      assert.deepEqual(eventTags(all), [
        "ImageRequested",
        "ImagePullQueued",
        "ImagePullStarted",
        "ImagePullFailed",
        "ImageRequested",
        "ImagePullQueued",
        "ImagePullStarted",
        "ImagePulled"
      ])
      assertReplays(all)
    }),
    { timeout: 60_000 }
  )
})

describe("a volume, live", () => {
  effectTest(
    "is prepared when it can be, told again after a restart, and taken down",
    Effect.gen(function* () {
      const { world, startAgent, events, pass, heard } = yield* makeNode
      const host = Context.get(world, VolumesControl)
      const id = actorId("volume", "default", "web.data")
      const volume = { name: "data", hostPath: { path: "/data", type: "Directory" } }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const system = yield* startAgent
          yield* system.tell(id, {
            _tag: "MountVolume",
            at: 0,
            podUid: "u1",
            podPath: "default/web",
            volume
          } as Command)
          yield* pass("0 seconds")
          const [failed] = heard() as ReadonlyArray<Command & { outcome?: string; message?: string }>
          assert.deepEqual(
            [failed?.outcome, failed?.message],
            ["failed", "hostPath type check failed: /data is not a directory"]
          )
          yield* host.put("/data", "directory")
          yield* pass("1 seconds")
          assert.deepEqual(heard(), [
            { _tag: "ReportVolume", at: 500, volume: "data", outcome: "mounted", path: "/data" }
          ])
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const system = yield* startAgent
          yield* pass("1 seconds")
          assert.deepEqual(
            heard().map((c) => (c as Command & { outcome?: string }).outcome),
            ["mounted"]
          )
          yield* host.fail("unmount", () => true, "busy")
          yield* system.tell(id, { _tag: "UnmountVolume", at: 0, podUid: "u1" } as Command)
          yield* pass("0 seconds")
          assert.deepEqual(heard(), [])
          yield* host.fail("unmount", () => true, undefined)
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const system = yield* startAgent
          yield* pass("1 seconds")
          assert.deepEqual(
            heard().map((c) => (c as Command & { outcome?: string }).outcome),
            ["unmounted"]
          )
          assert.equal(system.state(id), undefined)
        })
      )
      assertReplays(yield* events)
    }),
    { timeout: 60_000 }
  )
})

describe("a probe, live", () => {
  effectTest(
    "tells its pod when its result changes, and keeps its count over a restart",
    Effect.gen(function* () {
      const { world, startAgent, events, pass, heard } = yield* makeNode
      const prober = Context.get(world, ProberControl)
      const id = actorId("probe", "default", "web.app.liveness")
      const start = {
        _tag: "StartProbe",
        at: 0,
        podUid: "u1",
        pod: "default/web",
        container: "app",
        containerId: "c1",
        probe: "liveness",
        spec: { tcpSocket: { port: "http" }, periodSeconds: 10, failureThreshold: 3 },
        host: "10.0.0.3",
        ports: { http: 8080 },
        startedAt: timestamp(0)
      } as Command
      yield* Effect.scoped(
        Effect.gen(function* () {
          const system = yield* startAgent
          yield* system.tell(id, start)
          yield* pass("25 seconds")
          assert.deepEqual(eventTags(yield* events), ["ProbeStarted", "ProbeSucceeded"])
          yield* prober.answer(() => true, { result: "failure", output: "refused" })
          yield* pass("20 seconds")
          assert.deepEqual(heard(), [])
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const system = yield* startAgent
          yield* system.tell(id, start)
          yield* pass("1 seconds")
          assert.deepEqual(
            heard().map((c) => (c as Command & { result?: string }).result),
            ["success"],
            "it goes on in its own rhythm"
          )
          yield* pass("5 seconds")
          assert.deepEqual(
            heard().map((c) => (c as Command & { result?: string }).result),
            ["failure"]
          )
          const asked = (yield* prober.asked).length
          yield* pass("60 seconds")
          assert.equal((yield* prober.asked).length, asked, "on hold")
          yield* system.tell(id, { _tag: "StopProbe", at: 0, reason: "its container has ended" } as Command)
          yield* pass("1 seconds")
          assert.equal(system.state(id), undefined)
        })
      )
      const all = yield* events
      assert.deepEqual(eventTags(all), [
        "ProbeStarted",
        "ProbeSucceeded",
        "ProbeFailed",
        "ProbeFailed",
        "ProbeFailed",
        "ProbeResultChanged",
        "ProbeStopped"
      ])
      assert.ok(all.every((e) => e.correlation === "u1"))
      assertReplays(all)
    }),
    { timeout: 60_000 }
  )
})
