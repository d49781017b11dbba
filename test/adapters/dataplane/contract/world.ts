/** What the contract's tests work with: the dataplane under test, the lab's network, Services made for one test each. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { Effect, Layer, ManagedRuntime } from "effect"
import {
  type Change,
  Dataplane,
  type DataplaneSettings,
  type Desired,
  defaultName,
  type ProxyMode,
  type Repaired,
  rulesKey,
  type Server,
  type ServiceRules
} from "../../../../src/adapters/dataplane/port.ts"
import { layer as sysctls } from "../../../../src/adapters/sysctl/live.ts"
import type { Sysctls } from "../../../../src/adapters/sysctl/port.ts"
import type { IpFamily, Protocol } from "../../../../src/events/service-shape.ts"
import {
  type Answer,
  type Ask,
  Lab,
  type PodName,
  plan,
  serverPorts,
  silenceLimit
} from "../../../support/netlab/lab.ts"

/** What a mode cannot help; the tests that it concerns are skipped with the reason that the subject gives. */
export type Deviation =
  | "node ports on some addresses only"
  | "affinity ends with its time"
  | "dropped without a local server"
  | "source ranges for pods and the node"
  | "tells disturbances"
  | "masquerades by interface"
  | "flows of UDP end with their server"
  | "the node's own SCTP over IPv6"

/** Something that others do to what is ours. */
export interface Disturbance {
  readonly name: string
  /** For sh(1), in the node's namespace. */
  readonly script: string
  /** What the next resync must have found. */
  readonly found: ReadonlyArray<"missing" | "altered" | "unexpected">
}

/** How much the tests of faults and of crowds put upon it. */
export interface Load {
  /** Servers of one Service. */
  readonly servers: number
  /** Services that come and go, and milliseconds from the begin of a sync of them within which it is killed. */
  readonly crowd: number
  readonly syncMillis: number
  readonly kills: number
  /** Milliseconds that one of these tests may take. */
  readonly patience: number
}

export interface Subject {
  readonly mode: ProxyMode
  /** The module that has `layer`, for another process to import it. */
  readonly module: URL
  readonly layer: (settings: DataplaneSettings) => Layer.Layer<Dataplane, unknown, Sysctls>
  /** A reason not to run it here; `false`: it can. */
  readonly skip: string | false
  readonly deviations: Readonly<Partial<Record<Deviation, string>>>
  readonly disturbances: ReadonlyArray<Disturbance>
  /** Entries of others beside ours: scripts that make them, and that print them without what counts packets. */
  readonly foreign: { readonly make: string; readonly read: string }
  /** Script that prints all that is ours in the kernel; nothing after a clean-up. */
  readonly ours: string
  /** Programs that it cannot do without, and the packages that have them. */
  readonly tools: ReadonlyArray<{ readonly program: string; readonly package: string }>
  readonly load: Load
}

export const families = ["IPv4", "IPv6"] as const satisfies ReadonlyArray<IpFamily>

export const defaultSettings: DataplaneSettings = {
  name: defaultName,
  families,
  masqueradeAll: false,
  masqueradeBit: 14,
  localDetector: {
    by: "cidr",
    cidrs: families.flatMap((family) => [plan[family].podCidr, plan[family].remoteCidr])
  },
  localhostNodePorts: false,
  ipvs: { scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 }
}

export const nodePortAddresses: ReadonlyArray<string> = families.map((family) => plan[family].node)

/** A life of the dataplane, with this namespace's kernel parameters. */
export const alive = (
  { layer }: Pick<Subject, "layer">,
  settings: DataplaneSettings
): Layer.Layer<Dataplane, unknown> => layer(settings).pipe(Layer.provide(sysctls))

export const sh = (script: string): Promise<string> =>
  new Promise((resolve, reject) =>
    execFile("sh", ["-ec", script], { maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${script}: ${stderr || error.message}`))
    )
  )

/**
 * Milliseconds. An ICMPv6 error that comes back while its TCP client is still in the call that sent the packet is lost (Linux,
 * tcp_v6_err: the socket is owned by its user), which on one machine is always so: the second packet comes after one second.
 */
const refusalLimit = Math.max(silenceLimit, 1_500)
const [clusterPort, firstNodePort] = [80, 30_000]

/** `names` as servers of a Service, on one of the lab's ports. */
export const serversAt = (
  family: IpFamily,
  names: ReadonlyArray<PodName>,
  port: number = serverPorts[0]
): ReadonlyArray<Server> => names.map((name) => ({ ip: plan[family].pods[name], port, local: name !== "remote" }))

/** What rules say of their servers. */
export const having = (family: IpFamily, names: ReadonlyArray<PodName>, port?: number) => {
  const cluster = serversAt(family, names, port)
  return { cluster, local: cluster.filter(({ local }) => local), hasAny: names.length > 0 }
}

export class World {
  readonly lab: Lab
  readonly subject: Subject
  private runtime: ManagedRuntime.ManagedRuntime<Dataplane, unknown> | undefined
  private instance: (typeof Dataplane)["Service"] | undefined
  private current = new Map<string, ServiceRules>()
  private made = 0

  private constructor(lab: Lab, subject: Subject) {
    this.lab = lab
    this.subject = subject
  }

  static async make(subject: Subject): Promise<World> {
    const world = new World(await Lab.make(), subject)
    await sh(subject.foreign.make)
    await world.restart()
    return world
  }

  get dataplane(): (typeof Dataplane)["Service"] {
    return this.instance!
  }

  /** Ends the dataplane's life and begins another, which knows nothing but what is in the kernel. */
  async restart(settings: Partial<DataplaneSettings> = {}): Promise<void> {
    await this.runtime?.dispose()
    this.runtime = ManagedRuntime.make(alive(this.subject, { ...defaultSettings, ...settings }))
    this.instance = await this.runtime.runPromise(Dataplane)
    await Effect.runPromise(this.instance.prepare)
  }

  /** A port of a Service whose addresses no other has had, on port 80 in front of the servers' 8080; all kinds of addresses. */
  service(family: IpFamily, servers: ReadonlyArray<PodName>, more: Partial<ServiceRules> = {}): ServiceRules {
    const n = ++this.made
    const at = (cidr: string): string => cidr.replace(/0?\/\d+$/u, family === "IPv4" ? String(n) : n.toString(16))
    const { clusterCidr, externalCidr, loadBalancerCidr } = plan[family]
    return {
      ...{ namespace: "lab", name: `service-${n}`, portName: "", family, protocol: "TCP" as Protocol },
      ...{ clusterIP: at(clusterCidr), port: clusterPort, nodePort: firstNodePort + n },
      ...{ externalIPs: [at(externalCidr)], loadBalancerIPs: [at(loadBalancerCidr)], sourceRanges: [] },
      ...{ internalLocal: false, externalLocal: false },
      ...having(family, servers),
      ...more
    }
  }

  desired(rules: ReadonlyArray<ServiceRules> = [...this.current.values()], more: Partial<Desired> = {}): Desired {
    return { rules, nodePortAddresses, healthCheckPorts: [], ...more }
  }

  /** Makes these the rules in force. */
  async resync(rules?: ReadonlyArray<ServiceRules>, more: Partial<Desired> = {}): Promise<Repaired> {
    const desired = this.desired(rules, more)
    const repaired = await Effect.runPromise(this.dataplane.resync(desired))
    this.current = new Map([...desired.rules].map((one) => [rulesKey(one), one]))
    assert.deepEqual(repaired.refused, [])
    return repaired
  }

  /** Puts these in force, and takes those away that are undefined. */
  async apply(changes: ReadonlyArray<Change>): Promise<void> {
    assert.deepEqual(await Effect.runPromise(this.dataplane.apply(changes)), { refused: [] })
    for (const { key, rules } of changes) {
      if (rules === undefined) this.current.delete(key)
      else this.current.set(key, rules)
    }
  }

  put(...rules: ReadonlyArray<ServiceRules>): Promise<void> {
    return this.apply(rules.map((one) => ({ key: rulesKey(one), rules: one })))
  }

  take(...rules: ReadonlyArray<ServiceRules>): Promise<void> {
    return this.apply(rules.map((one) => ({ key: rulesKey(one), rules: undefined })))
  }

  async close(): Promise<void> {
    await this.runtime?.dispose()
    this.lab.close()
  }

  /** Asks until all `servers` must have been among the answers, were they in force; all must be answered, by them alone. */
  async reaches(servers: ReadonlyArray<PodName>, ask: Ask): Promise<ReadonlyArray<string>> {
    const answers = await this.lab.ask(asksFor(servers.length), ask)
    assert.deepEqual(
      tally(answers),
      [...servers].sort(),
      `${ask.from} → ${ask.to} ${ask.port} ${ask.protocol ?? "TCP"}`
    )
    return clientsOf(answers)
  }

  /** Refused: without any server it must not take a client's patience. */
  async refuses(ask: Ask): Promise<void> {
    assert.deepEqual(await this.lab.askOnce({ timeout: refusalLimit, ...ask }), { outcome: "refused" }, shown(ask))
  }

  /** Nothing comes back. */
  async silent(ask: Ask): Promise<void> {
    assert.deepEqual(await this.lab.askOnce({ timeout: silenceLimit, ...ask }), { outcome: "timed out" }, shown(ask))
  }

  /** Whatever comes back: no server has it. */
  async unanswered(ask: Ask): Promise<void> {
    const { outcome } = await this.lab.askOnce({ timeout: silenceLimit, ...ask })
    assert.notEqual(outcome, "answered", shown(ask))
  }
}

const shown = ({ from, to, port, protocol = "TCP" }: Ask): string => `${from} → ${to} ${port} ${protocol}`

/** One of `servers` is missed by chance less often than once in ten million times. */
const asksFor = (servers: number): number => (servers === 1 ? 4 : servers * 16)

const tally = (answers: ReadonlyArray<Answer>): ReadonlyArray<string> =>
  [...new Set(answers.map((answer) => (answer.outcome === "answered" ? answer.server : JSON.stringify(answer))))].sort()

const clientsOf = (answers: ReadonlyArray<Answer>): ReadonlyArray<string> =>
  [...new Set(answers.flatMap((answer) => (answer.outcome === "answered" ? [answer.client] : [])))].sort()

/** Addresses that the node's masquerading may put on a packet. */
export const nodeAddresses = (family: IpFamily): ReadonlyArray<string> => {
  const { node, otherNodeAddress, gateway } = plan[family]
  return [node, otherNodeAddress, gateway]
}

export const assertMasqueraded = (family: IpFamily, clients: ReadonlyArray<string>): void => {
  const own = nodeAddresses(family)
  assert.ok(clients.length > 0 && clients.every((client) => own.includes(client)), `seen as ${clients.join(", ")}`)
}
