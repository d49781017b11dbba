// runtimes: bun (deno)
// netns: own
/**
 * Services by the program itself, in a kernel's network of their own: declared, changed, an agent that is killed and comes
 * back, changes while it was away, a table that somebody flushed. No pods, and no container runtime.
 */
import "../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { before, describe, it } from "node:test"
import { eventually, isEvent, NodeUnderTest } from "../support/agent.ts"
import type { Happened } from "../support/journal-tail.ts"
import { requires } from "../support/requires.ts"
import { withTemporaryDirectory } from "../support/temporary-directory.ts"

const table = "chrontest"

const put = (path: string, content: object): void => {
  writeFileSync(`${path}.part`, JSON.stringify(content))
  renameSync(`${path}.part`, path)
}

const service = (name: string, spec: object) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { ports: [{ port: 80, targetPort: 8080 }], ...spec }
})

const slice = (of: string, ...addresses: ReadonlyArray<string>) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${of}-1`, labels: { "kubernetes.io/service-name": of } },
  addressType: "IPv4",
  ports: [{ name: "", protocol: "TCP", port: 8080 }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }))
})

/** All that the kernel has of us but for counters, as text; empty: there is no table yet. */
const kernel = (): string => {
  const { status, stdout } = spawnSync("nft", ["-s", "list", "table", "ip", table], { encoding: "utf8" })
  return status === 0 ? stdout : ""
}
const has = (...texts: ReadonlyArray<string>): Promise<true> =>
  eventually(texts.join(", "), () => (texts.every((text) => kernel().includes(text)) ? true : undefined))
const lacks = (text: string): Promise<true> =>
  eventually(`no ${text}`, () => (kernel().includes(text) ? undefined : true))

const ofServices = ({ actor }: Happened): boolean => /^(?:service|endpoint|proxy)\//.test(actor)

describe("Services of a node without pods", () => {
  before(() => {
    if (requires("root", "ip").skip !== false) return
    for (const words of [
      "link add v0 type veth peer name v1",
      "address add 192.0.2.1/24 dev v0",
      "link set v0 up",
      "link set v1 up"
    ])
      execFileSync("ip", words.split(" "))
  })

  it(
    "are in the kernel, survive the agent's death as they are, and follow what changed meanwhile",
    requires("root", "ip", "nft"),
    () =>
      withTemporaryDirectory(async (dir) => {
        const services = join(dir, "services")
        mkdirSync(services)
        put(join(services, "web.json"), service("web", { clusterIP: "10.96.0.10" }))
        put(join(services, "web-1.json"), slice("web", "10.1.0.1", "10.1.0.2"))
        put(join(services, "any.json"), service("any", { type: "NodePort" }))
        const flags = [
          "--services",
          services,
          "--dataplane-name",
          table,
          "--healthz-bind-address",
          "",
          "--metrics-bind-address",
          ""
        ]
        const node = new NodeUnderTest({ dir, name: "n1", flags })
        try {
          await node.start()
          await has("10.96.0.10", "10.1.0.1", "10.1.0.2")
          const allotted = await node.until("the allotment", (events) =>
            events.find(isEvent("ServiceDeclared", "service/default/any"))
          )
          const { clusterIPs, ports } = allotted.data.spec as {
            readonly clusterIPs: ReadonlyArray<string>
            readonly ports: ReadonlyArray<{ readonly nodePort: number }>
          }
          await has(String(clusterIPs[0]), String(ports[0]?.nodePort))

          put(join(services, "web-1.json"), slice("web", "10.1.0.1", "10.1.0.3"))
          await has("10.1.0.3")
          await lacks("10.1.0.2")
          const moved = await node.until("what came and went, as told", (events) => {
            const all = events.filter(isEvent("ServiceProgrammed", "service/default/web"))
            const of = (key: string): ReadonlyArray<string> =>
              all.flatMap(({ data }) => data[key] as ReadonlyArray<string>)
            return of("removed").length > 0 ? [of("added"), of("removed")] : undefined
          })
          assert.deepEqual(moved, [["10.1.0.1:8080", "10.1.0.2:8080", "10.1.0.3:8080"], ["10.1.0.2:8080"]])

          await node.kill()
          const atDeath = kernel()
          const known = (await node.journal.events()).length
          await node.start()
          await node.until("the first comparison", (events) => events.slice(known).find(isEvent("DataplaneSynced")))
          assert.equal(kernel(), atDeath)
          const told = (await node.journal.events()).slice(known).filter(ofServices)
          assert.deepEqual(
            told.map(({ tag }) => tag).filter((tag) => !tag.startsWith("Sysctl")),
            ["ProxyStarted", "DataplaneSynced"]
          )

          await node.kill()
          put(join(services, "web-1.json"), slice("web", "10.1.0.3", "10.1.0.4"))
          rmSync(join(services, "any.json"))
          await node.start()
          await has("10.1.0.4")
          await lacks(String(clusterIPs[0]))
          assert.equal(kernel().includes("10.1.0.1 "), false)

          execFileSync("nft", ["flush", "table", "ip", table])
          execFileSync("nft", ["flush", "map", "ip", table, "services"])
          await has("10.96.0.10 . tcp . 80")
          await node.until("the drift", (events) => events.find(isEvent("DataplaneDrifted")))
        } finally {
          await node.stop()
        }
      })
  )
})
