/**
 * Exit code 0 when node_modules holds what package-lock.json asks for, else 1. Compares versions, not times: `git` sets
 * times anew. Runs on Node, since it runs before anything is installed.
 */
import { existsSync, readFileSync } from "node:fs"

const packagesOf = (path) => JSON.parse(readFileSync(path, "utf8")).packages ?? {}

const isInstalled = () => {
  if (!existsSync("node_modules/.package-lock.json")) return false
  const wanted = packagesOf("package-lock.json")
  const present = packagesOf("node_modules/.package-lock.json")
  const differs = ([path, { version, integrity }]) =>
    wanted[path]?.version !== version || (wanted[path].integrity ?? integrity) !== integrity
  // Optional ones are mostly other platforms' binaries: npm leaves them out.
  const lacks = ([path, { optional }]) => path !== "" && !optional && !existsSync(`${path}/package.json`)
  return !Object.entries(present).some(differs) && !Object.entries(wanted).some(lacks)
}

process.exitCode = isInstalled() ? 0 : 1
