/**
 * The page of a report in a browser without a network: what it shows of a log that holds hostile text, unknown types and a
 * broken line, and how it is used by mouse and by keyboard.
 */
import assert from "node:assert/strict"
import { statSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { Browser, Page } from "puppeteer-core"
import { actorId } from "../../src/events/actor-id.ts"
import { encode } from "../../src/events/envelope.ts"
import { chronode } from "../cli/program.ts"
import { type Given, recordedEvents } from "../events/recorded.ts"
import { openFile, startBrowser, type Watched } from "../support/browser.ts"
import { requires } from "../support/requires.ts"

const hostile = `</script><img src=x onerror="document.title='owned'"><b>bold</b>\u202egnp`
const probe = actorId("probe", "default", "web.app.liveness")
const place = { podUid: "uid-web", container: "app", containerId: "c0ffee", probe: "liveness" } as const
const failed = (consecutive: number): Given => ({
  event: {
    _tag: "ProbeFailed",
    ...place,
    consecutive,
    threshold: 3,
    output: hostile,
    timedOut: false,
    duration: 5 * consecutive
  },
  actor: probe,
  cause: `e${consecutive + 2}`
})
const given: ReadonlyArray<Given> = [
  {
    event: { _tag: "RuntimeDisconnected", endpoint: "unix:///c.sock", message: "gone" },
    actor: actorId("runtime", "", "cri")
  },
  {
    event: {
      _tag: "PodAdmitted",
      pod: {
        metadata: { name: "web", namespace: "default", uid: "uid-web" },
        spec: { containers: [{ name: "app", image: "a" }] }
      },
      source: hostile,
      qosClass: "BestEffort"
    }
  },
  {
    event: {
      _tag: "ContainerStarted",
      container: "app",
      containerId: "c0ffee",
      attempt: 0,
      startedAt: "2026-01-15T09:30:02.000Z"
    },
    cause: "e2"
  },
  failed(1),
  failed(2),
  failed(3),
  {
    event: {
      _tag: "ContainerExited",
      container: "app",
      containerId: "c0ffee",
      attempt: 0,
      exitCode: 137,
      reason: "Error",
      message: hostile,
      oomKilled: false,
      finishedAt: "2026-01-15T09:30:06.000Z"
    },
    cause: "e6"
  },
  {
    event: {
      _tag: "ContainerStartRequested",
      container: "app",
      attempt: 1,
      sandboxId: "s",
      imageId: "i",
      reason: "it ended"
    },
    cause: "e7"
  }
]
const lines = recordedEvents(given).map(encode)
const unknown = JSON.stringify({
  ...JSON.parse(lines[1]!),
  id: "e9",
  type: "dev.chronode.PodDreamt.v3",
  sequence: "00000000000000000009",
  actorsequence: 9,
  data: { of: hostile }
})

const limit = { timeout: 120_000 }
const text = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (element) => element.textContent ?? "")
const opened = (page: Page): Promise<string> => text(page, ".inspector h2")
/** How long a page may take to show what it was asked for: a bound for what never comes, milliseconds. */
const patience = 20_000
const becomes = async (read: () => Promise<unknown>, wanted: unknown): Promise<void> => {
  for (const end = Date.now() + patience; ; await new Promise((wake) => setTimeout(wake, 30))) {
    const now = await read()
    if (now === wanted) return
    if (Date.now() > end) assert.equal(now, wanted)
  }
}
/** Waits until the opened event is of this type. */
const opens = (page: Page, type: string): Promise<void> =>
  becomes(() => text(page, "#app[data-event=open] .inspector h2").catch(() => ""), type)
/** What is stored of the opened event, when it is there. */
const stored = async (page: Page): Promise<string> => {
  await page.waitForSelector(".stored:not([aria-busy])")
  return text(page, ".stored")
}
const finds = (page: Page, count: string): Promise<void> => becomes(() => text(page, ".found"), count)

describe("the page of a report", requires("chromium"), () => {
  let directory = ""
  let browser: Browser
  let watched: Watched
  let page: Page
  before(async () => {
    directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
    const log = join(directory, "incident.ndjson")
    writeFileSync(log, `${[...lines, unknown, "this is no event"].join("\n")}\n`)
    const words = ["replay", log, "--html", join(directory, "page.html"), "--perfetto", join(directory, "trace.json")]
    const { code, err, out } = await chronode("bun", words)
    assert.match(out, /page\.html: 9 events, 1 of types that this version does not know/u)
    assert.match(err, /line 10 is no event/u)
    assert.equal(code, 1, "a line was lost")
    assert.equal(statSync(join(directory, "page.html")).mode & 0o777, 0o600)
    const again = await chronode("bun", words)
    assert.equal(again.code, 1)
    assert.match(again.err, /exists already[\s\S]*--force replaces it/u)
    browser = await startBrowser()
    watched = await openFile(browser, join(directory, "page.html"))
    page = watched.page
  }, limit)
  after(async () => {
    await browser?.close()
    await rm(directory, { recursive: true, force: true })
  })

  it("tells whose log it is and what was lost", limit, async () => {
    assert.equal(await text(page, "h1"), "node1")
    assert.match(await text(page, ".figures"), /1pod1restart1failed exit0probes failed9events/u)
    assert.match(await text(page, ".remarks"), /1 line of the file is no event/u)
    assert.match(await text(page, "#problems"), /container failed/u)
  })

  it("opens what went wrong, with its causes, of which each opens", limit, async () => {
    await page.$$eval("#problems .row", (rows) =>
      rows.find((row) => row.textContent.includes("container failed"))?.click()
    )
    await opens(page, "ContainerExited")
    const steps = await page.$$eval(".chain .what", (all) => all.map((step) => step.textContent))
    assert.deepEqual(steps.slice(0, 6), [
      "PodAdmitted",
      "ContainerStarted",
      ...["ProbeFailed", "ProbeFailed", "ProbeFailed", "ContainerExited"]
    ])
    assert.match(await stored(page), /exitCode137/u)
    await page.$$eval(".chain button", (steps) => steps[4]?.click())
    await opens(page, "ProbeFailed")
    assert.match(await text(page, ".charts"), /time to answer/u)
  })

  it("shows text from the log as text, whatever it holds", limit, async () => {
    await stored(page)
    assert.ok((await text(page, ".inspector")).includes("</script><img src=x onerror="))
    assert.ok((await text(page, ".inspector")).includes("\\u202e"), "what would reorder text is made visible")
    assert.equal(await page.$("#app img, #app b:not(.figure b):not(.tip b)"), null)
    assert.ok(!(await page.title()).includes("owned"))
  })

  it("is searched: in sentences, in stored events, by field", limit, async () => {
    const search = async (query: string, count: string): Promise<void> => {
      await page.keyboard.press("/")
      await page.keyboard.type(query)
      await finds(page, `${count} of 9`)
      await page.keyboard.press("Escape")
      await page.keyboard.press("Escape")
      await finds(page, "")
    }
    await search("type:probefailed", "3")
    await search("uid-web e7", "2")
    await search("exit 137", "1")
    await search("dreamt", "1")
    await search("severity:error kind:runtime", "1")
  })

  it("is filtered by severity", limit, async () => {
    await page.click('[data-least="4"]')
    await finds(page, "1 of 9")
    await page.click('[data-least="0"]')
    await finds(page, "")
  })

  it("is used by keyboard alone, and tells what is selected", limit, async () => {
    await page.keyboard.press("Escape")
    await page.waitForSelector("#app[data-event=none]")
    await page.keyboard.press("p")
    await opens(page, "ContainerStartRequested")
    await page.keyboard.press("w")
    await opens(page, "ContainerExited")
    await page.keyboard.press("ArrowLeft")
    await opens(page, "ContainerStarted")
    await page.keyboard.press("ArrowDown")
    await opens(page, "ProbeFailed")
    assert.match(
      await text(page, "[role=status]"),
      /^4 of 9\. 2026-01-15 09:30:03\.000\. ProbeFailed, default\/web app liveness: /u
    )
    await page.keyboard.press("Enter")
    assert.equal(await page.evaluate("document.activeElement.className"), "inspector")
    await page.keyboard.press("u")
    await becomes(() => text(page, ".switches button"), "Local")
    await page.keyboard.press("?")
    assert.ok(await page.$("dialog[open]"))
    await page.keyboard.press("Escape")
    assert.equal(await page.$("dialog[open]"), null)
    for (const key of ["+", "-", "0", "c", "u", "Home"] as const) await page.keyboard.press(key)
  })

  it("opens the bar that is pressed", limit, async () => {
    const box = await (await page.$(".lanes"))!.boundingBox()
    // The first lane is the runtime's; its one bar reaches to the end of the log.
    await page.mouse.click(box!.x + box!.width * 0.6, box!.y + 11)
    await opens(page, "RuntimeDisconnected")
  })

  it("is light and dark, by the system's wish and by the switch", limit, async () => {
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor")
    const light = await background()
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }])
    const dark = await background()
    assert.notEqual(light, dark)
    await page.keyboard.press("t")
    assert.equal(await background(), light)
    await page.keyboard.press("t")
    assert.equal(await background(), dark)
  })

  it("fits into any width", limit, async () => {
    for (const width of [390, 768, 1280, 1920]) {
      await page.setViewport({ width, height: 844 })
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
      assert.equal(overflow, 0, `nothing stands out at ${width}`)
      const box = await (await page.$(".lanes"))!.boundingBox()
      assert.ok(box!.width > width * 0.25 && box!.height > 100, `the lanes have room at ${width}`)
      assert.equal(await opened(page), "RuntimeDisconnected", "what is opened stays so")
    }
  })

  it("asked for nothing and complained of nothing", () => {
    assert.deepEqual(watched.requests, [])
    assert.deepEqual(watched.complaints, [])
  })
})
