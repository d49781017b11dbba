/** Credential providers: what is asked, what is kept and for how long, and what becomes of answers that are none. */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { ProviderSettings } from "../../../src/adapters/credentials/port.ts"
import { makeProvider, type RunPlugin } from "../../../src/adapters/credentials/provider.ts"
import { effectTest } from "../../support/effect.ts"

const settings: ProviderSettings = {
  name: "p",
  program: "/bin/p",
  apiVersion: "credentialprovider.kubelet.k8s.io/v1",
  matchImages: ["*.r.io", "r.io:5000/team"],
  defaultCacheDuration: 600_000,
  args: [],
  env: []
}

const response = (fields: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    apiVersion: settings.apiVersion,
    kind: "CredentialProviderResponse",
    cacheKeyType: "Image",
    auth: { "*.r.io": { username: "u", password: "s3cret" } },
    ...fields
  })

/** A plugin that takes a second and answers one text after another, the last one for ever. */
const plugin = (...answers: ReadonlyArray<string>) => {
  const requests: Array<string> = []
  const run: RunPlugin = (_, request) =>
    Effect.gen(function* () {
      requests.push(request)
      const answer = answers[Math.min(requests.length, answers.length) - 1]!
      yield* Effect.sleep(1000)
      return { outcome: { answer }, complaint: "" }
    })
  return { requests, run }
}

const askAll = (provider: ReturnType<typeof makeProvider>, ...repositories: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fibers = yield* Effect.forEach(repositories, (repository) => Effect.forkChild(provider.ask(repository)))
    yield* TestClock.adjust(1000)
    return yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
  })

describe("a credential provider", () => {
  effectTest(
    "is asked for its images only, by their names, once at a time for each",
    Effect.gen(function* () {
      const { requests, run } = plugin(response())
      const provider = makeProvider(settings, run)
      const answers = yield* askAll(
        provider,
        "eu.r.io/app",
        "eu.r.io/app",
        "r.io:5000/other/app",
        "docker.io/library/b"
      )
      assert.deepEqual(
        requests.map((text) => JSON.parse(text)),
        [{ kind: "CredentialProviderRequest", apiVersion: settings.apiVersion, image: "eu.r.io/app" }]
      )
      assert.deepEqual(
        answers.map(({ config }) => config.length),
        [1, 1, 0, 0]
      )
      const [, entry] = answers[0]!.config[0]!
      assert.deepEqual([entry.username, Redacted.value(entry.password)], ["u", "s3cret"])
      assert.ok(answers.every(({ problem }) => problem === undefined))
    })
  )

  for (const [type, askedAgain] of [
    ["Image", ["eu.r.io/b", "us.r.io/a"]],
    ["Registry", ["us.r.io/a"]],
    ["Global", []]
  ] as const) {
    effectTest(
      `whose answer is kept for cacheKeyType ${type} is asked again for other images of that kind`,
      Effect.gen(function* () {
        const { requests, run } = plugin(response({ cacheKeyType: type }))
        const provider = makeProvider(settings, run)
        yield* askAll(provider, "eu.r.io/a")
        yield* askAll(provider, "eu.r.io/a")
        yield* askAll(provider, "eu.r.io/b")
        yield* askAll(provider, "us.r.io/a")
        assert.deepEqual(
          requests.slice(1).map((text) => JSON.parse(text).image),
          askedAgain
        )
      })
    )
  }

  effectTest(
    "is asked again when its answer is too old: after its own time, else the configuration's; 0 keeps nothing",
    Effect.gen(function* () {
      const count = (fields: Readonly<Record<string, unknown>>, wait: number, over: Partial<ProviderSettings> = {}) =>
        Effect.gen(function* () {
          const { requests, run } = plugin(response(fields))
          const provider = makeProvider({ ...settings, ...over }, run)
          yield* askAll(provider, "eu.r.io/a")
          yield* TestClock.adjust(wait)
          yield* askAll(provider, "eu.r.io/a")
          return requests.length
        })
      assert.equal(yield* count({}, 599_000), 1)
      assert.equal(yield* count({}, 601_000), 2)
      assert.equal(yield* count({ cacheDuration: "1m30s" }, 89_000), 1)
      assert.equal(yield* count({ cacheDuration: "1m30s" }, 91_000), 2)
      assert.equal(yield* count({ cacheDuration: "0s" }, 0), 2)
      assert.equal(yield* count({}, 0, { defaultCacheDuration: 0 }), 2)
      assert.equal(yield* count({ cacheDuration: "1h" }, 3_500_000, { defaultCacheDuration: 0 }), 1)
    })
  )

  effectTest(
    "that answers wrongly is told of without what it said, and asked again",
    Effect.gen(function* () {
      const { requests, run } = plugin(
        "s3cret",
        '["s3cret"]',
        response({ apiVersion: "credentialprovider.kubelet.k8s.io/v1beta1" }),
        response({ kind: "s3cret" }),
        response({ cacheKeyType: "s3cret" }),
        response({ cacheDuration: "s3cret" }),
        response({ auth: "s3cret" }),
        response({ auth: { "*.r.io": { username: "u", password: ["s3cret"] } } }),
        response({ auth: null })
      )
      const provider = makeProvider(settings, run)
      const problems: Array<string | undefined> = []
      for (let i = 0; i < 9; i++) {
        const [answer] = yield* askAll(provider, "eu.r.io/a")
        assert.deepEqual(answer?.config, [])
        problems.push(answer?.problem)
      }
      assert.equal(requests.length, 9)
      assert.deepEqual(problems, [
        "provider p answered something that is no JSON",
        "provider p answered something that is no map",
        "provider p answered in another apiVersion than credentialprovider.kubelet.k8s.io/v1",
        "provider p answered something that is no CredentialProviderResponse",
        "provider p answered no cacheKeyType (one of Image, Registry, Global)",
        "provider p answered a cacheDuration that is no length of time such as 10m",
        "provider p answered wrongly: auth is no map",
        "provider p answered wrongly: username or password in auth is no text",
        undefined
      ])
    })
  )

  effectTest(
    "is asked anew by those who waited for an asking that was called off",
    Effect.gen(function* () {
      const { requests, run } = plugin(response())
      const provider = makeProvider(settings, run)
      const first = yield* Effect.forkChild(provider.ask("eu.r.io/a"))
      yield* TestClock.adjust(500)
      const second = yield* Effect.forkChild(provider.ask("eu.r.io/a"))
      yield* TestClock.adjust(100)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(1000)
      assert.equal((yield* Fiber.join(second)).config.length, 1)
      assert.equal(requests.length, 2)
    })
  )
})
