/**
 * Writes docs/events.md from the catalogue. With `--check` it writes nothing and exits 1 where the page is stale.
 *
 *     bun scripts/generate-docs.ts [--check]
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { eventsPage } from "./docs/events-page.ts"

const path = fileURLToPath(new URL("../docs/events.md", import.meta.url))
const page = eventsPage()

const present = (): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

if (!process.argv.includes("--check")) {
  writeFileSync(path, page)
} else if (present() !== page) {
  process.stderr.write("docs/events.md is stale: run scripts/generate-docs.ts\n")
  process.exitCode = 1
}
