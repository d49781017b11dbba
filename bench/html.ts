/**
 * Reports of a node's busy day (100,000 events): how long writing one takes, how large it is, and how long a browser needs to
 * show it. The bars: written in under 3 s, under 15 MB, first paint under 1 s in chromium without a window. Writing is also
 * held against the least that any reader of the file does, a bare `JSON.parse` of its lines, in the same run.
 *
 *     bun bench/html.ts [--events 100000] [--turns 3]
 *
 * First paint is the browser's own measure, from the start of the navigation; "drawn" is when the lanes stand on the canvas,
 * "ready" when sentences can be searched; "frame" is the median time between frames while the view is zoomed and moved.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import type { Browser } from "puppeteer-core"
import { runtimeName } from "../src/adapters/host/runtime.ts"
import { startBrowser } from "../test/support/browser.ts"
import { findProgram } from "../test/support/requires.ts"
import { machine } from "./machine.ts"
import { writeNodeDay } from "./node-day.ts"

const { values } = parseArgs({
  options: { events: { type: "string", default: "100000" }, turns: { type: "string", default: "3" } }
})
const [events, turns] = [Number(values.events), Number(values.turns)]
/** Seconds, bytes, milliseconds. */
const limits = { html: 3, htmlBytes: 15_000_000, paint: 1000 }
const binary = fileURLToPath(new URL("../bin/chronode", import.meta.url))
const runtime = runtimeName().split(" ")[0] as string
const directory = mkdtempSync(join(tmpdir(), "chronode-bench-"))
process.on("exit", () => rmSync(directory, { recursive: true, force: true }))
const log = join(directory, "day.ndjson")
const html = join(directory, "day.html")
const trace = join(directory, "day.json")

const secondsOf = (body: () => void): number => {
  const begin = performance.now()
  body()
  return (performance.now() - begin) / 1000
}
/** The whole command, from its start to its end. */
const report =
  (...words: ReadonlyArray<string>) =>
  (): void => {
    const { status, stderr } = spawnSync(binary, ["replay", log, ...words, "--force"], {
      env: { ...process.env, CHRONODE_RUNTIME: runtime },
      encoding: "utf8"
    })
    if (status !== 0) throw new Error(stderr)
  }
const bare = (): void => {
  const text = readFileSync(log, "utf8")
  for (let from = 0; from < text.length; ) {
    const to = text.indexOf("\n", from)
    JSON.parse(text.slice(from, to))
    from = to + 1
  }
}

interface Shown {
  readonly paint: number
  readonly drawn: number
  readonly ready: number
  readonly frame: number
}

/** In the page: zooms and moves for two seconds, and answers the median time between frames, milliseconds. */
const frames = `new Promise((resolve) => {
  const times = []
  let last = performance.now()
  const begin = last
  const press = (key, shiftKey) => document.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey }))
  const step = (now) => {
    times.push(now - last)
    last = now
    press(times.length % 40 < 20 ? "+" : "-", false)
    press(times.length % 6 < 3 ? "ArrowRight" : "ArrowLeft", true)
    if (now - begin < 2000) requestAnimationFrame(step)
    else resolve(times.sort((a, b) => a - b)[times.length >> 1])
  }
  requestAnimationFrame(step)
})`

const show = async (browser: Browser): Promise<Shown> => {
  const page = await browser.newPage()
  await page.setViewport({ width: 1440, height: 900 })
  await page.goto(pathToFileURL(html).href)
  await page.waitForSelector("#app[data-ready]")
  const timing = (await page.evaluate(`({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    drawn: performance.getEntriesByName("chronode-drawn")[0].startTime,
    ready: performance.getEntriesByName("chronode-ready")[0].startTime
  })`)) as Omit<Shown, "frame">
  const frame = (await page.evaluate(frames)) as number
  await page.close()
  return { ...timing, frame }
}

console.log(machine())
await writeNodeDay(log, events)
console.log(`${events} events, ${(statSync(log).size / 1e6).toFixed(1)} MB`)
const best = new Map<string, number>()
const keep = (name: string, value: number): void => {
  best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, value))
}
for (let turn = 0; turn < turns; turn++) {
  keep("bare", secondsOf(bare))
  keep("html", secondsOf(report("--html", html)))
  keep("perfetto", secondsOf(report("--perfetto", trace)))
}
const of = (name: string): number => best.get(name) as number
const verdicts: Array<boolean> = []
const line = (name: string, value: number, limit: number, unit: string): void => {
  verdicts.push(value < limit)
  console.log(
    `${name.padEnd(26)} ${value.toFixed(2)} ${unit}, ${(value / limit).toFixed(2)} of the limit ${limit} ${unit}`
  )
}
console.log(`bare JSON.parse            ${of("bare").toFixed(2)} s`)
line("html, written", of("html"), limits.html, "s")
console.log(`  to bare                  ${(of("html") / of("bare")).toFixed(1)}×`)
line("html, size", statSync(html).size / 1e6, limits.htmlBytes / 1e6, "MB")
console.log(
  `perfetto, written          ${of("perfetto").toFixed(2)} s, ${(of("perfetto") / of("bare")).toFixed(1)}× bare`
)
console.log(`perfetto, size             ${(statSync(trace).size / 1e6).toFixed(1)} MB`)
if (findProgram("chromium") === undefined) console.log("not shown: no chromium (scripts/lab/chromium.sh installs it)")
else {
  const browser = await startBrowser()
  try {
    const shown: Array<Shown> = []
    for (let turn = 0; turn < turns; turn++) shown.push(await show(browser))
    const least = (name: keyof Shown): number => Math.min(...shown.map((each) => each[name]))
    line("first paint", least("paint"), limits.paint, "ms")
    for (const name of ["drawn", "ready", "frame"] as const)
      console.log(`${name.padEnd(26)} ${least(name).toFixed(0)} ms`)
  } finally {
    await browser.close()
  }
}
const good = verdicts.every((verdict) => verdict)
console.log(good ? "good: within every limit" : "MISSED a limit")
process.exitCode = good ? 0 : 1
