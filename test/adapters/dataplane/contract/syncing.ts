/**
 * A dataplane's life that ends in the middle: syncs one crowd of Services after another, and says each time that it begins.
 * Arguments: the module with the dataplane's `layer`, and `Syncing` as JSON. Run by faults.ts, which kills it.
 */
import process from "node:process"
import { Effect } from "effect"
import { Dataplane, type ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import type { PodName } from "../../../support/netlab/lab.ts"
import { crowdOf } from "./crowd.ts"
import { alive, defaultSettings, nodePortAddresses, type Subject } from "./world.ts"

export interface Syncing {
  /** A Service that is in force all the time. */
  readonly still: ServiceRules
  readonly size: number
  /** Of the crowds, in turn. */
  readonly servers: ReadonlyArray<ReadonlyArray<PodName>>
}

const [module, json] = process.argv.slice(2)
const subject = (await import(module!)) as Pick<Subject, "layer">
const { still, size, servers } = JSON.parse(json!) as Syncing

const crowds = servers.map((each) => ({
  ...{ rules: [still, ...crowdOf(still, size, each)], healthCheckPorts: [] },
  nodePortAddresses
}))

await Effect.runPromise(
  Effect.gen(function* () {
    const dataplane = yield* Dataplane
    while (true) {
      for (const desired of crowds) {
        process.stdout.write("begins\n")
        yield* dataplane.resync(desired)
      }
    }
  }).pipe(Effect.provide(alive(subject, defaultSettings)))
)
