/** /healthz and its parts, in the words of Kubernetes' health checks (`apiserver/pkg/server/healthz/healthz.go`). */
import { Effect } from "effect"
import type { Route } from "../../adapters/api/port.ts"
import { type Routes, text } from "./route.ts"

/** What an answer may take; later the check has failed. Milliseconds. */
const checkTimeout = 5_000

/** Answers why it is not well; undefined: it is. */
export interface HealthCheck {
  readonly name: string
  readonly problem: Effect.Effect<string | undefined>
}

const timely = ({ name, problem }: HealthCheck) =>
  Effect.map(
    Effect.timeoutOrElse(problem, { duration: checkTimeout, orElse: () => Effect.succeed("no answer in time") }),
    (found) => ({ name, found })
  )

/** As `healthz.go` has it: the reason is for the log and for those who may ask for this check alone. */
const report = (results: ReadonlyArray<{ readonly name: string; readonly found: string | undefined }>): string =>
  results
    .map(({ name, found }) => (found === undefined ? `[+]${name} ok\n` : `[-]${name} failed: reason withheld\n`))
    .join("")

export const healthRoutes = (checks: ReadonlyArray<HealthCheck>): ReadonlyArray<Route> => {
  const whole: Route = {
    methods: ["GET", "HEAD"],
    path: "/healthz",
    readOnly: true,
    answer: ({ query }) =>
      Effect.gen(function* () {
        const excluded = new Set(query.getAll("exclude"))
        const asked = checks.filter(({ name }) => !excluded.has(name))
        const results = yield* Effect.forEach(asked, timely, { concurrency: "unbounded" })
        const failed = results.filter(({ found }) => found !== undefined)
        for (const { name, found } of failed) yield* Effect.logWarning(`healthz: ${name} failed: ${found}`)
        if (failed.length > 0) return text(`${report(results)}healthz check failed\n`, 500)
        return text(query.has("verbose") ? `${report(results)}healthz check passed\n` : "ok")
      })
  }
  const parts = checks.map(
    (check): Route => ({
      methods: ["GET", "HEAD"],
      path: `/healthz/${check.name}`,
      readOnly: true,
      answer: () =>
        Effect.map(timely(check), ({ found }) =>
          found === undefined ? text("ok") : text(`internal server error: ${found}\n`, 500)
        )
    })
  )
  return [whole, ...parts]
}

/** kubelet's own three: that it answers, that it can log, that its loop turns. */
export const ownHealthRoutes: Routes = ({ system }) =>
  healthRoutes([
    { name: "ping", problem: Effect.succeed(undefined) },
    { name: "log", problem: Effect.succeed(undefined) },
    {
      name: "syncloop",
      problem: Effect.map(Effect.exit(Effect.timeoutOption(system.failure, 0)), (exit) =>
        exit._tag === "Failure" ? "the actor system has failed" : undefined
      )
    }
  ])
