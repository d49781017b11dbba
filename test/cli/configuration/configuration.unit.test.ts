import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { Result } from "effect"
import { noConfiguration, parseConfiguration } from "../../../src/cli/configuration/configuration.ts"
import { CommandFailed, UsageError } from "../../../src/cli/exit.ts"
import type { NatsOptions } from "../../../src/cli/nats-flags.ts"
import { agentOptions, credentialProviderPaths, type RunFlags } from "../../../src/cli/run/agent-settings.ts"

const seed = (name: string): string =>
  readFileSync(new URL(`../../cases/seed-examples/${name}`, import.meta.url), "utf8")
const kubelet = (body: string): string =>
  `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${body}`
const chronode = (body: string): string => `apiVersion: chronode.dev/v1alpha1\nkind: ChronodeConfiguration\n${body}`
const faultOf = (text: string): string => {
  try {
    parseConfiguration(text, "c.yaml")
  } catch (error) {
    assert.ok(error instanceof CommandFailed)
    return error.message
  }
  return assert.fail("it was accepted")
}
const warnings = (text: string) =>
  parseConfiguration(text, "c.yaml")
    .remarks.filter(({ level }) => level === "warn")
    .map(({ message }) => message)

describe("configuration files from the field", () => {
  for (const name of ["kubelet-config-1.yaml", "kubelet-config-2.yaml"]) {
    it(`${name} loads as it is, with no warning but of what it does not name`, () => {
      const { kubelet: values, remarks } = parseConfiguration(seed(name), name)
      assert.deepEqual(values.clusterDNS, ["10.96.0.10"])
      assert.equal(values.cgroupDriver, "systemd")
      assert.equal(values.staticPodPath, "/etc/kubernetes/manifests")
      // kubelet itself would refuse the second: it enforces what it gives no cgroup for.
      const refused = name === "kubelet-config-1.yaml" ? [] : ["system-reserved", "kube-reserved"]
      assert.deepEqual(
        remarks
          .filter(({ level }) => level === "warn")
          .map(({ message }) => /is not enforced.*when "([^"]+)"/u.exec(message)?.[1]),
        refused
      )
      assert.deepEqual(parseConfiguration(seed(name), name).notHonoured, [])
    })
  }

  for (const name of ["eviction-1.yaml", "reserved-1.yaml"]) {
    it(`${name}, a part without a kind, is read as a part of a KubeletConfiguration`, () => {
      assert.deepEqual(parseConfiguration(seed(name), name).remarks.filter(({ level }) => level === "warn").length, 1)
    })
  }

  it("say how logs are rotated, in kubelet's words and with its defaults", () => {
    const rotation = (body: string) =>
      agentOptions({ manifests: "m" }, parseConfiguration(kubelet(body), "r"), "n1", noNats).logRotation
    const defaults = { maxSizeBytes: 10 * 1024 ** 2, maxFiles: 5, maxWorkers: 1, monitorInterval: 10_000 }
    assert.deepEqual(rotation("containerLogMaxSize: ''\n"), defaults)
    assert.equal(rotation("containerLogMaxSize: '-1'\n").maxSizeBytes, undefined)
    const all = "containerLogMaxSize: 1.5Gi\ncontainerLogMaxFiles: 3\ncontainerLogMaxWorkers: 2\n"
    assert.deepEqual(rotation(`${all}containerLogMonitorInterval: 1m\n`), {
      ...{ maxSizeBytes: 1.5 * 1024 ** 3, maxFiles: 3, maxWorkers: 2, monitorInterval: 60_000 }
    })
  })

  it("links logs where they are in their usual place, or where it is told", () => {
    const linksOf = (flags: RunFlags) =>
      agentOptions({ manifests: "m", ...flags }, noConfiguration, "n1", noNats).containerLogsDir
    assert.equal(linksOf({}), "/var/log/containers")
    assert.equal(linksOf({ podLogsDir: "/elsewhere" }), undefined)
    assert.equal(linksOf({ podLogsDir: "/elsewhere", containerLogsDir: "/links" }), "/links")
  })

  it("makes cgroups below the root, or where a flag says, or else the file", () => {
    const file = parseConfiguration(
      "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\ncgroupRoot: /of-file\n",
      "c"
    )
    const rootOf = (flags: RunFlags, configuration = noConfiguration) =>
      agentOptions({ manifests: "m", ...flags }, configuration, "n1", noNats).pods.cgroupRoot
    assert.equal(rootOf({}), "")
    assert.equal(rootOf({}, file), "/of-file")
    assert.equal(rootOf({ cgroupRoot: "/of-flag" }, file), "/of-flag")
  })

  it("reserved-1.yaml asks for parallel pulls, and gets them", () => {
    const options = agentOptions({ manifests: "m" }, parseConfiguration(seed("reserved-1.yaml"), "r"), "n1", noNats)
    assert.equal(options.pods.maxParallelImagePulls, 5)
  })

  it("limits pulls as kubelet does where nothing is said, and as it is told", () => {
    const pulls = (body: string) => {
      const { pods } = agentOptions({ manifests: "m" }, parseConfiguration(kubelet(body), "c.yaml"), "n1", noNats)
      return [pods.maxParallelImagePulls, pods.registryPullQPS, pods.registryBurst]
    }
    assert.deepEqual(pulls(""), [5, 5, 10])
    assert.deepEqual(pulls("serializeImagePulls: true\nregistryPullQPS: 0\nregistryBurst: 0\n"), [1, 0, 10])
    assert.deepEqual(pulls("maxParallelImagePulls: 3\nregistryPullQPS: 7\nregistryBurst: 2\n"), [3, 7, 2])
  })

  it("say who may have images that are on the node already", () => {
    const verification = (body: string) =>
      agentOptions({ manifests: "m" }, parseConfiguration(kubelet(body), "c.yaml"), "n1", noNats).registry.verification
    assert.deepEqual(verification(""), { policy: "NeverVerifyPreloadedImages", allowlist: [] })
    const listed = "imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages\n"
    const list = (...entries: ReadonlyArray<string>) =>
      `preloadedImagesVerificationAllowlist: ${JSON.stringify(entries)}\n`
    assert.deepEqual(verification(listed + list("docker.io/library/busybox", "r.io/*")), {
      policy: "NeverVerifyAllowlistedImages",
      allowlist: ["docker.io/library/busybox", "r.io/*"]
    })
    assert.match(faultOf(kubelet(list("r.io/a"))), /Allowlist: can't set .* is not "NeverVerifyAllowlistedImages"/u)
    for (const entry of ["busybox", "r.io/a:1", "r.io/*/a", "/*", "r.io/A"])
      assert.match(faultOf(kubelet(listed + list(entry))), /Allowlist\.0: must be an image's full name/u, entry)
    assert.match(faultOf(kubelet("imagePullCredentialsVerificationPolicy: Sometimes\n")), /Valid options are/u)
  })

  it("name the node's credentials for registries, unless a flag does", () => {
    const file = parseConfiguration(
      chronode("registryConfig: /a.json\nimageCredentialProviderConfig: /p\nimageCredentialProviderBinDir: /b\n"),
      "c.yaml"
    )
    const config = (flags: RunFlags) => agentOptions({ manifests: "m", ...flags }, file, "n1", noNats).registry.config
    assert.equal(config({}), "/a.json")
    assert.equal(config({ registryConfig: "none" }), "none")
    assert.equal(agentOptions({ manifests: "m" }, noConfiguration, "n1", noNats).registry.config, undefined)
    assert.deepEqual(credentialProviderPaths({}, file), { config: "/p", binDir: "/b" })
    assert.deepEqual(credentialProviderPaths({ imageCredentialProviderConfig: "/q" }, file), {
      config: "/q",
      binDir: "/b"
    })
  })
})

describe("a wrong configuration", () => {
  const wrong: ReadonlyArray<readonly [title: string, text: string, message: RegExp]> = [
    [
      "a number for text",
      kubelet("clusterDomain: 5\n"),
      /^c\.yaml:3:16: clusterDomain: must be text .*not a number \(5\)/u
    ],
    ["text for a number", kubelet("registryBurst: many\n"), /^c\.yaml:3:16: registryBurst: must be a whole number/u],
    ["text for a boolean", kubelet("serializeImagePulls: 'yes'\n"), /serializeImagePulls: must be true or false/u],
    ["a single value for a list", kubelet("clusterDNS: 10.0.0.1\n"), /^c\.yaml:3:13: clusterDNS: must be a list/u],
    ["a wrong element", kubelet("clusterDNS:\n- 10.0.0.1\n- 7\n"), /^c\.yaml:5:3: clusterDNS\[1\]: must be text/u],
    ["no IP address", kubelet("clusterDNS:\n- dns.example\n"), /^c\.yaml:4:3: clusterDNS\.0: must be an IP address/u],
    ["a length without a unit", kubelet("runtimeRequestTimeout: '120'\n"), /runtimeRequestTimeout: must be a length/u],
    [
      "days, which Go does not know",
      kubelet("runtimeRequestTimeout: 1d\n"),
      /runtimeRequestTimeout: must be a length/u
    ],
    ["another driver", kubelet("cgroupDriver: none\n"), /cgroupDriver: must be one of cgroupfs, systemd/u],
    [
      "a field deep inside",
      kubelet("authentication:\n  webhook:\n    enabled: 1\n"),
      /^c\.yaml:5:14: authentication\.webhook\.enabled: must be true or false/u
    ],
    [
      "a restart period out of bounds",
      kubelet("crashLoopBackOff:\n  maxContainerRestartPeriod: 10m\n"),
      /crashLoopBackOff\.maxContainerRestartPeriod: .*must be set between 1s and 300s/u
    ],
    [
      "one log file",
      kubelet("containerLogMaxFiles: 1\n"),
      /containerLogMaxFiles: containerLogMaxFiles must be greater than 1/u
    ],
    [
      "no log worker",
      kubelet("containerLogMaxWorkers: 0\n"),
      /containerLogMaxWorkers: containerLogMaxWorkers must be greater than or equal to 1/u
    ],
    [
      "a log size of no number",
      kubelet("containerLogMaxSize: big\n"),
      /containerLogMaxSize: must be a number of bytes/u
    ],
    [
      "logs looked at too often",
      kubelet("containerLogMonitorInterval: 1s\n"),
      /containerLogMonitorInterval: .* greater than or equal to 3s/u
    ],
    [
      "parallel and serial pulls at once",
      kubelet("serializeImagePulls: true\nmaxParallelImagePulls: 3\n"),
      /^c\.yaml:4:24: maxParallelImagePulls: .* cannot be larger than 1/u
    ],
    [
      "a sysctl that is in no namespace",
      kubelet("allowedUnsafeSysctls: [net.core.*, vm.swappiness]\n"),
      /^c\.yaml:3:36: allowedUnsafeSysctls\.1: the sysctl "vm\.swappiness" is not known to be namespaced/u
    ],
    [
      "ids per pod that are no block",
      kubelet("userNamespaces: {idsPerPod: 1000}\n"),
      /^c\.yaml:3:\d+: userNamespaces\.idsPerPod: .*must not be less than 65536/u
    ],
    ["a map for text", kubelet("clusterDomain: {a: b}\n"), /clusterDomain: must be text .*not a list or map/u],
    ["another kind", "apiVersion: v1\nkind: Pod\n", /^c\.yaml:1:1: kind: is 'Pod' of 'v1'; it can be/u],
    ["the same kind twice", `${kubelet("")}---\n${kubelet("")}`, /^c\.yaml:4:1: kind: a second KubeletConfiguration/u],
    ["no map", "- a\n- b\n", /^c\.yaml:1:1: must be a map of fields/u],
    ["broken YAML", "a: [1\nb: 2\n", /^c\.yaml:\d+:\d+: /u],
    ["a field twice", kubelet("maxPods: 1\nmaxPods: 2\n"), /^c\.yaml:4:1: .*unique/u],
    ["a wrong mode", chronode("durability: sometimes\n"), /durability: must be one of always, interval/u],
    ["a wrong size", chronode("stream:\n  maxBytes: big\n"), /stream\.maxBytes: must be a number of bytes/u]
  ]
  for (const [title, text, message] of wrong) {
    it(`with ${title} names file, line and field`, () => assert.match(faultOf(text), message))
  }

  it("has all its problems named at once", () => {
    assert.equal(faultOf(kubelet("maxPods: x\nport: y\n")).split("\n").length, 2)
  })
})

describe("an unknown field", () => {
  it("is warned of, with the name that may have been meant", () => {
    assert.deepEqual(warnings(kubelet("clusterDns:\n- 10.0.0.1\n")), [
      "c.yaml:3:1: clusterDns: is unknown and ignored; did you mean clusterDNS?"
    ])
  })

  it("is warned of inside a known one too", () => {
    assert.match(warnings(kubelet("logging:\n  colour: red\n"))[0] ?? "", /^c\.yaml:4:3: logging\.colour: is unknown/u)
  })

  it("named like a method of every object is unknown too", () => {
    assert.match(warnings(kubelet("constructor: 1\n"))[0] ?? "", /constructor: is unknown/u)
  })
})

describe("odd but right configurations", () => {
  it("may be empty, hold nulls, JSON, aliases, and both kinds in one file", () => {
    assert.deepEqual(parseConfiguration("", "c").kubelet, {})
    assert.equal(parseConfiguration(kubelet("clusterDomain: null\n"), "c").kubelet.clusterDomain, undefined)
    const json = '{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","registryBurst":3}'
    assert.equal(parseConfiguration(json, "c").kubelet.registryBurst, 3)
    assert.deepEqual(
      parseConfiguration(kubelet("clusterDNS: &d [10.0.0.1]\ntlsCipherSuites: *d\n"), "c").kubelet.clusterDNS,
      ["10.0.0.1"]
    )
    const both = parseConfiguration(`${kubelet("clusterDomain: a.b\n")}---\n${chronode("dataDir: /d\n")}`, "c")
    assert.equal(both.kubelet.clusterDomain, "a.b")
    assert.equal(both.chronode.dataDir, "/d")
  })
})

const target = {
  servers: [],
  authentication: { _tag: "None" },
  tls: undefined,
  inboxPrefix: undefined,
  domain: undefined
} as const
const noNats = () => Result.succeed(target)
const optionsOf = (flags: RunFlags, text = "") =>
  agentOptions(flags, text === "" ? noConfiguration : parseConfiguration(text, "c.yaml"), "Node-1", noNats)

describe("the agent's options", () => {
  it("have defaults, and the host's name in lower case", () => {
    const options = optionsOf({ manifests: "/m" })
    assert.equal(options.nodeName, "node-1")
    assert.equal(options.cri, "unix:///run/containerd/containerd.sock")
    assert.equal(options.dataDir, "/var/lib/chronode")
    assert.equal(options.durability, "always")
    assert.equal(options.recording, "events")
    assert.equal(options.pods.maxParallelImagePulls, 5)
    assert.equal(options.kubelet.crashLoopBackOff.maxContainerRestartPeriod, 300_000)
    assert.equal(options.nats, target)
    const { seccompDefault, allowedUnsafeSysctls, idsPerPod } = options.pods
    assert.deepEqual(
      { seccompDefault, allowedUnsafeSysctls, idsPerPod },
      {
        seccompDefault: false,
        allowedUnsafeSysctls: [],
        idsPerPod: 65_536
      }
    )
  })

  it("take what kubelet is told of seccomp, sysctls and user namespaces", () => {
    const text = "seccompDefault: true\nallowedUnsafeSysctls: [net.core.*]\nuserNamespaces: {idsPerPod: 131072}\n"
    const { seccompDefault, allowedUnsafeSysctls, idsPerPod } = optionsOf({ manifests: "/m" }, kubelet(text)).pods
    assert.deepEqual([seccompDefault, allowedUnsafeSysctls, idsPerPod], [true, ["net.core.*"], 131_072])
  })

  it("take flags over the file, and the file over defaults", () => {
    const file = `${kubelet("staticPodPath: /k\ncontainerRuntimeEndpoint: /run/x.sock\nruntimeRequestTimeout: 1m30s\n")}---\n${chronode("dataDir: /d\nmanifests: /c\nlog: {level: debug}\n")}`
    const options = optionsOf({ dataDir: "/flag", logFormat: "json" }, file)
    assert.equal(options.dataDir, "/flag")
    assert.equal(options.manifests, "/c")
    assert.equal(options.cri, "unix:///run/x.sock")
    assert.equal(options.runtimeRequestTimeout, 90_000)
    assert.equal(options.logLevel, "debug")
    assert.equal(options.logFormat, "json")
  })

  it("publish nothing with --no-nats or nats.enabled: false, unless a flag names a server", () => {
    assert.equal(optionsOf({ manifests: "m", nats: false }).nats, undefined)
    assert.equal(optionsOf({ manifests: "m" }, chronode("nats: {enabled: false}\n")).nats, undefined)
    assert.equal(optionsOf({ manifests: "m", nats: "nats://x" }, chronode("nats: {enabled: false}\n")).nats, target)
  })

  it("hand NATS the flags, and the file where there is no flag", () => {
    const seen: Array<NatsOptions> = []
    agentOptions(
      { manifests: "m", creds: "/flag.creds" },
      parseConfiguration(chronode("nats: {servers: [nats://a, nats://b], creds: /file.creds, tlsCA: /ca}\n"), "c"),
      "n1",
      (options) => {
        seen.push(options)
        return Result.succeed(target)
      }
    )
    assert.deepEqual(seen, [
      {
        nats: "nats://a,nats://b",
        creds: "/flag.creds",
        nkey: undefined,
        tlsCa: "/ca",
        tlsCert: undefined,
        tlsKey: undefined
      }
    ])
  })

  it("take times and sizes as people write them", () => {
    const options = optionsOf({
      manifests: "m",
      streamMaxAge: "12h",
      streamMaxBytes: "-1",
      retentionMaxAge: "0",
      retentionMaxBytes: "2Gi"
    })
    assert.deepEqual(options.stream, { maxAgeSeconds: 43_200, maxBytes: -1, replicas: 1 })
    assert.deepEqual(options.retention, { maxAgeSeconds: 0, maxBytes: 2 * 1024 ** 3 })
  })

  const misuse: ReadonlyArray<readonly [title: string, flags: RunFlags, message: RegExp]> = [
    ["no manifests", {}, /--manifests DIR is missing/u],
    ["a node name that is none", { manifests: "m", nodeName: "Node_1" }, /--node-name: 'Node_1' is no node name/u],
    ["a runtime over TCP", { manifests: "m", cri: "tcp://1.2.3.4" }, /--cri: 'tcp:\/\/1\.2\.3\.4' is no unix socket/u],
    ["a wrong age", { manifests: "m", streamMaxAge: "week" }, /--stream-max-age: 'week'/u],
    ["a wrong size", { manifests: "m", retentionMaxBytes: "-1" }, /--retention-max-bytes/u],
    ["no replicas", { manifests: "m", streamReplicas: "0" }, /--stream-replicas/u]
  ]
  for (const [title, flags, message] of misuse) {
    it(`refuse ${title}`, () =>
      assert.throws(
        () => optionsOf(flags),
        (error: unknown) => error instanceof UsageError && message.test(error.message)
      ))
  }

  it("refuse what NATS cannot use, in its own words", () => {
    const problem = { _tag: "NatsOptionError", message: "NATS_URL: names no host" } as const
    assert.throws(
      () => agentOptions({ manifests: "m" }, noConfiguration, "n1", () => Result.fail(problem)),
      /NATS_URL: names no host/u
    )
  })
})
