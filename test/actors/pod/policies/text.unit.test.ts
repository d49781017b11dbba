import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import { expandCommand } from "../../../../src/actors/pod/environment/environment.ts"
import { expand, lookupIn } from "../../../../src/actors/pod/environment/expansion.ts"
import {
  dnsKind,
  limitNameservers,
  limitSearches,
  mergeDnsOptions,
  type NodeDns,
  parseResolvConf,
  podDns,
  searchesOmitted
} from "../../../../src/actors/pod/network/dns.ts"
import { podHostname, sandboxHostname, truncateHostname } from "../../../../src/actors/pod/network/hostname.ts"
import { hostNetworkHostsFile, podHostsFile } from "../../../../src/actors/pod/network/hosts-file.ts"
import { portMappings } from "../../../../src/actors/pod/network/ports.ts"
import { differs, itMeets, podOf, type Row } from "../../../support/cases.ts"

const mapOf = (record: Record<string, string>) => new Map(Object.entries(record))

describe("$(VAR) expansion", () => {
  const check = (row: Row) => {
    assert.equal(expand(row.in.input, lookupIn(...row.in.vars.map(mapOf))), row.want.output)
    return undefined
  }
  itMeets("expansion.json", "TestMapping", "replaces known names and leaves the rest", check)
  itMeets("expansion.json", "TestMappingDual", "looks in several maps, in order", check)
  itMeets("expansion.json", "TestMapReference", "sees what was expanded before", check)

  const entries = (env: ReadonlyArray<{ name: string; value: string }> | null) =>
    (env ?? []).map(({ name, value }) => ({ key: name, value }))
  itMeets("container-helpers.json", "TestExpandCommandAndArgs", "reaches command and arguments", (row) => {
    const { command = null, args = null } = expandCommand(row.in.container, entries(row.in.env))
    assert.deepEqual({ command, args }, row.want)
    return undefined
  })
  itMeets("container-helpers.json", "TestExpandContainerCommandOnlyStatic", "leaves what is not known", (row) => {
    const { command = null } = expandCommand(
      row.in.command === null ? {} : { command: row.in.command },
      entries(row.in.env)
    )
    assert.deepEqual(command, row.want.command)
    return undefined
  })
})

describe("the host name of a pod", () => {
  itMeets("hostname.json", "TestTruncatePodHostname", "is cut to what Linux bears", (row) => {
    assert.equal(truncateHostname(row.in.input), row.want.output)
    return undefined
  })
  itMeets("hostname.json", "TestGeneratePodHostNameAndDomain", "is its own, its name's, or refused", (row) => {
    if (row.in.pod.spec.hostnameOverride !== undefined && row.gates?.HostnameOverride === false)
      return differs("the gate HostnameOverride is off in this row; here it is always on")
    const result = podHostname(podOf(row.in.pod), "cluster.local")
    assert.equal(Result.isFailure(result), row.want.error !== null)
    if (Result.isSuccess(result))
      assert.deepEqual(result.success, { hostname: row.want.hostname, domain: row.want.domain })
    return undefined
  })
  it("is the full one on demand, and none on the host's network", () => {
    const names = { hostname: "web", domain: "sub.default.svc.cluster.local" }
    const named = (spec: object) => Result.getOrUndefined(sandboxHostname(podOf({ spec }), names))
    assert.equal(named({}), "web")
    assert.equal(named({ setHostnameAsFQDN: true }), "web.sub.default.svc.cluster.local")
    assert.equal(named({ hostNetwork: true }), "")
    const long = { hostname: "a".repeat(40), domain: names.domain }
    assert.ok(Result.isFailure(sandboxHostname(podOf({ spec: { setHostnameAsFQDN: true } }), long)))
  })
})

describe("the hosts file", () => {
  itMeets("hosts-file.json", "TestNodeHostsFileContent", "is the node's on the host's network", (row) => {
    assert.equal(hostNetworkHostsFile(row.in.hostsFile, row.in.hostAliases), row.want.content)
    return undefined
  })
  itMeets("hosts-file.json", "TestManagedHostsFileContent", "names the pod at its addresses", (row) => {
    const names = { hostname: row.in.hostName, domain: row.in.domainName }
    assert.equal(podHostsFile(row.in.podIPs, names, row.in.hostAliases), row.want.content)
    return undefined
  })
})

describe("DNS", () => {
  const file = "dns.json"
  const sorted = (list: ReadonlyArray<string> | undefined) => [...(list ?? [])].sort()
  itMeets(file, "TestParseResolvConf", "reads the node's resolv.conf", (row) => {
    const read = parseResolvConf(row.in.data)
    assert.equal(read.problems.length > 0, row.want.isErr)
    assert.deepEqual(read.servers, row.want.nameservers)
    assert.deepEqual(read.searches, row.want.searches)
    assert.deepEqual(sorted(read.options), sorted(row.want.options))
    return undefined
  })
  itMeets(file, "TestFormDNSSearchFitsLimits", "cuts search domains to the limits", (row) => {
    const { searches, omitted } = limitSearches(row.in.searches)
    assert.deepEqual(searches, row.want.searches)
    assert.deepEqual(omitted ? [searchesOmitted(searches).message] : [], row.want.events)
    return undefined
  })
  itMeets(file, "TestFormDNSNameserversFitsLimits", "cuts name servers to three", (row) => {
    const { servers, omitted } = limitNameservers(row.in.nameservers)
    assert.deepEqual(servers, row.want.nameservers)
    assert.equal(omitted, row.want.expectedEvent)
    return undefined
  })
  itMeets(file, "TestMergeDNSOptions", "lets the pod's options win", (row) => {
    assert.deepEqual(sorted(mergeDnsOptions(row.in.existing, row.in.podOptions ?? [])), sorted(row.want.options))
    return undefined
  })
  itMeets(file, "TestGetPodDNSType", "follows the pod's policy", (row) => {
    assert.equal(dnsKind(row.in.pod.spec) ?? null, row.want.type)
    return undefined
  })
  const check = (row: Row) => {
    const node: NodeDns = {
      clusterDns: row.in.clusterDNS ?? [],
      clusterDomain: row.in.clusterDomain,
      nodeIps: row.in.nodeIPs ?? [],
      ...(row.in.resolvConf === null ? {} : { resolvConf: row.in.resolvConf })
    }
    const { config } = podDns(podOf(row.in.pod), node)
    assert.deepEqual(config.servers, row.want.dnsConfig.servers ?? [])
    assert.deepEqual(config.searches, row.want.dnsConfig.searches ?? [])
    assert.deepEqual(sorted(config.options), sorted(row.want.dnsConfig.options))
    return undefined
  }
  itMeets(file, "TestGetPodDNS", "gives each pod its configuration", check)
  itMeets(file, "TestGetPodDNSCustom", "adds the pod's own configuration", check)
  it("falls back to the node's where no cluster DNS is configured, and says so", () => {
    const { config, warnings } = podDns(podOf({ spec: {} }), {
      clusterDns: [],
      clusterDomain: "cluster.local",
      resolvConf: "nameserver 9.9.9.9\nnameserver\n"
    })
    assert.deepEqual(config.servers, ["9.9.9.9"])
    assert.deepEqual(
      warnings.map(({ reason, message }) => `${reason}: ${message}`),
      [
        'MissingClusterDNS: pod: "_()". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
        "DNSConfigForming: the node's resolv.conf: a nameserver line names no server"
      ]
    )
    const many = { nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"] }
    const cut = podDns(podOf({ spec: { dnsPolicy: "None", dnsConfig: many } }), { clusterDns: [], clusterDomain: "" })
    assert.deepEqual(cut.warnings, [
      {
        reason: "DNSConfigForming",
        message:
          "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3"
      }
    ])
  })
})

describe("port mappings", () => {
  itMeets("container-helpers.json", "TestMakePortMappings", "drop a port that is declared twice", (row) => {
    const mappings = portMappings(row.in.container).map(({ hostIp = "", ...rest }) => ({ ...rest, hostIP: hostIp }))
    assert.deepEqual(mappings, row.want.mappings)
    return undefined
  })
})
