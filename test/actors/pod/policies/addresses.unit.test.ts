/** Addresses of the pod and of its node in a pod's status (`kubelet_pods.go` generateAPIPodStatus). */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { hostIpsOf, sortedPodIps, statusPodIps } from "../../../../src/actors/pod/network/pod-ips.ts"
import { podView } from "../../../../src/actors/pod/view.ts"
import { actorId } from "../../../../src/events/actor-id.ts"
import { itMeets, type Row, type RowValue } from "../../../support/cases.ts"
import { PodStory, pod } from "../pod-story.ts"

const ips = (list: ReadonlyArray<RowValue> | undefined) => (list ?? []).map(({ ip }) => ip)

/** Of a node of an API server, internal addresses first (`pkg/util/node` GetNodeHostIPs). Ours has no others. */
const addressesOf = (list: ReadonlyArray<RowValue>): ReadonlyArray<string> =>
  ["InternalIP", "ExternalIP"].flatMap((type) => list.filter((a) => a.type === type).map(({ address }) => address))

/** The node of the upstream tests. */
const ownAddresses = ["127.0.0.1", "::1"]

const judge = ({ in: given, want }: Row) => {
  const { pod: written, podStatus, nodeAddresses, nodeIP, nodeIPs } = given
  const hostIps = hostIpsOf(nodeAddresses === undefined ? ownAddresses : addressesOf(nodeAddresses))
  const nodeIp = nodeIP ?? nodeIPs?.[0]
  const told = statusPodIps(podStatus.ips ?? [], hostIps, nodeIp || undefined, written.spec.hostNetwork === true)
  assert.deepEqual([hostIps[0], hostIps], [want.hostIP, ips(want.hostIPs)])
  assert.deepEqual([told[0], told], [want.podIP, ips(want.podIPs)])
  return undefined
}

describe("the addresses of a pod", () => {
  const file = "pod-status.json"
  itMeets(file, "TestGenerateAPIPodStatusPodIPs", "are one of each family, the node's own first", judge)
  itMeets(file, "TestGenerateAPIPodStatusHostNetworkPodIPs", "are the node's on its network", judge)
  itMeets(
    file,
    "TestNodeAddressUpdatesGenerateAPIPodStatusHostNetworkPodIPs",
    "stay when the node's change, and a second one comes in",
    judge
  )

  const id = actorId("pod", "default", "web")
  const report = { _tag: "ReportSandbox", attempt: 0, outcome: "created", sandboxId: "s" } as const
  const told = (story: PodStory) => {
    const { ip, podIPs, hostIP, hostIPs } = podView(id, story.state)
    return { ip, podIPs, hostIP, hostIPs }
  }

  it("and of its node are shown once it has its sandbox", () => {
    const story = new PodStory()
    story.desire()
    assert.deepEqual(told(story), { ip: "", podIPs: [], hostIP: "", hostIPs: [] })
    story.imagePresent()
    story.tell({ ...report, ips: ["fd01::1", "10.1.0.2"], hostIps: ["192.0.2.1"] })
    assert.deepEqual(told(story), {
      ip: "10.1.0.2",
      podIPs: sortedPodIps(["10.1.0.2", "fd01::1"], undefined),
      hostIP: "192.0.2.1",
      hostIPs: ["192.0.2.1"]
    })
    const sandboxes = [{ sandboxId: "s", state: "notReady" }]
    story.tell({ _tag: "ObserveRuntime", uid: "uid-1", sandboxes, containers: [] })
    assert.deepEqual(told(story), { ip: "", podIPs: [], hostIP: "192.0.2.1", hostIPs: ["192.0.2.1"] })
  })

  it("are those of the node where it is on the node's network", () => {
    const story = new PodStory()
    story.desire(pod({ hostNetwork: true }))
    story.imagePresent()
    story.tell({ ...report, ips: [], hostIps: ["192.0.2.1"] })
    assert.deepEqual(told(story), {
      ...{ ip: "192.0.2.1", podIPs: ["192.0.2.1"] },
      ...{ hostIP: "192.0.2.1", hostIPs: ["192.0.2.1"] }
    })
  })

  it("are those that the runtime told where the log has none of the node's", () => {
    const story = new PodStory()
    story.desire()
    story.imagePresent()
    story.sandboxCreated()
    assert.deepEqual(told(story), { ip: "10.1.0.2", podIPs: ["10.1.0.2"], hostIP: "", hostIPs: [] })
  })
})
