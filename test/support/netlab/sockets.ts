/**
 * The process that holds the lab's sockets, in all of its namespaces: servers that answer their name and whom they saw ask,
 * clients that ask. A process of its own, so that what a dataplane under test does to its own never stops a client.
 * Takes calls (protocol.ts) from its input, writes replies to its output, and ends with its input.
 */
import process from "node:process"
import * as libc from "./libc.ts"
import type { Answer, Call, LoopOutcome, Reply, Request, Target } from "./protocol.ts"

interface Watched extends libc.Interest {
  events: number
  readonly ready: () => void
}

const watched = new Map<number, Watched>()
const timers = new Set<{ readonly at: number; readonly run: () => void }>()

const watch = (fd: number, events: number, ready: () => void): void => void watched.set(fd, { fd, events, ready })
const forget = (fd: number): void => {
  watched.delete(fd)
  libc.close(fd)
}
const after = (milliseconds: number, run: () => void) => {
  const timer = { at: performance.now() + milliseconds, run }
  timers.add(timer)
  return () => void timers.delete(timer)
}

const answerAll = (fd: number, name: string, peer: libc.Endpoint): void => {
  const reply = `${name} ${peer.ip} ${peer.port}\n`
  watch(fd, libc.POLLIN, () => {
    try {
      const got = libc.receive(fd)
      if (got?.text === "") forget(fd)
      else if (got !== undefined) libc.send(fd, reply.repeat(got.text.split("\n").length - 1))
    } catch {
      // The client reset its connection.
      forget(fd)
    }
  })
}

const serveOn = (any: string, { namespace, name, protocol, port }: Extract<Call, { op: "serve" }>): void => {
  const fd = libc.inNamespace(namespace, () => libc.makeSocket(any, protocol))
  libc.bind(fd, { ip: any, port })
  if (protocol === "UDP") {
    watch(fd, libc.POLLIN, () => {
      try {
        const got = libc.receive(fd)
        if (got !== undefined) libc.send(fd, `${name} ${got.peer.ip} ${got.peer.port}\n`, got.peer)
      } catch {
        // An earlier answer found nobody.
      }
    })
    return
  }
  libc.listen(fd)
  watch(fd, libc.POLLIN, () => {
    for (let next = libc.accept(fd); next !== undefined; next = libc.accept(fd)) answerAll(next.fd, name, next.peer)
  })
}

const serve = (call: Extract<Call, { op: "serve" }>): boolean => {
  try {
    for (const any of ["0.0.0.0", "::"]) serveOn(any, call)
    return true
  } catch (error) {
    if (error instanceof libc.Errno && ["EPROTONOSUPPORT", "ESOCKTNOSUPPORT"].includes(error.code)) return false
    throw error
  }
}

const parse = (line: string): Answer => {
  const [server = "", client = "", clientPort] = line.trim().split(" ")
  return { outcome: "answered", server, client, clientPort: Number(clientPort) }
}

/** EPERM: what it sent was rejected on its way out of this very machine. */
const refusals = ["ECONNREFUSED", "EPERM"]
const failure = (error: unknown): Answer =>
  error instanceof libc.Errno && refusals.includes(error.code)
    ? { outcome: "refused" }
    : { outcome: "failed", error: error instanceof Error ? error.message : String(error) }

/** One question on a connected socket. */
const say = (fd: number, timeout: number, done: (answer: Answer) => void): void => {
  let text = ""
  const end = (answer: Answer) => {
    stop()
    watched.delete(fd)
    done(answer)
  }
  const stop = after(timeout, () => end({ outcome: "timed out" }))
  watch(fd, libc.POLLIN, () => {
    try {
      const got = libc.receive(fd)
      if (got === undefined) return
      text += got.text
      if (got.text === "") end({ outcome: "failed", error: "the other side closed" })
      else if (text.endsWith("\n")) end(parse(text))
    } catch (error) {
      end(failure(error))
    }
  })
  try {
    libc.send(fd, "?\n")
  } catch (error) {
    end(failure(error))
  }
}

/** Connects and asks once; the socket is open afterwards where `answer` says that it was answered. */
const dial = (target: Target, done: (answer: Answer, fd: number) => void): void => {
  const { from, to, port, protocol, source, sourcePort, timeout } = target
  const fd = libc.inNamespace(from, () => libc.makeSocket(to, protocol))
  const end = (answer: Answer) => {
    if (answer.outcome !== "answered") forget(fd)
    done(answer, fd)
  }
  try {
    if (source !== undefined || sourcePort !== undefined) {
      libc.bind(fd, { ip: source ?? (to.includes(":") ? "::" : "0.0.0.0"), port: sourcePort ?? 0 })
      if (protocol !== "UDP") libc.resetOnClose(fd)
    }
    if (libc.connect(fd, { ip: to, port })) {
      say(fd, timeout, end)
      return
    }
  } catch (error) {
    end(failure(error))
    return
  }
  const began = performance.now()
  const stop = after(timeout, () => end({ outcome: "timed out" }))
  watch(fd, libc.POLLOUT, () => {
    stop()
    try {
      libc.throwPending(fd)
      say(fd, Math.max(1, timeout - (performance.now() - began)), end)
    } catch (error) {
      end(failure(error))
    }
  })
}

const askOnce = (target: Target, done: (answer: Answer) => void): void =>
  dial(target, (answer, fd) => {
    if (answer.outcome === "answered") forget(fd)
    done(answer)
  })

const ask = (call: Extract<Call, { op: "ask" }>, done: (answers: ReadonlyArray<Answer>) => void): void => {
  const answers: Array<Answer> = []
  let begun = 0
  const next = (): void => {
    if (begun === call.count) return
    begun++
    askOnce(call, (answer) => {
      answers.push(answer)
      if (answers.length === call.count) done(answers)
      else next()
    })
  }
  for (let n = 0; n < Math.min(call.atOnce, call.count); n++) next()
}

const held = new Map<number, number>()
const loops = new Map<number, (done: (outcome: LoopOutcome) => void) => void>()

const loop = (call: Extract<Call, { op: "loop" }>, id: number): void => {
  const began = performance.now()
  const failures: Array<LoopOutcome["failures"][number]> = []
  const servers: Record<string, number> = {}
  let [asked, waiting] = [0, 0]
  let ended: ((outcome: LoopOutcome) => void) | undefined
  const endIfDone = () => {
    if (waiting === 0) ended?.({ asked, failures, servers })
  }
  const once = (): void => {
    if (ended !== undefined) return
    after(call.every, once)
    const at = performance.now() - began
    asked++
    waiting++
    askOnce(call, (answer) => {
      waiting--
      if (answer.outcome === "answered") servers[answer.server] = (servers[answer.server] ?? 0) + 1
      else failures.push({ at, answer })
      endIfDone()
    })
  }
  loops.set(id, (done) => {
    ended = done
    endIfDone()
  })
  once()
}

const handle = (request: Request, reply: (value: unknown) => void): void => {
  switch (request.op) {
    case "serve":
      reply(serve(request))
      break
    case "ask":
      ask(request, reply)
      break
    case "hold":
      dial(request, (answer, fd) => {
        if (answer.outcome === "answered") held.set(request.id, fd)
        reply({ held: request.id, answer })
      })
      break
    case "say":
      say(held.get(request.held)!, request.timeout, reply)
      break
    case "release":
      forget(held.get(request.held)!)
      held.delete(request.held)
      reply(undefined)
      break
    case "loop":
      loop(request, request.id)
      reply(request.id)
      break
    case "stop":
      loops.get(request.loop)!(reply)
      loops.delete(request.loop)
  }
}

let input = ""
const decoder = new TextDecoder()
watch(0, libc.POLLIN, () => {
  const bytes = libc.read(0)
  if (bytes.length === 0) process.exit(0)
  const lines = (input + decoder.decode(bytes, { stream: true })).split("\n")
  input = lines.pop()!
  for (const line of lines) {
    const request = JSON.parse(line) as Request
    const reply = (rest: Omit<Reply, "id">) => libc.writeAll(1, `${JSON.stringify({ id: request.id, ...rest })}\n`)
    try {
      handle(request, (value) => reply({ value }))
    } catch (error) {
      reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
})

/** Milliseconds that the process sleeps at most. */
const longestSleep = 1000
while (true) {
  const now = performance.now()
  for (const timer of timers) {
    if (timer.at > now) continue
    timers.delete(timer)
    timer.run()
  }
  const next = Math.min(...[...timers].map(({ at }) => at - performance.now()), longestSleep)
  for (const { fd, ready } of libc.poll([...watched.values()], Math.max(0, Math.ceil(next)))) {
    // What another's turn closed is no longer of interest.
    if (watched.get(fd)?.ready === ready) ready()
  }
}
