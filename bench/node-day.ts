/**
 * A log of a node's busy day, for benchmarks: the recorded incidents of test/golden, told again and again by thirty pods
 * spread over twenty-four hours, with ids, uids, names and times of their own. As a file it is a whole incident, with its chain.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Stream } from "effect"
import { storedLine } from "../src/events/incident/format.ts"
import { writeIncident } from "../src/events/incident/writer.ts"
import { makeChain } from "../src/events/journal/chain.ts"
import type { JournalRow } from "../src/events/journal/port.ts"

const golden = fileURLToPath(new URL("../test/golden/0.1.0/", import.meta.url))
const pods = 30
const day = 24 * 60 * 60 * 1000
const start = Date.parse("2026-11-21T00:00:00.000Z")

interface Told {
  readonly at: number
  readonly line: string
}

const hex = (text: string, length: number): string => createHash("sha256").update(text).digest("hex").slice(0, length)
/** A version 7 UUID that is the same in every run. */
const idFor = (at: number, seed: string): string => {
  const [time, random] = [at.toString(16).padStart(12, "0"), hex(seed, 18)]
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-a${random.slice(3, 6)}-${random.slice(6)}`
}

const timestamps = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/gu
const ids = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/gu

/** What a node tells of itself; it starts once a day. */
const ofNode = /"source":"\/nodes\/sim\/(?:node|stream|runtime)\//u

/** One incident as the pod number `pod` lives it in its round `round`. */
const retold = (lines: ReadonlyArray<string>, pod: number, round: number, at: number): ReadonlyArray<Told> => {
  const first = Date.parse(JSON.parse(lines[0] as string).time)
  const seed = `${pod} ${round}`
  return lines.map((line) => {
    const moved = line
      .replaceAll("default/web", `default/web-${pod}`)
      .replaceAll("/manifests/web", `/manifests/web-${pod}`)
      .replaceAll('"name":"web"', `"name":"web-${pod}"`)
      .replaceAll(/(?<=")[0-9a-f]{32}(?=")/gu, (uid) => hex(`${uid} ${pod}`, 32))
      .replaceAll(timestamps, (time) => new Date(Date.parse(time) - first + at).toISOString())
      .replaceAll(ids, (id) => idFor(at, `${id} ${seed}`))
    return { line: moved, at: Date.parse(JSON.parse(moved).time) }
  })
}

const stories = [
  "crash-loop-over-agent-restarts",
  "image-missing",
  "init-fails",
  "liveness-kill",
  "readiness-and-startup",
  "replaced-and-removed"
].map((name) =>
  readFileSync(join(golden, `${name}.ndjson`), "utf8")
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map(storedLine)
)

const rows = function* (events: number): Generator<JournalRow> {
  const mean = stories.flat().filter((line) => !ofNode.test(line)).length / stories.length
  const rounds = Math.ceil(events / mean / pods) + 1
  const told: Array<Told> = []
  for (let round = 0; round < rounds; round++)
    for (let pod = 0; pod < pods; pod++) {
      const at = start + Math.floor(((round + pod / pods) * day) / rounds)
      const lines = retold(stories[(round * 7 + pod) % stories.length]!, pod, round, at)
      told.push(...(told.length === 0 ? lines : lines.filter(({ line }) => !ofNode.test(line))))
    }
  told.sort((a, b) => a.at - b.at)
  const chain = makeChain()
  const sequences = new Map<string, number>()
  for (const [index, { line }] of told.slice(0, events).entries()) {
    const event = JSON.parse(line) as Record<string, unknown>
    const source = event.source as string
    const actorsequence = (sequences.get(source) ?? 0) + 1
    sequences.set(source, actorsequence)
    const sequence = index + 1
    const stored = JSON.stringify({ ...event, sequence: String(sequence).padStart(20, "0"), actorsequence })
    const previousHash = chain.head()
    const hash = chain.next(stored)
    yield sequence === 1 ? { sequence, line: stored, hash, previousHash } : { sequence, line: stored, hash }
  }
}

/** Writes the log of `events` events to `path`. */
export const writeNodeDay = (path: string, events: number): Promise<unknown> =>
  Effect.runPromise(
    writeIncident(
      path,
      { node: "sim", chronodeVersion: "bench", exportedAt: start, filter: {} },
      Stream.fromIterable(rows(events))
    )
  )
