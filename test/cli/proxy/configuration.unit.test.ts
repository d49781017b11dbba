import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { CommandFailed, UsageError } from "../../../src/cli/exit.ts"
import { noProxyConfiguration, parseProxyConfiguration } from "../../../src/cli/proxy/configuration.ts"
import { proxyFieldTable } from "../../../src/cli/proxy/fields.ts"
import { type ProxyFlags, proxyFlags, proxyOptions, readProxy } from "../../../src/cli/proxy/settings.ts"
import { withProxyDefaults } from "../../../src/cli/proxy/shape.ts"
import {
  burstProblems,
  conntrackProblems,
  detectLocalProblems,
  dualStackProblems,
  excludeCidrProblems,
  type FieldProblem,
  hostPortProblems,
  ipvsProblems,
  masqueradeProblems,
  modeProblems,
  nodePortAddressProblems,
  oomScoreProblems,
  proxyProblems
} from "../../../src/cli/proxy/validation.ts"
import { itMeets, type RowValue } from "../../support/cases.ts"
import { roundsOr, seededRandom } from "../../support/random.ts"

const seed = (name: string): string =>
  readFileSync(new URL(`../../cases/seed-examples/${name}`, import.meta.url), "utf8")
const plain = (body: string): string =>
  `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${body}`
const faultOf = (text: string, modes = {}): string => {
  try {
    parseProxyConfiguration(text, "p.yaml", modes)
  } catch (error) {
    assert.ok(error instanceof CommandFailed)
    return error.message
  }
  return assert.fail("it was accepted")
}
const warnings = (text: string) =>
  parseProxyConfiguration(text, "p.yaml")
    .remarks.filter(({ level }) => level === "warn")
    .map(({ message }) => message)
const optionsOf = (body: string, flags: ProxyFlags = {}) => {
  const modes = { mode: flags.proxyMode, fallback: flags.proxyModeFallback }
  const read = body === "" ? noProxyConfiguration : parseProxyConfiguration(plain(body), "p.yaml", modes)
  return proxyOptions({ services: "/s", ...flags }, read, ["IPv4", "IPv6"]) ?? assert.fail("nothing is served")
}

/** Names of Go's fields in the errors of upstream, as fields of the file. */
const upstreamFields: Readonly<Record<string, string>> = {
  BindAddress: "bindAddress",
  HealthzBindAddress: "healthzBindAddress",
  MetricsBindAddress: "metricsBindAddress",
  ConfigSyncPeriod: "configSyncPeriod",
  DetectLocalMode: "detectLocalMode",
  "DetectLocal.InterfaceName": "detectLocal.bridgeInterface",
  "DetectLocal.InterfacePrefix": "detectLocal.interfaceNamePrefix",
  "DetectLocal.ClusterCIDRs": "clusterCIDR",
  DualStackCIDRList: "clusterCIDR",
  MinSyncPeriod: "iptables.minSyncPeriod",
  SyncPeriod: "iptables.syncPeriod",
  ProxyMode: "mode",
  Burst: "clientConnection.burst",
  "logging.format": "logging.format",
  "KubeIPTablesConfiguration.MasqueradeBit": "iptables.masqueradeBit",
  "KubeIPVSConfiguration.TCPTimeout": "ipvs.tcpTimeout",
  "KubeIPVSConfiguration.TCPFinTimeout": "ipvs.tcpFinTimeout",
  "KubeIPVSConfiguration.UDPTimeout": "ipvs.udpTimeout",
  "KubeProxyLinuxConfiguration.OOMScoreAdj": "oomScoreAdj"
}
const upstreamField = (error: string): string => {
  const path = /^KubeProxyConfiguration\.(\S+?): /u.exec(error)?.[1] ?? assert.fail(error)
  const index = /^(NodePortAddresses|ExcludeCIDRS)\[(\d+)\]$/u.exec(path)
  if (index !== null) return `${index[1] === "ExcludeCIDRS" ? "ipvs.excludeCIDRs" : "nodePortAddresses"}.${index[2]}`
  const conntrack = /^KubeProxyLinuxConfiguration\.KubeProxyConntrackConfiguration\.(\w+)$/u.exec(path)?.[1]
  if (conntrack !== undefined) return `conntrack.${conntrack.replace(/^TCP|^UDP|^./u, (first) => first.toLowerCase())}`
  const known = path.replace(/\[\d+\]$/u, "")
  return upstreamFields[known] ?? assert.fail(`no field for ${path}`)
}
const meets = (problems: ReadonlyArray<FieldProblem>, want: RowValue): undefined => {
  const fields = (want.errors as ReadonlyArray<string>).map(upstreamField)
  assert.deepEqual(problems.map(([field]) => field).toSorted(), fields.toSorted())
  return undefined
}

describe("upstream's rows about KubeProxyConfiguration", () => {
  const file = "proxy-config.json"
  itMeets(file, "TestDefaultsKubeProxyConfiguration", "defaults are kube-proxy's", ({ in: { config }, want }) => {
    assert.deepEqual(withProxyDefaults(config), want.defaulted)
    return undefined
  })
  itMeets(file, "TestValidateKubeProxyConfiguration", "a whole configuration is checked", ({ in: { config }, want }) =>
    // To upstream an empty mode is iptables.
    meets(proxyProblems(config, new Set([config.mode || "iptables"])), want)
  )
  itMeets(file, "TestValidateKubeProxyIPTablesConfiguration", "fields of iptables", ({ in: { config }, want }) =>
    meets(masqueradeProblems("iptables", config), want)
  )
  itMeets(file, "TestValidateKubeProxyIPVSConfiguration", "fields of ipvs", ({ in: { config }, want }) =>
    meets(ipvsProblems(config), want)
  )
  itMeets(file, "TestValidateKubeProxyLinuxConfiguration", "fields of Linux", ({ in: { config }, want }) =>
    meets([...conntrackProblems(config.conntrack), ...oomScoreProblems(config.oomScoreAdj)], want)
  )
  itMeets(file, "TestValidateClientConnectionConfiguration", "fields of the client", ({ in: row, want }) =>
    meets(burstProblems(row.clientConnection.burst), want)
  )
  itMeets(file, "TestValidateHostPort", "an address with a port", ({ in: { ip }, want }) =>
    meets(hostPortProblems("healthzBindAddress", ip), want)
  )
  itMeets(file, "TestValidateKubeProxyNodePortAddress", "addresses of node ports", ({ in: { addresses }, want }) =>
    meets(nodePortAddressProblems(addresses), want)
  )
  itMeets(file, "TestValidateKubeProxyExcludeCIDRs", "ranges that are others'", ({ in: { addresses }, want }) =>
    meets(excludeCidrProblems(addresses), want)
  )
  itMeets(file, "TestValidateDetectLocalConfiguration", "which traffic is local", ({ in: { mode, config }, want }) =>
    meets(detectLocalProblems(mode, config, config.clusterCIDRs ?? []), want)
  )
  itMeets(file, "TestValidateDualStackCIDRStrings", "one range for each family", ({ in: { cidrStrings }, want }) =>
    meets(dualStackProblems("clusterCIDR", cidrStrings), want)
  )
  itMeets(file, "testValidateProxyModeLinux", "modes of Linux", ({ in: { mode }, want }) =>
    meets(modeProblems(mode), want)
  )
})

describe("files from the field", () => {
  it("kube-proxy-configmap-1.yaml loads as it is, and says what is not acted on", () => {
    const { config, written } = parseProxyConfiguration(seed("kube-proxy-configmap-1.yaml"), "1.yaml")
    assert.equal(config.mode, "ipvs")
    assert.equal(config.clusterCIDR, "10.244.0.0/16")
    assert.deepEqual(written.ipvs, { scheduler: "rr", syncPeriod: "30s", minSyncPeriod: "5s" })
    assert.deepEqual(warnings(seed("kube-proxy-configmap-1.yaml")), [
      "p.yaml:13:19: clientConnection.kubeconfig: is not acted on: there is no API server here"
    ])
  })

  it("kube-proxy-configmap-2.yaml loads as it is, without a warning", () => {
    const text = seed("kube-proxy-configmap-2.yaml")
    assert.deepEqual(warnings(text), [])
    const options = proxyOptions({ services: "/s" }, parseProxyConfiguration(text, "2.yaml"), ["IPv4"])
    assert.equal(options?.mode, "ipvs")
    assert.equal(options?.metricsBindAddress, "0.0.0.0:10249")
    assert.equal(options?.conntrack.tcpCloseWaitTimeout, 3600)
    assert.equal(options?.modes.ipvs.minSyncPeriod, 5000)
    assert.equal(options?.modes.ipvs.dataplane.ipvs.strictARP, true)
    assert.deepEqual(options?.modes.ipvs.settings, {
      clusterCIDR: "10.244.0.0/16",
      metricsBindAddress: "0.0.0.0:10249",
      "ipvs.strictARP": "true",
      "ipvs.minSyncPeriod": "5s",
      "conntrack.tcpEstablishedTimeout": "86400s",
      "conntrack.tcpCloseWaitTimeout": "3600s"
    })
  })

  it("a ConfigMap of kubeadm, whose fields are empty, says nothing but the defaults", () => {
    const empty = `bindAddress: 0.0.0.0\nbindAddressHardFail: false\nclientConnection: {acceptContentTypes: "", burst: 0, kubeconfig: "", qps: 0}
clusterCIDR: ""\nconfigSyncPeriod: 0s\nconntrack: {maxPerCore: null, min: null, tcpBeLiberal: false, tcpCloseWaitTimeout: null, udpTimeout: 0s}
detectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}\ndetectLocalMode: ""\nenableProfiling: false\nhealthzBindAddress: ""
hostnameOverride: ""\niptables: {localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
ipvs: {excludeCIDRs: null, minSyncPeriod: 0s, scheduler: "", strictARP: false, syncPeriod: 0s}\nlogging: {flushFrequency: 0, options: {json: {infoBufferSize: "0"}, text: {infoBufferSize: "0"}}, verbosity: 0}
metricsBindAddress: ""\nmode: ""\nnftables: {masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
nodePortAddresses: null\noomScoreAdj: null\nportRange: ""\nshowHiddenMetricsForVersion: ""\nwinkernel: {enableDSR: false, networkName: ""}\n`
    assert.deepEqual(warnings(plain(empty)), [])
    const { modes, ...options } = optionsOf(empty)
    const { modes: otherwise, ...defaults } = optionsOf("")
    assert.deepEqual(options, defaults)
    for (const mode of ["nftables", "ipvs", "iptables"] as const) {
      const { settings, ...rest } = modes[mode]
      const { settings: _, ...wanted } = otherwise[mode]
      assert.deepEqual(rest, wanted)
      assert.deepEqual(
        Object.keys(settings).filter((field) => !/Period|Timeout/u.test(field)),
        []
      )
    }
  })

  it("other documents beside it are left alone, and said so", () => {
    const other = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: kube-proxy}\n---\n"
    const { config, remarks } = parseProxyConfiguration(other + plain("mode: iptables\n"), "p.yaml")
    assert.equal(config.mode, "iptables")
    assert.match(remarks[0]?.message ?? "", /DaemonSet kube-proxy/u)
  })
})

describe("what is wrong", () => {
  const wrap = (body: string, header = "|") =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy}\ndata:\n  kubeconfig.conf: "x"\n  config.conf: ${header}\n${plain(
      body
    )
      .trimEnd()
      .split("\n")
      .map((line) => `    ${line}`)
      .join("\n")}\n`

  it("is named by the line of the outer file where it stands in a ConfigMap", () => {
    const body = "mode: ipvs\nipvs:\n  scheduler: roundrobin\nconntrack:\n  min: some\n"
    assert.equal(faultOf(wrap(body)), 'p.yaml:13:12: conntrack.min: must be a whole number, not a string ("some")')
    assert.equal(
      faultOf(wrap("mode: ipvs\nipvs:\n  scheduler: roundrobin\n")),
      "p.yaml:11:18: ipvs.scheduler: must be one of rr, wrr, lc, wlc, sh, dh, sed, nq, mh, not 'roundrobin'"
    )
    assert.match(faultOf(wrap("mode: [\n")), /^p\.yaml:1\d:\d+: /u)
  })

  it("is named by the text's begin and its own line where the ConfigMap holds it in quotes", () => {
    const json = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", data: { "config.conf": plain("mode: x\n") } })
    assert.match(faultOf(json), /^p\.yaml:1:\d+ \(line 3 of config\.conf\): mode: must be one of/u)
  })

  it("an unknown field is warned of with its line and what was meant", () => {
    const text = wrap("iptables:\n  masqueradAll: true\nudpIdleTimeout: 1s\n")
    assert.deepEqual(warnings(text), [
      "p.yaml:10:7: iptables.masqueradAll: is unknown and ignored; did you mean masqueradeAll or masqueradeBit?",
      "p.yaml:11:5: udpIdleTimeout: is unknown and ignored"
    ])
  })

  it("a mode of another time or system is refused with the reason", () => {
    assert.match(faultOf(plain("mode: userspace\n")), /p\.yaml:3:7: mode: userspace was removed in Kubernetes 1\.26/u)
    assert.match(faultOf(plain("mode: kernelspace\n")), /is of Windows/u)
    assert.match(faultOf(plain("mode: nft\n")), /must be one of nftables, ipvs, iptables, not 'nft'/u)
  })

  it("fields of ipvs hurt only where ipvs can come into force", () => {
    const body = "mode: iptables\nipvs:\n  scheduler: lblc\n"
    assert.equal(parseProxyConfiguration(plain(body), "p.yaml").config.mode, "iptables")
    assert.match(faultOf(plain(body), { mode: "ipvs" }), /5:14: ipvs\.scheduler/u)
    assert.match(faultOf(plain(body), { fallback: "ipvs" }), /5:14: ipvs\.scheduler/u)
  })

  it("a file without any is refused with what it has instead", () => {
    assert.match(faultOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: y}\n"), /it has ConfigMap a/u)
    assert.match(faultOf(""), /it has nothing/u)
    assert.match(faultOf(plain("mode: ''\n---\n") + plain("mode: ''\n")), /a second KubeProxyConfiguration/u)
    assert.match(faultOf("apiVersion: kubeproxy.config.k8s.io/v1beta9\nkind: KubeProxyConfiguration\n"), /v1alpha1/u)
    assert.match(faultOf("- 1\n"), /p\.yaml:1:1: must be a map of fields/u)
  })

  it("aliases without end are an error, not an endless work", () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${["b", "c", "d", "e"]
      .map((name, i) => {
        const of = "abcd"[i]
        return `${name}: &${name} [${new Array(9).fill(`*${of}`).join(", ")}]\n`
      })
      .join("")}`
    assert.match(faultOf(plain(bomb)), /^p\.yaml:1:1: .*alias/iu)
  })

  it("of whatever kind, it is named by a line that the file has, and nothing else happens", () => {
    const random = seededRandom("broken proxy configurations")
    const rounds = roundsOr(200)
    const texts = [seed("kube-proxy-configmap-1.yaml"), seed("kube-proxy-configmap-2.yaml"), plain("mode: ipvs\n")]
    const bits = [
      "\n",
      ":",
      "- ",
      "'",
      "{",
      "[",
      "*a",
      "&a ",
      "|",
      "\t",
      "\u0000",
      "é",
      "null",
      "-1",
      "99999999999999999999",
      "0x",
      "!!"
    ]
    for (let round = 0; round < rounds; round += 1) {
      let text = random.pick(texts)
      for (let edits = random.int(1, 4); edits > 0; edits -= 1) {
        const at = random.int(0, text.length)
        text = text.slice(0, at) + (random.chance(0.5) ? random.pick(bits) : "") + text.slice(at + random.int(0, 12))
      }
      const lines = text.split("\n").length
      try {
        const read = parseProxyConfiguration(text, "p.yaml")
        proxyOptions({ services: "/s" }, read, ["IPv4"])
      } catch (error) {
        assert.ok(error instanceof CommandFailed, `${String(error)}\n${text}`)
        for (const message of error.message.split("\n")) {
          const line = /^p\.yaml:(\d+):\d+/u.exec(message)?.[1]
          assert.ok(/^p\.yaml: has no/u.test(message) || (Number(line) >= 1 && Number(line) <= lines + 1), message)
        }
      }
    }
  })

  it("what is known, said and not acted on is warned of, every field of it", () => {
    const samples: Readonly<Record<string, string>> = {
      boolean: "true",
      integer: "3",
      number: "3",
      string: "v1",
      duration: "7s",
      durationOrInteger: "7s",
      booleanMap: "{A: true}"
    }
    const options = '{json: {infoBufferSize: "5"}}'
    for (const [field, { isHonoured, type }] of Object.entries(proxyFieldTable)) {
      if (isHonoured) continue
      const value =
        typeof type === "string"
          ? samples[type]
          : field.endsWith("vmodule")
            ? "[{filePattern: a, verbosity: 1}]"
            : options
      const special = field === "logging.format" ? "json" : field === "bindAddressHardFail" ? "true" : value
      const [group, name] = field.split(".")
      const found = warnings(
        plain(name === undefined ? `${group}: ${special}\n` : `${group}:\n  ${name}: ${special}\n`)
      )
      assert.equal(found.length, 1, field)
      assert.ok(found[0]?.includes(`${field}: is not acted on: `), found[0])
    }
    assert.match(warnings(plain("detectLocalMode: NodeCIDR\n"))[0] ?? "", /needs a Node of an API server/u)
  })
})

describe("the proxy's options", () => {
  it("depend on every field that the table says is acted on", () => {
    const texts: Readonly<Record<string, string>> = {
      mode: "iptables",
      bindAddress: '"::"',
      healthzBindAddress: "10.0.0.1",
      metricsBindAddress: "10.0.0.1",
      clusterCIDR: "10.1.0.0/16",
      detectLocalMode: "InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: veth}",
      "detectLocal.bridgeInterface": "br0\ndetectLocalMode: BridgeInterface",
      "detectLocal.interfaceNamePrefix": "veth\ndetectLocalMode: InterfaceNamePrefix",
      nodePortAddresses: "[10.0.0.0/8]",
      "ipvs.scheduler": "sh",
      "ipvs.excludeCIDRs": "[10.0.0.0/8]"
    }
    const samples: Readonly<Record<string, string>> = { duration: "7s", integer: "3" }
    const comparable = ({ modes, ...rest }: ReturnType<typeof optionsOf>) =>
      JSON.stringify([rest, Object.values(modes).map(({ settings, ...mode }) => mode)])
    const otherwise = comparable(optionsOf(""))
    for (const [field, { isHonoured, type, otherwise: usual }] of Object.entries(proxyFieldTable)) {
      if (!isHonoured || field === "hostnameOverride") continue
      const value = texts[field] ?? (type === "boolean" ? String(usual !== "true") : samples[String(type)])
      const [group, name] = field.split(".")
      const body = name === undefined ? `${group}: ${value}\n` : `${group}:\n  ${name}: ${value}\n`
      assert.notEqual(comparable(optionsOf(body)), otherwise, field)
    }
    // The name of the node is taken from it by `chronode run`.
    assert.equal(parseProxyConfiguration(plain("hostnameOverride: n7\n"), "p").config.hostnameOverride, "n7")
  })

  it("are nftables where nobody says otherwise, each change at once, node ports on the primary addresses", () => {
    const { mode, fallback, modes, healthzBindAddress, metricsBindAddress } = optionsOf("")
    assert.deepEqual({ mode, fallback }, { mode: "nftables", fallback: undefined })
    assert.deepEqual(modes.nftables.nodePortAddresses, ["primary"])
    assert.deepEqual(modes.ipvs.nodePortAddresses, [])
    assert.equal(modes.nftables.syncPeriod, 30_000)
    assert.equal(modes.nftables.minSyncPeriod, 0)
    assert.equal(modes.iptables.minSyncPeriod, 0)
    assert.deepEqual(modes.nftables.settings, {})
    assert.equal(healthzBindAddress, "0.0.0.0:10256")
    assert.equal(metricsBindAddress, "127.0.0.1:10249")
  })

  it("keep a written least time between syncs", () => {
    assert.equal(optionsOf("nftables:\n  syncPeriod: 200ms\n").modes.nftables.syncPeriod, 200)
    assert.match(
      faultOf(plain("nftables: {syncPeriod: 1s, minSyncPeriod: 2s}\n")),
      /nftables\.syncPeriod: must be at least/u
    )
    assert.equal(optionsOf("nftables:\n  minSyncPeriod: 1s\n").modes.nftables.minSyncPeriod, 1000)
  })

  it("take what of masquerading is said for the mode", () => {
    const { modes } = optionsOf("iptables: {masqueradeAll: true, masqueradeBit: 5}\n")
    assert.equal(modes.nftables.dataplane.masqueradeAll, false)
    assert.equal(modes.ipvs.dataplane.masqueradeAll, true)
    assert.equal(modes.iptables.dataplane.masqueradeBit, 5)
    assert.deepEqual(modes.nftables.settings, {})
    assert.deepEqual(modes.iptables.settings, { "iptables.masqueradeAll": "true", "iptables.masqueradeBit": "5" })
  })

  it("tell traffic of pods as they are told to", () => {
    const by = (body: string) => optionsOf(body).modes.nftables.dataplane.localDetector
    assert.deepEqual(by(""), { by: "none" })
    assert.deepEqual(by('clusterCIDR: "10.1.0.0/16,fd00::/64"\n'), { by: "cidr", cidrs: ["10.1.0.0/16", "fd00::/64"] })
    const bridge = "clusterCIDR: 10.1.0.0/16\ndetectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: br0}\n"
    assert.deepEqual(by(bridge), { by: "bridge", name: "br0" })
    const prefix = "detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: veth}\n"
    assert.deepEqual(by(prefix), { by: "prefix", prefix: "veth" })
  })

  it("let flags win over the file, and a ChronodeConfiguration over it too", () => {
    const file = "mode: iptables\nhealthzBindAddress: 10.0.0.1\n"
    assert.equal(optionsOf(file).healthzBindAddress, "10.0.0.1:10256")
    assert.equal(optionsOf(file, { proxyMode: "ipvs" }).mode, "ipvs")
    assert.equal(optionsOf(file, { healthzBindAddress: "" }).healthzBindAddress, undefined)
    assert.equal(optionsOf(file, { metricsBindAddress: "[::1]:9" }).metricsBindAddress, "[::1]:9")
    assert.deepEqual(proxyFlags({ proxyMode: "ipvs" }, { services: "/s", proxyMode: "iptables" }), {
      services: "/s",
      proxyMode: "ipvs"
    })
  })

  it("refuse flags that say nothing that could be done", () => {
    const usage = (flags: ProxyFlags, message: RegExp) =>
      assert.throws(
        () => optionsOf("", flags),
        (error) => error instanceof UsageError && message.test(error.message)
      )
    usage({ proxyModeFallback: "nftables" }, /--proxy-mode-fallback: nftables is the mode itself/u)
    usage({ healthzBindAddress: "10256" }, /--healthz-bind-address: must be an IP and a port/u)
    usage({ dataplaneName: "My Table" }, /--dataplane-name/u)
    usage({ zone: "no zone" }, /--zone: 'no zone' is no value of a label/u)
    assert.throws(() => readProxy({ proxyConfig: "/f" }), /no --services DIR/u)
    assert.equal(proxyOptions({}, noProxyConfiguration, ["IPv4"]), undefined)
  })
})
