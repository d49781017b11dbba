/** Traces of another proxy on this machine: two that serve the same Services get into each other's way. */
import { readdirSync, readFileSync } from "node:fs"
import { Effect } from "effect"
import { listChains, listTables } from "../netlink/nftables.ts"
import { makeSession } from "../netlink/session.ts"

/** Of kube-proxy's nftables mode (`pkg/proxy/nftables/proxier.go`). */
const nftablesTable = "kube-proxy"
/** Of its iptables mode, in tables that nf_tables shows too; the older interface shows its chains to iptables alone. */
const iptablesChain = "KUBE-SERVICES"
/** Of its ipvs mode (`pkg/proxy/ipvs/proxier.go`). */
const ipvsDevice = "kube-ipvs0"

const entries = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** The kernel cuts names of processes at 15 characters; this one fits. */
const processes = (name: string): ReadonlyArray<string> =>
  entries("/proc").filter((id) => {
    if (!/^\d+$/u.test(id)) return false
    try {
      return readFileSync(`/proc/${id}/comm`, "utf8").trim() === name
    } catch {
      return false
    }
  })

/** What nf_tables shows of another proxy. Without rights or nf_tables there is nothing to see of it. */
const tables: Effect.Effect<ReadonlyArray<string>> = Effect.scoped(
  Effect.flatMap(makeSession("netfilter"), (session) =>
    session.call((connection) =>
      listTables(connection).flatMap((table) => {
        if (table.table === nftablesTable) return [`table ${table.family} ${table.table} is in nftables`]
        const isIptables = table.table === "nat" && (table.family === "ip" || table.family === "ip6")
        const hasChain = isIptables && listChains(connection, table).includes(iptablesChain)
        return hasChain ? [`chain ${iptablesChain} is in iptables' table ${table.family} nat`] : []
      })
    )
  )
).pipe(Effect.catch(() => Effect.succeed([])))

/** As people read it: `a kube-proxy runs (process 812)`. */
export const otherProxies: Effect.Effect<ReadonlyArray<string>> = Effect.map(tables, (inTables) => {
  const running = processes("kube-proxy")
  return [
    ...(running.length > 0 ? [`a kube-proxy runs (process ${running.join(", ")})`] : []),
    ...(entries("/sys/class/net").includes(ipvsDevice) ? [`device ${ipvsDevice} of a kube-proxy is there`] : []),
    ...inTables
  ]
})
