/** One request from its head to its answer: who, may he, which route. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { Cause, Clock, Effect, FiberSet, type Scope } from "effect"
import { hostPort } from "../../events/ip-address.ts"
import { refuseUpgrade } from "../serving/refuse-upgrade.ts"
import { attributesOf } from "./attributes.ts"
import { type Handlers, readBody, send } from "./exchange.ts"
import {
  type ApiAnswer,
  type ApiRefusal,
  type ApiRequest,
  type Listener,
  type NodeApi,
  type Route,
  refusal,
  type StreamingRoute,
  type User
} from "./port.ts"
import { makeRefusals } from "./refusals.ts"
import { makeRouter, readPath } from "./router.ts"
import { answeredInMessages, upgraded } from "./upgrade.ts"

/** Who it is, and whether he may. A failure is what he is told. */
export interface Doorkeeper {
  /** Undefined: nobody that is known. */
  readonly authenticate: (incoming: IncomingMessage) => Effect.Effect<User | undefined, ApiRefusal>
  readonly authorize: (user: User, method: string, path: string) => Effect.Effect<boolean, ApiRefusal>
}

/** The command line's: who can open the socket is root on this machine. */
export const localUser: User = { name: "root", groups: ["system:masters"] }

interface Admitted {
  readonly request: ApiRequest
  readonly path: string
}

/** Routes of one listener. `doorkeeper`: absent where everybody who gets here may. */
export const makeHandlers = (
  listener: Listener,
  api: NodeApi,
  doorkeeper: Doorkeeper | undefined
): Effect.Effect<Handlers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fibers = yield* FiberSet.make<void, never>()
    const fork = yield* FiberSet.runtime(fibers)<never>()
    const clock = yield* Clock.Clock
    const isOffered = (route: Route): boolean =>
      listener === "local" ||
      (route.localOnly !== true &&
        (listener === "tls" || (listener === "read-only" ? route.readOnly === true : /^\/healthz/u.test(route.path))))
    const find = makeRouter(api.routes.filter(isOffered))
    const isStreaming = listener === "tls" || listener === "local"
    const findStreaming = makeRouter<StreamingRoute>(isStreaming ? api.streaming : [])

    const refusals = yield* makeRefusals(api.saw)

    /** Who asks for what, and may; or what he is told instead. */
    const admit = (incoming: IncomingMessage, signal: AbortSignal): Effect.Effect<Admitted, ApiRefusal> =>
      Effect.gen(function* () {
        const [raw = "/", ...query] = (incoming.url ?? "/").split("?")
        const path = readPath(raw)
        if (path === undefined) return yield* Effect.fail(refusal(400, "400 Bad Request: the path is none"))
        const method = incoming.method ?? ""
        const { verb, subresources } = attributesOf(method, path)
        const { remoteAddress, remotePort } = incoming.socket
        const from =
          remoteAddress === undefined ? "" : hostPort(remoteAddress.replace(/^::ffff:/u, ""), remotePort ?? 0)
        const seen = { at: clock.currentTimeMillisUnsafe(), listener, from, verb: verb || method.toLowerCase(), path }
        const refuse = (user: User | undefined, status: number, message: string, reason: string) =>
          Effect.andThen(refusals.tell({ ...seen, user }, status, reason), Effect.fail(refusal(status, message)))
        const user =
          listener === "local"
            ? localUser
            : doorkeeper === undefined
              ? undefined
              : yield* Effect.catch(doorkeeper.authenticate(incoming), ({ message }: ApiRefusal) =>
                  refuse(undefined, 401, "Unauthorized", message)
                )
        if (doorkeeper !== undefined && listener !== "local") {
          if (user === undefined) return yield* refuse(undefined, 401, "Unauthorized", "nobody that is known")
          if (!(yield* doorkeeper.authorize(user, method, path))) {
            const wanted = `user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}]`
            return yield* refuse(user, 403, `Forbidden (${wanted})\n`, `may not ${verb} nodes/${subresources[0]}`)
          }
        }
        const request: ApiRequest = {
          method,
          path,
          query: new URLSearchParams(query.join("?")),
          headers: incoming.headers,
          body: Effect.tryPromise({ try: () => readBody(incoming), catch: (error) => error as ApiRefusal }),
          access: { ...seen, user },
          signal
        }
        return { request, path }
      })

    const answer = (incoming: IncomingMessage, signal: AbortSignal): Effect.Effect<ApiAnswer, ApiRefusal> =>
      Effect.gen(function* () {
        const { request, path } = yield* admit(incoming, signal)
        const found = find(path)
        const fitting = found.find(({ route }) => route.methods.includes(request.method))
        if (fitting !== undefined) return yield* fitting.route.answer(request, fitting.parts)
        if (findStreaming(path).length > 0) return yield* Effect.fail(refusal(400, "Upgrade request required"))
        if (found.length === 0) return yield* Effect.fail(refusal(404, "404: Page Not Found"))
        const allow = [...new Set(found.flatMap(({ route }) => route.methods))].join(", ")
        return { status: 405, headers: { allow }, body: "Method Not Allowed" }
      })

    const refused = ({ status, message }: ApiRefusal): ApiAnswer => ({ status, body: message })

    const request: Handlers["request"] = (incoming, response: ServerResponse) => {
      const gone = new AbortController()
      const whole = answer(incoming, gone.signal).pipe(
        Effect.catch((error) => Effect.succeed(refused(error))),
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.failCause(cause)
            : Effect.as(
                Effect.logError(`the API failed to answer ${incoming.method} ${incoming.url?.split("?")[0]}`, cause),
                { status: 500, body: "Internal Server Error" } satisfies ApiAnswer
              )
        ),
        Effect.flatMap((ready) =>
          Effect.tryPromise({ try: () => send(incoming, response, ready), catch: (error) => error as Error })
        ),
        // The answer broke off: its client sees that it is not whole.
        Effect.catch(() => Effect.sync(() => response.destroy())),
        Effect.onError(() => Effect.sync(() => response.destroy()))
      )
      const fiber = fork(whole)
      response.once("close", () => {
        gone.abort()
        fiber.interruptUnsafe()
      })
    }

    const upgrade: Handlers["upgrade"] = (incoming, socket: Duplex, head) => {
      socket.on("error", () => socket.destroy())
      const gone = new AbortController()
      const whole = Effect.gen(function* () {
        const { request: asked, path } = yield* admit(incoming, gone.signal)
        const [found] = findStreaming(path)
        if (found === undefined) {
          const inMessages = find(path).find(({ route }) => route.messages === true)
          if (inMessages === undefined) return yield* Effect.fail(refusal(404, "404: Page Not Found"))
          return yield* answeredInMessages({ ...inMessages, request: asked, incoming, socket, head }, api.passing)
        }
        const { route, parts } = found
        const begun = () => void socket.off("close", left)
        yield* upgraded({ route, request: asked, parts, incoming, socket, head, begun }, api.passing)
      }).pipe(
        Effect.catch((error) => Effect.sync(() => refuseUpgrade(socket, error.status, error.message))),
        Effect.catchCause((cause) =>
          Effect.andThen(
            Effect.sync(() => socket.destroy()),
            Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("the API failed at an upgrade", cause)
          )
        )
      )
      const left = (): void => {
        gone.abort()
        fiber.interruptUnsafe()
      }
      const fiber = fork(whole)
      socket.once("close", left)
    }
    return { request, upgrade }
  })
