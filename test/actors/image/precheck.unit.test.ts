/**
 * The upstream table of image_manager_test.go, judged on the real image's actor: kernel, decider and behaviour in virtual time,
 * with a runtime, a registry and credentials as the row has them. Upstream's back-off starts at one second and steps are one
 * second apart; ours starts at ten, and so steps are ten apart.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Layer, Result, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { makeImageBehavior } from "../../../src/actors/image/behavior.ts"
import { waitingFor } from "../../../src/actors/image/failure.ts"
import { grantsOf, ImageGrants } from "../../../src/actors/image/grants.ts"
import { imageActor } from "../../../src/actors/image/identity.ts"
import { defaultImageOptions } from "../../../src/actors/image/pull-limits.ts"
import { repositoryOf } from "../../../src/actors/image/reference.ts"
import type { KnownGrant } from "../../../src/actors/image/verification.ts"
import type { AnyBehavior, Behavior, Command } from "../../../src/actors/kernel/behavior.ts"
import { type ActorSystemShape, makeActorSystem } from "../../../src/actors/kernel/system.ts"
import { RuntimeReach } from "../../../src/actors/runtime/reach.ts"
import { make as makeCredentials } from "../../../src/adapters/credentials/live.ts"
import { Credentials } from "../../../src/adapters/credentials/port.ts"
import type { PullSecret } from "../../../src/adapters/credentials/pull-secrets.ts"
import { ContainerRuntime, CriError } from "../../../src/adapters/cri/port.ts"
import type { NodeEvent } from "../../../src/events/catalogue.ts"
import { decodeLine } from "../../../src/events/decode.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { Journal } from "../../../src/events/journal/port.ts"
import { judge, later, type Row, type RowValue, tables } from "../../support/cases.ts"

type Needs = ContainerRuntime | Credentials | ImageGrants | RuntimeReach

interface Step {
  readonly runtimeCalls: ReadonlyArray<string> | null
  readonly imageRef: string
  readonly message: string
  readonly error: string | null
  readonly events: ReadonlyArray<string>
}

interface Report {
  readonly outcome: "present" | "failed"
  readonly imageId?: string
  readonly reason?: string
  readonly message?: string
  readonly attempt?: number
}

/** An actor of kind pod that writes nothing and keeps what it is told. */
const listener = (told: Array<Report>): Behavior<null, Command, NodeEvent, never> => ({
  kind: "pod",
  stateVersion: 1,
  command: Schema.Any as never,
  initial: () => null,
  decide: (_, command) => {
    told.push(command as unknown as Report)
    return []
  },
  evolve: (state) => state
})

const fail = (call: string, message: string) => Effect.fail(new CriError({ reason: "Failed", call, message }))

const runtimeOf = (input: RowValue, calls: Array<string>) => {
  const present = new Set<string>(input.presentImages)
  let isPulling = false
  return {
    imageStatus: (image: string) =>
      Effect.suspend(() => {
        calls.push(isPulling ? "GetImageSize" : "GetImageRef")
        isPulling = false
        if (input.inspectError !== null) return fail("ImageStatus", input.inspectError)
        return Effect.succeed(present.has(image) ? { id: image, size: 1 } : undefined)
      }),
    pullImage: (image: string) =>
      Effect.suspend(() => {
        calls.push("PullImage")
        if (input.pullError !== null) return fail("PullImage", input.pullError)
        isPulling = true
        return Effect.succeed(image)
      })
  } as unknown as ContainerRuntime["Service"]
}

/** A Secret is known here by namespace and name; upstream's uid is made a part of the name. */
const secretName = ({ name, uid }: { readonly name: string; readonly uid: string }): string => `${name}.${uid}`

const grantsOfRow = (input: RowValue): ReadonlyArray<KnownGrant> =>
  Object.entries((input.allowedCredentials?.allowedSecrets ?? {}) as Record<string, ReadonlyArray<RowValue>>).flatMap(
    ([image, secrets]) =>
      secrets.map((secret) => ({
        imageId: `${image}:latest`,
        repository: repositoryOf(image),
        secret: { namespace: secret.namespace, name: secretName(secret), hash: "another content" }
      }))
  )

const secretsOfRow = (input: RowValue): ReadonlyMap<string, PullSecret> =>
  new Map(
    ((input.pullSecrets ?? []) as ReadonlyArray<RowValue>).map(({ metadata, data, type }) => [
      secretName(metadata),
      {
        type,
        hash: metadata.uid,
        data: Object.fromEntries(
          Object.entries(data as Record<string, string>).map(([key, value]) => [key, Buffer.from(value, "base64")])
        )
      }
    ])
  )

const nameOf = ({ event }: RecordedEvent): ReadonlyArray<string> => {
  switch (event._tag) {
    case "ImagePullStarted":
      return ["Pulling"]
    case "ImagePulled":
    case "ImageFound":
      return ["Pulled"]
    case "ImagePullFailed":
      if (event.reason === "ErrImageNeverPull") return [event.reason]
      return [["ImageInspectError", "InvalidImageName"].includes(event.reason) ? "InspectFailed" : "Failed"]
    default:
      return []
  }
}

/** What happens in each step: calls, events, and what the pod was told; none where it was told nothing new. */
const run = ({ in: input, want }: Row) =>
  Effect.gen(function* () {
    const { journal } = yield* makeMemoryJournal({ node: "n1" })
    const calls: Array<string> = []
    const told: Array<Report> = []
    const current: { system?: ActorSystemShape } = {}
    const secrets = secretsOfRow(input)
    const rowGrants = grantsOfRow(input)
    const world = yield* Layer.build(
      Layer.mergeAll(
        Layer.succeed(ContainerRuntime, runtimeOf(input, calls)),
        Layer.succeed(
          Credentials,
          makeCredentials({
            files: [],
            isFileNamed: false,
            providers: [],
            readSecret: (_, name) => Effect.succeed(secrets.get(name))
          })
        ),
        RuntimeReach.layer,
        Layer.succeed(ImageGrants, {
          // What the manager of pulls knows from before; the row's mock learns nothing of its own pulls.
          now: () => ({ grants: rowGrants, underWay: grantsOf(current.system?.actors("image") ?? []).underWay })
        })
      )
    )
    const behavior = makeImageBehavior({
      ...defaultImageOptions,
      maxParallelPulls: input.serialized ? 1 : defaultImageOptions.maxParallelPulls,
      pullsPerSecond: input.qps,
      burst: input.burst,
      verification:
        input.allowedCredentials === null
          ? { policy: "NeverVerify", allowlist: [] }
          : { policy: "AlwaysVerify", allowlist: [] }
    })
    const system = yield* makeActorSystem<Needs>(
      [behavior, listener(told)] as unknown as ReadonlyArray<AnyBehavior<Needs>>,
      {
        recording: "events"
      }
    ).pipe(Effect.provideService(Journal, journal), Effect.provide(world))
    current.system = system
    yield* system.recover
    yield* system.start([])
    const settle = Effect.gen(function* () {
      yield* Effect.promise(() => new Promise((done) => setTimeout(done, 4)))
      yield* TestClock.adjust(0)
      yield* Effect.promise(() => new Promise((done) => setTimeout(done, 4)))
    })
    const eventsSoFar = Effect.map(Stream.runCollect(journal.read({})), (rows) =>
      rows.map(({ line }) => {
        const decoded = decodeLine(line)
        assert.ok(Result.isSuccess(decoded), line)
        return decoded.success as RecordedEvent
      })
    )
    const steps: Array<{ calls: ReadonlyArray<string>; events: ReadonlyArray<string>; report: Report | undefined }> = []
    const id = imageActor(input.image, input.pullSecrets?.[0]?.metadata.namespace ?? "", [...secrets.keys()])
    let seen = 0
    for (let i = 0; i < want.steps.length; i++) {
      yield* TestClock.adjust(10_000)
      yield* settle
      yield* system.tell(id, {
        _tag: "RequestImage",
        at: 10_000 * (i + 1),
        image: input.image,
        pod: "ns/pod",
        policy: input.policy,
        ...(secrets.size === 0 ? {} : { secrets: [...secrets.keys()] })
      } as Command)
      yield* settle
      const all = yield* eventsSoFar
      const events = all.slice(seen).flatMap(nameOf)
      seen = all.length
      steps.push({ calls: calls.splice(0), events, report: told.splice(0).at(-1) })
    }
    return steps
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise)

const judgeRow = (row: Row, steps: Awaited<ReturnType<typeof run>>) => {
  const wanted: ReadonlyArray<Step> = row.want.steps
  let standing: Report | undefined
  for (const [i, want] of wanted.entries()) {
    const at = `step ${i + 1}`
    const { calls, events, report } = steps[i]!
    standing = report ?? standing
    assert.ok(standing !== undefined, `${at}: the pod knows nothing`)
    if (want.error === null) {
      assert.deepEqual(calls, want.runtimeCalls, at)
      assert.deepEqual(events, want.events, at)
      assert.equal(standing.outcome, "present", at)
      assert.equal(standing.imageId, want.imageRef, at)
      continue
    }
    assert.equal(standing.outcome, "failed", at)
    const isQuiet = report === undefined
    const { reason = "", message = "" } = standing
    // Between tries the pod has what was told last; nothing is asked of the runtime, and nothing is written again.
    const tells =
      isQuiet && want.error === "ImagePullBackOff"
        ? waitingFor(row.in.image, { reason, message, attempt: 2 })
        : { reason, message }
    assert.equal(tells.reason, want.error, at)
    if (want.error === "ImageInspectError") {
      // Upstream's message lacks the image's name.
      assert.equal(tells.message.replace(JSON.stringify(row.in.image), '""'), want.message, at)
    } else if (want.error === "InvalidImageName" && tells.message !== want.message) {
      assert.equal(tells.message.replace(/ \(it .*\)$/u, ""), want.message, at)
    } else assert.equal(tells.message, want.message, at)
    if (isQuiet) assert.deepEqual([calls, events], [[], []], at)
    else {
      assert.deepEqual(calls, want.runtimeCalls ?? [], at)
      assert.deepEqual(events, want.events, at)
    }
  }
}

const notMet = ({ in: { allowedCredentials } }: Row) =>
  allowedCredentials?.allowedServiceAccounts ? later("service accounts come with an API server") : undefined

describe("an image that a pod wants", () => {
  it("is looked for, pulled, refused and waited for as upstream (TestImagePullPrecheck)", {
    timeout: 60_000
  }, async () => {
    for (const table of tables("images.json", "TestImagePullPrecheck")) {
      const done = new Map<Row, Awaited<ReturnType<typeof run>>>()
      for (const row of table.rows) if (notMet(row) === undefined) done.set(row, await run(row))
      judge("images.json TestImagePullPrecheck", table.rows, (row) => {
        const reason = notMet(row)
        if (reason !== undefined) return reason
        judgeRow(row, done.get(row)!)
        return undefined
      })
    }
  })
})
