/** Looks at the directory of Services whenever a look is due, and tells actors what differs. */
import { Clock, Context, Effect, Stream } from "effect"
import type { ManifestSnapshot } from "../../adapters/manifests/port.ts"
import { ServiceManifests, type ServicesSnapshot } from "../../adapters/services/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { DesireEndpoint } from "../endpoint/commands.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { Pods } from "../pod/pods.ts"
import { ProxySettings } from "../proxy/settings.ts"
import { Told } from "../source/observer.ts"
import { Declarations } from "./declarations.ts"
import { DeclaredSlices } from "./declared-slices.ts"
import { Outbox } from "./outbox.ts"
import { PodEndpoints } from "./pod-endpoints.ts"
import { portKey } from "./rules/endpoint.ts"
import type { ServiceState } from "./state.ts"
import { ServiceTable, type Table } from "./table.ts"

/** A look at the Services of this node. */
export class ServiceActors extends Context.Service<
  ServiceActors,
  { readonly all: () => ReadonlyArray<{ readonly id: ActorId; readonly state: ServiceState }> }
>()("chronode/ServiceActors") {}

export type ServicesNeeds = Pods | ProxySettings | ServiceActors | ServiceManifests | ServiceTable

/** What is declared at the start is awaited before the kernel is touched, milliseconds at most. */
const longestGathering = 60_000
/** Milliseconds between looks for it. */
const gatheringPause = 10

/** Files that say nothing wrong are not told: the source's state would grow with them. */
class FilesToTell {
  private readonly told: Set<string>

  /** `known`: full paths of those that the source's actor knows. */
  constructor(known: Iterable<string>) {
    this.told = new Set(known)
  }

  of(snapshot: ServicesSnapshot): ManifestSnapshot {
    if (snapshot._tag === "Unreadable") return snapshot
    const files = snapshot.files.filter(
      ({ file, problems, ignoredFields }) => problems.length > 0 || ignoredFields.length > 0 || this.told.has(file)
    )
    for (const { file } of files) this.told.add(file)
    return {
      _tag: "Readable",
      directory: snapshot.directory,
      files: files.map((file) => ({ ...file, pods: [] })),
      objects: []
    }
  }
}

/** Whether the table has what a command asks for. */
const hasArrived = (table: Table, { to, command }: Outgoing): boolean => {
  switch (command._tag) {
    case "DeclareService":
      return table.entry(`${to.namespace}/${to.name}`)?.isKnown === true
    case "DesireEndpoint": {
      const desired = command as DesireEndpoint
      const port = portKey(desired.portName, desired.protocol)
      return table.endpoint(`${to.namespace}/${desired.service}`, port, desired) !== undefined
    }
    default:
      return true
  }
}

/** Commands that are under way at one time: a directory may declare 100,000 endpoints at once. */
const partLength = 2_048
/** Milliseconds between looks whether a part has been taken in, and how many there are. */
const partPause = 2
const partLooks = 1_000

const inParts = (
  table: Table,
  outgoing: ReadonlyArray<Outgoing>,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let from = 0; from < outgoing.length; from += partLength) {
      const part = outgoing.slice(from, from + partLength)
      yield* Effect.forEach(part, emit, { discard: true })
      if (from + partLength >= outgoing.length) break
      const last = part.at(-1)!
      for (let looks = 0; looks < partLooks && !hasArrived(table, last); looks++) yield* Effect.sleep(partPause)
    }
  })

/** Until the actors have taken in what was told first: a restart must not take away what is about to be declared again. */
const gathered = (table: Table, told: ReadonlyArray<Outgoing>): Effect.Effect<void> =>
  Effect.gen(function* () {
    let arrived = 0
    for (let waited = 0; waited < longestGathering; waited += gatheringPause) {
      while (arrived < told.length && hasArrived(table, told[arrived]!)) arrived += 1
      if (arrived === told.length) break
      yield* Effect.sleep(gatheringPause)
    }
    yield* table.ready.open
  })

/** `files`: full paths of those that the source's actor knows. Runs until interrupted. */
export const observeServices = (
  id: ActorId,
  files: ReadonlyArray<string>,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, ServicesNeeds> =>
  Effect.scoped(
    Effect.gen(function* () {
      const manifests = yield* ServiceManifests
      const table = yield* ServiceTable
      const { ranges } = yield* ProxySettings
      const actors = yield* ServiceActors
      const services = new Declarations(
        actors.all().map(({ id: { namespace, name }, state }) => ({ namespace, name, state })),
        ranges
      )
      const slices = new DeclaredSlices(table)
      const filesToTell = new FilesToTell(files)
      const told = new Told(files, [])
      const emitAll = (outgoing: ReadonlyArray<Outgoing>) => inParts(table, outgoing, emit)
      yield* Effect.flatMap(podsGone, emitAll)
      const outbox = new Outbox(table)
      let isFirst = true
      const looks = Stream.runForEach(manifests.changes, () =>
        Effect.gen(function* () {
          yield* outbox.room
          const snapshot = yield* manifests.scan
          const at = yield* Clock.currentTimeMillis
          yield* emitAll(told.commands(filesToTell.of(snapshot), at).map((command) => ({ to: id, command })))
          const outgoing =
            snapshot._tag === "Unreadable"
              ? []
              : [...services.take(snapshot.services, at), ...slices.take(snapshot.slices, at)]
          outbox.add(outgoing)
          if (!isFirst) return
          isFirst = false
          yield* Effect.forkScoped(gathered(table, outgoing))
        })
      )
      // One that dies ends the other with it, and both begin anew.
      yield* Effect.all([looks, outbox.drain(emit)], { concurrency: "unbounded", discard: true })
    })
  )

/** Pods of earlier lives that nobody knows any more stand behind no Service. */
const podsGone: Effect.Effect<ReadonlyArray<Outgoing>, never, Pods> = Effect.gen(function* () {
  const endpoints = yield* PodEndpoints
  if (endpoints === undefined) return []
  const pods = yield* Pods
  const known = new Set(pods.all().map(({ state }) => state.name))
  const at = yield* Clock.currentTimeMillis
  return endpoints
    .pods()
    .filter((pod) => !known.has(pod))
    .flatMap((pod) => endpoints.podGone(pod, at))
})
