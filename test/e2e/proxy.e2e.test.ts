// runtimes: bun (deno)
// netns: own
/**
 * The proxy of an agent as its surroundings see it: a KubeProxyConfiguration in a ConfigMap, health and metrics over HTTP, a
 * health check of a Service, kernel parameters, a mode that cannot be had.
 */
import "../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { get as request } from "node:http"
import { createServer } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { before, describe, it } from "node:test"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import { requires } from "../support/requires.ts"
import { withTemporaryDirectory } from "../support/temporary-directory.ts"

const address = "192.0.2.1"
const ports = { healthz: 10_256, metrics: 10_249, check: 30_999 }

interface Got {
  readonly status: number
  readonly weight: unknown
  readonly body: string
}

/** Undefined: nobody listens. */
const get = (url: string): Promise<Got | undefined> =>
  new Promise((resolve) => {
    const sent = request(url, { agent: false }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part
      })
      const weight = response.headers["x-load-balancing-endpoint-weight"]
      response.on("end", () => resolve({ status: response.statusCode ?? 0, weight, body }))
    })
    sent.on("error", () => resolve(undefined))
  })

const has = (url: string, isIt: (got: Got) => boolean): Promise<Got> =>
  eventually(url, async () => {
    const got = await get(url)
    return got !== undefined && isIt(got) ? got : undefined
  })

const put = (path: string, content: object | string): void => {
  writeFileSync(`${path}.part`, typeof content === "string" ? content : JSON.stringify(content))
  renameSync(`${path}.part`, path)
}

/** A KubeProxyConfiguration as kubeadm keeps it. */
const configMap = (lines: ReadonlyArray<string>): string =>
  [
    ...["apiVersion: v1", "kind: ConfigMap", "metadata: {name: kube-proxy, namespace: kube-system}", "data:"],
    "  config.conf: |",
    ...["apiVersion: kubeproxy.config.k8s.io/v1alpha1", "kind: KubeProxyConfiguration", ...lines].map((l) => `    ${l}`)
  ].join("\n")

const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop" },
  spec: {
    type: "LoadBalancer",
    clusterIP: "10.96.0.10",
    externalTrafficPolicy: "Local",
    healthCheckNodePort: ports.check,
    ports: [{ port: 80, targetPort: 8080, nodePort: 30_080 }]
  }
}
const slice = (...nodes: ReadonlyArray<string>) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "web-1", namespace: "shop", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ name: "", protocol: "TCP", port: 8080 }],
  endpoints: nodes.map((nodeName, i) => ({ addresses: [`10.1.0.${i + 1}`], nodeName, conditions: { ready: true } }))
})

interface World {
  readonly dir: string
  readonly services: string
  readonly node: (flags: ReadonlyArray<string>) => NodeUnderTest
}

const withWorld = (use: (world: World) => Promise<void>): Promise<void> =>
  withTemporaryDirectory(async (dir) => {
    const services = join(dir, "services")
    mkdirSync(services)
    put(join(services, "web.json"), service)
    put(join(services, "web-1.json"), slice("n1", "n2"))
    const all = ["--services", services, "--dataplane-name", "chrontest"]
    const nodes: Array<NodeUnderTest> = []
    const { PATH } = process.env
    try {
      await use({
        dir,
        services,
        node: (flags) => {
          const cri = `unix://${dir}/none.sock`
          const node = new NodeUnderTest({ dir, name: "n1", cri, flags: [...all, ...flags], cgroupRoot: "" })
          nodes.push(node)
          return node
        }
      })
    } finally {
      for (const node of nodes) await node.stop()
      process.env.PATH = PATH
    }
  })

describe("the proxy of an agent", () => {
  before(() => {
    if (requires("root", "ip").skip !== false) return
    const ip = (words: string) => execFileSync("ip", words.split(" "))
    ip("link add v0 type veth peer name v1")
    ip(`address add ${address}/24 dev v0`)
    ip("link set v0 up")
    ip("link set v1 up")
  })

  it("does what a ConfigMap of kube-proxy says, and tells it over HTTP", requires("root", "ip", "nft"), () =>
    withWorld(async ({ dir, services, node: makeNode }) => {
      const config = join(dir, "kube-proxy.yaml")
      const udpTimeout = "/proc/sys/net/netfilter/nf_conntrack_udp_timeout"
      const before = readFileSync(udpTimeout, "utf8").trim()
      put(
        config,
        configMap(['mode: ""', "clusterCIDR: 10.1.0.0/16", "enableProfiling: true", "conntrack:", "  udpTimeout: 77s"])
      )
      const other = createServer()
      await new Promise<void>((resolve) => {
        other.listen(ports.metrics, "127.0.0.1", resolve)
      })
      const node = makeNode(["--proxy-config", config])
      await node.start()

      const started = await node.waitFor("ProxyStarted")
      assert.equal(started.data.mode, "nftables")
      assert.deepEqual(started.data.settings, { clusterCIDR: "10.1.0.0/16", "conntrack.udpTimeout": "77s" })
      assert.deepEqual(started.data.nodePortAddresses, [address])
      const name = "net.netfilter.nf_conntrack_udp_timeout"
      const sysctl = await node.waitFor("SysctlChanged", undefined, { name })
      assert.deepEqual([sysctl.data.before, sysctl.data.value], [before, "77"])
      assert.equal(readFileSync(udpTimeout, "utf8").trim(), "77")
      assert.match(node.log(), /kube-proxy\.yaml:10:22: enableProfiling: is not acted on/u)
      await node.waitFor("DataplaneSynced")

      const health = await has(`http://127.0.0.1:${ports.healthz}/healthz`, ({ status }) => status === 200)
      assert.equal(JSON.parse(health.body).status.IPv4.healthy, true)
      assert.equal((await get(`http://${address}:${ports.healthz}/proxyMode`))?.body, "nftables")
      const local = await has(`http://${address}:${ports.check}/`, ({ status }) => status === 200)
      assert.equal(local.weight, "1")
      assert.deepEqual(JSON.parse(local.body).service, { namespace: "shop", name: "web" })

      // Somebody else has the address of metrics, until it goes.
      const failed = await node.waitFor("ListenerFailed", undefined, { server: "metrics" })
      assert.match(String(failed.data.remedy), /ss -ltnp/u)
      await new Promise<void>((resolve) => {
        other.close(() => resolve())
      })
      await node.waitFor("ListenerRecovered", undefined, { server: "metrics", isWanted: true })
      const metrics = `http://127.0.0.1:${ports.metrics}/metrics`
      const first = await has(metrics, ({ status }) => status === 200)
      assert.match(first.body, /^kubeproxy_sync_full_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} [1-9]/mu)

      put(join(services, "web-1.json"), slice("n2"))
      const none = await has(`http://${address}:${ports.check}/`, ({ status }) => status === 503)
      assert.equal(JSON.parse(none.body).localEndpoints, 0)
      const later = await has(metrics, ({ body }) =>
        /no_local_endpoints_total\{ip_family="IPv4",traffic_policy="external"\} 1$/mu.test(body)
      )
      assert.match(later.body, /^kubeproxy_sync_partial_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} [1-9]/mu)
      assert.match(later.body, /^kubeproxy_network_programming_duration_seconds_count\{ip_family="IPv4"\} [1-9]/mu)
      assert.match(later.body, /^kubeproxy_sync_proxy_rules_endpoint_changes_pending\{ip_family="IPv4"\} 0$/mu)
    })
  )

  it("waits for a mode that cannot be had, says what it lacks and is unhealthy", requires("root", "ip"), () =>
    withWorld(async ({ dir, node: makeNode }) => {
      const node = makeNode(["--proxy-config", withOldNft(dir), "--metrics-bind-address", ""])
      await node.start()
      const lacks = await node.waitFor("ProxyUnavailable")
      assert.match(JSON.stringify(lacks.data.missing), /nft 0\.9\.0 is too old/u)
      await has(`http://127.0.0.1:${ports.healthz}/healthz`, ({ status }) => status === 503)
      assert.equal(await get(`http://127.0.0.1:${ports.metrics}/metrics`), undefined)
      assert.deepEqual(await node.seen("ProxyStarted"), [])
    })
  )

  it("takes the mode that is allowed instead", requires("root", "ip", "iptables"), () =>
    withWorld(async ({ dir, node: makeNode }) => {
      const node = makeNode(["--proxy-config", withOldNft(dir), "--proxy-mode-fallback", "iptables"])
      await node.start()
      const started = await node.waitFor("ProxyStarted")
      assert.deepEqual([started.data.mode, started.data.insteadOf], ["iptables", "nftables"])
      assert.match(JSON.stringify(started.data.lacking), /nft 0\.9\.0 is too old/u)
      await node.waitFor("DataplaneSynced")
      assert.equal((await get(`http://127.0.0.1:${ports.healthz}/proxyMode`))?.body, "iptables")
      const { body } = await has(`http://127.0.0.1:${ports.metrics}/metrics`, ({ status }) => status === 200)
      const rules = execFileSync("iptables-save", ["-t", "nat"], { encoding: "utf8" }).match(/^-A KUBE-/gmu)?.length
      assert.ok(body.includes(`kubeproxy_sync_proxy_rules_iptables_total{ip_family="IPv4",table="nat"} ${rules}\n`))
    })
  )
})

/** This machine has an nft of long ago from now on, for those whom this process starts. Answers a configuration. */
const withOldNft = (dir: string): string => {
  const tools = join(dir, "tools")
  mkdirSync(tools)
  writeFileSync(join(tools, "nft"), "#!/bin/sh\necho 'nftables v0.9.0 (Fearless Fosdick)'\n")
  chmodSync(join(tools, "nft"), 0o755)
  process.env.PATH = `${tools}:${process.env.PATH ?? ""}`
  const config = join(dir, "kube-proxy.yaml")
  put(config, configMap(["mode: nftables", "nftables:", "  syncPeriod: 200ms"]))
  return config
}
