/** What the node gives back before a pod has to go for want of disk: dead containers that nobody goes by. */
import { Effect, Layer } from "effect"
import { NodeReclaim, type Reclaimed } from "../eviction/options.ts"
import { lookForGarbage, removeGarbage } from "./collector.ts"

/** Removes what the collector would find at its next look. How much that frees nobody tells. */
const containers = Effect.gen(function* () {
  for (const garbage of yield* lookForGarbage) yield* removeGarbage(garbage)
}).pipe(
  Effect.as<Reclaimed>({ freedBytes: 0 }),
  Effect.catch((error) => Effect.succeed<Reclaimed>({ freedBytes: 0, message: error.message }))
)

type Needs = typeof containers extends Effect.Effect<unknown, unknown, infer R> ? R : never

export const layer: Layer.Layer<NodeReclaim, never, Needs> = Layer.effect(
  NodeReclaim,
  Effect.map(Effect.context<Needs>(), (context) =>
    NodeReclaim.of({ containers: Effect.provide(containers, context), images: Effect.succeed({ freedBytes: 0 }) })
  )
)
