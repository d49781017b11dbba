/**
 * What the kernel writes into its files of cgroups and of /proc, read from bytes. Pure; whatever the bytes are, nothing throws and
 * no value is NaN or infinite: what is not understood is absent. Formats: Documentation/admin-guide/cgroup-v{1,2}, Documentation/
 * accounting/psi.rst, proc(5).
 */
import type { PsiShare, PsiStats } from "../../events/stats-summary.ts"
import type { InterfaceCounters, IoCounters } from "./port.ts"

/** The kernel's counters have 64 bits; a larger number is no counter, and stands at the largest. */
export const maxCount = 2 ** 64
/** The kernel's word for no limit in v1 is the largest number of whole pages. */
export const noLimit = 2 ** 62
/** Block devices, and network interfaces, of one file; the rest is left out. */
export const maxDevices = 1_024

const zero = 0x30
const nine = 0x39
const newline = 0x0a

/** Decimal digits from `from` on; -1: there are none. Beyond 2^53 as near as a double comes. */
export const countAt = (bytes: Uint8Array, from: number, end: number): number => {
  let value = 0
  let at = from
  for (; at < end; at++) {
    const byte = bytes[at]!
    if (byte < zero || byte > nine) break
    value = value * 10 + (byte - zero)
  }
  if (at === from) return -1
  return value < maxCount ? value : maxCount
}

/** A file of one number; undefined: `max`, or nothing that is a number. */
export const count = (bytes: Uint8Array, length: number): number | undefined => {
  const value = countAt(bytes, 0, length)
  return value < 0 ? undefined : value
}

/** The same where a very large number stands for none. */
export const limit = (bytes: Uint8Array, length: number): number | undefined => {
  const value = count(bytes, length)
  return value === undefined || value >= noLimit ? undefined : value
}

const countIn = (text: string, from: number): number => {
  let value = 0
  let at = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < zero || code > nine) break
    value = value * 10 + (code - zero)
  }
  if (at === from) return -1
  return value < maxCount ? value : maxCount
}

/** Value of each key in the order of the keys; -1: it is not there. The array is used again by the next call. */
export type Scanner = (text: string) => Float64Array

/**
 * For files of lines `key value` (`memory.stat`, with `separator` also /proc/meminfo). The keys are named in the order in which
 * the kernel writes them, so that one walk over the text finds all; another order is only slower.
 */
export const scanner = (keys: ReadonlyArray<string>, separator = " "): Scanner => {
  const needles = keys.map((key) => `\n${key}${separator}`)
  const values = new Float64Array(keys.length)
  return (text) => {
    let at = 0
    for (let i = 0; i < needles.length; i++) {
      const needle = needles[i]!
      let found = text.indexOf(needle, at)
      if (found < 0 && at > 0) found = text.indexOf(needle)
      const isFirst = found < 0 && text.startsWith(needle.slice(1))
      if (found < 0 && !isFirst) {
        values[i] = -1
        continue
      }
      if (!isFirst) at = found
      let digits = isFirst ? needle.length - 1 : found + needle.length
      while (text.charCodeAt(digits) === 0x20) digits += 1
      values[i] = countIn(text, digits)
    }
    return values
  }
}

/** All lines `key value` of a text, at most `maxDevices` of them. */
export const keyed = (text: string): Readonly<Record<string, number>> => {
  const values: Array<[string, number]> = []
  for (const line of text.split("\n", maxDevices)) {
    const space = line.indexOf(" ")
    const value = space <= 0 ? -1 : countIn(line, space + 1)
    if (value >= 0) values.push([line.slice(0, space), value])
  }
  return Object.fromEntries(values)
}

const noShare: PsiShare = { total: 0, avg10: 0, avg60: 0, avg300: 0 }

/** `avg10=0.35 avg60=0.81 avg300=4.18 total=12282333210` from `from` to the end of the line, as four numbers. */
const shareAt = (bytes: Uint8Array, from: number, end: number, numbers: Float64Array): number => {
  let at = from
  let n = 0
  while (at < end && bytes[at] !== newline) {
    if (bytes[at] !== 0x3d || n === 4) {
      at += 1
      continue
    }
    at += 1
    let value = 0
    let scale = 0
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (byte === 0x2e && scale === 0) scale = 1
      else if (byte >= zero && byte <= nine) {
        if (scale === 0) value = Math.min(value * 10 + (byte - zero), maxCount)
        else if (scale < 1e9) {
          scale *= 10
          value += (byte - zero) / scale
        }
      } else break
    }
    numbers[n++] = value
  }
  return n === 4 ? at : -1
}

/** Undefined where it is no pressure file. Kernels that do not tell of `full` (CPU of the whole node) have none of it. */
export const pressure = (bytes: Uint8Array, length: number): PsiStats | undefined => {
  const numbers = new Float64Array(4)
  // "some …", then perhaps "full …".
  if (bytes[0] !== 0x73 || length < 5) return undefined
  const end = shareAt(bytes, 0, length, numbers)
  if (end < 0) return undefined
  const some = { total: numbers[3]!, avg10: numbers[0]!, avg60: numbers[1]!, avg300: numbers[2]! }
  if (bytes[end + 1] !== 0x66 || shareAt(bytes, end + 1, length, numbers) < 0) return { some, full: noShare }
  return { some, full: { total: numbers[3]!, avg10: numbers[0]!, avg60: numbers[1]!, avg300: numbers[2]! } }
}

/** io.stat of v2: `259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`. */
export const ioStat = (text: string): ReadonlyArray<IoCounters> => {
  const devices: Array<IoCounters> = []
  for (const line of text.split("\n", maxDevices)) {
    const device = deviceOf(line)
    if (device === undefined) continue
    const of = (key: string): number => {
      const at = line.indexOf(` ${key}=`)
      return at < 0 ? 0 : Math.max(0, countIn(line, at + key.length + 2))
    }
    devices.push({
      device,
      readBytes: of("rbytes"),
      writeBytes: of("wbytes"),
      reads: of("rios"),
      writes: of("wios")
    })
  }
  return devices
}

/** `8:0 …` → `8:0` */
const deviceOf = (line: string): string | undefined => /^\d{1,10}:\d{1,10}(?= )/u.exec(line)?.[0]

/** blkio of v1, bytes and operations in a file each: `259:0 Read 4096`, and other words; at the end `Total 4096`. */
export const blkio = (bytes: string, operations: string): ReadonlyArray<IoCounters> => {
  const devices = new Map<string, { -readonly [K in keyof IoCounters]: IoCounters[K] }>()
  const take = (text: string, read: "readBytes" | "reads", write: "writeBytes" | "writes"): void => {
    for (const line of text.split("\n", maxDevices * 8)) {
      const device = deviceOf(line)
      if (device === undefined) continue
      const isRead = line.startsWith(" Read ", device.length)
      if (!isRead && !line.startsWith(" Write ", device.length)) continue
      const known = devices.get(device) ?? { device, readBytes: 0, writeBytes: 0, reads: 0, writes: 0 }
      if (!devices.has(device) && devices.size >= maxDevices) continue
      devices.set(device, known)
      known[isRead ? read : write] = Math.max(0, countIn(line, line.lastIndexOf(" ") + 1))
    }
  }
  take(bytes, "readBytes", "writeBytes")
  take(operations, "reads", "writes")
  return [...devices.values()]
}

/** Bytes of a sector in /proc/diskstats, whatever the disk has. */
const sectorBytes = 512

const numbersOf = (line: string): ReadonlyArray<number> =>
  line.split(/\s+/u, 64).map((word) => Math.max(0, countIn(word, 0)))

/** /proc/diskstats: ` 254 0 vda 118321 40330 9302610 …` (Documentation/admin-guide/iostats.rst), of the disks that are named. */
export const diskStats = (text: string, isDisk: (name: string) => boolean): ReadonlyArray<IoCounters> => {
  const devices: Array<IoCounters> = []
  for (const line of text.split("\n", maxDevices * 16)) {
    const words = line.trim().split(/\s+/u, 64)
    const name = words[2]
    if (name === undefined || words.length < 11 || devices.length >= maxDevices || !isDisk(name)) continue
    const [major = 0, minor = 0, , reads = 0, , sectorsRead = 0, , writes = 0, , sectorsWritten = 0] = numbersOf(
      line.trim()
    )
    devices.push({
      device: `${major}:${minor}`,
      readBytes: sectorsRead * sectorBytes,
      writeBytes: sectorsWritten * sectorBytes,
      reads,
      writes
    })
  }
  return devices
}

/** /proc/net/dev: two lines of headings, then `  eth0: 1296 16 0 0 0 0 0 0 1016 12 0 0 0 0 0 0`. */
export const interfaces = (text: string): ReadonlyArray<InterfaceCounters> => {
  const all: Array<InterfaceCounters> = []
  for (const line of text.split("\n", maxDevices + 2)) {
    const colon = line.lastIndexOf(":")
    const name = line.slice(0, colon).trim()
    const counters = line.slice(colon + 1).trim()
    if (colon < 0 || name === "" || !/^\d/u.test(counters)) continue
    const n = numbersOf(counters)
    if (n.length < 16) continue
    all.push({
      name,
      rxBytes: n[0]!,
      rxPackets: n[1]!,
      rxErrors: n[2]!,
      rxDropped: n[3]!,
      txBytes: n[8]!,
      txPackets: n[9]!,
      txErrors: n[10]!,
      txDropped: n[11]!
    })
  }
  return all
}

/** /proc/loadavg: `0.00 0.55 1.41 1/93 4857`; 93 is how many threads there are (proc_loadavg(5)). */
export const threadsOf = (loadavg: string): number | undefined => {
  const slash = loadavg.indexOf("/")
  const value = slash < 0 ? -1 : countIn(loadavg, slash + 1)
  return value < 0 ? undefined : value
}

/** Process ids of a cgroup.procs. */
export const processIds = (text: string): ReadonlyArray<number> =>
  text.split("\n").flatMap((line) => {
    const pid = countIn(line, 0)
    return pid > 0 && pid < noLimit ? [pid] : []
  })
