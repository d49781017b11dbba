/** Checks of the node's HTTP API: addresses that are taken, certificates that end, files that others could read. */
import { hostname } from "node:os"
import { Effect, Result } from "effect"
import { noConfiguration, readConfiguration } from "../configuration/configuration.ts"
import { withDefaults } from "../kubelet-configuration/defaults.ts"
import { askAgent } from "../local-api.ts"
import type { Neighbours } from "../neighbours.ts"
import { type ApiFlags, apiListeners, apiOptions, apiSettings } from "../run/api-settings.ts"
import { type Check, ok } from "./check.ts"

/** What a running agent may take to say that it runs; milliseconds. */
const answerTimeout = 2_000

const taken = / is in use by another program$/u

/** Nothing where no API is asked for. A configuration that cannot be read is told by its own check. */
export const checkApi = (
  neighbours: Pick<Neighbours, "examineApi">,
  flags: ApiFlags & { readonly config?: string; readonly dataDir: string },
  now: number
): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.gen(function* () {
    const read = yield* Effect.result(
      Effect.try({
        try: () => (flags.config === undefined ? noConfiguration : readConfiguration(flags.config)),
        catch: () => undefined
      })
    )
    if (Result.isFailure(read)) return []
    const { chronode, kubelet } = read.success
    const told = withDefaults(kubelet)
    const settings = apiSettings(
      {
        nodeName: chronode.nodeName ?? hostname().toLowerCase(),
        dataDir: flags.dataDir,
        kubelet: { ...told, ...apiListeners(flags, chronode, told) },
        api: apiOptions(flags, chronode)
      },
      []
    )
    const examine = yield* Effect.promise(() => neighbours.examineApi())
    const findings = yield* Effect.promise(() => examine(settings, now))
    const asked = askAgent(flags.dataDir, { method: "GET", path: "/healthz", timeout: answerTimeout })
    const isRunning = Result.isSuccess(yield* Effect.result(asked))
    return findings.map(({ status, found, mend }): Check => {
      // The agent that runs with this data directory has them.
      if (status === "fail" && isRunning && taken.test(found))
        return ok("api", `${found.replace(taken, "")} is in use, and an agent runs here`)
      return { name: "api", status, found, ...(mend === undefined ? {} : { mend }) }
    })
  })
