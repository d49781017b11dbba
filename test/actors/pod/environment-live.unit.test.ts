/** References of containers on a simulated node: they wait for what is missing, and what they stand for is never written down. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import type { ContainerConfig } from "../../../src/adapters/cri/port.ts"
import { makeWorld, simulate, simulatedPod, startAgent, type World } from "../../support/simulated-node.ts"

const object = (kind: string, name: string, values: string) => `
apiVersion: v1
kind: ${kind}
metadata: { name: ${name} }
${kind === "Secret" ? "stringData" : "data"}: { ${values} }
`
const service = `
apiVersion: v1
kind: Service
metadata: { name: data-base }
spec: { clusterIP: 10.96.0.20, ports: [{ port: 5432 }] }
`

const failuresOf = (world: World) =>
  Effect.map(world.events, (events) =>
    events.flatMap(({ event, time }) =>
      event._tag === "ContainerStartFailed"
        ? [{ ...(event as { readonly reason: string; readonly message: string }), time }]
        : []
    )
  )

/** What each container was made with, in order. */
const watchedWorld = Effect.gen(function* () {
  const made: Array<ContainerConfig> = []
  const world = yield* makeWorld({
    offer: { allocatable: { cpu: "4", memory: "8589934592" }, maxPods: 110, labels: {} },
    runtime: {
      program: (config) => {
        made.push(config)
        return {}
      }
    }
  })
  const envOf = (index: number) => Object.fromEntries((made[index]?.envs ?? []).map(({ key, value }) => [key, value]))
  return { world, made, envOf }
})

describe("a container that refers to what is not there", () => {
  it("waits for it, says so in kubelet's words, and starts when it appears", () =>
    simulate(
      Effect.gen(function* () {
        const { world, made, envOf } = yield* watchedWorld
        const agent = yield* startAgent(world)
        const env = `env:
    - { name: COLOUR, valueFrom: { configMapKeyRef: { name: look, key: colour } } }
    - { name: TOKEN, valueFrom: { secretKeyRef: { name: keys, key: token } } }
    - { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
    - { name: CORES, valueFrom: { resourceFieldRef: { resource: limits.cpu } } }
    - { name: LOGIN, value: "me:$(TOKEN)@$(DATA_BASE_SERVICE_HOST)" }
    args: ["--token=$(TOKEN)"]
    envFrom: [{ prefix: L_, configMapRef: { name: look } }]`
        yield* world.manifests.write("web.yaml", simulatedPod("web", env))
        yield* agent.pass(1)
        assert.equal(agent.status("default/web"), "CreateContainerConfigError")
        yield* world.manifests.write("look.yaml", object("ConfigMap", "look", "shape: round"))
        yield* agent.pass(30)
        yield* world.manifests.write("look.yaml", object("ConfigMap", "look", "colour: deep-purple"))
        yield* world.manifests.write("data-base.yaml", service)
        yield* agent.pass(60)
        const said = [...new Set((yield* failuresOf(world)).map((f) => `${f.reason}: ${f.message}`))]
        assert.deepEqual(said, [
          'CreateContainerConfigError: configmap "look" not found',
          "CreateContainerConfigError: couldn't find key colour in ConfigMap default/look",
          'CreateContainerConfigError: secret "keys" not found'
        ])
        assert.equal(made.length, 0)
        yield* world.manifests.write("keys.yaml", object("Secret", "keys", "token: hunter-two"))
        yield* agent.pass(60)
        assert.equal(agent.status("default/web"), "Running")
        assert.deepEqual(envOf(0), {
          L_colour: "deep-purple",
          COLOUR: "deep-purple",
          TOKEN: "hunter-two",
          NODE: "sim",
          CORES: "4",
          LOGIN: "me:hunter-two@10.96.0.20",
          DATA_BASE_SERVICE_HOST: "10.96.0.20",
          DATA_BASE_SERVICE_PORT: "5432",
          DATA_BASE_PORT: "tcp://10.96.0.20:5432",
          DATA_BASE_PORT_5432_TCP: "tcp://10.96.0.20:5432",
          DATA_BASE_PORT_5432_TCP_PROTO: "tcp",
          DATA_BASE_PORT_5432_TCP_PORT: "5432",
          DATA_BASE_PORT_5432_TCP_ADDR: "10.96.0.20"
        })
        assert.deepEqual(made[0]?.args, ["--token=hunter-two"])
        // Law 9: names are in the log, values are not.
        const log = JSON.stringify(yield* world.events)
        assert.ok(log.includes("colour") && log.includes("token"))
        assert.doesNotMatch(log, /deep-purple|hunter-two|me:/u)
      })
    ))

  it("is made with what is there now when it starts again", () =>
    simulate(
      Effect.gen(function* () {
        const { world, made, envOf } = yield* watchedWorld
        const agent = yield* startAgent(world)
        yield* world.manifests.write("look.yaml", object("ConfigMap", "look", "colour: red"))
        const env = "env: [{ name: COLOUR, valueFrom: { configMapKeyRef: { name: look, key: colour } } }]"
        yield* world.manifests.write("web.yaml", simulatedPod("web", env))
        yield* agent.pass(5)
        yield* world.manifests.write("look.yaml", object("ConfigMap", "look", "colour: blue"))
        yield* agent.pass(5)
        assert.equal(made.length, 1)
        const [running] = yield* world.runtime.runtime.listContainers({})
        yield* world.runtime.exit(running!.id, 1)
        yield* agent.pass(30)
        assert.deepEqual([envOf(0).COLOUR, envOf(1).COLOUR], ["red", "blue"])
      })
    ))
})

describe("a sub path of a container's mount", () => {
  it("is reached before the container is made, and goes with its volume", () =>
    simulate(
      Effect.gen(function* () {
        const { world, made } = yield* watchedWorld
        const agent = yield* startAgent(world)
        const container = `env: [{ name: WHO, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
    volumeMounts:
    - { name: data, mountPath: /whole }
    - { name: data, mountPath: /own, subPathExpr: "logs/$(WHO)" }`
        yield* world.manifests.write("web.yaml", simulatedPod("web", container, "volumes: [{ name: data }]"))
        yield* agent.pass(5)
        assert.equal(agent.status("default/web"), "Running")
        const mount = (path: string) => made[0]?.mounts.find(({ containerPath }) => containerPath === path)?.hostPath
        assert.match(mount("/own") ?? "", /\/pods\/[^/]+\/volume-subpaths\/data\/app\/1$/u)
        assert.ok((yield* world.volumes.paths).includes(`${mount("/whole")}/logs/web`))
        yield* world.manifests.remove("web.yaml")
        yield* agent.pass(30)
        assert.deepEqual(yield* world.volumes.paths, [])
      })
    ))

  it("that cannot be reached is said without the host's files", () =>
    simulate(
      Effect.gen(function* () {
        const { world } = yield* watchedWorld
        const agent = yield* startAgent(world)
        const mounts = "volumeMounts: [{ name: host, mountPath: /h, subPath: a/b }]"
        const volumes = "volumes: [{ name: host, hostPath: { path: /srv/secret-place } }]"
        yield* world.manifests.write("web.yaml", simulatedPod("web", mounts, volumes))
        yield* agent.pass(5)
        const [failure] = yield* failuresOf(world)
        assert.deepEqual(
          [failure?.reason, failure?.message],
          ["CreateContainerConfigError", 'failed to create subPath directory for volumeMount "host" of container "app"']
        )
      })
    ))
})
