/** The node's HTTP API on its listeners: each is opened, tried again where it cannot be, and closed with the scope. */
import { Effect, Schedule, type Scope } from "effect"
import { timestamp } from "../../events/definition.ts"
import { hostPort } from "../../events/ip-address.ts"
import type { ListenError } from "../serving/listen.ts"
import { retryPeriod } from "./bounds.ts"
import { type Http, makeHttp } from "./exchange.ts"
import { makeHandlers } from "./handler.ts"
import { serveAddress, servePath } from "./listener.ts"
import type { ApiSettings, Listener, ListenerAddress, NodeApi, ServerEvent } from "./port.ts"
import { makeSecure } from "./secure.ts"

export interface LiveApi {
  readonly settings: ApiSettings
  readonly api: NodeApi
}

type CertificateTold = Pick<
  Extract<ServerEvent, { readonly _tag: "ApiListening" }>,
  "certificate" | "notAfter" | "selfMade"
>

/** Until the scope ends. */
export const serveApi = ({ settings, api }: LiveApi): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const keepOpen = (
      listener: Listener,
      address: string,
      open: Effect.Effect<unknown, ListenError, Scope.Scope>,
      about: () => CertificateTold = () => ({})
    ) => {
      let toldOf = ""
      const failed = ({ message, remedy }: ListenError): Effect.Effect<void> => {
        if (toldOf === message) return Effect.void
        toldOf = message
        return api.saw({ _tag: "ApiListenFailed", listener, address, message: `${message}; ${remedy}` })
      }
      const opened = Effect.suspend(() => {
        toldOf = ""
        // The command line's socket is always there: that is no news.
        return listener === "local" ? Effect.void : api.saw({ _tag: "ApiListening", listener, address, ...about() })
      })
      const listening = Effect.tapError(open, failed).pipe(Effect.andThen(opened), Effect.andThen(Effect.never))
      return Effect.forkScoped(Effect.scoped(listening).pipe(Effect.retry(Schedule.spaced(retryPeriod)), Effect.ignore))
    }
    const local = makeHttp(yield* makeHandlers("local", api, undefined))
    yield* keepOpen("local", settings.socket, servePath(settings.socket, local.serve))

    const plain = (listener: "read-only" | "healthz", at: ListenerAddress | undefined, remedy: string) =>
      Effect.gen(function* () {
        if (at === undefined) return
        const address = hostPort(at.host, at.port)
        const { serve } = makeHttp(yield* makeHandlers(listener, api, undefined))
        if (listener === "read-only") yield* api.saw({ _tag: "ReadOnlyPortOpened", address })
        yield* keepOpen(listener, address, serveAddress(at, address, remedy, serve))
      })
    yield* plain("read-only", settings.readOnly, "set readOnlyPort to another one, or to 0")
    yield* plain("healthz", settings.healthz, "set healthzPort to another one, or to 0")

    const { tls } = settings
    if (tls === undefined) return
    const address = hostPort(tls.host, tls.port)
    const http: { current: Http | undefined } = { current: undefined }
    const secure = yield* makeSecure(settings.nodeName, tls, api.saw, (socket) => http.current?.serve(socket))
    http.current = makeHttp(yield* makeHandlers("tls", api, secure.doorkeeper))
    const told = (): CertificateTold => {
      const certificate = secure.certificate()
      if (certificate === undefined) return {}
      const { fingerprint, notAfter, selfMade } = certificate
      return { certificate: fingerprint, notAfter: timestamp(notAfter), selfMade }
    }
    yield* keepOpen(
      "tls",
      address,
      serveAddress(tls, address, "set port or --api-port to another one", secure.serve),
      told
    )
  })
