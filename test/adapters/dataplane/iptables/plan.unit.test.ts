/** In which order chains are written and removed, and what is made of iptables' complaints. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { compareChain, compareShared, Drift } from "../../../../src/adapters/dataplane/iptables/compare.ts"
import { contributionOf } from "../../../../src/adapters/dataplane/iptables/contribution.ts"
import { deltaOf } from "../../../../src/adapters/dataplane/iptables/delta.ts"
import { inputsOf, type RestoreInput } from "../../../../src/adapters/dataplane/iptables/plan.ts"
import { complaintOf } from "../../../../src/adapters/dataplane/iptables/run.ts"
import { rulesKey, type ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import { type Random, seededRandom } from "../../../support/random.ts"

const context = {
  family: "IPv4",
  settings: { masqueradeAll: false, masqueradeBit: 14, localDetector: { by: "none" }, localhostNodePorts: false },
  nodePorts: "all",
  nodeAddresses: [],
  comments: true
} as const

const randomService = (random: Random, n: number): ServiceRules => {
  const cluster = Array.from({ length: random.int(0, 4) }, () => ({
    ip: `10.0.0.${random.int(1, 9)}`,
    port: 80,
    local: random.int(0, 1) === 0
  }))
  const servers = [...new Map(cluster.map((server) => [server.ip, server])).values()]
  return {
    ...{
      namespace: "a",
      name: `s${n}`,
      portName: "",
      family: "IPv4",
      protocol: "TCP",
      clusterIP: `172.30.0.${n}`,
      port: 80
    },
    ...(random.int(0, 1) === 0 ? { nodePort: 30_000 + n } : {}),
    externalIPs: [],
    loadBalancerIPs: random.int(0, 1) === 0 ? [`192.0.2.${n}`] : [],
    sourceRanges: random.int(0, 1) === 0 ? ["10.0.0.0/8"] : [],
    internalLocal: random.int(0, 3) === 0,
    externalLocal: random.int(0, 1) === 0,
    cluster: servers,
    local: servers.filter(({ local }) => local),
    hasAny: servers.length > 0
  }
}

/** A table as far as names of chains and jumps go; throws where the kernel would refuse. */
class ModelTable {
  readonly chains = new Map<string, Array<string>>([
    ["KUBE-SERVICES", []],
    ["KUBE-NODEPORTS", []],
    ["KUBE-MARK-MASQ", []]
  ])

  take({ text }: RestoreInput): void {
    for (const line of text.split("\n")) {
      const [, declared] = /^:(\S+)/u.exec(line) ?? []
      if (declared !== undefined) this.chains.set(declared, [])
      const [, op, chain, rule = ""] = /^-([AIDX]) (\S+) ?(.*)$/u.exec(line) ?? []
      if (op === undefined || chain === undefined) continue
      const rules = this.chains.get(chain)
      assert.ok(rules !== undefined, `no chain ${chain}`)
      if (op === "A") rules.push(rule)
      else if (op === "I") rules.unshift(rule)
      else if (op === "D") {
        assert.ok(rules.includes(rule), `no rule ${rule} in ${chain}`)
        rules.splice(rules.indexOf(rule), 1)
      } else {
        assert.equal(rules.length, 0)
        this.chains.delete(chain)
      }
    }
    for (const [chain, rules] of this.chains) {
      for (const rule of rules) {
        const [, goal] = /-j (KUBE-\S+)/u.exec(rule) ?? []
        assert.ok(goal === undefined || this.chains.has(goal), `${chain} leads to ${goal}, which is not there`)
      }
    }
  }
}

describe("changes of iptables' chains", () => {
  for (const maxChains of [3, 1_000]) {
    it(`never lead to a chain that is not there, and end at what is wanted; ${maxChains} chains in one input`, () => {
      const random = seededRandom("changes of chains")
      const model = new ModelTable()
      const now = new Map<string, ServiceRules>()
      for (let round = 0; round < 60; round++) {
        const changes = Array.from({ length: random.int(1, 5) }, () => {
          const rules = randomService(random, random.int(1, 9))
          return { key: rulesKey(rules), after: random.int(0, 3) === 0 ? undefined : rules }
        })
        const last = [...new Map(changes.map((each) => [each.key, each])).values()]
        const delta = deltaOf(
          context,
          last.map((each) => ({ ...each, before: now.get(each.key) }))
        )
        for (const { key, after } of last) {
          if (after === undefined) now.delete(key)
          else now.set(key, after)
        }
        for (const change of delta.filter(({ table }) => table === "nat")) {
          for (const input of inputsOf(change, { chains: maxChains, edits: maxChains })) model.take(input)
        }
        const wanted = new Map<string, ReadonlyArray<string>>()
        const services: Array<string> = []
        for (const rules of now.values()) {
          const { chains, shared } = contributionOf(rules, context)
          for (const [chain, own] of chains) wanted.set(chain, own)
          for (const { table, chain, rule } of shared)
            if (table === "nat" && chain === "KUBE-SERVICES") services.push(rule)
        }
        for (const [chain, rules] of wanted) assert.deepEqual(model.chains.get(chain), rules)
        assert.equal(model.chains.size, wanted.size + 3)
        assert.deepEqual([...(model.chains.get("KUBE-SERVICES") ?? [])].sort(), services.sort())
      }
    })
  }

  it("touch nothing but a Service's own chains when its servers change", () => {
    const service = {
      ...randomService(seededRandom("one"), 1),
      hasAny: true,
      internalLocal: false,
      externalLocal: false,
      local: []
    }
    const [one, two] = ["10.0.0.1", "10.0.0.2"].map((ip) => ({ ip, port: 80, local: true }))
    const before: ServiceRules = { ...service, cluster: [one!] }
    const delta = deltaOf(context, [{ key: rulesKey(before), before, after: { ...service, cluster: [one!, two!] } }])
    assert.deepEqual(
      delta.map(({ table, edits, removals }) => [table, edits, removals]),
      [
        ["filter", [], []],
        ["nat", [], []]
      ]
    )
    assert.deepEqual(delta[1]?.writes.map(({ chain }) => chain.slice(0, 8)).sort(), ["KUBE-SEP", "KUBE-SVC"])
  })
})

describe("a look at what the kernel has", () => {
  const rules = ["-p tcp -j KUBE-SEP-A", "-j KUBE-SEP-B"]
  const compared = (saved: ReadonlyArray<string> | undefined) => {
    const drift = new Drift()
    const write = compareChain("nat C", { chain: "C", rules }, saved, drift)
    return [write !== undefined, drift.missing, drift.altered, drift.unexpected]
  }
  it("tells what is missing, altered and unexpected", () => {
    assert.deepEqual(compared(rules), [false, 0, 0, 0])
    assert.deepEqual(compared(undefined), [true, 2, 0, 0])
    assert.deepEqual(compared([]), [true, 2, 0, 0])
    assert.deepEqual(compared([rules[0]!, "-j DROP"]), [true, 0, 1, 0])
    assert.deepEqual(compared([...rules, "-j DROP"]), [true, 0, 0, 1])
    assert.deepEqual(compared([...rules].reverse()), [true, 0, 1, 0])
  })

  it("writes a chain anew for its comments, and calls that nobody's doing", () => {
    assert.deepEqual(compared(rules.map((rule) => `-m comment --comment "as it was" ${rule}`)), [true, 0, 0, 0])
  })

  it("changes single rules of the chain of all, and writes it anew where the last rule is not the last", () => {
    const chain = { rules: [{ rule: "-d 10.0.0.1 -j X", key: "a" }], last: ["-j KUBE-NODEPORTS"] }
    const shared = (saved: ReadonlyArray<string>) => {
      const { write, edits } = compareShared("nat C", "C", chain, saved, new Drift())
      return [write?.rules, edits.map(({ op, rule }) => `${op} ${rule}`)]
    }
    assert.deepEqual(shared(["-d 10.0.0.1/32 -j X", "-j KUBE-NODEPORTS"]), [undefined, []])
    assert.deepEqual(shared(["-d 10.0.0.2/32 -j X", "-j KUBE-NODEPORTS"]), [
      undefined,
      ["insert -d 10.0.0.1 -j X", "delete -d 10.0.0.2/32 -j X"]
    ])
    assert.deepEqual(shared(["-d 10.0.0.1/32 -j X"]), [undefined, ["append -j KUBE-NODEPORTS"]])
    assert.deepEqual(shared(["-j KUBE-NODEPORTS", "-d 10.0.0.1/32 -j X"]), [
      ["-d 10.0.0.1 -j X", "-j KUBE-NODEPORTS"],
      []
    ])
  })
})

describe("complaints of iptables", () => {
  /** As 1.8.9 of Debian 12 says them. */
  const said: ReadonlyArray<readonly [number, string, string, number | undefined]> = [
    [1, "iptables-restore: line 4 failed\n", "Refused", 4],
    [
      2,
      "iptables-restore v1.8.9 (legacy): host/network `1.2.3.4.5' not found\nError occurred at line: 4\nTry `iptables-restore -h' or 'iptables-restore --help' for more information.\n",
      "Refused",
      4
    ],
    [
      4,
      "iptables-nft-restore v1.8.9 (nf_tables): \nline 3: RULE_APPEND failed (No such file or directory): rule in chain KUBE-SVC-A\n",
      "Refused",
      3
    ],
    [1, "iptables-nft-restore: line 2 failed: Bad rule (does a matching rule exist in that chain?).\n", "Refused", 2],
    [4, "Another app is currently holding the xtables lock. Stopped waiting after 5s.\n", "Busy", undefined],
    [
      4,
      "iptables-nft-restore v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n",
      "NoPermission",
      undefined
    ],
    [4, "Fatal: can't open lock file /run/xtables.lock: Permission denied\n", "NoPermission", undefined],
    [
      3,
      "iptables-restore v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)\n",
      "Unsupported",
      undefined
    ]
  ]
  for (const [code, complaint, reason, line] of said) {
    it(`${reason}: ${complaint.split("\n")[0]}`, () => {
      const found = complaintOf("iptables-restore", "change the rules", { code, signal: null, output: "", complaint })
      assert.equal(found.error.reason, reason)
      assert.equal(found.line, line)
      assert.match(found.error.message, /^iptables-restore could not change the rules: \S/u)
      assert.doesNotMatch(found.error.message, /Try `|\n/u)
    })
  }
})
