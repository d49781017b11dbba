/** Incidents of a pod's life cycle: sidecars and hooks, a deadline, restarts of all containers, a node without room. */
import { Context, Effect } from "effect"
import { activeDeadline, knownFlags } from "../../src/actors/kernel/flags.ts"
import { ContainerRuntime } from "../../src/adapters/cri/port.ts"
import { simulatedImage } from "../../test/support/simulated-node.ts"
import { http, life, pod, type Stories } from "./story.ts"

const sidecar = `initContainers:
  - name: proxy
    image: "${simulatedImage}"
    restartPolicy: Always
    startupProbe: { ${http}, periodSeconds: 1 }`

export const lifeCycle: Stories = {
  // Put into the pod that runs, over a life of the agent, then changed and dropped in the manifest, which changes nothing.
  "ephemeral-containers": [
    (world) =>
      Effect.gen(function* () {
        const debug = (...containers: ReadonlyArray<string>) =>
          pod(
            "web",
            "lifecycle: { stopSignal: SIGUSR1 }",
            `os: { name: linux }
  ephemeralContainers: [${containers.join(", ")}]`
          )
        const named = (name: string, more = "") => `{ name: ${name}, image: "${simulatedImage}"${more} }`
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("web.yaml", debug())
            yield* agent.pass(3)
            yield* world.manifests.write("web.yaml", debug(named("a", ", targetContainerName: app")))
            yield* agent.pass(1)
          })
        )
        yield* world.manifests.write(
          "web.yaml",
          debug(named("a", ", command: [other]"), named("b", ", env: [{ name: K, value: s3cret }]"))
        )
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* agent.pass(5)
            yield* world.manifests.write("web.yaml", debug())
            yield* agent.pass(5)
            yield* world.manifests.remove("web.yaml")
            yield* agent.pass(15)
          })
        )
      })
  ],
  // The agent dies while a preStop hook sleeps; the next life ends the sleep in time, and the sidecar comes last.
  "sidecar-and-hooks": [
    (world) =>
      Effect.gen(function* () {
        const app = `lifecycle:
      postStart: { exec: { command: [warm-up] } }
      preStop: { sleep: { seconds: 3 } }`
        const proxied = sidecar.replace(
          "restartPolicy",
          `lifecycle: { preStop: { httpGet: { port: 80, path: /bye, httpHeaders: [{ name: Key, value: s3cret }] } } }
    restartPolicy`
        )
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("web.yaml", pod("web", app, proxied))
            yield* agent.pass(10)
            yield* world.manifests.remove("web.yaml")
            yield* agent.pass(1)
          })
        )
        yield* life(world, (agent) => agent.pass(20))
      })
  ],
  "post-start-fails": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.probes.answer((question) => question.kind === "exec", {
            result: "failure",
            output: "exit code 3"
          })
          yield* world.manifests.write(
            "web.yaml",
            pod("web", "lifecycle: { postStart: { exec: { command: [warm-up] } } }")
          )
          yield* agent.pass(30)
        })
      )
  ],
  // An agent that read the field and did nothing, and its successor.
  "deadline-kept-after-upgrade": [
    (world) =>
      Effect.gen(function* () {
        const flags = new Set([...knownFlags].filter((number) => number !== activeDeadline.number))
        const story = (seconds: number) => (agent: { readonly pass: (seconds: number) => Effect.Effect<void> }) =>
          agent.pass(seconds)
        yield* world.manifests.write("web.yaml", pod("web", "", `activeDeadlineSeconds: 20\n  ${sidecar}`))
        yield* life(world, story(30), { flags })
        yield* life(world, story(15))
      })
  ],
  "all-containers-start-over": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const rules = `restartPolicy: Never
    restartPolicyRules: [{ action: RestartAllContainers, exitCodes: { operator: In, values: [42] } }]`
          yield* world.manifests.write("web.yaml", pod("web", rules, sidecar))
          yield* agent.pass(40)
        })
      ),
    {
      runtime: {
        program: ({ metadata: { name, attempt } }) =>
          name === "app" ? { exits: { after: 3_000, code: attempt < 2 ? 42 : 0 } } : {}
      }
    }
  ],
  "node-without-room": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const core = "resources: { requests: { cpu: 600m } }"
          yield* world.manifests.write("first.yaml", pod("first", core))
          yield* agent.pass(5)
          yield* world.manifests.write("second.yaml", pod("second", core))
          yield* world.manifests.write("windows.yaml", pod("windows", "", "os: { name: windows }"))
          yield* agent.pass(5)
        })
      ),
    { offer: { allocatable: { cpu: "1", memory: "1Gi" }, maxPods: 110, labels: {} } }
  ],
  // A node-critical pod takes the place of another one; the agent dies while that one ends.
  "pod-preempted": [
    (world) =>
      Effect.gen(function* () {
        const asking = (cpu: string) => `resources: { requests: { cpu: ${cpu} } }`
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("small.yaml", pod("small", asking("200m")))
            yield* world.manifests.write(
              "large.yaml",
              pod("large", `${asking("700m")}\n    lifecycle: { preStop: { sleep: { seconds: 3 } } }`)
            )
            yield* agent.pass(5)
            yield* world.manifests.write(
              "system.yaml",
              pod("system", asking("500m"), "priorityClassName: system-node-critical")
            )
            yield* agent.pass(2)
          })
        )
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* agent.pass(10)
            yield* world.manifests.remove("large.yaml")
            yield* agent.pass(5)
          })
        )
      }),
    { offer: { allocatable: { cpu: "1", memory: "1Gi" }, maxPods: 110, labels: {} } }
  ],
  // The pod has the condition PodScheduled from its admission on.
  "pod-scheduled": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(40)
        })
      )
  ],
  // Each lost sandbox leaves a dead one behind: all but the newest are collected, a minute later.
  "old-sandboxes-collected": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const runtime = Context.get(world.outside, ContainerRuntime)
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
          for (let i = 0; i < 2; i++) {
            const ready = (yield* runtime.listPodSandboxes({})).find((s) => s.state === "SANDBOX_READY")
            yield* world.runtime.endSandbox(ready!.id)
            yield* agent.pass(30)
          }
          yield* agent.pass(70)
        })
      )
  ]
}
