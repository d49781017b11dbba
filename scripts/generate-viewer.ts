/**
 * Bundles the page of HTML reports (src/reports/viewer, with uPlot) into src/reports/html/generated, so that writing a report
 * needs no build step. With `--check` it writes nothing and exits 1 where a file is stale.
 *
 *     bun scripts/generate-viewer.ts [--check]
 *
 * The bundle is not minified: what a report does can be read in the report, and a change of it in a diff.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = join(root, "src/reports/html/generated")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** Bun's bundler, of the version that package.json pins: the same bytes everywhere. */
const bundled = (): string => {
  const words = ["build", "src/reports/viewer/main.ts", "--target=browser", "--format=iife"]
  const { error, status, stderr, stdout } = spawnSync(join(root, "node_modules/.bin/bun"), words, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024
  })
  if (status !== 0) throw new Error(`bun build failed: ${error?.message ?? stderr}`)
  return stdout
}

/** A script within HTML ends at the first of these, wherever it stands. */
const endsScript = /<\/script|<!--/iu

const script = (): string => {
  const licence = read("node_modules/uplot/LICENSE").trim()
  const text = `/*! Holds uPlot (https://github.com/leeoniya/uPlot):\n${licence}\n*/\n${bundled()}`
  if (endsScript.test(text)) throw new Error("the bundle holds text that would end a script within HTML")
  return text
}

/** The colours for dark stand once, for the switch; the system's wish gets a copy. */
const style = (): string => {
  const css = read("src/reports/viewer/viewer.css")
  const [before = "", dark = "", after = ""] = css.split(/\/\* DARK(?:: [^*]*| END) \*\/\n/u)
  const wished = dark.replace(':root[data-theme="dark"]', ':root:not([data-theme="light"])')
  const text = `${read("node_modules/uplot/dist/uPlot.min.css")}\n${before}${dark}@media (prefers-color-scheme: dark) {\n${wished}}\n${after}`
  if (dark === "" || /<\/style/iu.test(text))
    throw new Error("viewer.css lacks its dark part, or ends a style within HTML")
  return text
}

const files = { "viewer.js": script(), "viewer.css": style() }
const present = (name: string): string => {
  try {
    return readFileSync(join(folder, name), "utf8")
  } catch {
    return ""
  }
}
if (process.argv.includes("--check")) {
  const stale = Object.entries(files).filter(([name, text]) => present(name) !== text)
  for (const [name] of stale)
    process.stderr.write(`src/reports/html/generated/${name} is stale: run scripts/generate-viewer.ts\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}
