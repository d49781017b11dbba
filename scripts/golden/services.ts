/** Services: declared, with endpoints of slices and of pods, rejected, changed by others in the kernel, refused, taken away. */
import { Effect } from "effect"
import { failure } from "../../src/adapters/dataplane/memory.ts"
import { life, pod, type Stories } from "./story.ts"

const service = (name: string, spec: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: ${spec}\n`
const slice = (service: string, endpoints: ReadonlyArray<string>): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: ${service}-a, labels: { kubernetes.io/service-name: ${service} } }\naddressType: IPv4\nports: [{ name: dns, port: 53, protocol: UDP }]\nendpoints:\n${endpoints.join("\n")}\n`
const endpoint = (ip: string, conditions = "ready: true"): string =>
  `- { addresses: ["${ip}"], conditions: { ${conditions} } }`

const web = "{ type: NodePort, selector: { app: web }, ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] }"
const probe = "readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 2, failureThreshold: 2 }"
const webPod = pod("web", probe).replace("{ name: web }", "{ name: web, labels: { app: web } }")

export const services: Stories = {
  "services-come-change-and-go": [
    (world) =>
      Effect.gen(function* () {
        const { manifests, kernel, conntrack } = world.services!
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("web.yaml", webPod)
            yield* manifests.write("web.yaml", service("web", web))
            yield* manifests.write(
              "dns.yaml",
              `${service("dns", "{ clusterIP: 10.96.0.53, ports: [{ name: dns, port: 53, protocol: UDP }] }")}---\n${slice("dns", [endpoint("10.1.0.1"), endpoint("10.1.0.2"), endpoint("300.0.0.1")])}`
            )
            yield* agent.pass(10)
            // A probe fails for a while, a second one asks for the same node port, the kernel is flushed.
            yield* world.probes.answer(() => true, { result: "failure", output: "HTTP 503" })
            yield* agent.pass(10)
            yield* manifests.write("other.yaml", service("other", web))
            yield* world.probes.answer(() => true, { result: "success" })
            yield* agent.pass(10)
            yield* kernel.flush(true)
            yield* agent.pass(5)
            kernel.failing = () => failure("Failed", "the kernel has no room", 105)
            conntrack.flows = [
              {
                family: "IPv4",
                protocol: "UDP",
                original: { source: "10.9.0.1", destination: "10.96.0.53", sourcePort: 4000, destinationPort: 53 },
                reply: { source: "10.1.0.1", destination: "10.9.0.1", sourcePort: 53, destinationPort: 4000 }
              }
            ]
            yield* manifests.write(
              "dns.yaml",
              `${service("dns", "{ clusterIP: 10.96.0.53, ports: [{ name: dns, port: 53, protocol: UDP }] }")}---\n${slice("dns", [endpoint("10.1.0.1", "ready: false, serving: true, terminating: true"), endpoint("10.1.0.2"), endpoint("10.1.0.3")])}`
            )
            yield* agent.pass(3)
            kernel.failing = undefined
            yield* agent.pass(10)
          })
        )
        yield* manifests.remove("web.yaml")
        kernel.refused.set("default/dns:dns/IPv4", "the kernel does not take this")
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* agent.pass(5)
            kernel.refused.clear()
            yield* agent.pass(40)
            yield* manifests.remove("dns.yaml")
            yield* world.manifests.remove("web.yaml")
            yield* agent.pass(20)
          })
        )
      }),
    { services: {} }
  ]
}
