/** Debian's chromium without a window, for pages that are files: no network, and everything that a page complains of is kept. */
import { pathToFileURL } from "node:url"
import puppeteer, { type Browser, type Page } from "puppeteer-core"
import { findProgram } from "./requires.ts"

/** Starting a browser on a busy machine, milliseconds. */
const startLimit = 60_000

export const startBrowser = (): Promise<Browser> => {
  const executablePath = findProgram("chromium")
  if (executablePath === undefined) throw new Error("no chromium: scripts/lab/chromium.sh installs it")
  return puppeteer.launch({
    executablePath,
    headless: true,
    timeout: startLimit,
    protocolTimeout: startLimit,
    // As root chromium has no sandbox; /dev/shm is small in containers.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
  })
}

export interface Watched {
  readonly page: Page
  /** What it asked for beside itself. */
  readonly requests: ReadonlyArray<string>
  /** Errors, warnings and dialogs. */
  readonly complaints: ReadonlyArray<string>
}

/** A page that is watched from before its first byte; `path` is a file. */
export const openFile = async (browser: Browser, path: string, width = 1280, height = 800): Promise<Watched> => {
  const page = await browser.newPage()
  const url = pathToFileURL(path).href
  const requests: Array<string> = []
  const complaints: Array<string> = []
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) requests.push(request.url())
  })
  page.on("console", (message) => {
    if (message.type() !== "log") complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.setOfflineMode(true)
  await page.setViewport({ width, height })
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }])
  await page.goto(url)
  await page.waitForSelector("#app[data-ready]")
  return { page, requests, complaints }
}
