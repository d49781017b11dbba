/**
 * Fails when a room reaches where it must not: `node_modules/.bin/bun scripts/check-imports.ts [ROOT]`. Prints file and
 * line, the rule that is broken, and what to do. Exit codes: 0 good, 1 a rule is broken, 2 nothing to check.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative, resolve, sep } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { findViolations } from "./imports/rules.ts"

const root = resolve(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)))
const folder = join(root, "src")

const files = new Map<string, string>()
if (existsSync(folder)) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.[cm]?[jt]s$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    files.set(relative(root, path).split(sep).join("/"), readFileSync(path, "utf8"))
  }
}
if (files.size === 0) {
  process.stderr.write(`check-imports: no source files in ${folder}\n`)
  process.exit(2)
}

const violations = findViolations(files)
for (const { file, line, rule, message, remedy } of violations) {
  process.stdout.write(`${file}:${line}: ${message} [${rule}]\n    ${remedy}\n`)
}
process.stdout.write(
  `${files.size} files, ${violations.length === 0 ? "all rules kept" : `${violations.length} broken`}\n`
)
process.exitCode = violations.length === 0 ? 0 : 1
