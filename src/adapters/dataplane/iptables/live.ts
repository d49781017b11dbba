/** Services by iptables: kube-proxy's chains, written by iptables-restore, only those that change. */
import { networkInterfaces } from "node:os"
import { Effect, Layer, Semaphore } from "effect"
import { ipFamilyOf } from "../../../events/ip-address.ts"
import type { IpFamily } from "../../../events/service-shape.ts"
import { Sysctls } from "../../sysctl/port.ts"
import {
  type Change,
  Dataplane,
  type DataplaneError,
  type DataplaneSettings,
  type Desired,
  maxExamples,
  type Refusal,
  rulesKey,
  type ServiceRules
} from "../port.ts"
import { cleaningOf } from "./cleanup.ts"
import { type Context, largeClusterEndpoints } from "./context.ts"
import { disturbancesOf } from "./disturbance.ts"
import { type FamilyRules, makeFamilyRules } from "./family.ts"
import { nodePortsOf } from "./fixed.ts"
import { Generations, kernelGeneration, type ReadGeneration } from "./generation.ts"
import { missingOf } from "./missing.ts"
import type { InputLimits } from "./plan.ts"
import { type Complaint, isOverNfTables, type Programs, systemPrograms } from "./run.ts"
import { makeTool, type Tool } from "./tool.ts"
import { whyInvalid } from "./valid.ts"

/**
 * What goes in one input over nf_tables: iptables 1.8.9 takes a time that grows with the square of the chains that are named
 * (10,000 Services in one input: more than three minutes; in inputs of 400 chains: 4 s). Over the older interface each input
 * costs as much as the whole table, and all goes in one.
 */
const overNfTables: InputLimits = { chains: 400, edits: 2_000 }
const overTables: InputLimits = { chains: Number.POSITIVE_INFINITY, edits: Number.POSITIVE_INFINITY }

/** Servers of one port over nf_tables: their choice is one chain, and beyond this iptables is busy with it for minutes. */
export const maxServersOverNfTables = 20_000

const bothFamilies: ReadonlyArray<IpFamily> = ["IPv4", "IPv6"]

export interface Surroundings {
  readonly programs: Readonly<Record<IpFamily, Programs>>
  readonly readGeneration: ReadGeneration
  /** Addresses of this node. */
  readonly nodeAddresses: () => ReadonlyArray<string>
}

export const liveSurroundings = (): Surroundings => ({
  programs: systemPrograms,
  readGeneration: kernelGeneration(),
  nodeAddresses: () =>
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ address }) => address)
})

const asError = <A>(effect: Effect.Effect<A, Complaint>): Effect.Effect<A, DataplaneError> =>
  Effect.mapError(effect, ({ error }) => error)

const whyTooLarge = ({ cluster, local }: ServiceRules, maxServers: number): string | undefined => {
  const servers = Math.max(cluster.length, local.length)
  return servers > maxServers
    ? `${servers} endpoints: iptables over nf_tables takes minutes for more than ${maxServers} of one port; use the mode nftables or ipvs`
    : undefined
}

interface Backend {
  readonly tools: Readonly<Record<IpFamily, Tool>>
  readonly families: ReadonlyMap<IpFamily, FamilyRules>
  readonly limits: InputLimits
  readonly maxServers: number
}

export const make = (
  settings: DataplaneSettings,
  sysctls: Pick<(typeof Sysctls)["Service"], "ensure">,
  around: Surroundings = liveSurroundings()
): (typeof Dataplane)["Service"] => {
  const { programs } = around
  const generations = new Generations(around.readGeneration)
  // What is sent depends on what was sent before.
  const turns = Semaphore.makeUnsafe(1)
  let isBusy = false
  const inTurn = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    turns.withPermits(1)(
      Effect.suspend(() => {
        isBusy = true
        return Effect.ensuring(
          effect,
          Effect.sync(() => {
            isBusy = false
          })
        )
      })
    )

  const contextOf = (family: IpFamily, desired: Omit<Desired, "rules">, endpoints: number): Context => ({
    family,
    settings,
    nodePorts: nodePortsOf(desired.nodePortAddresses, family),
    nodeAddresses: around
      .nodeAddresses()
      .filter((address) => ipFamilyOf(address) === family)
      .sort(),
    comments: endpoints <= largeClusterEndpoints
  })
  let opened: Backend | undefined
  const backend: Effect.Effect<Backend, DataplaneError> = Effect.suspend(() => {
    if (opened !== undefined) return Effect.succeed(opened)
    return Effect.map(asError(isOverNfTables(programs.IPv4.restore)), (isOver) => {
      const limits = isOver ? overNfTables : overTables
      const seen = isOver ? generations : new Generations(() => undefined)
      const toolOf = (family: IpFamily): Tool => makeTool(family, programs[family], seen)
      const tools = { IPv4: toolOf("IPv4"), IPv6: toolOf("IPv6") }
      const nothing = { nodePortAddresses: [], healthCheckPorts: [] }
      const families = new Map(
        settings.families.map((family) => [
          family,
          makeFamilyRules(tools[family], seen, { initial: contextOf(family, nothing, 0), limits })
        ])
      )
      opened = { tools, families, limits, maxServers: isOver ? maxServersOverNfTables : Number.POSITIVE_INFINITY }
      return opened
    })
  })

  /** Those that may be written; the others are refused without asking the kernel. */
  const sift = <A>(list: Iterable<A>, maxServers: number, rulesOf: (each: A) => ServiceRules | undefined) => {
    const taken: Array<A> = []
    const refused: Array<Refusal> = []
    for (const each of list) {
      const rules = rulesOf(each)
      const why = rules === undefined ? undefined : (whyInvalid(rules) ?? whyTooLarge(rules, maxServers))
      if (rules === undefined || why === undefined) taken.push(each)
      else refused.push({ key: rulesKey(rules), message: why })
    }
    return { taken, refused }
  }

  const resync = (desired: Desired) =>
    Effect.gen(function* () {
      const { families, maxServers } = yield* backend
      const { taken, refused } = sift(desired.rules, maxServers, (rules) => rules)
      const endpoints = taken.reduce((count, { cluster, local }) => count + Math.max(cluster.length, local.length), 0)
      const found = { missing: 0, altered: 0, unexpected: 0, examples: [] as Array<string>, refused: [...refused] }
      for (const [family, inForce] of families) {
        const rules = new Map(taken.filter((each) => each.family === family).map((each) => [rulesKey(each), each]))
        // What is refused leaves in force what was.
        for (const { key } of refused) {
          const old = inForce.rulesOf(key)
          if (old !== undefined) rules.set(key, old)
        }
        const context = contextOf(family, desired, endpoints)
        const settled = yield* inForce.settle({ context, rules, healthCheckPorts: desired.healthCheckPorts })
        found.missing += settled.drift.missing
        found.altered += settled.drift.altered
        found.unexpected += settled.drift.unexpected
        found.examples.push(...settled.drift.examples)
        found.refused.push(...settled.refused)
      }
      return { ...found, examples: found.examples.slice(0, maxExamples) }
    })

  const apply = (changes: ReadonlyArray<Change>) =>
    Effect.gen(function* () {
      const { families, maxServers } = yield* backend
      const { taken, refused } = sift(changes, maxServers, ({ rules }) => rules)
      const all = [...refused]
      for (const [family, inForce] of families) {
        const own = new Map(taken.filter(({ key }) => key.endsWith(`/${family}`)).map(({ key, rules }) => [key, rules]))
        if (own.size > 0) all.push(...(yield* inForce.change(own)).refused)
      }
      return { refused: all }
    })

  const cleanup = Effect.gen(function* () {
    const { tools, limits } = yield* backend
    const removed: Array<string> = []
    for (const family of bothFamilies) {
      const tool = tools[family]
      const saved = yield* asError(Effect.all({ filter: tool.read("filter"), nat: tool.read("nat") })).pipe(
        // A kernel without this family has no rules of it.
        Effect.catchIf(
          ({ reason }) => reason === "Unsupported" && !settings.families.includes(family),
          () => Effect.succeed(undefined)
        )
      )
      if (saved === undefined) continue
      const { inputs, names } = cleaningOf(family, saved, limits)
      const failure = yield* tool.restore(inputs)
      if (failure !== undefined) return yield* failure.complaint.error
      removed.push(...names)
    }
    opened = undefined
    return removed
  })

  return Dataplane.of({
    mode: "iptables",
    missing: missingOf(settings.families, programs),
    // Packets of 127.0.0.1 leave the loopback device only with it; whoever gives pods their network lets packets be sent on.
    prepare:
      settings.localhostNodePorts && settings.families.includes("IPv4")
        ? sysctls.ensure([{ name: "net.ipv4.conf.all.route_localnet", value: "1" }])
        : Effect.succeed([]),
    resync: (desired) => inTurn(resync(desired)),
    apply: (changes) => inTurn(apply(changes)),
    disturbances: disturbancesOf({
      generations,
      isBusy: () => isBusy,
      services: () => [...(opened?.families.values() ?? [])].reduce((count, each) => count + each.size(), 0),
      programs: settings.families.map((family) => programs[family])
    }),
    ruleCounts: () => [...(opened?.families.values() ?? [])].flatMap((family) => family.counts()),
    cleanup: inTurn(cleanup)
  })
}

export const layer = (settings: DataplaneSettings): Layer.Layer<Dataplane, never, Sysctls> =>
  Layer.effect(
    Dataplane,
    Effect.map(Sysctls, (sysctls) => make(settings, sysctls))
  )
