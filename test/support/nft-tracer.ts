/**
 * Sends made-up packets through the rules of one table of nf_tables, as `nft -j list table` tells what is loaded, and tells
 * what becomes of them. Of choices by chance all outcomes are told (the idea is kube-proxy's:
 * `pkg/proxy/nftables/helpers_test.go`, nftablesTracer). What it does not know it refuses.
 */
import { canonicalIp, cidrContains, parseCidr, parseIp } from "../../src/events/ip-address.ts"
import type { Fate, Packet } from "./packet-tracer.ts"

// biome-ignore lint/suspicious/noExplicitAny: libnftables-json(5) is JSON of some hundred shapes
type Json = any

interface Chain {
  readonly hook: string | undefined
  readonly type: string
  readonly priority: number
  readonly rules: Array<ReadonlyArray<Json>>
}

/** A packet on its way; copied where ways part. */
interface State {
  readonly packet: Packet
  readonly destination: { readonly ip: string; readonly port: number }
  readonly isDnated: boolean
  readonly mark: number
  readonly isMasqueraded: boolean
}

type Verdict = "continue" | "return" | "accept" | "drop" | "reject"

interface Outcome {
  readonly verdict: Verdict
  readonly state: State
}

const unknown = (what: string, value: Json): Error =>
  new Error(`the tracer knows no ${what} like ${JSON.stringify(value)}`)

const isWithin = (address: string, { addr, len }: { addr: string; len: number }): boolean => {
  const ip = parseIp(address)
  const cidr = parseCidr(`${addr}/${len}`)
  return ip !== undefined && cidr !== undefined && cidrContains(cidr, ip)
}

/** A key or value as one text; elements with a time limit stand in an object of their own. */
const textOf = (value: Json): string => {
  if (typeof value !== "object") return String(value)
  if (value.elem !== undefined) return textOf(value.elem.val)
  if (value.concat !== undefined) return value.concat.map(textOf).join(" ")
  throw unknown("value", value)
}

const portText = (ip: string, port: number | string): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)

export class NftTracer {
  readonly #chains = new Map<string, Chain>()
  readonly #sets = new Map<string, Map<string, Json>>()
  readonly #nodeIPs: ReadonlySet<string>

  /** @param listing what `nft -j list table` wrote */
  constructor(listing: string, nodeIPs: ReadonlyArray<string>) {
    this.#nodeIPs = new Set(nodeIPs.map(canonical))
    for (const item of JSON.parse(listing).nftables) {
      const { chain, rule, set, map } = item
      if (chain !== undefined) {
        const { name, hook, type, prio } = chain
        this.#chains.set(name, { hook, type, priority: prio, rules: [] })
      } else if (rule !== undefined) this.#chains.get(rule.chain)?.rules.push(rule.expr)
      else if (set !== undefined) {
        this.#sets.set(set.name, new Map((set.elem ?? []).map((key: Json) => [textOf(key), true])))
      } else if (map !== undefined) {
        this.#sets.set(map.name, new Map((map.elem ?? []).map(([key, value]: Json) => [textOf(key), value])))
      }
    }
  }

  /** Keys of a set, or keys and values of a map, in order. */
  elements(name: string): ReadonlyArray<string> {
    const verdict = (value: Json): string =>
      "drop" in Object(value) ? "drop" : value?.goto === undefined ? textOf(value) : `goto ${value.goto.target}`
    return [...this.#set(name)].map(([key, value]) => (value === true ? key : `${key} : ${verdict(value)}`)).sort()
  }

  trace(packet: Packet): Fate {
    const source = canonical(packet.sourceIP)
    const isFromNode = this.#nodeIPs.has(source)
    let states: ReadonlyArray<State> = [
      {
        packet: { ...packet, sourceIP: source, destIP: canonical(packet.destIP) },
        destination: { ip: canonical(packet.destIP), port: packet.destPort },
        isDnated: false,
        mark: 0,
        isMasqueraded: false
      }
    ]
    const ends = new Set<string>()
    const through = (hook: string, which: (state: State) => boolean = () => true): void => {
      states = states.flatMap((state) => {
        if (!which(state)) return [state]
        return this.#hook(hook, state).flatMap(({ verdict, state: next }) => {
          if (verdict !== "drop" && verdict !== "reject") return [next]
          ends.add(verdict.toUpperCase())
          return []
        })
      })
    }
    const isForNode = ({ destination }: State): boolean => this.#nodeIPs.has(destination.ip)
    through(isFromNode ? "output" : "prerouting")
    through("input", isForNode)
    if (!isFromNode) through("forward", (state) => !isForNode(state))
    through("postrouting", (state) => isFromNode || !isForNode(state))
    for (const { isDnated, destination } of states) {
      ends.add(isDnated ? portText(destination.ip, destination.port) : "")
    }
    return { output: [...ends].sort().join(", "), masq: states.some((state) => state.isMasqueraded) }
  }

  /** All base chains of a hook, by priority; within output packets are routed anew after DNAT, which changes nothing here. */
  #hook(hook: string, state: State): ReadonlyArray<Outcome> {
    const chains = [...this.#chains].filter(([, chain]) => chain.hook === hook)
    let outcomes: ReadonlyArray<Outcome> = [{ verdict: "continue", state }]
    for (const [name] of chains.sort(([, a], [, b]) => a.priority - b.priority)) {
      outcomes = outcomes.flatMap((before) =>
        before.verdict === "drop" || before.verdict === "reject" ? [before] : this.#chain(name, before.state)
      )
    }
    return outcomes
  }

  #chain(name: string, state: State): ReadonlyArray<Outcome> {
    const chain = this.#chains.get(name)
    if (chain === undefined) throw unknown("chain", name)
    let open: ReadonlyArray<State> = [state]
    const ended: Array<Outcome> = []
    for (const rule of chain.rules) {
      const next: Array<State> = []
      for (const one of open) {
        for (const outcome of this.#rule(rule, one)) {
          if (outcome.verdict === "continue") next.push(outcome.state)
          else ended.push(outcome)
        }
      }
      open = next
    }
    // At the end of a chain, and by `return`, its caller goes on.
    return [
      ...open.map((one): Outcome => ({ verdict: "continue", state: one })),
      ...ended.map((one): Outcome => (one.verdict === "return" ? { ...one, verdict: "continue" } : one))
    ]
  }

  /** `goto`: nothing of the caller follows. */
  #goto(name: string, state: State): ReadonlyArray<Outcome> {
    return this.#chain(name, state).map((one) => (one.verdict === "continue" ? { ...one, verdict: "return" } : one))
  }

  #rule(statements: ReadonlyArray<Json>, first: State): ReadonlyArray<Outcome> {
    let state = first
    for (const statement of statements) {
      // What is put into a map of clients changes nothing of this packet.
      if (typeof statement === "string") {
        if (statement.startsWith("update @")) continue
        throw unknown("statement", statement)
      }
      const [kind = "", body] = Object.entries(statement)[0] as [string, Json]
      switch (kind) {
        case "match":
          if (!this.#matches(body, state)) return [{ verdict: "continue", state }]
          break
        case "counter":
          break
        case "mangle":
          if (body.key?.meta?.key !== "mark") throw unknown("mangle", body)
          state = { ...state, mark: this.#number(body.value, state) }
          break
        case "masquerade":
          return [{ verdict: "accept", state: { ...state, isMasqueraded: true } }]
        case "dnat":
          return this.#dnat(body, state)
        case "accept":
        case "drop":
        case "return":
        case "reject":
          return [{ verdict: kind, state }]
        case "jump":
          return this.#chain(body.target, state)
        case "goto":
          return this.#goto(body.target, state)
        case "vmap": {
          const verdict = this.#set(setName(body.data)).get(this.#text(body.key, state))
          return verdict === undefined ? [{ verdict: "continue", state }] : this.#rule([verdict], state)
        }
        default:
          throw unknown("statement", statement)
      }
    }
    return [{ verdict: "continue", state }]
  }

  #dnat({ addr }: Json, state: State): ReadonlyArray<Outcome> {
    const { key, data } = addr.map
    const modulus: number | undefined = (key.concat ?? []).find((part: Json) => part.numgen)?.numgen.mod
    const targets = new Set<string>()
    let isMissed = false
    for (let chance = 0; chance < (modulus ?? 1); chance++) {
      const target = this.#set(setName(data)).get(this.#text(key, state, chance))
      if (target === undefined) isMissed = true
      else targets.add(textOf(target))
    }
    // A key that is not there ends the rule, and the next one is tried.
    const missed: ReadonlyArray<Outcome> = isMissed ? [{ verdict: "continue", state }] : []
    const found = [...targets].map((target): Outcome => {
      const [ip = "", port] = target.split(" ")
      return {
        verdict: "accept",
        state: { ...state, isDnated: true, destination: { ip: canonical(ip), port: Number(port) } }
      }
    })
    return [...found, ...missed]
  }

  #set(name: string): Map<string, Json> {
    const found = this.#sets.get(name)
    if (found === undefined) throw unknown("set", name)
    return found
  }

  #matches({ op, left, right }: Json, state: State): boolean {
    if (op === "in") return this.#text(left, state).split(" ").includes(String(right))
    const is = this.#equals(left, right, state)
    if (op === "==") return is
    if (op === "!=") return !is
    throw unknown("operator", op)
  }

  #equals(left: Json, right: Json, state: State): boolean {
    if (left["&"] !== undefined) return this.#number(left, state) === Number(right)
    const value = this.#text(left, state)
    if (typeof right === "string" && right.startsWith("@")) return this.#set(setName(right)).has(value)
    if (right?.prefix !== undefined) return isWithin(value, right.prefix)
    if (typeof right === "object") throw unknown("right side", right)
    const text = String(right)
    return text.endsWith("*") ? value.startsWith(text.slice(0, -1)) : value === text
  }

  #number(value: Json, state: State): number {
    if (typeof value === "number") return value
    const [operator = "", operands] = Object.entries(value)[0] as [string, Json]
    if (operator === "meta") return Number(this.#text(value, state))
    const [a, b] = operands.map((operand: Json) => this.#number(operand, state))
    if (operator === "&") return a & b
    if (operator === "|") return a | b
    if (operator === "^") return a ^ b
    throw unknown("operator", value)
  }

  #text(expression: Json, state: State, chance = 0): string {
    const { packet, destination } = state
    const { concat, payload, meta, ct, fib, numgen } = expression
    if (concat !== undefined) return concat.map((part: Json) => this.#text(part, state, chance)).join(" ")
    if (numgen !== undefined) return String(chance)
    if (payload?.field === "saddr") return packet.sourceIP
    if (payload?.field === "daddr") return destination.ip
    if (payload?.field === "dport") {
      const isOther = payload.protocol !== "th" && payload.protocol !== packet.protocol.toLowerCase()
      return isOther ? "none" : String(destination.port)
    }
    if (meta?.key === "l4proto") return packet.protocol.toLowerCase()
    if (meta?.key === "mark") return String(state.mark)
    if (meta?.key === "iifname") return packet.device ?? ""
    if (ct?.key === "state") return "new"
    if (ct?.key === "status") return state.isDnated ? "dnat" : ""
    if (/^ip6? daddr$/.test(ct?.key) && ct.dir === "original") return packet.destIP
    if (ct?.key === "proto-dst" && ct.dir === "original") return String(packet.destPort)
    if (fib?.result === "type" && fib.flags.join() === "saddr")
      return this.#nodeIPs.has(packet.sourceIP) ? "local" : "unicast"
    throw unknown("expression", expression)
  }
}

const setName = (reference: string): string => reference.slice(1)

/** As nft writes it. */
const canonical = (address: string): string => canonicalIp(address) ?? address
