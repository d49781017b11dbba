/**
 * Our own netlink against the programs that speak it, in a network namespace of their own: one element changed among many, many
 * at once, listings, addresses of a device; and the codec alone. Limits: 1 ms for one change (p99), whatever the size of the
 * map; everything else at most 1.5 times what the program takes, since much of it is the kernel's own time. Needs root, nft and ip.
 *
 *   bun bench/netlink.ts
 */
import { execFileSync, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { connect } from "../src/adapters/netlink/connection.ts"
import { listElements, transaction } from "../src/adapters/netlink/nftables.ts"
import { concatenate, portBytes, type SetElement } from "../src/adapters/netlink/nftables-elements.ts"
import { requestsOf } from "../src/adapters/netlink/nftables-messages.ts"
import { addAddresses, addLink, findLink, listAddresses } from "../src/adapters/netlink/route.ts"
import { openSocket } from "../src/adapters/netlink/socket.ts"
import { Writer } from "../src/adapters/netlink/writer.ts"
import { machine } from "./machine.ts"

const sizes = [100, 1_000, 10_000, 30_000]
const changes = 2_000
/** Changes before those that count: the code is compiled while it runs. */
const warmUp = 500
const commands = 20
const addresses = 2_000
const allowedChangeMicros = 1_000
const allowedRatio = 1.5

const inside = "CHRONODE_BENCH_NETLINK"
if (process.env[inside] === undefined) {
  const argv = [fileURLToPath(new URL("../scripts/test/own-netns.sh", import.meta.url)), process.execPath]
  const deno = process.execPath.endsWith("deno") ? ["run", "-A"] : []
  const all = [...argv, ...deno, fileURLToPath(import.meta.url)]
  process.exit(spawnSync("sh", all, { stdio: "inherit", env: { ...process.env, [inside]: "1" } }).status ?? 1)
}

const map = { family: "ip", table: "bench", set: "slots" } as const
const address = (k: number): string => `10.${96 + (k >> 16)}.${(k >> 8) & 255}.${k & 255}`
const addressOf = (k: number): Uint8Array => Uint8Array.of(10, 96 + (k >> 16), (k >> 8) & 255, k & 255)
const protocol = Uint8Array.of(6)
const element = (k: number, port = 8080): SetElement => ({
  key: concatenate(addressOf(k), protocol, portBytes(80)),
  data: concatenate(addressOf(k), portBytes(port))
})
const text = (k: number): string => `${address(k)} . tcp . 80 : ${address(k)} . 8080`
const nft = (input: string): string => execFileSync("nft", ["-f", "-"], { input, encoding: "utf8" })
const setUp =
  "table ip bench { map slots { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }; }\nflush map ip bench slots\n"

const millisOf = (run: () => unknown): number => {
  const begin = performance.now()
  run()
  return performance.now() - begin
}
const quantile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
const sorted = (times: ReadonlyArray<number>): ReadonlyArray<number> => [...times].sort((a, b) => a - b)
const micros = (millis: number): string => `${Math.round(millis * 1000)} µs`
const rounded = (millis: number): string => `${millis < 10 ? millis.toFixed(1) : Math.round(millis)} ms`

console.log(machine())
let isWithin = true
const connection = connect(openSocket("netfilter"))

/** A value is another one: deleted and added in one transaction. Others get their turn in between, as in the agent. */
const change = async (): Promise<ReadonlyArray<number>> => {
  const times: Array<number> = []
  for (let k = -warmUp; k < changes; k++) {
    const port = 9000 + (Math.abs(k) % 1000)
    times.push(
      millisOf(() =>
        transaction(connection, [
          { ...map, op: "delete", elements: [{ key: element(7).key }] },
          { ...map, op: "add", elements: [element(7, port)] }
        ])
      )
    )
    if (k % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return sorted(times.slice(warmUp))
}

console.log("one element changed (deleted and added in one transaction), among")
for (const size of sizes) {
  nft(setUp)
  transaction(connection, [{ ...map, op: "add", elements: Array.from({ length: size }, (_, k) => element(k)) }])
  const ours = await change()
  const key = `${address(7)} . tcp . 80`
  const command = `delete element ip bench slots { ${key} }\nadd element ip bench slots { ${key} : 10.0.0.1 . 1 }\n`
  const theirs = sorted(Array.from({ length: commands }, () => millisOf(() => nft(command))))
  const [p50, p99] = [quantile(ours, 0.5), quantile(ours, 0.99)]
  if (p99 * 1000 > allowedChangeMicros) isWithin = false
  console.log(
    `  ${size}: p50 ${micros(p50)}, p99 ${micros(p99)}; nft p50 ${rounded(quantile(theirs, 0.5))} (${Math.round(quantile(theirs, 0.5) / p50)}×)`
  )
}

const many = sizes.at(-1)!
const elements = Array.from({ length: many }, (_, k) => element(k))
const lines = `add element ip bench slots {\n${Array.from({ length: many }, (_, k) => text(k)).join(",\n")} }\n`
const compare = (what: string, ours: () => unknown, theirs: () => unknown, before = () => {}): void => {
  const pairs = [0, 1, 2].map(() => {
    before()
    const mine = millisOf(ours)
    before()
    return [mine, millisOf(theirs)] as const
  })
  const [mine, other] = [0, 1].map((side) => quantile(sorted(pairs.map((pair) => pair[side]!)), 0.5)) as [
    number,
    number
  ]
  if (mine > other * allowedRatio) isWithin = false
  console.log(`${what}: ${rounded(mine)}; the program ${rounded(other)} (${(other / mine).toFixed(1)}×)`)
}
compare(
  `${many} elements in one transaction`,
  () => transaction(connection, [{ ...map, op: "add", elements }]),
  () => nft(lines),
  () => void nft(setUp)
)
compare(
  `${many} elements listed`,
  () => {
    if (listElements(connection, map).length !== many) throw new Error("not all of them")
  },
  () =>
    JSON.parse(execFileSync("nft", ["-j", "list", "map", "ip", "bench", "slots"], { maxBuffer: 2 ** 28 }).toString())
)

const route = connect(openSocket("route"))
const device = (): number => {
  spawnSync("ip", ["link", "del", "bench0"])
  addLink(route, { name: "bench0", kind: "bridge" })
  return findLink(route, "bench0")!.index
}
let index = 0
const given = Array.from({ length: addresses }, (_, k) => ({ address: address(k) }))
compare(
  `${addresses} addresses given to a device`,
  () => {
    if (addAddresses(route, index, given).size > 0) throw new Error("not all of them")
  },
  () =>
    execFileSync("ip", ["-batch", "-"], {
      input: given.map((each) => `addr add ${each.address}/32 dev bench0\n`).join("")
    }),
  () => {
    index = device()
  }
)
compare(
  `${addresses} addresses listed`,
  () => listAddresses(route, { index }),
  () => JSON.parse(execFileSync("ip", ["-j", "addr", "show", "dev", "bench0"], { maxBuffer: 2 ** 28 }).toString())
)

const writer = new Writer()
const requests = requestsOf({ ...map, op: "add", elements })
const encode = () => {
  writer.reset()
  for (const request of requests) {
    const at = writer.beginMessage(request.type, 0, 1)
    request.write(writer)
    writer.endMessage(at)
  }
}
const rounds = 10
const millis = millisOf(() => {
  for (let k = 0; k < rounds; k++) encode()
})
console.log(`elements written: ${((rounds * many) / millis / 1000).toFixed(1)} M/s`)
connection.transport.close()
route.transport.close()
console.log(isWithin ? "within the limits" : "NOT within the limits")
process.exit(isWithin ? 0 : 1)
