/** Checks of what Services need: the mode, its configuration, other proxies, forwarding, the table of connections, ports. */
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { Effect } from "effect"
import type { ProxyMode } from "../../adapters/dataplane/port.ts"
import { CommandFailed } from "../exit.ts"
import type { Neighbours } from "../neighbours.ts"
import type { ReadProxyConfiguration } from "../proxy/configuration.ts"
import { ipFamilies } from "../proxy/families.ts"
import { type ProxyFlags, proxyOptions, readProxy } from "../proxy/settings.ts"
import type { ProxyOptions } from "../run/agent-options.ts"
import { type Check, fail, ok, warn } from "./check.ts"

/** Whether Services are asked for: otherwise what they lack is told, and is no failure. */
export const areAsked = ({ services, proxyConfig, proxyMode }: ProxyFlags): boolean =>
  services !== undefined || proxyConfig !== undefined || proxyMode !== undefined

const sysctl = (name: string, proc: string): number | undefined => {
  try {
    return Number(readFileSync(`${proc}/sys/${name.replaceAll(".", "/")}`, "utf8"))
  } catch {
    return undefined
  }
}

/** Packets of pods and of clients outside are sent on by the kernel only with it. */
export const checkForwarding = (bad: typeof warn, proc = "/proc"): ReadonlyArray<Check> => {
  const needed = ["net.ipv4.ip_forward", ...(ipFamilies(proc).includes("IPv6") ? ["net.ipv6.conf.all.forwarding"] : [])]
  const off = needed.filter((name) => sysctl(name, proc) !== 1)
  if (off.length === 0) return [ok("forwarding", `${needed.join(", ")} = 1`)]
  const set = off.map((name) => `${name}=1`).join(" ")
  // Without IPv4's nothing leaves the node; a node may well have no IPv6 outside.
  const judge = off.includes("net.ipv4.ip_forward") ? bad : warn
  const families = off.map((name) => (name.includes("ipv6") ? "IPv6" : "IPv4")).join(" and ")
  return [judge("forwarding", `${off.join(", ")}: off; no ${families} packets are sent on to pods`, `sysctl -w ${set}`)]
}

/** From here on new connections will soon be dropped. */
const crowded = 0.9

export const checkConntrack = (bad: typeof warn, proc = "/proc"): Check => {
  const most = sysctl("net.netfilter.nf_conntrack_max", proc)
  if (most === undefined)
    return bad(
      "connections",
      "the kernel has no table of connections (nf_conntrack)",
      "load it: modprobe nf_conntrack; nf_tables and iptables load it themselves where it is a module"
    )
  const count = sysctl("net.netfilter.nf_conntrack_count", proc) ?? 0
  const found = `${count} of at most ${most} connections`
  return count < most * crowded
    ? ok("connections", found)
    : warn("connections", `${found}: new ones will be dropped`, "raise conntrack.maxPerCore or conntrack.min")
}

const checkOthers = (others: ReadonlyArray<string>, mode: ProxyMode): ReadonlyArray<Check> =>
  others.length === 0
    ? []
    : [
        warn(
          "other-proxy",
          `another proxy is or was here: ${others.join("; ")}`,
          `let one of them serve Services: stop it, and remove what it left with kube-proxy --cleanup${mode === "iptables" ? " (in the mode iptables the chains may be ours)" : ""}`
        )
      ]

const isTaken = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const at = address.lastIndexOf(":")
    const server = createServer()
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRINUSE"))
    server.listen({ host: address.slice(0, at).replace(/^\[|\]$/gu, ""), port: Number(address.slice(at + 1)) }, () =>
      server.close(() => resolve(false))
    )
  })

const checkPorts = ({ healthzBindAddress, metricsBindAddress }: ProxyOptions): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.map(
    Effect.forEach([healthzBindAddress, metricsBindAddress], (address) =>
      address === undefined
        ? Effect.succeed(undefined)
        : Effect.promise(() => isTaken(address).then((is) => (is ? address : undefined)))
    ),
    (taken) =>
      taken.flatMap((address) =>
        address === undefined
          ? []
          : [
              warn(
                "proxy-ports",
                `${address} is in use by another program (or by an agent that runs)`,
                "see which with: ss -ltnp; stop it, or give --healthz-bind-address and --metrics-bind-address"
              )
            ]
      )
  )

const checkMode = (
  { mode, fallback, modes }: ProxyOptions,
  neighbours: Neighbours,
  bad: typeof warn
): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.gen(function* () {
    const open = yield* Effect.promise(neighbours.openDataplane)
    const missingFor = (which: ProxyMode) =>
      Effect.scoped(Effect.flatMap(open(which, modes[which].dataplane), ({ missing }) => missing))
    const missing = yield* missingFor(mode)
    if (missing.length === 0) return [ok("proxy-mode", `${mode} can be used`)]
    const instead = fallback !== undefined && (yield* missingFor(fallback)).length === 0 ? fallback : undefined
    const judge = instead === undefined ? bad : warn
    const consequence = instead === undefined ? "Services cannot be served" : `${instead} is taken instead`
    return missing.map(({ what, remedy }) => judge("proxy-mode", `${mode}: ${what}; ${consequence}`, remedy))
  })

const configurationOf = (
  flags: ProxyFlags
): { readonly read?: ReadProxyConfiguration; readonly checks: ReadonlyArray<Check> } => {
  try {
    const read = readProxy({ ...flags, services: flags.services ?? "" })
    const remarks = read.remarks.filter(({ level }) => level === "warn")
    const checks = remarks.map(({ message }) => warn("proxy-config", message, "see docs/proxy-configuration.md"))
    if (flags.proxyConfig === undefined) return { read, checks }
    return { read, checks: checks.length > 0 ? checks : [ok("proxy-config", `${flags.proxyConfig} is good`)] }
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error
    return { checks: [fail("proxy-config", error.message, error.advice ?? "mend what it names")] }
  }
}

export const checkServices = (neighbours: Neighbours, flags: ProxyFlags): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.gen(function* () {
    const bad = areAsked(flags) ? fail : warn
    const { read, checks } = configurationOf(flags)
    if (read === undefined) return checks
    const options = proxyOptions({ ...flags, services: flags.services ?? "" }, read, ipFamilies())
    if (options === undefined) return checks
    const others = yield* Effect.flatten(Effect.promise(neighbours.otherProxies))
    return [
      ...checks,
      ...(yield* checkMode(options, neighbours, bad)),
      ...checkOthers(others, options.mode),
      ...checkForwarding(bad),
      checkConntrack(bad),
      ...(areAsked(flags) ? yield* checkPorts(options) : [])
    ]
  })
