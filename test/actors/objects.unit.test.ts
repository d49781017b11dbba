/** ConfigMaps and Secrets beside the pods, from the manifest to the files of a volume, on a node in memory. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { deciders } from "../../src/actors/deciders.ts"
import { Redecision } from "../../src/actors/kernel/redecide.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { makeWorld, simulate, simulatedPod, startAgent, type World } from "../support/simulated-node.ts"

const secretText = "correct-horse-battery"
const secretBytes = "AAECAwQFBgcICQ=="
const configText = "eighty-eight"

const secret = (password: string, more = "") => `apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: ${password} }
data: { raw: ${secretBytes} }
${more}`
const configMap = (value: string, more = "") => `apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { mode: ${value} }
${more}`
const pod = (volumes: string, mounts = "{ name: all, mountPath: /all }") =>
  simulatedPod("web", `volumeMounts: [${mounts}]`, `volumes: [${volumes}]`)
const all = `{ name: all, projected: { sources: [{ secret: { name: login } }, { configMap: { name: settings } }, { downwardAPI: { items: [{ path: name, fieldRef: { fieldPath: metadata.name } }] } }] } }`

const tell = (events: ReadonlyArray<RecordedEvent>, tags: ReadonlyArray<string>) =>
  events.filter(({ event }) => tags.includes(event._tag))
const objectTags = ["ObjectDeclared", "ObjectChanged", "ObjectRemoved"]
const volumeTags = ["VolumeMounted", "VolumeMountFailed", "VolumeUpdated", "VolumeUpdateFailed", "VolumeUnmounted"]
const names = (events: ReadonlyArray<RecordedEvent>, tags: ReadonlyArray<string>) =>
  tell(events, tags).map(({ event }) => event._tag)

const fileOf = (world: World, name: string) =>
  Effect.gen(function* () {
    const mounted = tell(yield* world.events, ["VolumeMounted"]).at(-1)?.event
    assert.ok(mounted?._tag === "VolumeMounted")
    const file = yield* world.volumes.file(`${mounted.path}/${name}`)
    return file === undefined ? undefined : new TextDecoder().decode(file.data)
  })

const replays = (world: World) =>
  Effect.gen(function* () {
    const redecision = new Redecision(deciders)
    for (const event of yield* world.events) redecision.apply(event)
    assert.deepEqual(redecision.end(), [])
  })

describe("objects beside the pods", () => {
  it("become files of a volume; the log, and what is published of it, has none of their values", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ recording: "inputs" })
        const agent = yield* startAgent(world)
        yield* world.manifests.write("a.yaml", `${secret(secretText)}---\n${configMap(configText)}---\n${pod(all)}`)
        yield* agent.pass(5)
        assert.equal(agent.status("default/web"), "Running")
        assert.equal(yield* fileOf(world, "password"), secretText)
        assert.equal(yield* fileOf(world, "mode"), configText)
        assert.equal(yield* fileOf(world, "name"), "web")
        // Broken in several ways, with the values in the broken places.
        yield* world.manifests.write(
          "b.yaml",
          `${secret(`"${secretText}" "${secretText}`)}---\n${secret("9021077700")}---\n${configMap(`[${configText}]`)}`
        )
        yield* world.manifests.write("c.yaml", secret("x", `immutable: ${secretText}`))
        yield* agent.pass(5)
        assert.ok(tell(yield* world.events, ["ManifestInvalid"]).length >= 3)

        const log =
          JSON.stringify(yield* world.events) +
          world.stream
            .messages()
            .map((m) => JSON.stringify(m))
            .join()
        const encoded = (text: string) => Buffer.from(text).toString("base64").replace(/=+$/u, "").slice(0, -1)
        for (const value of [secretText, configText, "9021077700"]) {
          assert.ok(!log.includes(value), value)
          assert.ok(!log.includes(encoded(value)), `${value} in base64`)
        }
        assert.ok(!log.includes(secretBytes.slice(0, 12)), "bytes in base64")
        yield* replays(world)
      })
    ))

  it("change under a running pod: the volume is updated at once, caused by the change, and nothing restarts", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write("objects.yaml", `${secret("one")}---\n${configMap("fast")}`)
        yield* world.manifests.write("web.yaml", pod(all))
        yield* agent.pass(5)
        yield* world.manifests.write("objects.yaml", `${secret("two")}---\n${configMap("fast")}`)
        yield* agent.pass(2)
        assert.equal(yield* fileOf(world, "password"), "two")
        const events = yield* world.events
        assert.deepEqual(names(events, objectTags), ["ObjectDeclared", "ObjectDeclared", "ObjectChanged"])
        assert.deepEqual(names(events, volumeTags), ["VolumeMounted", "VolumeUpdated"])
        const [changed] = tell(events, ["ObjectChanged"])
        const [asked] = tell(events, ["VolumeRefreshRequested"])
        const [updated] = tell(events, ["VolumeUpdated"])
        assert.equal(asked?.cause, changed?.id)
        assert.equal(updated?.cause, asked?.id)
        assert.equal(tell(events, ["ContainerStarted"]).length, 1)
        // A removal keeps the files, and is said once.
        yield* world.manifests.write("objects.yaml", configMap("fast"))
        yield* agent.pass(200)
        assert.equal(yield* fileOf(world, "password"), "two")
        const failed = tell(yield* world.events, ["VolumeUpdateFailed"])
        assert.deepEqual(
          failed.map(({ event }) => event._tag === "VolumeUpdateFailed" && event.message),
          ['secret "login" not found']
        )
        assert.equal(agent.status("default/web"), "Running")
        yield* world.manifests.write("objects.yaml", `${secret("three")}---\n${configMap("fast")}`)
        yield* agent.pass(2)
        assert.equal(yield* fileOf(world, "password"), "three")
        yield* replays(world)
      })
    ))

  it("that are missing hold up their pod only, which starts as soon as they come", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        const optional = "{ name: all, configMap: { name: nowhere, optional: true } }"
        yield* world.manifests.write("other.yaml", pod(optional).replace("name: web", "name: other"))
        yield* world.manifests.write("web.yaml", pod(all))
        yield* agent.pass(60)
        assert.equal(agent.status("default/other"), "Running")
        assert.equal(agent.status("default/web"), "ContainerCreating")
        const failed = tell(yield* world.events, ["VolumeMountFailed"])
        assert.ok(failed.length > 3 && failed.length < 10, String(failed.length))
        const [first] = failed
        assert.ok(first?.event._tag === "VolumeMountFailed")
        assert.equal(first.event.message, '[secret "login" not found, configmap "settings" not found]')
        yield* world.manifests.write("objects.yaml", `${secret("one")}---\n${configMap("fast")}`)
        yield* agent.pass(3)
        assert.equal(agent.status("default/web"), "Running")
        yield* replays(world)
      })
    ))

  it("that changed while the agent was away are in the volume after it is back; what a reboot took is there again", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.manifests.write("objects.yaml", `${secret("one")}---\n${configMap("fast")}`)
        yield* world.manifests.write("web.yaml", pod(all))
        yield* Effect.scoped(Effect.flatMap(startAgent(world), (agent) => agent.pass(5)))
        yield* world.manifests.write("objects.yaml", `${secret("two")}---\n${configMap("fast")}`)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* agent.pass(5)
            assert.equal(yield* fileOf(world, "password"), "two")
            assert.deepEqual(names(yield* world.events, volumeTags), ["VolumeMounted", "VolumeUpdated"])
          })
        )
        yield* world.volumes.reboot
        yield* world.manifests.remove("objects.yaml")
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* agent.pass(5)
            assert.equal(names(yield* world.events, volumeTags).at(-1), "VolumeMountFailed")
            yield* world.manifests.write("objects.yaml", `${secret("two")}---\n${configMap("fast")}`)
            yield* agent.pass(5)
            assert.equal(yield* fileOf(world, "password"), "two")
            yield* world.manifests.remove("web.yaml")
            yield* agent.pass(20)
            assert.equal(names(yield* world.events, volumeTags).at(-1), "VolumeUnmounted")
          })
        )
        yield* replays(world)
      })
    ))

  // conformance: Pods should allow activeDeadlineSeconds to be updated
  it("and the pod itself may change: labels of a pod that gives its uid reach its volumes, and nothing restarts", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        const labelled = (label: string, more = "") =>
          pod(
            `{ name: all, downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }] } }`
          ).replace("{ name: web }", `{ name: web, uid: one-and-only, labels: { tier: ${label} }${more} }`)
        yield* world.manifests.write("web.yaml", labelled("front"))
        yield* agent.pass(5)
        assert.equal(yield* fileOf(world, "labels"), 'tier="front"')
        yield* world.manifests.write("web.yaml", labelled("back", ", annotations: { note: x }"))
        yield* agent.pass(2)
        assert.equal(yield* fileOf(world, "labels"), 'tier="back"')
        const events = yield* world.events
        const [updated] = tell(events, ["PodUpdated"])
        assert.deepEqual(updated?.event, {
          _tag: "PodUpdated",
          labels: { tier: "back" },
          annotations: { note: "x" }
        })
        const [asked] = tell(events, ["VolumeRefreshRequested"])
        assert.equal(asked?.cause, updated?.id)
        assert.equal(tell(events, ["ContainerStarted"]).length, 1)
        // Without an old deadline one may be set; a later one is not taken.
        const deadline = (seconds: number) =>
          labelled("back", ", annotations: { note: x }").replace(
            "volumes:",
            `activeDeadlineSeconds: ${seconds}\n  volumes:`
          )
        yield* world.manifests.write("web.yaml", deadline(600))
        yield* agent.pass(2)
        yield* world.manifests.write("web.yaml", deadline(900))
        yield* agent.pass(2)
        assert.equal(tell(yield* world.events, ["PodUpdated"]).length, 2)
        assert.equal(agent.status("default/web"), "Running")
        yield* agent.pass(600)
        assert.equal(agent.status("default/web"), "DeadlineExceeded")
        yield* replays(world)
      })
    ))
})
