/**
 * A credential provider: asks its plugin for the images that it is there for, and keeps answers as long as they say
 * (`pkg/credentialprovider/plugin/plugin.go`).
 */
import { Clock, Deferred, Effect, Exit, Result } from "effect"
import type { DockerConfig } from "./docker-config.ts"
import { registryMatches } from "./matching.ts"
import { type PluginRun, runPlugin } from "./plugin-process.ts"
import type { ProviderSettings } from "./port.ts"
import { providerRequest, readAnswer } from "./provider-response.ts"

export interface ProviderAsked {
  readonly config: DockerConfig
  readonly problem: string | undefined
}

export interface Provider {
  readonly name: string
  /** `repository`: the image's name without tag and digest. Nothing for images that it is not there for. */
  readonly ask: (repository: string) => Effect.Effect<ProviderAsked>
}

export type RunPlugin = (settings: ProviderSettings, request: string) => Effect.Effect<PluginRun>

const nothing: ProviderAsked = { config: [], problem: undefined }
const globalKey = "global"
/** Answers that are kept; the oldest go first. */
const maxKept = 1000

const registryOf = (repository: string): string => repository.split("/")[0]!

interface Kept {
  readonly config: DockerConfig
  /** Milliseconds since the epoch. */
  readonly until: number
}

class AnswerCache {
  readonly #kept = new Map<string, Kept>()

  /** By the image, its registry, or for all: whatever was answered so. */
  find(repository: string, now: number): DockerConfig | undefined {
    for (const key of [repository, registryOf(repository), globalKey]) {
      const kept = this.#kept.get(key)
      if (kept !== undefined && now <= kept.until) return kept.config
      if (kept !== undefined) this.#kept.delete(key)
    }
    return undefined
  }

  keep(key: string, kept: Kept): void {
    this.#kept.delete(key)
    const oldest = this.#kept.size >= maxKept ? this.#kept.keys().next().value : undefined
    if (oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, kept)
  }
}

export const makeProvider = (settings: ProviderSettings, run: RunPlugin = runPlugin): Provider => {
  const { name, apiVersion, matchImages, defaultCacheDuration } = settings
  const cache = new AnswerCache()
  /** Those who ask for one image at the same time get one run's answer. */
  const underWay = new Map<string, Deferred.Deferred<ProviderAsked | undefined>>()

  const askPlugin = (repository: string): Effect.Effect<ProviderAsked> =>
    Effect.gen(function* () {
      const { outcome, complaint } = yield* run(settings, providerRequest(apiVersion, repository))
      if (complaint !== "") yield* Effect.logDebug(`credential provider ${name} wrote on stderr: ${complaint}`)
      if ("problem" in outcome) return { config: [], problem: outcome.problem }
      const answer = readAnswer(outcome.answer, apiVersion)
      if (Result.isFailure(answer)) return { config: [], problem: answer.failure }
      const { cacheKeyType, cacheDuration = defaultCacheDuration, config } = answer.success
      if (cacheDuration > 0) {
        const keys = { Image: repository, Registry: registryOf(repository), Global: globalKey }
        cache.keep(keys[cacheKeyType], { config, until: (yield* Clock.currentTimeMillis) + cacheDuration })
      }
      return { config, problem: undefined }
    })

  const ask = (repository: string): Effect.Effect<ProviderAsked> =>
    Effect.gen(function* () {
      if (!matchImages.some((glob) => registryMatches(glob, repository))) return nothing
      const kept = cache.find(repository, yield* Clock.currentTimeMillis)
      if (kept !== undefined) return { config: kept, problem: undefined }
      const other = underWay.get(repository)
      // Whoever asked first may have been called off: then it is asked anew.
      if (other !== undefined) return (yield* Deferred.await(other)) ?? (yield* ask(repository))
      const mine = Deferred.makeUnsafe<ProviderAsked | undefined>()
      underWay.set(repository, mine)
      return yield* askPlugin(repository).pipe(
        Effect.onExit((exit) => {
          underWay.delete(repository)
          return Deferred.succeed(mine, Exit.isSuccess(exit) ? exit.value : undefined)
        })
      )
    })

  return {
    name,
    ask: (repository) =>
      Effect.map(ask(repository), ({ config, problem }) => ({
        config,
        problem: problem === undefined ? undefined : `provider ${name} ${problem}`
      }))
  }
}
