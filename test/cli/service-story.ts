/** The log of a Service in front of two pods: one turns unready and leaves, a second Service wants the same node port. */
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import type { EventDraft } from "../../src/events/journal/port.ts"
import { type Given, recordedEvents } from "../events/recorded.ts"

const service = actorId("service", "default", "web")
const other = actorId("service", "default", "other")
const proxy = actorId("proxy", "", "services")
const endpointOf = (name: string, address: string) => actorId("endpoint", "default", `${name}.http.${address}:8080`)

const which = (address: string, name = "web") =>
  ({ service: name, portName: "http", protocol: "TCP", address, port: 8080 }) as const
const ready = { ready: true, serving: true, terminating: false } as const
const spec = {
  type: "NodePort",
  clusterIPs: ["10.96.0.1"],
  ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080, nodePort: 30_080 }],
  selector: { app: "web" }
} as const
const programmed = (added: ReadonlyArray<string>, removed: ReadonlyArray<string>, cluster: number): NodeEvent => ({
  _tag: "ServiceProgrammed",
  added,
  removed,
  duration: 1.5,
  latency: 2.5,
  serving: [{ port: "http", protocol: "TCP", family: "IPv4", cluster, local: cluster }]
})
const probe = { podUid: "uid-2", container: "app", containerId: "c2", probe: "readiness" } as const

const given: ReadonlyArray<Given> = [
  {
    event: {
      _tag: "ProxyStarted",
      mode: "nftables",
      families: ["IPv4"],
      nodePortAddresses: ["192.0.2.1"],
      settings: {}
    },
    actor: proxy
  },
  {
    event: { _tag: "ServiceDeclared", spec, file: "/services/web.yaml", hash: "ab", allotted: ["clusterIPs"] },
    actor: service
  },
  {
    event: { _tag: "EndpointAdded", ...which("10.88.0.2"), ...ready, node: "node1", from: "pod default/web-1" },
    actor: endpointOf("web", "10.88.0.2"),
    cause: "e2"
  },
  {
    event: { _tag: "EndpointAdded", ...which("10.88.0.3"), ...ready, node: "node1", from: "pod default/web-2" },
    actor: endpointOf("web", "10.88.0.3"),
    cause: "e2"
  },
  { event: programmed(["10.88.0.2:8080", "10.88.0.3:8080"], [], 2), actor: service, cause: "e4" },
  {
    event: {
      _tag: "ServiceRejected",
      file: "/services/other.yaml",
      hash: "cd",
      problems: [
        {
          field: "spec.ports[0].nodePort",
          message: "node port 30080 is default/web's, which is older",
          holder: "default/web",
          line: 12
        }
      ]
    },
    actor: other
  },
  {
    event: {
      _tag: "ProbeResultChanged",
      ...probe,
      from: "success",
      to: "failure",
      consecutive: 3,
      threshold: 3,
      output: "HTTP probe failed with statuscode: 503"
    },
    actor: actorId("probe", "default", "web-2.app.readiness"),
    correlation: "uid-2"
  },
  {
    event: { _tag: "ContainerReadinessChanged", container: "app", ready: false },
    actor: actorId("pod", "default", "web-2"),
    cause: "e7",
    correlation: "uid-2"
  },
  { event: { _tag: "EndpointUnready", ...which("10.88.0.3") }, actor: endpointOf("web", "10.88.0.3"), cause: "e8" },
  { event: programmed([], ["10.88.0.3:8080"], 1), actor: service, cause: "e9" },
  {
    event: { _tag: "EndpointRemoved", ...which("10.88.0.3") },
    actor: endpointOf("web", "10.88.0.3"),
    cause: "e8",
    after: 20
  },
  {
    event: {
      _tag: "EndpointAdded",
      ...which("fd00::7", "api"),
      ...ready,
      node: "node2",
      from: "slice default/api-1"
    },
    actor: actorId("endpoint", "default", "api.http.[fd00::7]:8080"),
    after: 21
  },
  {
    event: {
      _tag: "EndpointAdded",
      ...which("10.88.0.2", "api"),
      ...ready,
      from: "slice default/api-2"
    },
    actor: endpointOf("api", "10.88.0.2"),
    after: 21
  },
  {
    event: {
      _tag: "ServiceDeclared",
      spec: {
        type: "ClusterIP",
        clusterIPs: ["10.96.0.9", "fd00:96::9"],
        ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: "http" }]
      },
      file: "/services/api.yaml",
      hash: "ef"
    },
    actor: actorId("service", "default", "api"),
    after: 22
  },
  {
    event: {
      _tag: "EndpointRejected",
      slice: "api-3",
      file: "/services/api.yaml",
      hash: "ef",
      address: "nonsense",
      field: "endpoints[0].addresses[0]",
      message: "'nonsense' is no IP address"
    },
    actor: actorId("service", "default", "api"),
    after: 23
  },
  {
    event: {
      _tag: "DataplaneFailed",
      reason: "Refused",
      message: "nft: too many elements",
      services: ["default/api"],
      pending: 1,
      attempt: 2,
      retryAt: "2026-01-15T09:30:30.000Z"
    },
    actor: proxy,
    after: 24
  },
  {
    event: {
      _tag: "ServiceDeclared",
      spec: { type: "ClusterIP", clusterIPs: [], ports: [] },
      file: "/services/quiet.yaml",
      hash: "01"
    },
    actor: actorId("service", "default", "quiet"),
    after: 25
  },
  { event: { _tag: "NodeStopped", reason: "SIGTERM" }, actor: actorId("node", "", "node1"), after: 60 }
]

/** Event ids are `e1`, `e2`, …; one second lies between two of the first ten. */
export const serviceEvents = recordedEvents(given.map((each) => ({ correlation: each.actor?.kind ?? "", ...each })))

export const serviceStory: ReadonlyArray<EventDraft> = serviceEvents.map(
  ({ sequence: _, recordedTime: __, node: ___, ...draft }) => draft
)
