/**
 * Names of rotated logs, and what is done with them: kubelet's `pkg/kubelet/logs/container_log_manager.go`. Beside `0.log` there are
 * `0.log.20261124-184000` (the newest, as it is) and `0.log.20261124-183000.gz` (older ones, packed). Pure.
 */

export const packedSuffix = ".gz"
export const draftSuffix = ".tmp"
/** What kubelet keeps apart for the file that is written and the one that is about to be set aside. */
const filesInUse = 2

const rotatedPattern = /^\d{8}-\d{6}$/u

const two = (value: number): string => String(value).padStart(2, "0")

/** `20261124-184000`, UTC. `at`: milliseconds since the epoch. */
export const rotationTime = (at: number): string => {
  const t = new Date(at)
  const date = `${t.getUTCFullYear()}${two(t.getUTCMonth() + 1)}${two(t.getUTCDate())}`
  return `${date}-${two(t.getUTCHours())}${two(t.getUTCMinutes())}${two(t.getUTCSeconds())}`
}

/** Without the suffix of packing. */
export const baseOf = (name: string): string =>
  name.endsWith(packedSuffix) ? name.slice(0, -packedSuffix.length) : name

/** The files in a log's directory that belong to the rotated ones of `log`, drafts among them. */
export const besides = (log: string, directory: ReadonlyArray<string>): ReadonlyArray<string> =>
  directory.filter((name) => {
    if (!name.startsWith(`${log}.`)) return false
    const rest = baseOf(name.slice(log.length + 1).replace(/\.tmp$/u, ""))
    return rotatedPattern.test(rest)
  })

/** Without drafts and without those that stand beside a packed one of the same name: an interrupted rotation left them. */
export const inUse = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const all = new Set(names)
  return names.filter((name) => !name.endsWith(draftSuffix) && !all.has(`${name}${packedSuffix}`))
}

/** Rotated files that stay where one more comes, oldest first. */
export const kept = (rotated: ReadonlyArray<string>, maxFiles: number): ReadonlyArray<string> => {
  const room = Math.max(maxFiles - filesInUse, 0)
  const sorted = [...rotated].sort()
  return sorted.slice(Math.max(sorted.length - room, 0))
}

/** Rotated files of a log, oldest first, and the log itself. */
export const inOrder = (log: string, directory: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...[...inUse(besides(log, directory))].sort(),
  ...(directory.includes(log) ? [log] : [])
]

/** The name for a file that is set aside now: later than every other, however fast rotations follow each other. */
export const nextName = (log: string, at: number, directory: ReadonlyArray<string>): string => {
  const newest = [...besides(log, directory).map(baseOf)].sort().at(-1)
  for (let time = at; ; time += 1000) {
    const name = `${log}.${rotationTime(time)}`
    if (newest === undefined || name > newest) return name
  }
}
