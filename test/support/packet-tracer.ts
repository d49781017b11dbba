/**
 * Sends made-up packets through iptables' rules, as iptables-save writes them, and tells what becomes of them. Of choices by
 * chance all outcomes are told (the idea is kube-proxy's: `pkg/proxy/iptables/proxier_test.go`, iptablesTracer).
 */
import assert from "node:assert/strict"
import { wordsOf } from "../../src/adapters/dataplane/iptables/normal-form.ts"
import { readSave, type SavedTable } from "../../src/adapters/dataplane/iptables/save.ts"
import { canonicalIp, cidrContains, parseCidr, parseIp } from "../../src/events/ip-address.ts"

export interface Packet {
  readonly sourceIP: string
  readonly destIP: string
  readonly destPort: number
  /** `TCP`, `UDP`, `SCTP` */
  readonly protocol: string
  /** The device it comes in by; none: it was made here. */
  readonly device?: string
}

export interface Fate {
  /** `10.0.0.1:80`, …: where it may go; `REJECT`, `DROP`, `ACCEPT`; empty: nobody did anything to it. */
  readonly output: string
  /** Its source is replaced by the node's. */
  readonly masq: boolean
}

export interface Loaded {
  readonly filter: SavedTable
  readonly nat: SavedTable
}

/** Of the text of one or several tables. */
export const loadedFrom = (text: string): Loaded => {
  const table = (name: string): SavedTable => {
    const start = text.indexOf(`*${name}\n`)
    return start === -1 ? { chains: new Map() } : readSave(text.slice(start, text.indexOf("\nCOMMIT", start) + 1))
  }
  return { filter: table("filter"), nat: table("nat") }
}

/** A packet on its way; copied where ways part. */
interface State {
  readonly packet: Packet
  readonly mark: number
  readonly destination: { readonly ip: string; readonly port: number }
  readonly isDnated: boolean
}

interface Step {
  /** What ended its way through the hook; none: it came to the end. */
  readonly verdict?: "ACCEPT" | "DROP" | "REJECT" | "DNAT" | "MASQUERADE" | "RETURN"
  readonly state: State
}

const within = (address: string, range: string): boolean => {
  const ip = parseIp(address)
  const cidr = parseCidr(range.includes("/") ? range : `${range}/${range.includes(":") ? 128 : 32}`)
  return ip !== undefined && cidr !== undefined && cidrContains(cidr, ip)
}

const markOf = (text: string): readonly [number, number] => {
  const [value = "0", mask = "0xffffffff"] = text.split("/")
  return [Number(value) >>> 0, Number(mask) >>> 0]
}

const modules = new Set([
  "tcp",
  "udp",
  "sctp",
  "comment",
  "addrtype",
  "mark",
  "conntrack",
  "statistic",
  "recent",
  "MARK"
])

export class PacketTracer {
  readonly #loaded: Loaded
  readonly #nodeIPs: ReadonlySet<string>
  constructor(loaded: Loaded, nodeIPs: ReadonlyArray<string>) {
    this.#loaded = loaded
    this.#nodeIPs = new Set(nodeIPs.map((ip) => canonicalIp(ip) ?? ip))
  }

  #isLocal(ip: string): boolean {
    return this.#nodeIPs.has(canonicalIp(ip) ?? ip) || within(ip, "127.0.0.0/8") || within(ip, "::1/128")
  }

  /** Whether one match of a rule is met; `chance`: it may be. */
  #meets(state: State, name: string, value: string): boolean | "chance" {
    const { packet, destination } = state
    switch (name) {
      case "-p":
        return packet.protocol.toLowerCase() === value
      case "-s":
        return within(packet.sourceIP, value)
      case "-d":
        return within(destination.ip, value)
      case "--dport":
        return destination.port === Number(value)
      case "-i":
        return value.endsWith("+")
          ? (packet.device ?? "").startsWith(value.slice(0, -1))
          : (packet.device ?? "") === value
      case "--src-type":
      case "--dst-type":
        assert.equal(value, "LOCAL")
        return this.#isLocal(name === "--src-type" ? packet.sourceIP : destination.ip)
      case "--mark": {
        const [wanted, mask] = markOf(value)
        return (state.mark & mask) >>> 0 === wanted
      }
      case "--ctstate":
        return value.split(",").some((each) => each === "NEW" || (each === "DNAT" && state.isDnated))
      case "--probability":
        return "chance"
      // No client has been here before.
      case "--rcheck":
        return false
      case "--set":
      case "--mode":
      case "--name":
      case "--seconds":
      case "--reap":
      case "--mask":
      case "--rsource":
      case "--comment":
        return true
      default:
        throw new Error(`the tracer does not know the match ${name} ${value}`)
    }
  }

  #rule(rule: string, state: State): { readonly isMet: boolean | "chance"; readonly goal: ReadonlyArray<string> } {
    const words = wordsOf(rule)
    const at = words.findIndex((word) => word === "-j")
    const matches = at === -1 ? words : words.slice(0, at)
    let isMet: boolean | "chance" = true
    for (let n = 0; n < matches.length; ) {
      const not = matches[n] === "!"
      if (not) n += 1
      const name = matches[n++] as string
      const values: Array<string> = []
      while (
        n < matches.length &&
        matches[n] !== "!" &&
        (name === "--comment" ? values.length === 0 : !/^-/u.test(matches[n] as string))
      ) {
        values.push(matches[n++] as string)
      }
      if (name === "-m") {
        assert.ok(modules.has(values[0] as string), `the tracer does not know the module ${values[0]}`)
        continue
      }
      const met = this.#meets(state, name, values.join(" "))
      if (met === "chance") {
        if (isMet === true) isMet = "chance"
      } else if (met === not) isMet = false
    }
    return { isMet, goal: at === -1 ? [] : words.slice(at + 1) }
  }

  /** All ways through a chain. */
  #chain(table: SavedTable, chain: string, state: State, depth = 0): ReadonlyArray<Step> {
    assert.ok(depth < 16, `chains lead in a circle at ${chain}`)
    const rules = table.chains.get(chain)
    assert.ok(rules !== undefined, `there is no chain ${chain}`)
    const done: Array<Step> = []
    let states: ReadonlyArray<State> = [state]
    for (const text of rules) {
      const next: Array<State> = []
      for (const each of states) {
        const { isMet, goal } = this.#rule(text, each)
        if (isMet !== true) next.push(each)
        if (isMet === false) continue
        const [target, option, value = ""] = goal
        switch (target) {
          case undefined:
            if (isMet === true) next.push(each)
            break
          case "ACCEPT":
          case "DROP":
          case "REJECT":
          case "RETURN":
          case "MASQUERADE":
            done.push({ verdict: target, state: each })
            break
          case "MARK": {
            const [bits, mask] = markOf(value)
            const set =
              option === "--or-mark"
                ? each.mark | bits
                : option === "--xor-mark"
                  ? each.mark ^ bits
                  : (each.mark & ~mask) ^ bits
            next.push({ ...each, mark: set >>> 0 })
            break
          }
          case "DNAT": {
            const [, ip, port] = /^\[?(.+?)\]?:(\d+)$/u.exec(value) as unknown as [string, string, string]
            done.push({ verdict: "DNAT", state: { ...each, isDnated: true, destination: { ip, port: Number(port) } } })
            break
          }
          default:
            for (const step of this.#chain(table, target, each, depth + 1)) {
              if (step.verdict === undefined || step.verdict === "RETURN") next.push(step.state)
              else done.push(step)
            }
        }
      }
      states = next
    }
    return [...done, ...states.map((each) => ({ state: each }))]
  }

  /** What becomes of it in table nat before its way is chosen, then in table filter, then in table nat again. */
  trace(packet: Packet): Fate {
    const isOurs = this.#isLocal(packet.sourceIP)
    const start: State = {
      packet,
      mark: 0,
      destination: { ip: packet.destIP, port: packet.destPort },
      isDnated: false
    }
    const fates = new Map<string, boolean>()
    for (const { state } of this.#chain(this.#loaded.nat, isOurs ? "OUTPUT" : "PREROUTING", start)) {
      // What the node sends to itself goes out and comes in.
      const hooks = [
        ...(isOurs ? ["OUTPUT"] : []),
        ...(this.#isLocal(state.destination.ip) ? ["INPUT"] : isOurs ? [] : ["FORWARD"])
      ]
      let verdict: string | undefined
      for (const hook of hooks) {
        const steps = this.#chain(this.#loaded.filter, hook, state)
        assert.equal(steps.length, 1, "table filter decides nothing by chance")
        verdict ??= steps[0]?.verdict
      }
      if (verdict === "DROP" || verdict === "REJECT") {
        fates.set(verdict, false)
        continue
      }
      const masq = this.#chain(this.#loaded.nat, "POSTROUTING", state).some((step) => step.verdict === "MASQUERADE")
      const { ip, port } = state.destination
      const output = state.isDnated ? `${ip.includes(":") ? `[${ip}]` : ip}:${port}` : (verdict ?? "")
      assert.ok(fates.get(output) === undefined || fates.get(output) === masq, "its source is replaced by chance")
      fates.set(output, masq)
    }
    const masqs = new Set(fates.values())
    assert.equal(masqs.size, 1, `masqueraded only for some: ${[...fates].join("; ")}`)
    return { output: [...fates.keys()].sort().join(", "), masq: masqs.has(true) }
  }
}
