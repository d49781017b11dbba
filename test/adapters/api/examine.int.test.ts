/** What doctor says of the API's addresses and files, without serving it. */
import assert from "node:assert/strict"
import { chmodSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { describe } from "node:test"
import { Effect } from "effect"
import { freePort } from "../../../scripts/lab/free-port.ts"
import { examineApi } from "../../../src/adapters/api/examine.ts"
import type { TlsListener } from "../../../src/adapters/api/port.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { makeAuthority } from "./authorities.ts"
import { tlsListener } from "./running.ts"

const day = 86_400_000

describe("a look at the API's settings", () => {
  liveTest(
    "finds what is taken, ends soon, can be read by others or is broken",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const port = yield* Effect.promise(freePort)
      const file = (name: string, text: string, mode = 0o600) => {
        const path = join(directory, name)
        writeFileSync(path, text)
        chmodSync(path, mode)
        return path
      }
      const found = (more: Partial<TlsListener>, now = Date.now()) =>
        Effect.map(
          Effect.promise(() =>
            examineApi(
              {
                nodeName: "n",
                socket: "",
                tls: tlsListener(port, directory, more),
                readOnly: undefined,
                healthz: undefined
              },
              now
            )
          ),
          (findings) => findings.map(({ status, found: text }) => `${status} ${text}`).join("\n")
        )
      const authority = yield* Effect.promise(() => makeAuthority("ca"))
      const issued = yield* Effect.promise(() => authority.issue("CN=n", { usage: "server", notAfter: 10 * day }))
      const certificate = { cert: file("a.crt", issued.cert), key: file("a.key", issued.key) }

      assert.match(
        yield* found({}),
        /^ok the API would listen at 127\.0\.0\.1:\d+\nok .* of its own\nwarn nobody can be known/u
      )
      const good = yield* found({ certificate, clientCAFile: file("ca.crt", authority.cert) })
      assert.match(good, /warn the certificate .* is good until/u)
      assert.match(good, /ok clients' certificates of one authority/u)
      assert.match(yield* found({ certificate }, Date.now() + 11 * day), /fail the certificate .* ended on/u)
      assert.match(
        yield* found({ certificate: { ...certificate, key: file("b.key", authority.key) } }),
        /fail .* not that of/u
      )
      const tokenFile = file("tokens.csv", "t,u,1\nx\n", 0o640)
      assert.match(yield* found({ tokenFile }), /fail .* can be read by others \(mode 640\)/u)
      chmodSync(tokenFile, 0o600)
      assert.match(yield* found({ tokenFile }), /warn .*tokens\.csv: line 2/u)
      assert.match(yield* found({ policyFile: file("p", "x: 1") }), /fail is no NodeApiPolicy/u)
      assert.match(yield* found({ kubeconfig: file("k", "x: 1") }), /fail .* current-context/u)

      yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer().listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => void server.close())
      )
      assert.match(yield* found({}), /^fail 127\.0\.0\.1:\d+ is in use by another program/u)
    })
  )
})
