/** Whether package-lock.json is whole, judged without a network: `npm ci` of npm 11 refuses one that is not. */

interface Entry {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
export interface Lockfile {
  readonly packages: Readonly<Record<string, Entry>>
}

/** Where npm looks for `name` from a package at `path`: its own node_modules, then each one above it. */
const isLocked = (lock: Lockfile, path: string, name: string): boolean => {
  for (let at = path; ; at = at.includes("/node_modules/") ? at.slice(0, at.lastIndexOf("/node_modules/")) : "") {
    if (lock.packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`] !== undefined) return true
    if (at === "") return false
  }
}

/** One line for each thing that is missing or stale; `manifest` is package.json. */
export const lockfileFaults = (manifest: Entry, lock: Lockfile): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const root = lock.packages[""] ?? {}
  for (const kind of ["dependencies", "devDependencies", "optionalDependencies"] as const) {
    const [wanted, locked] = [manifest[kind] ?? {}, root[kind] ?? {}]
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(locked)])) {
      if (wanted[name] !== locked[name])
        faults.push(`${name}: package.json says ${wanted[name]}, the lock ${locked[name]}`)
    }
  }
  for (const [path, entry] of Object.entries(lock.packages)) {
    const needs = {
      ...entry.dependencies,
      ...entry.optionalDependencies,
      ...(path === "" ? entry.devDependencies : {})
    }
    for (const [name, range] of Object.entries(needs)) {
      if (!isLocked(lock, path, name))
        faults.push(`${name}@${range}, wanted by ${path || "package.json"}, has no entry`)
    }
  }
  return faults
}
