/** What a test needs of the machine. `it("…", requires("root", "containerd"), …)` runs it there, and says why not elsewhere. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

const toolFolders = [...(process.env.PATH ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"]

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a program, in PATH or the folders of system programs; undefined when there is none. */
export const findProgram = (name: string): string | undefined =>
  toolFolders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable)

/** capabilities(7): the bit in `CapEff` of proc_pid_status(5). */
const sysAdmin = 21n

const hasCapability = (bit: bigint): boolean => {
  try {
    const held = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"
    return (BigInt(`0x${held}`) & (1n << bit)) !== 0n
  } catch {
    return false
  }
}

const program =
  (name: string, by = "scripts/lab/packages.sh installs it") =>
  () =>
    findProgram(name) === undefined ? `needs ${name} (${by})` : undefined

/** Each answers what is missing, or undefined. */
const needs = {
  linux: () => (process.platform === "linux" ? undefined : "needs Linux"),
  root: () => (process.getuid?.() === 0 ? undefined : "needs root"),
  mounts: () => (hasCapability(sysAdmin) ? undefined : "needs CAP_SYS_ADMIN, to mount"),
  containerd: program("containerd"),
  ctr: program("ctr"),
  runc: program("runc"),
  crictl: program("crictl", "no package of Debian's"),
  "nats-server": program("nats-server"),
  "docker-registry": program("docker-registry"),
  prometheus: program("prometheus"),
  promtool: program("promtool"),
  nats: program("nats", "no package of Debian's"),
  chromium: program("chromium", "scripts/lab/chromium.sh installs it"),
  script: program("script", "Debian's bsdutils or bsdextrautils"),
  setpriv: program("setpriv", "util-linux has it"),
  ip: program("ip"),
  iptables: program("iptables"),
  nft: program("nft"),
  conntrack: program("conntrack"),
  ipvsadm: program("ipvsadm", "scripts/lab/packages.sh --tests installs it"),
  ipvs: () => (existsSync("/proc/net/ip_vs") ? undefined : "needs IPVS (the virtual machine has it)"),
  cni: () =>
    ["/usr/lib/cni", "/opt/cni/bin"].some((folder) => isExecutable(join(folder, "bridge")))
      ? undefined
      : "needs the CNI plugins (scripts/lab/packages.sh installs them)",
  "cgroup-v1": () => (existsSync("/sys/fs/cgroup/memory/cgroup.procs") ? undefined : "needs cgroup v1"),
  "cgroup-v2": () => (existsSync("/sys/fs/cgroup/cgroup.controllers") ? undefined : "needs cgroup v2 at /sys/fs/cgroup")
} as const satisfies Readonly<Record<string, () => string | undefined>>

export type Need = keyof typeof needs

/** Options for `it` or `describe` of node:test: `skip` is false, or names the first thing that is missing. */
export const requires = (...names: ReadonlyArray<Need>): { readonly skip: string | false } => {
  for (const name of names) {
    const missing = needs[name]()
    if (missing !== undefined) return { skip: missing }
  }
  return { skip: false }
}
