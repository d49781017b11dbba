/** What a machine lacks for Services by IPVS. Changes nothing but that asking for a module loads it. */
import { access, readFile } from "node:fs/promises"
import { Effect } from "effect"
import type { Ipvs } from "../../netlink/ipvs-calls.ts"
import { runNft } from "../nftables/tool.ts"
import type { DataplaneError, IpvsSettings, Missing } from "../port.ts"
import { attempt } from "./companion.ts"

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

/** Loaded, built in, or to be had; where modules are elsewhere or unknown it is taken for there. */
const hasModule = async (name: string, release: string): Promise<boolean> => {
  if (await there(`/sys/module/${name}`)) return true
  const lists = await Promise.all(
    ["modules.dep", "modules.builtin"].map((file) =>
      readFile(`/lib/modules/${release}/${file}`, "utf8").catch(() => "")
    )
  )
  const known = lists.join("\n")
  return known === "" || new RegExp(`(^|/)${name.replaceAll("_", "[-_]")}\\.ko`, "m").test(known)
}

const moduleMissing = (name: string, release: string): Effect.Effect<ReadonlyArray<Missing>> =>
  Effect.promise(async () =>
    (await hasModule(name, release))
      ? []
      : [{ what: `kernel module ${name}`, remedy: `a kernel with ${name}, or the package of its extra modules` }]
  )

const remedyOf = ({ reason }: DataplaneError): string =>
  reason === "NoPermission"
    ? "run the agent as root, or with CAP_NET_ADMIN"
    : "load the module ip_vs (modprobe ip_vs), or run a kernel that has it; --proxy-mode nftables needs none"

/** `vs/conntrack` is there where IPVS was built to work with the table of connections (CONFIG_IP_VS_NFCT). */
const conntrackParameter = "/proc/sys/net/ipv4/vs/conntrack"

export const missingOf = (
  ipvs: Effect.Effect<Ipvs, DataplaneError>,
  settings: IpvsSettings,
  release: string
): Effect.Effect<ReadonlyArray<Missing>> =>
  Effect.gen(function* () {
    const kernel = yield* ipvs.pipe(
      Effect.flatMap((open) => attempt(() => open.info())),
      Effect.match({
        onSuccess: (): ReadonlyArray<Missing> => [],
        onFailure: (error) => [{ what: error.message, remedy: remedyOf(error) }]
      })
    )
    const tool = yield* runNft("tell its version", ["--version"]).pipe(
      Effect.match({
        onSuccess: (): ReadonlyArray<Missing> => [],
        onFailure: ({ message }) => [{ what: message, remedy: "install the package nftables" }]
      })
    )
    if (kernel.length > 0) return [...kernel, ...tool]
    const conntrack = yield* Effect.promise(() => there(conntrackParameter))
    const modules = yield* Effect.forEach([`ip_vs_${settings.scheduler}`, "dummy"], (name) =>
      moduleMissing(name, release)
    )
    return [
      ...(conntrack
        ? []
        : [{ what: "IPVS of this kernel has no vs/conntrack", remedy: "a kernel built with CONFIG_IP_VS_NFCT" }]),
      ...modules.flat(),
      ...tool
    ]
  })
