/**
 * Records golden logs: incidents of every kind from a simulated node, one file each, into `test/golden/<version>/`.
 * What a release recorded is never written again: files that are there are kept. The states that they lead to, as
 * hashes, stand in `states.json` beside them. The stories are in scripts/golden/.
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
import { makeWorld, type SimulationOptions, simulate } from "../test/support/simulated-node.ts"
import { api } from "./golden/api.ts"
import { configuration } from "./golden/configuration.ts"
import { eviction } from "./golden/eviction.ts"
import { imagesAndVolumes } from "./golden/images-and-volumes.ts"
import { lifeCycle } from "./golden/life-cycle.ts"
import { manifests } from "./golden/manifests.ts"
import { node } from "./golden/node.ts"
import { nodeLife } from "./golden/node-life.ts"
import { objects } from "./golden/objects.ts"
import { probes } from "./golden/probes.ts"
import { recorder } from "./golden/recorder.ts"
import { restarts } from "./golden/restarts.ts"
import { services } from "./golden/services.ts"
import type { Stories, Story } from "./golden/story.ts"

const stories: Stories = {
  ...api,
  ...probes,
  ...restarts,
  ...eviction,
  ...imagesAndVolumes,
  ...lifeCycle,
  ...manifests,
  ...node,
  ...nodeLife,
  ...configuration,
  ...objects,
  ...recorder,
  ...services
}

// An actor that fails records a stack: paths of the machine that recorded it are nobody's business.
Error.stackTraceLimit = 0

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
