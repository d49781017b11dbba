/** `chronode replay FILE --otlp URL`: the starts of pods as traces, sent to an OpenTelemetry collector. */
import { Effect, Result, Stream } from "effect"
import { batchSpans, type OtelError, type TraceExporter } from "../../adapters/otel/port.ts"
import { PodStarts, type PodStartTrace } from "../../reports/pod-starts.ts"
import type { Execute } from "../command.ts"
import { upTo } from "../event-log/fold-log.ts"
import { lineMatcher, unreadableText } from "../event-log/log.ts"
import { momentFlag } from "../event-log/moments.ts"
import { openChainedLog } from "../event-log/open-log.ts"
import { CommandFailed, exitCodes } from "../exit.ts"
import { filterRemarks, parseFilter } from "../filter.ts"
import { version } from "../version.ts"
import type { ReplayFlags } from "./flags.ts"

/** Sends traces as soon as they make a batch; never keeps more. */
const makeSender = (exporter: TraceExporter) => {
  let waiting: Array<PodStartTrace> = []
  let spans = 0
  const counts = { traces: 0, spans: 0, failed: 0 }
  const flush = Effect.suspend(() => {
    if (waiting.length === 0) return Effect.void
    const batch = waiting
    const sent = spans
    waiting = []
    spans = 0
    return Effect.map(exporter.send(batch), () => {
      counts.traces += batch.length
      counts.spans += sent
      counts.failed += batch.filter((trace) => trace.spans[0]?.error !== undefined).length
    })
  })
  const add = (traces: ReadonlyArray<PodStartTrace>): Effect.Effect<void, OtelError> =>
    Effect.suspend(() => {
      waiting.push(...traces)
      spans += traces.reduce((sum, trace) => sum + trace.spans.length, 0)
      return spans >= batchSpans ? flush : Effect.void
    })
  return { add, flush, counts }
}

const failed = (error: CommandFailed | OtelError): CommandFailed =>
  error instanceof CommandFailed
    ? error
    : new CommandFailed(
        `${error.url}: ${error.message}`,
        error.reason === "Refused"
          ? "is it an OTLP/HTTP receiver (port 4318)? headers come from OTEL_EXPORTER_OTLP_HEADERS"
          : "is the collector running, and its OTLP/HTTP receiver on?"
      )

export const execute: Execute<ReplayFlags, [file: string]> = async ({ neighbours, terminal }, flags, file) => {
  const { until: point, ...filterFlags } = flags
  const until = momentFlag("--until", point, terminal.now())
  // A start is chosen by its admission; its steps are then sent whole.
  const filter = await parseFilter(filterFlags, terminal.now())
  const isChosen = lineMatcher(filter)
  const chosen = new Set<string>()
  let unreadable = 0
  const { counts, url } = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(file, "")
        const open = yield* Effect.promise(neighbours.openTraces)
        const exporter = yield* open(flags.otlp ?? "", version)
        const sender = makeSender(exporter)
        const starts = new PodStarts()
        const add = (traces: ReadonlyArray<PodStartTrace>) =>
          sender.add(traces.filter(({ admission }) => chosen.delete(admission)))
        yield* Stream.runForEach(upTo(log, until), (line) => {
          const isWanted = isChosen(line)
          if (Result.isSuccess(line.event)) {
            const recorded = line.event.success
            if (isWanted && recorded.event._tag === "PodAdmitted") chosen.add(recorded.id)
            return add(starts.apply(recorded))
          }
          unreadable++
          terminal.note(`chronode: ${unreadableText(line)}`)
          return Effect.void
        })
        yield* add(starts.end())
        yield* sender.flush
        return { counts: sender.counts, url: exporter.url }
      })
    ).pipe(Effect.mapError(failed))
  )
  for (const remark of filterRemarks(filter)) terminal.note(remark)
  if (flags.output === "json") terminal.out(`${JSON.stringify({ url, ...counts, unreadable }, null, 2)}\n`)
  else {
    const { spans, traces } = counts
    const unready = counts.failed === 0 ? "all ready" : `${counts.failed} not ready`
    terminal.out(
      traces === 0
        ? `no pod starts in ${file}: nothing was sent\n`
        : `${traces} pod starts (${unready}) in ${spans} spans sent to ${url}\n`
    )
  }
  return unreadable === 0 ? exitCodes.good : exitCodes.failed
}
