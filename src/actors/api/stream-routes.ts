/** The routes of the API that lead into pods: /exec, /attach, /portForward, /run, /checkpoint. Refusals are in kubelet's words. */
import { Clock, Deferred, Effect } from "effect"
import { type ApiRefusal, type ApiRequest, type Route, refusal, type StreamingRoute } from "../../adapters/api/port.ts"
import type { StreamEnd } from "../../adapters/streaming/port.ts"
import type { ContainerInState, PodState } from "../pod/state.ts"
import type { Opening } from "./commands.ts"
import { apiOfPod } from "./identity.ts"
import type { Answers, ApiSessions, Ask, Session } from "./sessions.ts"
import { commandIn, type ProcessStreams, portsIn, streamsIn, writtenCommand } from "./stream-options.ts"

export interface StreamRouteNeeds {
  readonly sessions: ApiSessions["Service"]
  /** The committed state of a pod, now. */
  readonly pod: (namespace: string, name: string) => PodState | undefined
  /** Directory of checkpoints; the runtime writes into it. */
  readonly checkpoints: string
}

type Parts = Readonly<Record<string, string>>

/** Milliseconds that the journal and the runtime have for an answer: somewhat more than the runtime's own deadlines. */
const answerTimeout = 150_000
const maxGroups = 32
const nameCharacters = 256

interface Target {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly state: PodState
}

const fail = (status: number, message: string): Effect.Effect<never, ApiRefusal> =>
  Effect.fail(refusal(status, message))

/** `"` around it, as Go's %q. */
const quoted = (text: string): string => JSON.stringify(text)

const fullName = ({ name, namespace }: Target): string => `${name}_${namespace}`

const callerOf = ({ access }: ApiRequest) => ({
  user: (access.user?.name ?? "").slice(0, nameCharacters),
  groups: (access.user?.groups ?? []).slice(0, maxGroups).map((group) => group.slice(0, nameCharacters)),
  from: access.from,
  listener: access.listener
})

const isThere = ({ status, containerId }: ContainerInState): boolean =>
  containerId !== "" && (status === "running" || status === "killing")

/** Live routes; `ended` of a stream finds its session by the request. */
export const makeStreamRoutes = ({
  sessions,
  pod,
  checkpoints
}: StreamRouteNeeds): { readonly routes: ReadonlyArray<Route>; readonly streaming: ReadonlyArray<StreamingRoute> } => {
  const bySession = new WeakMap<ApiRequest, { readonly session: Session; readonly target: Target }>()

  const find = ({ namespace = "", pod: name = "", uid }: Parts, otherUid: string): Effect.Effect<Target, ApiRefusal> =>
    Effect.suspend(() => {
      const state = pod(namespace, name)
      const found = state?.definition?.pod.metadata.uid
      if (state === undefined || found === undefined) return fail(404, "pod does not exist")
      if (uid !== undefined && uid !== found) return fail(otherUid === "pod not found" ? 404 : 500, otherUid)
      return Effect.succeed({ namespace, name, uid: found, state })
    })

  const running = (target: Target, container: string, message: string): Effect.Effect<ContainerInState, ApiRefusal> => {
    const found = target.state.containers.find(({ name }) => name === container)
    return found !== undefined && isThere(found) ? Effect.succeed(found) : fail(500, message)
  }

  const tellEnd = (
    target: Target,
    session: Session,
    end: Partial<Omit<StreamEnd, "outcome">>,
    outcome: StreamEnd["outcome"] | "stopped"
  ) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const { message, bytesIn, bytesOut, exitCode } = end
      yield* sessions.send({
        to: apiOfPod(target.namespace, target.name),
        command: {
          ...{ _tag: "Ended", at, session: session.id, outcome },
          ...(message === undefined ? {} : { message: message.slice(0, 1_024) }),
          ...(bytesIn === undefined ? {} : { bytesIn }),
          ...(bytesOut === undefined ? {} : { bytesOut }),
          ...(exitCode === undefined ? {} : { exitCode })
        } as never
      })
    })

  /** Writes down who wants what, and waits until the runtime has been asked. Whoever goes meanwhile has ended it. */
  const begin = (
    request: ApiRequest,
    target: Target,
    ask: Ask,
    event: (id: string) => Opening
  ): Effect.Effect<Answers, ApiRefusal> =>
    Effect.gen(function* () {
      const session = sessions.begin(ask)
      if (session === undefined) return yield* fail(429, "too many streams are open on this node")
      bySession.set(request, { session, target })
      const at = yield* Clock.currentTimeMillis
      const open = { _tag: "Open", at, event: event(session.id) } as const
      return yield* sessions.send({ to: apiOfPod(target.namespace, target.name), command: open as never }).pipe(
        Effect.andThen(Deferred.await(session.answer)),
        Effect.timeoutOrElse({
          duration: answerTimeout,
          orElse: () =>
            Effect.andThen(
              tellEnd(target, session, { message: "no answer in time" }, "failed"),
              fail(500, "the runtime did not answer in time")
            )
        }),
        Effect.onInterrupt(() => tellEnd(target, session, { message: "the client went" }, "completed"))
      )
    })

  const urlOf = ({ url }: Answers): Effect.Effect<string, ApiRefusal> =>
    url === undefined ? fail(500, "the runtime gave no address") : Effect.succeed(url)

  const process = (request: ApiRequest): Effect.Effect<ProcessStreams, ApiRefusal> => {
    const streams = streamsIn(request.query)
    return typeof streams === "string" ? fail(400, streams) : Effect.succeed(streams)
  }

  const exec: StreamingRoute["target"] = (request, parts) =>
    Effect.gen(function* () {
      const { container = "" } = parts
      const streams = yield* process(request)
      const notFound = `container not found (${quoted(container)})`
      const target = yield* find(parts, notFound)
      const { containerId } = yield* running(target, container, notFound)
      const command = commandIn(request.query)
      if (command === undefined) return yield* fail(400, "you must specify a command")
      const { stdin, tty } = streams
      const answers = yield* begin(request, target, { type: "exec", containerId, command, streams }, (session) => ({
        ...{ _tag: "ExecStarted", session, podUid: target.uid, container, containerId },
        ...{ ...callerOf(request), through: "exec", ...writtenCommand(command), stdin, tty }
      }))
      return { url: yield* urlOf(answers), protocol: "remotecommand", streams }
    })

  const attach: StreamingRoute["target"] = (request, parts) =>
    Effect.gen(function* () {
      const { container = "" } = parts
      const asked = yield* process(request)
      const target = yield* find(parts, `container ${container} not found in pod ${parts.pod}_${parts.namespace}`)
      const message = `container ${container} not found in pod ${fullName(target)}`
      const { containerId } = yield* running(target, container, message)
      // Whether it has a terminal was decided when it was made.
      const spec = target.state.definition?.pod.spec
      const made = [
        ...(spec?.containers ?? []),
        ...(spec?.initContainers ?? []),
        ...(spec?.ephemeralContainers ?? [])
      ].find(({ name }) => name === container)
      const tty = made?.tty === true
      const streams = { ...asked, tty, stderr: asked.stderr && !tty }
      const answers = yield* begin(request, target, { type: "attach", containerId, streams }, (session) => ({
        ...{ _tag: "AttachStarted", session, podUid: target.uid, container, containerId },
        ...{ ...callerOf(request), stdin: streams.stdin, tty }
      }))
      return { url: yield* urlOf(answers), protocol: "remotecommand", streams }
    })

  const portForward: StreamingRoute["target"] = (request, parts) =>
    Effect.gen(function* () {
      // Over SPDY each connection names its port itself; so it is in a tunnel.
      const protocols = String(request.headers["sec-websocket-protocol"] ?? "")
      const isNamed =
        /websocket/iu.test(String(request.headers.upgrade ?? "")) && !/SPDY\/3\.1\+portforward/u.test(protocols)
      const ports = isNamed ? portsIn(request.query) : []
      if (typeof ports === "string") return yield* fail(400, ports)
      const target = yield* find(parts, "pod not found")
      const { sandbox } = target.state
      if (sandbox === null || sandbox.status !== "ready")
        return yield* fail(500, `pod not found (${quoted(fullName(target))})`)
      const { sandboxId } = sandbox
      const answers = yield* begin(request, target, { type: "portForward", sandboxId, ports }, (session) => ({
        ...{ _tag: "PortForwardStarted", session, podUid: target.uid },
        ...{ ...callerOf(request), ports }
      }))
      const streams = { stdin: true, stdout: true, stderr: false, tty: false }
      return { url: yield* urlOf(answers), protocol: "portforward", streams }
    })

  const ended: StreamingRoute["ended"] = (request, end) =>
    Effect.suspend(() => {
      const known = bySession.get(request)
      return known === undefined ? Effect.void : tellEnd(known.target, known.session, end, end.outcome)
    })

  const run: Route["answer"] = (request, parts) =>
    Effect.gen(function* () {
      const { container = "" } = parts
      const notFound = `container not found (${quoted(container)})`
      const target = yield* find(parts, notFound)
      const { containerId } = yield* running(target, container, notFound)
      // Not the parameter of an exec, and cut at each blank: as kubelet has it.
      const command = (request.query.get("cmd") ?? "").split(" ")
      if (command[0] === "") return yield* fail(400, "you must specify a command")
      const { result } = yield* begin(request, target, { type: "run", containerId, command }, (session) => ({
        ...{ _tag: "ExecStarted", session, podUid: target.uid, container, containerId },
        ...{ ...callerOf(request), through: "run", ...writtenCommand(command), stdin: false, tty: false }
      }))
      if (result === undefined) return yield* fail(500, "the runtime gave no output")
      const body = Buffer.concat([result.stdout, result.stderr])
      if (result.exitCode !== 0)
        return yield* fail(
          500,
          `command '${command.join(" ")}' exited with ${result.exitCode}: ${Buffer.from(result.stderr).toString("utf8")}`
        )
      return { status: 200, headers: { "content-type": "application/json" }, body }
    })

  const checkpoint: Route["answer"] = (request, parts) =>
    Effect.gen(function* () {
      const { container = "" } = parts
      const target = yield* find(parts, "pod does not exist")
      const known = target.state.containers.find(({ name }) => name === container)
      if (known === undefined) return yield* fail(404, `container ${container} does not exist`)
      const timeout = request.query.getAll("timeout").at(-1)
      if (timeout !== undefined && !/^\d{1,9}$/u.test(timeout))
        return yield* fail(404, "cannot parse value of timeout parameter")
      const what = `checkpointing of ${target.namespace}/${target.name}/${container} failed`
      const { containerId } = yield* running(target, container, `${what} (container ${container} not found)`)
      const time = new Date(request.access.at).toISOString().replace(/\.\d+/u, "")
      const location = `${checkpoints}/checkpoint-${fullName(target)}-${container}-${time}.tar`
      const ask: Ask = { type: "checkpoint", containerId, location, timeoutSeconds: Number(timeout ?? 0) }
      yield* begin(request, target, ask, (session) => ({
        ...{ _tag: "CheckpointRequested", session, podUid: target.uid, container, containerId },
        ...{ ...callerOf(request), location }
      })).pipe(Effect.mapError(({ status, message }) => refusal(status === 429 ? 429 : 500, `${what} (${message})`)))
      return {
        status: 200,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ items: [location] })
      }
    })

  const at = (verb: string, ...ends: ReadonlyArray<string>) => ends.map((end) => `/${verb}/{namespace}/{pod}${end}`)
  const ofContainer = ["/{container}", "/{uid}/{container}"]
  return {
    routes: [
      ...at("run", ...ofContainer).map((path) => ({ methods: ["POST"], path, answer: run })),
      ...at("checkpoint", "/{container}").map((path) => ({ methods: ["POST"], path, answer: checkpoint }))
    ],
    streaming: [
      ...at("exec", ...ofContainer).map((path) => ({ path, target: exec, ended })),
      ...at("attach", ...ofContainer).map((path) => ({ path, target: attach, ended })),
      ...at("portForward", "", "/{uid}").map((path) => ({ path, target: portForward, ended }))
    ]
  }
}
