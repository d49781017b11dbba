/**
 * Records golden logs: incidents of every kind from a simulated node, one file each, into `test/golden/<version>/`.
 * What a release recorded is never written again: files that are there are kept. The states that they lead to, as
 * hashes, stand in `states.json` beside them.
 *
 *   bun scripts/record-golden.ts [version]
 */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Clock, Effect, type Scope } from "effect"
import { deciders } from "../src/actors/deciders.ts"
import { NodeFold } from "../src/actors/kernel/fold.ts"
import { stateHash } from "../src/actors/kernel/state-hash.ts"
import { version } from "../src/cli/version.ts"
import { writeIncident } from "../src/events/incident/writer.ts"
import {
  makeWorld,
  type SimulationOptions,
  simulate,
  simulatedImage,
  simulatedPod,
  startAgent,
  type World
} from "../test/support/simulated-node.ts"

type Story = (world: World) => Effect.Effect<unknown, unknown, Scope.Scope>

/** With a secret, which must not be found in any log. */
const pod = (name: string, container = "", spec = ""): string =>
  simulatedPod(name, `env: [{ name: SECRET, value: s3cret }]\n    ${container}`, spec)
const http = "httpGet: { port: 8080, path: /healthz }"

/** One life of the agent, ended as by SIGKILL. */
const life = (
  world: World,
  story: (agent: Effect.Success<ReturnType<typeof startAgent>>) => Effect.Effect<unknown, unknown, Scope.Scope>
) => Effect.scoped(Effect.flatMap(startAgent(world), story))

const stories: Readonly<Record<string, readonly [Story, SimulationOptions?]>> = {
  "liveness-kill": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web", `livenessProbe: { ${http}, periodSeconds: 2 }`))
          yield* agent.pass(6)
          yield* world.probes.answer(() => true, {
            result: "failure",
            output: "HTTP probe failed with statuscode: 503"
          })
          yield* agent.pass(20)
        })
      )
  ],
  "crash-loop-over-agent-restarts": [
    (world) =>
      Effect.gen(function* () {
        yield* world.manifests.write("web.yaml", pod("web"))
        yield* life(world, (agent) => agent.pass(35))
        yield* life(world, (agent) => agent.pass(60))
      }),
    { runtime: { program: () => ({ exits: { after: 1_000, code: 1 } }) } }
  ],
  "readiness-and-startup": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const probes = `readinessProbe: { ${http}, periodSeconds: 1 }\n    startupProbe: { ${http}, periodSeconds: 1, failureThreshold: 30 }`
          yield* world.probes.answer(() => true, { result: "failure", output: "connection refused" })
          yield* world.manifests.write("web.yaml", pod("web", probes))
          yield* agent.pass(8)
          yield* world.probes.answer(() => true, { result: "success" })
          yield* agent.pass(5)
          yield* world.probes.answer(() => true, {
            result: "failure",
            output: "HTTP probe failed with statuscode: 500"
          })
          yield* agent.pass(8)
        })
      )
  ],
  "image-missing": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web").replace(simulatedImage, "registry.local/nowhere:1"))
          yield* agent.pass(40)
        })
      )
  ],
  "replaced-and-removed": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const volume = "volumes: [{ name: d, emptyDir: {} }]"
          yield* world.manifests.write("web.yaml", pod("web", "volumeMounts: [{ name: d, mountPath: /d }]", volume))
          yield* agent.pass(5)
          yield* world.manifests.write("web.yaml", pod("web", "args: [two]"))
          yield* agent.pass(15)
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(15)
        })
      )
  ],
  "bad-manifests": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write(
            "a.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: 7, image: x }] }\n"
          )
          yield* world.manifests.write("b.yaml", "kind: Pod\n  bad indent: [\n")
          yield* world.manifests.write("good.yaml", pod("good", "unknownField: 1"))
          yield* agent.pass(5)
          yield* world.manifests.write("a.yaml", pod("a"))
          yield* agent.pass(5)
        })
      )
  ],
  "runtime-lost": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
          yield* world.runtime.setReachable(false)
          yield* agent.pass(15)
          yield* world.runtime.setReachable(true)
          yield* agent.pass(5)
          for (const { id } of yield* world.runtime.runtime.listPodSandboxes({})) yield* world.runtime.endSandbox(id)
          yield* agent.pass(15)
        })
      )
  ],
  "disk-full": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("old.yaml", pod("old"))
          yield* agent.pass(5)
          yield* world.journalControl.setSpace({ state: "low", freeBytes: 1024 })
          yield* agent.pass(1)
          yield* world.manifests.write("new.yaml", pod("new"))
          yield* agent.pass(25)
          yield* world.journalControl.setSpace({ state: "ok", freeBytes: 10 ** 9 })
          yield* agent.pass(5)
        })
      )
  ],
  "init-fails": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const init = `restartPolicy: Never\n  initContainers: [{ name: prepare, image: "${simulatedImage}" }]`
          yield* world.manifests.write("web.yaml", pod("web", "", init))
          yield* agent.pass(10)
        })
      ),
    { runtime: { program: (config) => (config.metadata.name === "prepare" ? { exits: { after: 500, code: 3 } } : {}) } }
  ],
  "flight-recorder": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web", `livenessProbe: { ${http}, periodSeconds: 2 }`))
          yield* agent.pass(12)
        })
      ),
    { recording: "inputs" }
  ]
}

const directory = join("test", "golden", process.argv[2] ?? version)
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

const record = (name: string, [story, options]: readonly [Story, SimulationOptions?]) =>
  Effect.gen(function* () {
    const world = yield* makeWorld(options)
    yield* story(world)
    const origin = {
      node: world.node,
      chronodeVersion: version,
      exportedAt: yield* Clock.currentTimeMillis,
      filter: {}
    }
    yield* writeIncident(join(directory, `${name}.ndjson`), origin, world.journal.read({}))
    const fold = new NodeFold(deciders)
    for (const event of yield* world.events) fold.apply(event)
    return { events: fold.events, state: stateHash(fold, sha256) }
  })

const statesFile = join(directory, "states.json")
const states: Record<string, { readonly events: number; readonly state: string }> = existsSync(statesFile)
  ? ((await import(join(process.cwd(), statesFile), { with: { type: "json" } })) as { default: typeof states }).default
  : {}
mkdirSync(directory, { recursive: true })
for (const [name, story] of Object.entries(stories)) {
  if (existsSync(join(directory, `${name}.ndjson`))) {
    console.log(`${name}: kept`)
    continue
  }
  states[name] = await simulate(record(name, story) as Effect.Effect<(typeof states)[string], unknown, Scope.Scope>)
  console.log(`${name}: ${states[name]?.events} events`)
}
writeFileSync(statesFile, `${JSON.stringify(states, null, 2)}\n`)
process.exit(0)
