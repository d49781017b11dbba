/** A server of the API for tests, and what it saw. */
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { freePort } from "../../../scripts/lab/free-port.ts"
import { serveApi } from "../../../src/adapters/api/live.ts"
import type { ApiSettings, NodeApi, ServerEvent, TlsListener } from "../../../src/adapters/api/port.ts"
import { sendMessages } from "../../../src/adapters/streaming/messages.ts"
import { passThrough } from "../../../src/adapters/streaming/pass-through.ts"
import { upgradeProblem } from "../../../src/adapters/streaming/upgrade-request.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

export interface Running {
  readonly directory: string
  readonly socket: string
  /** Of the TLS listener. */
  readonly port: number
  readonly events: Array<ServerEvent>
}

/** How soon changes of files are seen here; milliseconds. */
const lookPeriod = 50

export const tlsListener = (port: number, directory: string, more: Partial<TlsListener> = {}): TlsListener => ({
  host: "127.0.0.1",
  port,
  certificate: { directory: join(directory, "pki"), names: ["node-1", "127.0.0.1"] },
  minVersion: "",
  cipherSuites: [],
  clientCAFile: undefined,
  tokenFile: undefined,
  policyFile: undefined,
  kubeconfig: undefined,
  webhook: { tokens: true, access: true, tokenTtl: 60_000, allowedTtl: 60_000, deniedTtl: 60_000 },
  anonymous: false,
  alwaysAllow: false,
  lookPeriod,
  ...more
})

export type More = Partial<Omit<ApiSettings, "tls">> & {
  readonly tls?: (directory: string) => Partial<TlsListener> | Promise<Partial<TlsListener>>
}

export const startServer = (
  api: Pick<NodeApi, "routes"> & Partial<NodeApi>,
  { tls, ...more }: More = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const port = yield* Effect.promise(freePort)
    const events: Array<ServerEvent> = []
    const socket = more.socket ?? join(directory, "api.sock")
    const asked = tls === undefined ? undefined : yield* Effect.promise(async () => tls(directory))
    const settings: ApiSettings = {
      nodeName: "node-1",
      socket,
      readOnly: undefined,
      healthz: undefined,
      ...more,
      tls: asked && tlsListener(port, directory, asked)
    }
    yield* serveApi({
      settings,
      api: {
        streaming: [],
        passing: {
          problem: upgradeProblem,
          messages: sendMessages,
          pass: (client, target) => passThrough(client, target, { idleTimeout: 0 })
        },
        saw: (event) => Effect.sync(() => void events.push(event)),
        ...api
      }
    })
    yield* until(() => existsSync(socket))
    if (asked !== undefined) yield* until(() => events.some(({ _tag }) => _tag === "ApiListening"))
    return { directory, socket, port, events }
  })

export const until = (what: () => boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    const end = Date.now() + 5_000
    while (!what()) {
      assert.ok(Date.now() < end, "waited in vain")
      await new Promise((done) => setTimeout(done, 10))
    }
  })
