/** Incidents of the node's API: who was in a pod, who was refused, and an agent that died meanwhile. */
import { Clock, Effect } from "effect"
import type { ApiCommand, Opening } from "../../src/actors/api/commands.ts"
import { apiOfPod, apiServer } from "../../src/actors/api/identity.ts"
import type { SimulatedAgent } from "../../test/support/simulated-node.ts"
import { life, pod, type Stories } from "./story.ts"

type Untimed<C> = C extends unknown ? Omit<C, "at"> : never

const tell = (agent: SimulatedAgent, to: ReturnType<typeof apiServer>, command: Untimed<ApiCommand>) =>
  Effect.gen(function* () {
    yield* agent.system.tell(to, { ...command, at: yield* Clock.currentTimeMillis } as ApiCommand)
    yield* agent.pass(2)
  })

const caller = { user: "ann", groups: ["ops"], from: "10.0.0.9:41200", listener: "tls" } as const
const web = apiOfPod("default", "web")

const target = (session: string) => ({ session, podUid: "6f1c1c52-58a5-4c4c-9a4c-3f2a8c6d1e10" })
const inContainer = { container: "app", containerId: "c0" }
const exec = (session: string, through: "exec" | "run" = "exec"): Opening => ({
  ...{ _tag: "ExecStarted", ...target(session), ...inContainer, ...caller },
  ...{ through, program: "sh", arguments: 2, stdin: true, tty: false }
})

export const api: Stories = {
  "streams-into-a-pod": [
    (world) =>
      Effect.gen(function* () {
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            const server = apiServer(world.node)
            const saw = (event: Extract<ApiCommand, { readonly _tag: "ServerSaw" }>["event"]) =>
              tell(agent, server, { _tag: "ServerSaw", event })
            yield* world.manifests.write(
              "web.yaml",
              pod("web").replace("name: web", `name: web, uid: ${target("").podUid}`)
            )
            yield* agent.pass(5)
            const [certificate, notAfter] = ["ab".repeat(32), "2027-01-01T00:00:00.000Z"]
            yield* saw({ _tag: "ApiListening", listener: "tls", address: "127.0.0.1:10250", certificate, notAfter })
            yield* saw({ _tag: "ReadOnlyPortOpened", address: "127.0.0.1:10255" })
            yield* saw({
              _tag: "ApiListenFailed",
              listener: "read-only",
              address: "127.0.0.1:10255",
              message: "in use"
            })
            yield* tell(agent, web, { _tag: "Open", event: exec("s1") })
            const ended = { _tag: "Ended", outcome: "completed", bytesIn: 120, bytesOut: 340 } as const
            yield* tell(agent, web, { ...ended, session: "s1", exitCode: 3 })
            yield* tell(agent, web, { _tag: "Open", event: exec("s2", "run") })
            yield* tell(agent, web, { _tag: "Ended", session: "s2", outcome: "failed", message: "no such container" })
            const asked = { ...caller, verb: "create", path: "/exec/default/web/app", status: 403, reason: "may not" }
            yield* saw({ _tag: "ApiRequestRefused", ...asked, user: "bob" })
            yield* saw({ _tag: "ApiRefusalsOmitted", count: 12, since: "2026-01-15T09:30:00.000Z" })
            const location = "/var/lib/chronode/checkpoints/checkpoint-web_default-app.tar"
            for (const session of ["c1", "c2"]) {
              const event: Opening = {
                ...{ _tag: "CheckpointRequested", ...target(session) },
                ...inContainer,
                ...caller,
                location
              }
              yield* tell(agent, web, { _tag: "Open", event })
            }
            yield* tell(agent, web, { _tag: "Checkpointed", session: "c1", location })
            yield* tell(agent, web, { _tag: "Ended", session: "c2", outcome: "failed", message: "criu is not here" })
            const attach = { ...target("a1"), ...inContainer, ...caller, stdin: true, tty: true }
            yield* tell(agent, web, { _tag: "Open", event: { _tag: "AttachStarted", ...attach } })
            const forward = { ...target("p1"), ...caller, ports: [8080] }
            yield* tell(agent, web, { _tag: "Open", event: { _tag: "PortForwardStarted", ...forward } })
            yield* tell(agent, web, { ...ended, session: "p1", outcome: "idle" })
          })
        )
        // It was killed while somebody was attached.
        yield* life(world, (agent) => agent.pass(5))
      })
  ]
}
