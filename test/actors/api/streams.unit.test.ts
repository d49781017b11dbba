/** What a request for a stream asks for, and who is let in: kubelet's words, bounds, and what the runtime is asked. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Deferred, Effect, Fiber } from "effect"
import { apiOfPod } from "../../../src/actors/api/identity.ts"
import { ApiSessions, type Ask, maxRuns, maxStreams } from "../../../src/actors/api/sessions.ts"
import { commandIn, portsIn, streamsIn, writtenCommand } from "../../../src/actors/api/stream-options.ts"
import { makeStreamRoutes } from "../../../src/actors/api/stream-routes.ts"
import { emptyPod, type PodState } from "../../../src/actors/pod/state.ts"
import type { ApiRequest } from "../../../src/adapters/api/port.ts"
import { effectTest } from "../../support/effect.ts"

const read = (text: string) => new URLSearchParams(text)

describe("a request for a stream", () => {
  it("names the process's streams as kubelet reads them", () => {
    const none = "you must specify at least 1 of stdin, stdout, stderr"
    assert.equal(streamsIn(read("")), none)
    assert.equal(streamsIn(read("output=true")), none)
    assert.equal(streamsIn(read("tty=1&error=1")), none, "a terminal has no stderr")
    assert.deepEqual(streamsIn(read("input=1&output=1&error=1")), {
      stdin: true,
      stdout: true,
      stderr: true,
      tty: false
    })
    assert.deepEqual(streamsIn(read("output=1&error=1&tty=1")), {
      stdin: false,
      stdout: true,
      stderr: false,
      tty: true
    })
  })

  it("names its ports, or is told what is wrong in kubelet's words", () => {
    assert.deepEqual(portsIn(read("port=80&port=81,65535")), [80, 81, 65_535])
    const rows: ReadonlyArray<readonly [string, string]> = [
      ["", 'query parameter "port" is required'],
      ["port=", 'query parameter "port" cannot be empty'],
      ["port=0", 'port "0" must be > 0'],
      ["port=a", 'unable to parse "a" as a port: strconv.ParseUint: parsing "a": invalid syntax'],
      ["port=-1", 'unable to parse "-1" as a port: strconv.ParseUint: parsing "-1": invalid syntax'],
      ["port=65536", 'unable to parse "65536" as a port: strconv.ParseUint: parsing "65536": value out of range'],
      [`port=${"1,".repeat(300)}1`, "more than 256 ports"]
    ]
    for (const [query, problem] of rows) assert.equal(portsIn(read(query)), problem)
  })

  it("has a command, of which its program and the number of its words are written down", () => {
    assert.equal(commandIn(read("")), undefined)
    assert.equal(commandIn(read("command=")), undefined)
    const command = commandIn(read("command=mysql&command=-ps3cret")) ?? []
    assert.deepEqual(writtenCommand(command), { program: "mysql", arguments: 1 })
    assert.equal(writtenCommand(["x".repeat(999)]).program.length, 128)
  })
})

const running = {
  ...emptyPod("default/web"),
  definition: {
    pod: { metadata: { name: "web", namespace: "default", uid: "u1" }, spec: { containers: [{ name: "app" }] } }
  },
  containers: [{ name: "app", status: "running", containerId: "c0" }]
} as unknown as PodState

const request = (query: string): ApiRequest =>
  ({
    ...{ method: "POST", path: "/x", query: read(query), headers: {} },
    access: {
      at: 0,
      listener: "tls",
      from: "10.0.0.9:1",
      user: { name: "ann", groups: ["ops"] },
      verb: "create",
      path: "/x"
    }
  }) as unknown as ApiRequest

const parts = { namespace: "default", pod: "web", container: "app" }

const desk = Effect.gen(function* () {
  const sessions = yield* ApiSessions.make
  const pod = (namespace: string, name: string) => (`${namespace}/${name}` === "default/web" ? running : undefined)
  const { streaming, routes } = makeStreamRoutes({ sessions, pod, checkpoints: "/c" })
  const [exec] = streaming
  const run = routes.find(({ path }) => path.startsWith("/run/"))
  assert.ok(exec !== undefined && run !== undefined)
  return { sessions, exec, run }
})

describe("the routes into pods", () => {
  effectTest(
    "write down who wants what before anybody is asked, and tell the pod's actor how it ended",
    Effect.gen(function* () {
      const { sessions, exec } = yield* desk
      const asked = request("command=sh&command=-c&command=s3cret&output=1")
      const answer = yield* Effect.forkChild(exec.target(asked, parts))
      const { to, command } = yield* sessions.take
      assert.deepEqual(to, apiOfPod("default", "web"))
      assert.ok(!JSON.stringify(command).includes("s3cret"))
      const { event } = command as unknown as { readonly event: { readonly session: string; readonly user: string } }
      assert.equal(event.user, "ann")
      const session = sessions.find(event.session)
      assert.ok(session?.ask.type === "exec")
      assert.deepEqual(session.ask.command, ["sh", "-c", "s3cret"])
      yield* Deferred.succeed(session.answer, { url: "http://127.0.0.1:1/exec/x" })
      assert.equal((yield* Fiber.join(answer)).url, "http://127.0.0.1:1/exec/x")
      yield* exec.ended(asked, { outcome: "completed", bytesIn: 1, bytesOut: 2, exitCode: 0 })
      const end = (yield* sessions.take).command as unknown as Record<string, unknown>
      assert.deepEqual([end._tag, end.session, end.bytesIn, end.exitCode], ["Ended", event.session, 1, 0])
    })
  )

  effectTest(
    "end what somebody asked for who went before the runtime answered",
    Effect.gen(function* () {
      const { sessions, exec } = yield* desk
      const answer = yield* Effect.forkChild(exec.target(request("command=sh&output=1"), parts))
      yield* sessions.take
      yield* Fiber.interrupt(answer)
      const { command } = yield* sessions.take
      assert.equal(command._tag, "Ended")
    })
  )

  effectTest(
    "refuse more streams than there may be at a time, and commands whose output is held the sooner",
    Effect.gen(function* () {
      const { sessions, exec, run } = yield* desk
      const ask: Ask = { type: "run", containerId: "c0", command: ["true"] }
      for (let n = 0; n < maxRuns; n++) assert.ok(sessions.begin(ask))
      const held = yield* Effect.flip(run.answer(request("cmd=true"), parts))
      assert.equal(held.status, 429)
      const others: Ask = { type: "exec", containerId: "c0", command: ["true"], streams: { stdin: false, tty: false } }
      const open = Array.from({ length: maxStreams - maxRuns }, () => sessions.begin(others))
      const refused = yield* Effect.flip(exec.target(request("command=true&output=1"), parts))
      assert.deepEqual([refused.status, refused.message], [429, "too many streams are open on this node"])
      sessions.forget(open[0]?.id ?? "")
      assert.ok(sessions.begin(others), "one that has ended makes room")
    })
  )

  effectTest(
    "say what is not there in kubelet's words",
    Effect.gen(function* () {
      const { exec } = yield* desk
      const said = (query: string, other: object) => Effect.flip(exec.target(request(query), { ...parts, ...other }))
      assert.equal((yield* said("command=a&output=1", { pod: "nobody" })).message, "pod does not exist")
      assert.equal((yield* said("command=a&output=1", { container: "b" })).message, 'container not found ("b")')
      assert.equal((yield* said("command=a&output=1", { uid: "u2" })).message, 'container not found ("app")')
      assert.equal((yield* said("output=1", {})).message, "you must specify a command")
    })
  )
})
