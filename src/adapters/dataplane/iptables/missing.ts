/** What a machine lacks for iptables: programs, rights, matches and targets. */
import { Effect } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { Missing } from "../port.ts"
import { type Complaint, installRemedy, type Programs, run } from "./run.ts"

interface Feature {
  readonly table: "filter" | "nat"
  readonly rule: string
  readonly module: string
}

/** Each match and target that rules use, with the kernel's module of it. */
const features: ReadonlyArray<Feature> = [
  { table: "nat", rule: "-m comment --comment x -j RETURN", module: "xt_comment" },
  { table: "nat", rule: "-m addrtype --dst-type LOCAL -j RETURN", module: "xt_addrtype" },
  { table: "nat", rule: "-m mark --mark 0x1/0x1 -j RETURN", module: "xt_mark" },
  { table: "nat", rule: "-j MARK --or-mark 0x1", module: "xt_mark" },
  { table: "nat", rule: "-m statistic --mode random --probability 0.5 -j RETURN", module: "xt_statistic" },
  { table: "nat", rule: "-m recent --name chronode-check --rcheck --seconds 1 --reap -j RETURN", module: "xt_recent" },
  { table: "nat", rule: "-m sctp -p sctp --dport 1 -j RETURN", module: "xt_sctp" },
  { table: "nat", rule: "-j MASQUERADE --random-fully", module: "xt_MASQUERADE" },
  { table: "nat", rule: "-p tcp -m tcp -j DNAT --to-destination", module: "xt_nat" },
  { table: "filter", rule: "-m conntrack --ctstate NEW -j RETURN", module: "xt_conntrack" },
  { table: "filter", rule: "-j REJECT", module: "REJECT" }
]

const chain = "CHRONODE-CHECK"
const anywhere: Readonly<Record<IpFamily, string>> = { IPv4: "127.0.0.1:1", IPv6: "[::1]:1" }
const rejectModule: Readonly<Record<IpFamily, string>> = { IPv4: "ipt_REJECT", IPv6: "ip6t_REJECT" }

const inputOf = (family: IpFamily, list: ReadonlyArray<Feature>): string => {
  const lines: Array<string> = []
  for (const table of ["filter", "nat"] as const) {
    lines.push(`*${table}`, `:${chain} - [0:0]`)
    for (const { rule } of list.filter((each) => each.table === table)) {
      lines.push(`-A ${chain} ${rule}${rule.endsWith("--to-destination") ? ` ${anywhere[family]}` : ""}`)
    }
    lines.push("COMMIT")
  }
  return `${lines.join("\n")}\n`
}

const remedyOf = ({ error }: Complaint, family: IpFamily): string => {
  switch (error.reason) {
    case "ToolMissing":
      return installRemedy
    case "NoPermission":
      return "run the agent as root, or with CAP_NET_ADMIN"
    case "Busy":
      return "end the program that holds /run/xtables.lock"
    default:
      return family === "IPv4"
        ? "load the kernel's modules iptable_nat and iptable_filter, or nf_tables and nft_compat"
        : "load the kernel's modules ip6table_nat and ip6table_filter, or nf_tables and nft_compat; or leave IPv6 out"
  }
}

const complaintOf = (effect: Effect.Effect<unknown, Complaint>): Effect.Effect<Complaint | undefined> =>
  Effect.match(effect, { onFailure: (complaint) => complaint, onSuccess: () => undefined })

/** The rules are checked and not put in force. */
const check = (
  programs: Programs,
  family: IpFamily,
  list: ReadonlyArray<Feature>
): Effect.Effect<Complaint | undefined> =>
  complaintOf(
    run(programs.restore, "check the rules for Services", ["--noflush", "--test", "--wait", "1"], inputOf(family, list))
  )

export const missingOf = (
  families: ReadonlyArray<IpFamily>,
  programs: Readonly<Record<IpFamily, Programs>>
): Effect.Effect<ReadonlyArray<Missing>> =>
  Effect.gen(function* () {
    const missing: Array<Missing> = []
    for (const family of families) {
      const reading = yield* complaintOf(run(programs[family].save, "tell its version", ["--version"]))
      if (reading !== undefined) {
        missing.push({ what: reading.error.message, remedy: remedyOf(reading, family) })
        continue
      }
      const all = yield* check(programs[family], family, features)
      if (all === undefined) continue
      const none = yield* check(programs[family], family, [])
      if (none !== undefined) {
        missing.push({ what: none.error.message, remedy: remedyOf(none, family) })
        continue
      }
      for (const feature of features) {
        const one = yield* check(programs[family], family, [feature])
        if (one === undefined) continue
        const module = feature.module === "REJECT" ? rejectModule[family] : feature.module
        missing.push({
          what: one.error.message,
          remedy: `load the kernel's module ${module}, or use a kernel that has it`
        })
      }
    }
    return missing
  })
