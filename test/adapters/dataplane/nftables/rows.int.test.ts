// netns: own
/** Rules of nftables as the kernel has them, judged by kube-proxy's own rows. */
import "../../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { nftFamily } from "../../../../src/adapters/dataplane/nftables/layout.ts"
import { make } from "../../../../src/adapters/dataplane/nftables/live.ts"
import { differs, type Row, type RowValue, tables } from "../../../support/cases.ts"
import { NftTracer } from "../../../support/nft-tracer.ts"
import { requires } from "../../../support/requires.ts"
import { stateOf } from "./rows.ts"

const traced = [
  "TestNoEndpointsReject",
  "TestClusterIPGeneral",
  "TestLoadBalancer",
  "TestNodePorts",
  "TestExternalTrafficPolicyLocal",
  "TestExternalTrafficPolicyCluster",
  "TestInternalTrafficPolicy",
  "TestTerminatingEndpointsTrafficPolicyLocal",
  "TestTerminatingEndpointsTrafficPolicyCluster",
  "TestInternalExternalMasquerade"
]

/** Rules about names of chains: there is none of a Service or an endpoint here. */
const ofNames = ["Test_servicePortChainNameBase", "Test_servicePortEndpointChainNameBase"]

/** What nft warns of are rules that it writes as text in JSON; the tracer knows them. */
const quietly = { maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "ignore"] as Array<"ignore" | "pipe"> }

/** What a row's state makes of the kernel. The rows before it are there as a former life of the agent would be. */
const load = async (input: RowValue): Promise<NftTracer> => {
  const { settings, desired, family, nodeIPs } = stateOf(input)
  const { refused } = await Effect.runPromise(make(settings).resync(desired))
  assert.deepEqual(refused, [])
  const listing = execFileSync("nft", ["-j", "list", "table", nftFamily(family), settings.name], quietly)
  return new NftTracer(listing.toString("utf8"), nodeIPs)
}

/** As `judge` of test/support/cases.ts, for checks that take their time. */
const judgeEach = async (
  title: string,
  rows: ReadonlyArray<Row>,
  check: (row: Row) => Promise<void>
): Promise<void> => {
  const failures: Array<string> = []
  for (const row of rows) {
    await check(row).catch((error) => failures.push(`  row ${JSON.stringify(row.name)}: ${error.message}`))
  }
  console.log(`cases: ${title}: ${rows.length - failures.length} of ${rows.length} rows met`)
  assert.equal(
    failures.length,
    0,
    `${failures.length} of ${rows.length} rows of ${title} fail:\n${failures.join("\n")}`
  )
}

const sorted = (output: string): string => output.split(", ").sort().join(", ")

describe("nftables' rules", requires("root", "ip", "nft"), () => {
  for (const test of traced) {
    it(`lead packets where kube-proxy's do (${test})`, async () => {
      for (const table of tables("nftables-traces.json", test)) {
        await judgeEach(`nftables-traces.json ${test}`, table.rows, async (row) => {
          const tracer = await load(row.in)
          for (const [at, packet] of row.in.packets.entries()) {
            const { output, masq } = row.want.packets[at]
            const found = tracer.trace({ ...packet, protocol: packet.protocol ?? "TCP", device: "eth0" })
            assert.deepEqual(found, { output: sorted(output), masq }, packet.name)
          }
        })
      }
    })
  }

  it("have the elements that kube-proxy's sets and maps have (TestOverallNFTablesRules)", async () => {
    const [table] = tables("nftables-rules.json", "TestOverallNFTablesRules")
    await judgeEach("nftables-rules.json TestOverallNFTablesRules, its elements", table!.rows, async (row) => {
      const tracer = await load(row.in)
      for (const [theirs, ours, isKeyOnly] of sameElements) {
        const found = tracer.elements(ours).map((element) => (isKeyOnly ? element.split(" : ")[0] : element))
        assert.deepEqual(found, wantedElements(row.want.ruleset, theirs, isKeyOnly), theirs)
      }
    })
  })

  it("have no names of chains of Services and endpoints", () => {
    for (const test of ofNames) {
      for (const { rows } of tables("nftables-rules.json", test)) {
        const { kind, reason } = differs("no chain belongs to a Service or an endpoint")
        console.log(
          `cases: nftables-rules.json ${test}: 0 of ${rows.length} rows met; ${rows.length} ${kind}: ${reason}`
        )
      }
    }
  })
})

/** Kube-proxy's sets and ours with the same elements; of some only the keys, because the values name chains. */
const sameElements: ReadonlyArray<readonly [theirs: string, ours: string, isKeyOnly: boolean]> = [
  ["cluster-ips", "cluster-ips", true],
  ["nodeport-ips", "node-ips", true],
  ["hairpin-connections", "hairpin", true],
  ["firewall-ips", "firewall", true],
  ["service-ips", "services", true],
  ["service-nodeports", "node-ports", true],
  ["no-endpoint-services", "no-endpoints", false],
  ["no-endpoint-nodeports", "node-port-no-endpoints", false]
]

/** Out of `add element ip kube-proxy SET { KEY [comment "…"] [: VALUE] }`. */
const wantedElements = (ruleset: ReadonlyArray<string>, set: string, isKeyOnly: boolean): ReadonlyArray<string> =>
  ruleset
    .flatMap((line) => /^add element ip kube-proxy (\S+) \{ (.*) \}$/.exec(line) ?? [])
    .flatMap((part, at, parts) => (at % 3 === 2 && parts[at - 1] === set ? [part] : []))
    .map((element) => element.replace(/ comment "[^"]*"/u, "").replace("goto reject-chain", "goto rejected"))
    .map((element) => element.replaceAll(" . ", " "))
    .map((element) => (isKeyOnly ? element.split(" : ")[0]! : element))
    .sort()
