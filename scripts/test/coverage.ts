/** Line coverage of the unit tests on Bun: the lcov files of all test files added up, as one line per room. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Hits by line, by source file. */
export type Hits = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Adds up `SF:` and `DA:` records. Other records (functions, branches) differ by runner and are left out. */
export const addLcov = (texts: Iterable<string>): Hits => {
  const files = new Map<string, Map<number, number>>()
  for (const text of texts) {
    let lines = new Map<number, number>()
    for (const record of text.split("\n")) {
      if (record.startsWith("SF:")) {
        const path = record.slice(3).trim()
        lines = files.get(path) ?? new Map()
        files.set(path, lines)
      } else if (record.startsWith("DA:")) {
        const [line, hits] = record.slice(3).split(",").map(Number)
        if (line !== undefined && hits !== undefined) lines.set(line, (lines.get(line) ?? 0) + hits)
      }
    }
  }
  return files
}

/** `src/events`, `src/actors/pod`, `src/adapters/cri`, …: what one line of the table is about. */
const roomOf = (path: string): string =>
  path
    .split("/")
    .slice(0, /^src\/(?:actors|adapters)\/[^/]+\//.test(path) ? 3 : 2)
    .join("/")

const sourcesOf = (root: string): ReadonlyArray<string> =>
  existsSync(join(root, "src"))
    ? readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts") && !name.includes("/generated/"))
        .map((name) => `src/${name}`)
        .sort()
    : []

/**
 * A table for people, from the reports below `folder`; the sum is left in coverage/lcov.info for editors. Files that no
 * unit test loads have no line counts: they are named by number, so that a room cannot look good by being empty.
 */
export const summarizeCoverage = (root: string, folder: string): ReadonlyArray<string> => {
  const reports = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : []
  const hits = addLcov(
    reports.filter((name) => name.endsWith("lcov.info")).map((name) => readFileSync(join(folder, name), "utf8"))
  )
  const rooms = new Map<string, { lines: number; hit: number; unseen: number; files: number }>()
  const lcov: Array<string> = []
  for (const path of sourcesOf(root)) {
    const room = rooms.get(roomOf(path)) ?? { lines: 0, hit: 0, unseen: 0, files: 0 }
    rooms.set(roomOf(path), room)
    const lines = hits.get(path)
    room.files += 1
    if (lines === undefined) room.unseen += 1
    else {
      room.lines += lines.size
      room.hit += [...lines.values()].filter((n) => n > 0).length
      lcov.push(
        `SF:${path}`,
        ...[...lines].sort(([a], [b]) => a - b).map(([line, n]) => `DA:${line},${n}`),
        "end_of_record"
      )
    }
  }
  mkdirSync(join(root, "coverage"), { recursive: true })
  writeFileSync(join(root, "coverage", "lcov.info"), `${lcov.join("\n")}\n`)
  const row = (
    name: string,
    { lines, hit, unseen, files }: { lines: number; hit: number; unseen: number; files: number }
  ) => {
    const percent = lines === 0 ? "-" : `${((100 * hit) / lines).toFixed(1)} %`
    const note = unseen === 0 ? "" : `   ${unseen} of ${files} files loaded by no unit test`
    return `  ${name.padEnd(28)}${percent.padStart(8)}${String(hit).padStart(8)} / ${String(lines).padEnd(7)}${note}`.trimEnd()
  }
  const all = { lines: 0, hit: 0, unseen: 0, files: 0 }
  for (const room of rooms.values()) {
    all.lines += room.lines
    all.hit += room.hit
    all.unseen += room.unseen
    all.files += room.files
  }
  return [
    "line coverage of the unit tests (Bun); coverage/lcov.info has the lines",
    ...[...rooms].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, room]) => row(name, room)),
    row("all", all)
  ]
}
