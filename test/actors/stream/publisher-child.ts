/**
 * A process that appends to a journal on SQLite and publishes it, to be killed at any moment:
 * `publisher-child.ts <journal> <nats url> <batch> <pause ms>`. Prints `ready` when both run.
 */
import { Context, Effect } from "effect"
import { publishJournal } from "../../../src/actors/stream/publisher.ts"
import { PublisherStatus } from "../../../src/actors/stream/status.ts"
import { layerLive } from "../../../src/adapters/nats/live.ts"
import { Journal } from "../../../src/events/journal/port.ts"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { drafts, node, quickRetries, settings, targetOf } from "./lab.ts"

const [path = "", url = "", batch = "1", pause = "1"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const journal = yield* makeSqliteJournal({ path, node, reserveBytes: 0, lowBytes: 0 })
  const services = Context.make(Journal, journal)
  const publish = publishJournal(() => Effect.void, quickRetries).pipe(
    Effect.provide(services),
    Effect.provide(layerLive(targetOf(url), settings)),
    Effect.provide(PublisherStatus.layer)
  )
  const write = Effect.forever(
    Effect.andThen(
      Effect.suspend(() => journal.append(drafts(1 + Math.floor(Math.random() * Number(batch))))),
      Effect.sleep(Number(pause))
    )
  )
  console.log("ready")
  return yield* Effect.all([publish, write], { concurrency: 2 })
})

await Effect.runPromise(Effect.scoped(program))
