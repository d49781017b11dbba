/**
 * All benchmarks one after another, each a process of its own: `npm run bench [-- NAME…]`. Those that need root, a
 * runtime or a server start private ones. The last figures are kept by hand in RESULTS.md.
 */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"

const here = fileURLToPath(new URL(".", import.meta.url))
const shared = new Set([
  "machine.ts",
  "run.ts",
  "idle-bare.ts",
  "bare-ndjson.ts",
  "decided-log.ts",
  "node-day.ts",
  "services-lab.ts"
])
const names = readdirSync(here)
  .filter((file) => file.endsWith(".ts") && !shared.has(file))
  .map((file) => file.replace(".ts", ""))
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !names.includes(name))
if (wanted.includes("--help") || unknown.length > 0) {
  console.error(`npm run bench [-- NAME…]; names: ${names.join(", ")}`)
  process.exit(wanted.includes("--help") ? 0 : 2)
}
/** Milliseconds for one benchmark. */
const timeout = 600_000

let failed = 0
for (const name of names.filter((n) => wanted.length === 0 || wanted.includes(n))) {
  console.log(`\n== ${name}`)
  const { status } = spawnSync(process.execPath, [`${here}${name}.ts`], { stdio: "inherit", timeout })
  if (status !== 0) failed += 1
}
process.exit(failed === 0 ? 0 : 1)
