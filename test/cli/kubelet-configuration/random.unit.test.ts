/** Documents of any content: each is taken, or refused with file, line and field; nothing is thrown that names no place. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseConfiguration } from "../../../src/cli/configuration/configuration.ts"
import { CommandFailed } from "../../../src/cli/exit.ts"
import { kubeletFieldPaths } from "../../../src/cli/kubelet-configuration/fields.ts"
import { configzText } from "../../../src/cli/kubelet-configuration/told.ts"
import { agentOptions } from "../../../src/cli/run/agent-settings.ts"
import { nodeResources, reservationProblem } from "../../../src/cli/run/node-offer.ts"
import { roundsOr, seededRandom } from "../../support/random.ts"

const scalars = [
  "null",
  "0",
  "-1",
  "1",
  "1.5",
  "99999999999",
  "true",
  "false",
  "''",
  "'x'",
  "'1Gi'",
  "'10%'",
  "'5s'",
  "'-5s'"
]
const lists = ["[]", "[null]", "['a']", "[pods, pods]", "[[1]]", "[{}]", "[{a: 1}]", "[{key: null}]"]
const maps = [
  "{}",
  "{a: null}",
  "{cpu: '1'}",
  "{memory.available: null}",
  "{webhook: null}",
  "{options: null}",
  "{a: [b, null]}"
]
const odd = [
  "'0-9999999999'",
  "[{numaNode: 0, limits: {memory: null}}]",
  "[{priority: 1, shutdownGracePeriodSeconds: 2}]"
]
const values = [...scalars, ...lists, ...maps, ...odd]
const fields = [...new Set(kubeletFieldPaths.map((path) => path.split(".")[0] as string))]
const machine = { cpus: 2, memoryCapacity: 2 ** 33, architecture: "amd64", hugePages: {}, maxPids: 100 }

describe("a KubeletConfiguration of any content", () => {
  it("is taken, or refused with file, line and field", () => {
    const random = seededRandom("KubeletConfigurations")
    let taken = 0
    for (let round = 0; round < roundsOr(1500); round += 1) {
      const told = new Map<string, string>()
      for (let i = 0; i < 3; i += 1) told.set(random.pick(fields), random.pick(values))
      const body = [...told].map(([field, value]) => `${field}: ${value}\n`).join("")
      const text = `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${body}`
      try {
        const configuration = parseConfiguration(text, "c.yaml")
        const flags = { manifests: "/m", nats: false, cri: "/c.sock" } as const
        const { kubelet } = agentOptions(flags, configuration, "n1", () => assert.fail("nobody asks"))
        JSON.parse(configzText(kubelet))
        reservationProblem(kubelet, machine)
        nodeResources(kubelet, machine)
        taken += 1
      } catch (error) {
        assert.ok(error instanceof CommandFailed, `${text}\n${error}`)
        for (const line of error.message.split("\n"))
          assert.match(line, /^c\.yaml:\d+:\d+: [A-Za-z][\w.[\]-]*: ./u, text)
      }
    }
    assert.ok(taken > 0)
  })
})
