/** Names of kernel parameters, and the namespaces that hold them (`k8s.io/component-helpers/node/util/sysctl`). */

/** Characters of a name. */
export const maxSysctlName = 253

const segment = "[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?"
const form = new RegExp(`^(?:${segment}[./])*${segment}$`, "u")
const patternForm = new RegExp(`^(?:${segment}[./])*(?:[a-z0-9][-_a-z0-9]*)?[a-z0-9*]$`, "u")

export const isSysctlName = (name: string): boolean => name.length <= maxSysctlName && form.test(name)
/** A name, or the beginning of names with `*` behind it. */
export const isSysctlPattern = (pattern: string): boolean =>
  pattern.length <= maxSysctlName && patternForm.test(pattern)

/** `net/ipv4/conf/eno2.100/rp_filter` → `net.ipv4.conf.eno2/100.rp_filter`; a name whose first separator is a dot stays. */
export const dottedSysctl = (name: string): string => {
  if (!/^[^./]*\//u.test(name)) return name
  return name.replace(/[./]/gu, (separator) => (separator === "." ? "/" : "."))
}

export type SysctlNamespace = "IPC" | "Net"

const prefixes: ReadonlyArray<readonly [string, SysctlNamespace]> = [
  ["kernel.shm", "IPC"],
  ["kernel.msg", "IPC"],
  ["fs.mqueue.", "IPC"],
  ["net.", "Net"]
]

/** The namespace that holds a parameter, in dotted form; undefined: it is not known to be in one. */
export const sysctlNamespace = (name: string): SysctlNamespace | undefined =>
  name === "kernel.sem" ? "IPC" : prefixes.find(([prefix]) => name.startsWith(prefix))?.[1]
