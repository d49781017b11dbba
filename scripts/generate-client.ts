/**
 * Writes src/client/event-data.ts, the types of all events' data in plain TypeScript, from the catalogue's JSON Schemas:
 * the library must not ask its users for a schema library. With `--check` it writes nothing and exits 1 where it is stale.
 *
 *     bun scripts/generate-client.ts [--check]
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { eventDataModule } from "./docs/event-data-module.ts"

const path = fileURLToPath(new URL("../src/client/event-data.ts", import.meta.url))
const text = eventDataModule()

if (!process.argv.includes("--check")) writeFileSync(path, text)
else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
  process.stderr.write("src/client/event-data.ts is stale: run scripts/generate-client.ts\n")
  process.exitCode = 1
}
