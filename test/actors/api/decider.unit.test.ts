/** What is written down of who was let into pods, and how that ended. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ApiCommand, Opening } from "../../../src/actors/api/commands.ts"
import { apiDecider } from "../../../src/actors/api/decider.ts"
import { apiOfPod, apiServer } from "../../../src/actors/api/identity.ts"
import { tell } from "../../../src/events/catalogue.ts"
import { Story, tags } from "../../support/given.ts"

const caller = { user: "ann", groups: ["ops"], from: "10.0.0.9:4711", listener: "tls" } as const
const target = { podUid: "u1", container: "app", containerId: "c0" }
const exec = (session: string): Opening => ({
  _tag: "ExecStarted",
  ...{ session, ...target, ...caller, through: "exec", program: "sh", arguments: 2, stdin: true, tty: true }
})
const open = (event: Opening, at = 1_000): ApiCommand => ({ _tag: "Open", at, event })

describe("the streams into a pod", () => {
  it("are told with who, from where and how they ended, each end caused by its beginning", () => {
    const story = new Story(apiDecider, apiOfPod("default", "web"))
    const [first] = story.when(open(exec("s1")))
    const [second] = story.when(
      open({ _tag: "AttachStarted", session: "s2", ...target, ...caller, stdin: false, tty: false }, 1_500)
    )
    assert.equal(tell(first!.event), "ann from 10.0.0.9:4711 runs sh with 2 arguments in app (terminal)")
    assert.equal(apiDecider.subject?.(story.state), "u1")
    assert.deepEqual(story.when(open(exec("s1"))), [], "a session is opened once")
    const [over] = story.when({
      _tag: "Ended",
      at: 4_000,
      ...{ session: "s1", outcome: "completed", bytesIn: 10, bytesOut: 20, exitCode: 3 }
    })
    assert.deepEqual(over?.event, {
      _tag: "ExecEnded",
      ...{ session: "s1", podUid: "u1", container: "app", outcome: "completed" },
      ...{ duration: 3_000, bytesIn: 10, bytesOut: 20, exitCode: 3 }
    })
    assert.equal(over?.cause, first?.id)
    assert.equal(tell(over!.event), "the command in app ended after 3.0 s with exit code 3")
    assert.equal(apiDecider.finished?.(story.state), false)
    const [gone] = story.when({ _tag: "Ended", at: 5_000, session: "s2", outcome: "idle" })
    assert.equal(gone?.cause, second?.id)
    assert.equal(tell(gone!.event), "the attachment to app ended (idle) after 3.5 s")
    assert.equal(apiDecider.finished?.(story.state), true)
    assert.deepEqual(story.when({ _tag: "Ended", at: 6_000, session: "s2", outcome: "idle" }), [], "ended once")
    assert.deepEqual(story.refolded(), story.state)
  })

  it("that a dead agent left open ended somehow, and nobody knows how", () => {
    const story = new Story(apiDecider, apiOfPod("default", "web"))
    story.when(open(exec("s1")))
    story.when(open({ _tag: "PortForwardStarted", session: "s2", podUid: "u1", ...caller, ports: [80] }))
    const location = "/var/lib/chronode/checkpoints/x.tar"
    story.when(open({ _tag: "CheckpointRequested", session: "s3", ...target, ...caller, location }))
    const lost = story.when({ _tag: "StreamsLost", at: 9_000, sessions: ["s1", "s2", "s3", "s9"] })
    assert.deepEqual(tags(lost), ["ExecEnded", "PortForwardEnded", "CheckpointFailed"])
    assert.deepEqual(
      lost.map(({ event }) => tell(event)),
      [
        "the command in app ended (unknown): the agent ended meanwhile",
        "forwarding of ports ended (unknown): the agent ended meanwhile",
        "no checkpoint of app: the agent ended meanwhile"
      ]
    )
    assert.equal(apiDecider.finished?.(story.state), true)
  })

  it("may be a checkpoint, which is made or not", () => {
    const story = new Story(apiDecider, apiOfPod("default", "web"))
    for (const session of ["s1", "s2"])
      story.when(open({ _tag: "CheckpointRequested", session, ...target, ...caller, location: "/c.tar" }))
    const [made] = story.when({ _tag: "Checkpointed", at: 2_000, session: "s1", location: "/c.tar" })
    assert.equal(made?.event._tag === "CheckpointCreated" && made.event.duration, 1_000)
    const [not] = story.when({ _tag: "Ended", at: 2_000, session: "s2", outcome: "failed", message: "no criu" })
    assert.equal(tell(not!.event), "no checkpoint of app: no criu")
  })
})

describe("the API's server", () => {
  it("writes down what it saw, as long as the node is there", () => {
    const story = new Story(apiDecider, apiServer("node1"))
    assert.equal(apiDecider.finished?.(story.state), false)
    const [refused] = story.when({
      _tag: "ServerSaw",
      at: 1_000,
      event: {
        _tag: "ApiRequestRefused",
        ...{ ...caller, verb: "create", path: "/exec/default/web/app", status: 403, reason: "Forbidden" }
      }
    })
    assert.equal(
      tell(refused!.event),
      "ann from 10.0.0.9:4711 was refused create /exec/default/web/app (403): Forbidden"
    )
    assert.equal(apiDecider.subject?.(story.state), undefined)
    assert.deepEqual(apiDecider.supervisor?.(apiServer("node1")), { kind: "node", namespace: "", name: "node1" })
  })
})
