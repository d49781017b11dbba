/** /containerLogs/<namespace>/<pod>/<container>: what a container wrote, as kubelet gives it out. */
import { Clock, Effect, Result, Stream, type Stream as Streams } from "effect"
import { findLog } from "../../actors/pod/effects/log-container.ts"
import { containerIn, containerSpec, type PodState } from "../../actors/pod/state.ts"
import { containerStatuses } from "../../actors/pod/status/container-statuses.ts"
import { refusal } from "../../adapters/api/port.ts"
import type { LogError, LogRecord } from "../../adapters/logs/port.ts"
import { readLog } from "../../adapters/logs/read.ts"
import { ByteLimit, LinePrinter } from "../../cli/logs/printer.ts"
import { actorId } from "../../events/actor-id.ts"
import { type LogOptions, logOptions } from "./log-options.ts"
import type { Routes } from "./route.ts"

type Batches = Streams.Stream<ReadonlyArray<LogRecord>, LogError>

/** The bytes of an answer; ends at the limit. */
async function* printed(
  batches: AsyncIterator<ReadonlyArray<LogRecord>>,
  options: LogOptions
): AsyncGenerator<Uint8Array> {
  const limit = options.limitBytes === undefined ? undefined : new ByteLimit(options.limitBytes)
  let out: Array<Uint8Array> = []
  const printer = new LinePrinter({ timestamps: options.timestamps, prefix: "", json: undefined }, (bytes) => {
    const taken = limit === undefined ? bytes : limit.take(bytes)
    if (taken.length > 0) out.push(taken)
  })
  const flush = (): Uint8Array => {
    const bytes = Buffer.concat(out)
    out = []
    return bytes
  }
  try {
    for (;;) {
      const next = await batches.next()
      if (next.done === true) break
      for (const record of next.value)
        if (options.stream === undefined || options.stream === record.stream) printer.print(record)
      if (out.length > 0) yield flush()
      if (limit?.isReached === true) return
    }
    printer.end()
    if (out.length > 0) yield flush()
  } finally {
    await batches.return?.()
  }
}

/** The same iterator, begun: what goes wrong at its beginning is told before anything is answered. */
const begun = (batches: Batches) =>
  Effect.tryPromise({
    try: async (): Promise<AsyncIterator<ReadonlyArray<LogRecord>>> => {
      const rest = Stream.toAsyncIterable(batches)[Symbol.asyncIterator]()
      let first: Promise<IteratorResult<ReadonlyArray<LogRecord>>> | undefined = Promise.resolve(await rest.next())
      const next = () => {
        const ready = first
        first = undefined
        return ready ?? rest.next()
      }
      return { next, ...(rest.return === undefined ? {} : { return: () => rest.return!() }) }
    },
    catch: (error) => refusal(400, (error as Error).message)
  })

export const containerLogRoutes: Routes = ({ system, options: { podLogsDir } }) => [
  {
    methods: ["GET"],
    path: "/containerLogs/{namespace}/{pod}/{container}",
    messages: true,
    answer: ({ query, signal }, { namespace = "", pod: name = "", container: called = "" }) =>
      Effect.gen(function* () {
        const options = yield* Effect.fromResult(logOptions(query, yield* Clock.currentTimeMillis))
        const id = actorId("pod", namespace, name)
        const now = () => system.state(id) as PodState | undefined
        const state = now()
        const pod = state?.definition?.pod
        if (state === undefined || pod === undefined)
          return yield* Effect.fail(refusal(404, `pod ${JSON.stringify(name)} does not exist`))
        const container = containerIn(state, called)
        if (container === undefined || containerSpec(pod, called) === undefined) {
          const what = `container ${JSON.stringify(called)} not found in pod ${JSON.stringify(name)}`
          return yield* Effect.fail(refusal(404, what))
        }
        const target = { pod, statuses: containerStatuses(state), podLogsDir }
        const found = findLog(target, container, options.previous)
        if (Result.isFailure(found)) return yield* Effect.fail(refusal(400, found.failure))
        const { containerId, path } = found.success
        /** The present life of the container is over, or nobody listens any more. */
        const hasEnded = (): boolean => {
          const latest = now()
          const current = latest === undefined ? undefined : containerIn(latest, called)
          const runs = current?.status === "running" || current?.status === "killing"
          return signal.aborted || current?.containerId !== containerId || !runs
        }
        const follow = options.follow && !options.previous
        const batches = readLog({
          path,
          tail: options.tail,
          since: options.since,
          follow: follow ? { hasEnded } : undefined
        })
        const iterator = follow ? Stream.toAsyncIterable(batches)[Symbol.asyncIterator]() : yield* begun(batches)
        const body = printed(iterator, options)
        return { status: 200, body }
      })
  }
]
