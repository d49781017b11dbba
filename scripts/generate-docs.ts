/**
 * Writes docs/events.md from the catalogue, docs/conformance.md from the tests, docs/metrics.md from the families of metrics, and
 * docs/kubelet-configuration.md and docs/proxy-configuration.md from the tables of their fields. With `--check` it writes nothing and exits 1 where a page is stale.
 *
 *     bun scripts/generate-docs.ts [--check]
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { conformancePage } from "./docs/conformance-page.ts"
import { eventsPage } from "./docs/events-page.ts"
import { kubeletConfigurationPage } from "./docs/kubelet-configuration-page.ts"
import { metricsPage } from "./docs/metrics-page.ts"
import { proxyConfigurationPage } from "./docs/proxy-configuration-page.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const pages = {
  "docs/events.md": eventsPage,
  "docs/conformance.md": () => conformancePage(root),
  "docs/kubelet-configuration.md": kubeletConfigurationPage,
  "docs/metrics.md": metricsPage,
  "docs/proxy-configuration.md": proxyConfigurationPage
}

const present = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

for (const [name, make] of Object.entries(pages)) {
  const path = join(root, name)
  try {
    const page = make()
    if (!process.argv.includes("--check")) writeFileSync(path, page)
    else if (present(path) !== page) throw new Error("is stale: run scripts/generate-docs.ts")
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
