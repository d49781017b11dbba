/** Which test files there are, of which level, for which runtimes. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Level, type Place, places, runtimes } from "./options.ts"

export interface TestFile {
  /** From the root, with `/`. */
  readonly path: string
  readonly level: Level
  readonly runtimes: ReadonlyArray<Place>
  /** `// alone: WHY`: no other file runs beside it. */
  readonly alone: boolean
  /** `// netns: own`: its process sits in a network namespace of its own (own-netns.sh); needs root. */
  readonly ownNetns: boolean
}

/** How many lines of a file may hold its `// runtimes:`, `// alone:` and `// netns:` lines. */
const headLines = 20

/** What is asked for beside the usual. */
export interface Wanted {
  /** On Deno also what is `(deno)`. */
  readonly both?: boolean
  /** In the virtual machine also what is `(vm)`. */
  readonly vm?: boolean
}

/** `// runtimes: bun (deno) (vm)`: on Deno, and in the virtual machine, only when that is asked for. */
const runtimesOf = (level: Level, head: string, wanted: Wanted): ReadonlyArray<Place> => {
  const named = /^\/\/ runtimes:(.*)$/m.exec(head)?.[1]
  if (named === undefined) return level === "e2e" ? ["bun"] : runtimes
  const words = named.split(/[\s,]+/)
  const asked = { bun: false, deno: wanted.both === true, vm: wanted.vm === true }
  return places.filter((place) => words.includes(place) || (asked[place] && words.includes(`(${place})`)))
}

/** All test files below `root`/test, by path; `misnamed` holds those whose name tells no level: they would never run. */
export const findTestFiles = (
  root: string,
  wanted: Wanted = {}
): { readonly files: ReadonlyArray<TestFile>; readonly misnamed: ReadonlyArray<string> } => {
  const files: Array<TestFile> = []
  const misnamed: Array<string> = []
  const names = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" }).sort()
  for (const name of names) {
    if (!/[._](?:test|spec)\.[cm]?[jt]sx?$/.test(name)) continue
    const path = `test/${name.replaceAll("\\", "/")}`
    const level = /\.(unit|int|e2e)\.test\.ts$/.exec(name)?.[1] as Level | undefined
    if (level === undefined) misnamed.push(path)
    else {
      const head = readFileSync(join(root, path), "utf8").split("\n", headLines).join("\n")
      const [alone, ownNetns] = [/^\/\/ alone:/m.test(head), /^\/\/ netns: own$/m.test(head)]
      files.push({ path, level, runtimes: runtimesOf(level, head, wanted), alone, ownNetns })
    }
  }
  return { files, misnamed }
}
