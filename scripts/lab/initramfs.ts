/**
 * The first root file system of the tests' virtual machine: busybox, the modules that the kernel needs for what the tests
 * do, and `vm-init.sh`, which puts the host's files in its place.
 */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type CpioEntry, cpio } from "./cpio.ts"
import { findBusybox } from "./image.ts"

/** Where scripts/lab/kernel.sh puts the kernel. */
export const kernelDir = fileURLToPath(new URL("../../.cache/lab/kernel", import.meta.url))

/** What is loaded at boot, beside what these depend on. A kernel that has one built in has no such file. */
const wantedModules: ReadonlyArray<string> = [
  // The host's files. crc32c is what libcrc32c asks the kernel for by name (a soft dependency).
  ...["crc32c_generic", "virtio_pci", "9pnet_virtio", "9p", "overlay"],
  // Pod networks: the bridge and portmap plugins.
  ...["veth", "bridge", "br_netfilter", "dummy", "tun", "sctp"],
  ...["nf_tables", "nft_compat", "nft_chain_nat", "nft_masq", "nft_nat", "nft_ct", "nft_redir", "nft_limit", "nft_log"],
  ...[
    "nft_fib_inet",
    "nft_numgen",
    "nft_hash",
    "nft_fib_ipv4",
    "nft_fib_ipv6",
    "nft_reject_inet",
    "nft_reject_ipv4",
    "nft_reject_ipv6",
    "nf_conntrack_netlink"
  ],
  ...["xt_comment", "xt_multiport", "xt_mark", "xt_nat", "xt_MASQUERADE", "xt_REDIRECT", "xt_tcpudp", "xt_addrtype"],
  ...["xt_conntrack", "xt_statistic", "xt_recent", "xt_set"],
  // Virtual servers and the sets beside them.
  ...["ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_lblc", "ip_vs_lblcr", "ip_vs_sh", "ip_vs_dh"],
  ...["ip_vs_mh", "ip_vs_sed", "ip_vs_nq", "ip_set", "ip_set_bitmap_port", "ip_set_hash_ip", "ip_set_hash_ipport"],
  ...["ip_set_hash_ipportip", "ip_set_hash_ipportnet", "ip_set_hash_net"]
]

/** The kernel takes `-` and `_` in a module's name for the same. */
const plain = (name: string): string => name.replaceAll("-", "_")

/** What a module says that it depends on: `depends=a,b` in its section .modinfo. */
export const dependenciesOf = (module: Buffer): ReadonlyArray<string> => {
  const key = "\0depends="
  const start = module.indexOf(key)
  if (start === -1) return []
  const value = module.subarray(start + key.length, module.indexOf(0, start + 1)).toString("latin1")
  return value.split(",").filter(Boolean).map(plain)
}

/** Modules in the order in which they can be loaded; names that `files` has not are left out: they are built in. */
const loadOrder = async (
  wanted: ReadonlyArray<string>,
  files: ReadonlyMap<string, string>
): Promise<ReadonlyMap<string, Buffer>> => {
  const ordered = new Map<string, Buffer>()
  const add = async (name: string): Promise<void> => {
    const path = files.get(name)
    if (path === undefined || ordered.has(name)) return
    const module = await readFile(path)
    for (const dependency of dependenciesOf(module)) await add(dependency)
    ordered.set(name, module)
  }
  for (const name of wanted) await add(name)
  return ordered
}

/** Answers the archive; `start` is the script that takes over in the host's files. */
export const buildInitramfs = async (start: string): Promise<Buffer> => {
  const folder = join(kernelDir, "modules")
  const files = new Map(
    (await readdir(folder))
      .filter((name) => name.endsWith(".ko"))
      .map((name) => [plain(name.slice(0, -3)), join(folder, name)])
  )
  const modules = await loadOrder(wantedModules, files)
  const [busybox, init] = await Promise.all([findBusybox(), readFile(new URL("vm-init.sh", import.meta.url))])
  const directories = ["bin", "dev", "proc", "sys", "lower", "upper", "root", "modules"]
  const entries: ReadonlyArray<CpioEntry> = [
    ...directories.map((path) => ({ path, mode: 0o755 })),
    { path: "bin/busybox", mode: 0o755, content: busybox.bytes },
    ...[...modules].map(([name, content]) => ({ path: `modules/${name}.ko`, mode: 0o644, content })),
    { path: "modules/order", mode: 0o644, content: Buffer.from([...modules.keys(), ""].join("\n")) },
    { path: "init", mode: 0o755, content: init },
    { path: "start", mode: 0o755, content: Buffer.from(start) }
  ]
  return cpio(entries)
}
