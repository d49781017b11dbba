/** Into pods through the node's HTTP API, on a real containerd: as clients of kubelet do it, with what is written down of it. */
import assert from "node:assert/strict"
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { connect as connectSecurely } from "node:tls"
import { Deferred, Effect, Fiber } from "effect"
import { freePort } from "../../scripts/lab/free-port.ts"
import type { ProcessStreams } from "../../src/adapters/streaming/port.ts"
import { connectPort } from "../../src/adapters/streaming/port-connection.ts"
import { runProcess } from "../../src/adapters/streaming/process.ts"
import { ask } from "../adapters/api/clients.ts"
import { openWebSocket } from "../adapters/streaming/web-socket-client.ts"
import { eventually, type NodeUnderTest } from "../support/agent.ts"
import { container, forever, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const tls = { rejectUnauthorized: false }
const secret = "p4ssw0rd"

/** Sends connections on to the API by TLS, with a token in their first request: what our own client of SPDY cannot do itself. */
const relay = async (port: number, token: string): Promise<{ readonly url: string; readonly close: () => void }> => {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    const api = connectSecurely({ host: "127.0.0.1", port, ...tls })
    for (const one of [socket, api]) {
      sockets.add(one)
      one.on("error", () => one.destroy())
    }
    socket.once("close", () => api.destroy())
    api.once("close", () => socket.destroy())
    socket.once("data", (head: Buffer) => {
      api.write(head.toString("latin1").replace("\r\n", `\r\nAuthorization: Bearer ${token}\r\n`), "latin1")
      socket.pipe(api)
    })
    api.pipe(socket)
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  }
}

/** Runs a process to its end; `input` is all of its stdin. */
const collect = async (url: string, input?: string) => {
  let out = ""
  let err = ""
  const streams: ProcessStreams = {
    tty: false,
    stdout: (bytes) => {
      out += Buffer.from(bytes).toString("utf8")
    },
    stderr: (bytes) => {
      err += Buffer.from(bytes).toString("utf8")
    },
    ...(input === undefined
      ? {}
      : {
          stdin: {
            start: (data, end) => {
              data(Buffer.from(input))
              end()
            },
            resume: () => {}
          }
        })
  }
  const result = await Effect.runPromise(Effect.result(runProcess(url, streams)))
  const problem = result._tag === "Failure" ? result.failure.message : ""
  return { code: result._tag === "Success" ? result.success : -1, out, err, problem }
}

const query = (...command: ReadonlyArray<string>) =>
  [...command.map((word) => `command=${encodeURIComponent(word)}`), "output=1", "error=1"].join("&")

/** Addresses at which a process and its children listen. */
const listening = (pid: number): ReadonlyArray<string> => {
  const parents = new Map<number, number>()
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/u.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1")
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]))
    } catch {
      // It has ended meanwhile.
    }
  }
  const family = [pid]
  for (const one of family) for (const [child, parent] of parents) if (parent === one) family.push(child)
  const inodes = new Set<string>()
  for (const one of family) {
    for (const fd of readdirSync(`/proc/${one}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/u.exec(readlinkSync(`/proc/${one}/fd/${fd}`))?.[1]
        if (inode !== undefined) inodes.add(inode)
      } catch {
        // It was closed meanwhile.
      }
    }
  }
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, "latin1")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/u))
      .filter((columns) => columns[3] === (file.startsWith("tcp") ? "0A" : "07") && inodes.has(columns[9] ?? ""))
      .map(([, address = ""]) => `${file} ${address}`)
  )
}

describe("the node's API into pods", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let port: number
  let ann: { readonly url: string; readonly close: () => void }

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    port = await freePort()
    const files = join(world.dir, "files")
    mkdirSync(files)
    const [tokens, policy] = [join(files, "tokens.csv"), join(files, "policy.json")]
    writeFileSync(tokens, 'token-a,ann,1,"system:masters"\ntoken-b,bob,2,"readers"\n', { mode: 0o600 })
    const rules = [{ groups: ["readers"], verbs: ["get"], resources: ["nodes/pods"] }]
    writeFileSync(policy, JSON.stringify({ apiVersion: "chronode.dev/v1alpha1", kind: "NodeApiPolicy", rules }))
    node = world.node("api", {
      configuration: { enableServer: true, port, healthzPort: await freePort() },
      flags: ["--token-auth-file", tokens, "--authorization-policy-file", policy]
    })
    node.put(
      "server.json",
      pod("server", {
        containers: [
          container("app", webServer),
          container("console", "while read line; do echo got $line; done; sleep 1000", { stdin: true }),
          container("talker", `echo container is alive; ${forever}`)
        ]
      })
    )
    await node.start()
    await node.waitFor("ApiListening", undefined, { listener: "tls" })
    for (const name of ["app", "console", "talker"])
      await node.waitFor("ContainerStarted", "pod/default/server", { container: name })
    ann = await relay(port, "token-a")
  })
  after(async () => {
    ann?.close()
    await world?.close()
  })

  const get = (path: string, token: string, method = "GET") =>
    ask({ host: "127.0.0.1", port, path, method, headers: { authorization: `Bearer ${token}` } }, tls)

  it("runs commands over SPDY, and tells who ran which program, but not its words", within(60), async () => {
    const command = query("sh", "-c", `cat; echo ${secret} >&2; exit 7`)
    const { code, out, err } = await collect(`${ann.url}/exec/default/server/app?${command}&input=1`, "to and fro")
    assert.deepEqual([code, out, err], [7, "to and fro", `${secret}\n`])
    const { uid } = (await node.waitFor("PodAdmitted", "pod/default/server")).data.pod.metadata
    const started = await node.waitFor("ExecStarted", "api/default/server")
    const { session, from, containerId, ...data } = started.data
    assert.match(from, /^127\.0\.0\.1:\d+$/u)
    assert.deepEqual(data, {
      ...{ podUid: uid, container: "app", user: "ann", groups: ["system:masters", "system:authenticated"] },
      ...{ listener: "tls", through: "exec", program: "sh", arguments: 2, stdin: true, tty: false }
    })
    const ended = await node.waitFor("ExecEnded", "api/default/server", { session })
    assert.deepEqual([ended.data.outcome, ended.data.exitCode], ["completed", 7])
    assert.ok(ended.data.bytesIn > 10 && ended.data.bytesOut > 10)
    const told = await node.command("events", "--pod", "default/server", "-o", "json")
    assert.match(told.stdout, /ExecStarted/u)
    const withUid = await get(`/exec/default/server/${uid}/app?${query("true")}`, "token-a")
    assert.deepEqual([withUid.status, withUid.body.trim()], [400, "Upgrade request required"])
    assert.ok(!JSON.stringify(await node.journal.events()).includes(secret), "what was typed or printed is in no event")
  })

  // conformance: Pods should support remote command execution over websockets
  it(
    "runs commands over WebSocket: the oldest protocol and v4 as the runtime does, v5 by translation",
    within(60),
    async () => {
      const path = `/exec/default/server/app?${query("sh", "-c", "cat; exit 3")}&input=1`
      const headers = ["Authorization: Bearer token-a"]
      const five = await openWebSocket({ port, tls }, path, ["v5.channel.k8s.io"], headers)
      assert.match(five.head, /^HTTP\/1\.1 101 /u)
      five.send(0, "through a socket")
      five.send(255, "\u0000")
      await five.closed
      assert.equal(five.received.get(1), "through a socket")
      assert.match(five.received.get(3) ?? "", /"ExitCode","message":"3"/u)
      const four = await openWebSocket(
        { port, tls },
        `/exec/default/server/app?${query("sh", "-c", "echo four; exit 4")}`,
        ["v4.channel.k8s.io"],
        headers
      )
      await four.closed
      assert.equal(four.received.get(1), "four\n")
      for (const exitCode of [3, 4]) await node.waitFor("ExecEnded", "api/default/server", { exitCode })
      const words = query("echo", "remote execution test")
      const oldest = await openWebSocket(
        { port, tls },
        `/exec/default/server/app?${words}`,
        ["channel.k8s.io"],
        headers
      )
      await oldest.closed
      assert.equal(oldest.received.get(1), "remote execution test\n")
      assert.match(oldest.head, /Sec-WebSocket-Protocol: channel\.k8s\.io/iu)
      const sized = 'while [ "$(stty size 2>/dev/null)" != "40 100" ]; do sleep 0.1; done; echo sized'
      const shell = `/exec/default/server/app?${query("sh", "-c", sized)}&input=1&tty=1`
      const terminal = await openWebSocket({ port, tls }, shell, ["v5.channel.k8s.io"], headers)
      terminal.send(4, '{"Width":100,"Height":40}')
      await terminal.closed
      assert.equal(terminal.received.get(1), "sized\r\n")
      await node.waitFor("ExecStarted", "api/default/server", { tty: true })
      const foreign = await openWebSocket({ port, tls }, path, [], [...headers, "Origin: https://elsewhere.example"])
      assert.match(foreign.head, /^HTTP\/1\.1 403 /u)
    }
  )

  // conformance: Pods should support retrieving logs from the container over websockets
  it("sends logs over WebSocket, as a whole and as they grow", within(60), async () => {
    const path = "/containerLogs/default/server/talker"
    const headers = ["Authorization: Bearer token-a"]
    // Without channels: the first byte of a message is the first of its text.
    const text = (client: Awaited<ReturnType<typeof openWebSocket>>): string =>
      [...client.received].map(([first, rest]) => String.fromCharCode(first) + rest).join("")
    const whole = await openWebSocket({ port, tls }, path, ["binary.k8s.io"], headers)
    assert.match(whole.head, /^HTTP\/1\.1 101 [\s\S]*Sec-WebSocket-Protocol: binary\.k8s\.io/u)
    assert.equal(await whole.closed, 1000)
    assert.equal(text(whole), "container is alive\n")
    const growing = await openWebSocket({ port, tls }, `${path}?follow=true`, [], headers)
    await growing.until(() => text(growing) === "container is alive\n")
    assert.equal(growing.socket.destroyed, false)
    growing.socket.destroy()
    const missing = await openWebSocket({ port, tls }, `${path}x`, ["binary.k8s.io"], headers)
    assert.match(missing.head, /^HTTP\/1\.1 404 /u)
    const strange = await openWebSocket({ port, tls }, path, ["v9.example"], headers)
    assert.match(strange.head, /^HTTP\/1\.1 400 /u)
    for (const client of [missing, strange]) client.socket.destroy()
  })

  it("attaches, forwards ports, and runs a command for its output alone", within(60), async () => {
    let printed = ""
    const attached = Effect.runFork(
      runProcess(`${ann.url}/attach/default/server/console?input=1&output=1&error=1`, {
        tty: false,
        stdin: { start: (data) => void data(Buffer.from("hello\n")), resume: () => {} },
        stdout: (bytes) => {
          printed += Buffer.from(bytes).toString("utf8")
        },
        stderr: () => {}
      })
    )
    await eventually("the answer of the process", () => (printed === "got hello\n" ? true : undefined))
    await Effect.runPromise(Fiber.interrupt(attached))
    await node.waitFor("AttachStarted", "api/default/server", { user: "ann", container: "console", stdin: true })
    await node.waitFor("AttachEnded", "api/default/server", { outcome: "completed" })

    const page = await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const over = yield* Deferred.make<string>()
          let text = ""
          const connection = yield* connectPort(`${ann.url}/portForward/default/server`, 8080, {
            onData: (bytes) => {
              text += Buffer.from(bytes).toString("latin1")
            },
            onEnd: () => void Deferred.doneUnsafe(over, Effect.succeed(text)),
            onDrain: () => {},
            onClose: () => void Deferred.doneUnsafe(over, Effect.succeed(text))
          })
          connection.write(Buffer.from("GET /ok HTTP/1.0\r\n\r\n"))
          return yield* Deferred.await(over)
        })
      )
    )
    assert.match(page, /yes\n$/u)
    await node.waitFor("PortForwardEnded", "api/default/server", { outcome: "completed" })

    const cmd = encodeURIComponent("echo from run")
    const run = await get(`/run/default/server/app?cmd=${cmd}`, "token-a", "POST")
    assert.deepEqual([run.status, run.body], [200, "from run\n"])
    await node.waitFor("ExecStarted", "api/default/server", { through: "run", program: "echo", arguments: 2 })
    const failed = await get("/run/default/server/app?cmd=false", "token-a", "POST")
    assert.deepEqual([failed.status, failed.body.trim()], [500, "command 'false' exited with 1:"])
    const checkpoint = await get("/checkpoint/default/server/app?timeout=10", "token-a", "POST")
    if (checkpoint.status === 200) await node.waitFor("CheckpointCreated", "api/default/server")
    else {
      assert.match(checkpoint.body, /^checkpointing of default\/server\/app failed \(/u)
      await node.waitFor("CheckpointFailed", "api/default/server")
    }
  })

  it("answers what is not there in kubelet's words, and writes down whom it refused", within(60), async () => {
    const upgrading = async (path: string, token: string) => {
      const client = await openWebSocket({ port, tls }, path, [], [`Authorization: Bearer ${token}`])
      await client.closed
      return [Number(client.head.split(" ")[1]), (client.received.get(-1) ?? "").trim()]
    }
    const streams = query("true")
    const rows: ReadonlyArray<readonly [string, number, string]> = [
      [`/exec/default/nobody/app?${streams}`, 404, "pod does not exist"],
      [`/exec/default/server/none?${streams}`, 500, 'container not found ("none")'],
      ["/exec/default/server/app?command=true", 400, "you must specify at least 1 of stdin, stdout, stderr"],
      [`/attach/default/server/none?${streams}`, 500, "container none not found in pod server_default"],
      ["/portForward/default/server", 400, 'query parameter "port" is required'],
      ["/portForward/default/server/other-uid?port=80", 404, "pod not found"]
    ]
    for (const [path, status, text] of rows) assert.deepEqual(await upgrading(path, "token-a"), [status, text], path)
    const before = (await node.seen("ExecStarted")).length
    const [status] = await upgrading(`/exec/default/server/app?${query("sh", "-c", secret)}`, "token-b")
    assert.equal(status, 403)
    const refused = await node.waitFor("ApiRequestRefused", "api/_/api", { user: "bob", status: 403 })
    assert.match(refused.data.from, /^127\.0\.0\.1:\d+$/u)
    assert.equal(refused.data.path, "/exec/default/server/app")
    const [unknown] = await upgrading(`/exec/default/server/app?${streams}`, "token-c")
    assert.equal(unknown, 401)
    await node.waitFor("ApiRequestRefused", "api/_/api", { user: "", status: 401 })
    assert.equal((await node.seen("ExecStarted")).length, before, "nothing was asked of the runtime")
    assert.ok(!JSON.stringify(await node.journal.events()).includes(secret))
  })

  it("listens on loopback alone, and what it keeps is its owner's alone", within(60), async () => {
    const addresses = listening(node.running?.pid ?? 0)
    assert.ok(addresses.length >= 2, addresses.join())
    // 127.0.0.1 and ::1 as the kernel writes them.
    for (const address of addresses)
      assert.match(address, / (?:0100007F|0{24}01000000|0{16}FFFF00000100007F):/u, addresses.join())
    const open: Array<string> = []
    const walk = (directory: string): void => {
      for (const name of readdirSync(directory)) {
        const path = join(directory, name)
        const stat = lstatSync(path)
        // What is in volumes is as the pods want it; the directory above lets nobody in.
        const isVolumes = path === join(node.dataDir, "pods")
        if ((stat.mode & (stat.isDirectory() ? 0o027 : 0o077)) !== 0) open.push(`${path} ${stat.mode.toString(8)}`)
        if (stat.isDirectory() && !isVolumes) walk(path)
      }
    }
    walk(node.dataDir)
    assert.deepEqual(open, [])
  })

  it("ends what is open with the agent, and what a dead one left open as unknown", within(90), async () => {
    const path = `/exec/default/server/app?${query("sleep", "1000")}`
    const open = () => openWebSocket({ port, tls }, path, [], ["Authorization: Bearer token-a"])
    const first = await open()
    assert.match(first.head, /^HTTP\/1\.1 101 /u)
    const told = await node.waitFor("ExecStarted", "api/default/server", { program: "sleep" })
    assert.deepEqual(await node.stop(), { code: 0, signal: null })
    await first.closed
    const stopped = await node.seen("ExecEnded", "api/default/server", { session: told.data.session })
    assert.deepEqual(
      stopped.map(({ data }) => data.outcome),
      ["stopped"]
    )
    await node.start()
    await node.waitFor("ApiListening", undefined, { listener: "tls" }, { after: told.sequence })
    const client = await open()
    const started = await node.waitFor(
      "ExecStarted",
      "api/default/server",
      { program: "sleep" },
      { after: stopped[0]?.sequence ?? 0 }
    )
    assert.match(client.head, /^HTTP\/1\.1 101 /u)
    await node.kill()
    await client.closed
    await node.start()
    const { session } = started.data
    const ended = await node.waitFor("ExecEnded", "api/default/server", { session })
    assert.deepEqual([ended.data.outcome, ended.data.message], ["unknown", "the agent ended meanwhile"])
    assert.equal(ended.cause, started.id)
  })
})
