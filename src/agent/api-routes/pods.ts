/** /pods: what this node is to run, with how it is; /runningpods: what of it runs. */
import { Effect } from "effect"
import { type Json, podList, podObject, runningPodObject } from "../../actors/pod/api-object.ts"
import type { PodState } from "../../actors/pod/state.ts"
import type { ActorId } from "../../events/actor-id.ts"
import { type ApiWorld, json, type Routes } from "./route.ts"

const listOf = ({ system }: ApiWorld, object: (id: ActorId, state: PodState) => Json | undefined) =>
  Effect.sync(() =>
    json(
      podList(
        system.actors("pod").flatMap(({ id, state }): ReadonlyArray<Json> => {
          const found = object(id, state as PodState)
          return found === undefined ? [] : [found]
        })
      )
    )
  )

export const podRoutes: Routes = (world) => [
  {
    methods: ["GET"],
    path: "/pods",
    readOnly: true,
    answer: () => listOf(world, (id, state) => podObject(id, state, world.options.nodeName))
  },
  { methods: ["GET"], path: "/runningpods", answer: () => listOf(world, (_, state) => runningPodObject(state)) }
]
