/** Who gets in by TLS: certificates, tokens, an API server's word; and what happens when files change. */
import assert from "node:assert/strict"
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:https"
import { join } from "node:path"
import { describe } from "node:test"
import { connect } from "node:tls"
import { Effect, type Scope } from "effect"
import { freePort } from "../../../scripts/lab/free-port.ts"
import type { Route, TlsListener } from "../../../src/adapters/api/port.ts"
import { liveTest } from "../../support/effect.ts"
import { type Authority, type Issued, makeAuthority } from "./authorities.ts"
import { ask } from "./clients.ts"
import { type Running, startServer, until } from "./running.ts"

const who: Route = {
  methods: ["GET", "POST"],
  path: "/pods",
  answer: ({ access }) => Effect.succeed({ status: 200, body: `${access.user?.name} ${access.user?.groups.join(",")}` })
}
const metrics: Route = { ...who, path: "/metrics" }
const routes = [who, metrics]

interface Client extends Partial<Issued> {
  readonly token?: string
  readonly method?: string
  readonly path?: string
}

const get = ({ port }: Pick<Running, "port">, { token, method = "GET", path = "/pods", ...issued }: Client = {}) =>
  Effect.promise(async () => {
    const { status, body } = await ask(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
      },
      { rejectUnauthorized: false, ...issued }
    )
    return [status, body.trim()] as const
  })

/** SHA-256 of the certificate that a new connection gets; undefined: no connection. */
const served = (port: number, more: Readonly<Record<string, unknown>> = {}): Effect.Effect<string | undefined> =>
  Effect.callback((resume) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...more }, () => {
      resume(Effect.succeed(socket.getPeerCertificate().fingerprint256.replaceAll(":", "").toLowerCase()))
      socket.destroy()
    })
    socket.on("error", () => resume(Effect.succeed(undefined)))
    socket.on("close", () => resume(Effect.succeed(undefined)))
  })

/** One request with a session that may be gone on with, and the first line of its answer. */
const resumable = (port: number, issued: Issued, session?: Buffer) =>
  Effect.callback<{ readonly answer: string; readonly session: Buffer | undefined }>((resume) => {
    let [answer, next] = ["", undefined as Buffer | undefined]
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false, ...issued }
    const socket = connect({ ...options, ...(session === undefined ? {} : { session }) }, () =>
      socket.write("GET /pods HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n")
    )
    socket.on("session", (given) => {
      next = given
    })
    socket.on("data", (part) => {
      answer += String(part)
    })
    socket.on("error", () => socket.destroy())
    socket.on("close", () => resume(Effect.succeed({ answer: answer.split("\r\n")[0] as string, session: next })))
  })

const write = (path: string, text: string, mode = 0o600): string => {
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  return path
}

const authority = (name: string): Effect.Effect<Authority> => Effect.promise(() => makeAuthority(name))
const issue = (from: Authority, ...asked: Parameters<Authority["issue"]>): Effect.Effect<Issued> =>
  Effect.promise(() => from.issue(...asked))

describe("the server's certificate", () => {
  liveTest(
    "is made by the node where none is given, kept for its owner alone, and told",
    Effect.gen(function* () {
      let directory = ""
      const { port, events } = yield* startServer(
        { routes },
        {
          tls: (own) => {
            directory = own
            return {}
          }
        }
      )
      const [told] = events
      assert.ok(told?._tag === "ApiListening" && told.selfMade === true)
      assert.equal(yield* served(port), told.certificate)
      assert.ok(Date.parse(told.notAfter ?? "") > Date.now() + 300 * 86_400_000)
      const pki = join(directory, "pki")
      assert.equal(statSync(pki).mode & 0o777, 0o700)
      assert.equal(statSync(join(pki, "api.pem")).mode & 0o777, 0o600)
      // A client that was given it trusts it, by name and by address.
      const ca = readFileSync(join(pki, "api.pem"), "utf8").replace(/^.*END PRIVATE KEY-----\n/su, "")
      const checked = { rejectUnauthorized: true, ca }
      assert.equal(yield* served(port, checked), told.certificate)
      assert.equal(yield* served(port, { ...checked, servername: "node-1" }), told.certificate)
      const again = yield* startServer(
        { routes },
        { tls: () => ({ certificate: { directory: pki, names: ["node-1"] } }) }
      )
      assert.equal(yield* served(again.port), told.certificate)
    })
  )

  liveTest(
    "is taken anew from its files when they change, and the one before stays where they are broken",
    Effect.gen(function* () {
      const ca = yield* authority("ca")
      const [first, second] = [
        yield* issue(ca, "CN=first", { usage: "server" }),
        yield* issue(ca, "CN=second", { usage: "server" })
      ]
      let files = { cert: "", key: "" }
      const { port, events } = yield* startServer(
        { routes },
        {
          tls: (directory) => {
            files = { cert: join(directory, "a.crt"), key: join(directory, "a.key") }
            write(files.cert, first.cert)
            write(files.key, first.key)
            return { certificate: files }
          }
        }
      )
      const before = yield* served(port)
      assert.ok(before !== undefined)
      // Ends tomorrow.
      assert.equal(events.filter(({ _tag }) => _tag === "CertificateExpiring").length, 1)
      write(files.key, second.key)
      yield* until(() => events.some(({ _tag }) => _tag === "CertificateRefused"))
      assert.equal(yield* served(port), before)
      write(files.cert, second.cert)
      yield* until(() => events.some(({ _tag }) => _tag === "CertificateReloaded"))
      const after = yield* served(port)
      assert.ok(after !== undefined && after !== before)
      const reloaded = events.find(({ _tag }) => _tag === "CertificateReloaded")
      assert.equal(reloaded?._tag === "CertificateReloaded" && reloaded.certificate, after)
    })
  )

  liveTest(
    "is not given to those who speak an older TLS than asked for",
    Effect.gen(function* () {
      const { port } = yield* startServer({ routes }, { tls: () => ({ minVersion: "VersionTLS13" }) })
      assert.equal(yield* served(port, { maxVersion: "TLSv1.2" }), undefined)
      assert.ok((yield* served(port)) !== undefined)
    })
  )
})

describe("clients' certificates", () => {
  const withAuthority = (ca: Authority, more: Partial<TlsListener> = {}) =>
    startServer(
      { routes },
      { tls: (directory) => ({ clientCAFile: write(join(directory, "ca.crt"), ca.cert), ...more }) }
    )

  liveTest(
    "name the user and his groups, if they are of an authority, for clients and of this time",
    Effect.gen(function* () {
      const ca = yield* authority("ca")
      const server = yield* withAuthority(ca)
      assert.deepEqual(yield* get(server, yield* issue(ca, "CN=alice, O=devs, O=system:masters")), [
        200,
        "alice devs,system:masters,system:authenticated"
      ])
      const bob = yield* issue(ca, "CN=bob, O=devs")
      assert.deepEqual(yield* get(server, bob), [
        403,
        "Forbidden (user=bob, verb=get, resource=nodes, subresource(s)=[pods proxy])"
      ])
      const refused = [401, "Unauthorized"]
      assert.deepEqual(yield* get(server), refused)
      for (const bad of [
        yield* issue(ca, "CN=eve, O=system:masters", { notBefore: -2 * 86_400_000, notAfter: -86_400_000 }),
        yield* issue(ca, "CN=eve, O=system:masters", { usage: "server" }),
        yield* issue(ca, "O=system:masters"),
        yield* issue(yield* authority("another"), "CN=eve, O=system:masters"),
        yield* issue(yield* authority("ca"), "CN=eve, O=system:masters")
      ])
        assert.deepEqual(yield* get(server, bad), refused)
      const told = server.events.filter((event) => event._tag === "ApiRequestRefused")
      assert.deepEqual(
        told.map(({ user, status, verb, path, listener }) => [user, status, verb, path, listener]),
        [["bob", 403, "get", "/pods", "tls"], ...Array.from({ length: 6 }, () => ["", 401, "get", "/pods", "tls"])]
      )
      assert.match(told[0]?.from ?? "", /^127\.0\.0\.1:\d+$/u)
    })
  )

  liveTest(
    "count only while their authority is in the file, which may hold several",
    Effect.gen(function* () {
      const [old, next] = [yield* authority("old"), yield* authority("next")]
      const [alice, carol] = [
        yield* issue(old, "CN=alice, O=system:masters"),
        yield* issue(next, "CN=carol, O=system:masters")
      ]
      const server = yield* withAuthority(old)
      const statuses = Effect.all([get(server, alice), get(server, carol)]).pipe(
        Effect.map((answers) => answers.map(([status]) => status).join(" "))
      )
      const change = (pem: string, expected: string) =>
        Effect.gen(function* () {
          write(join(server.directory, "ca.crt"), pem)
          const end = Date.now() + 5_000
          while ((yield* statuses) !== expected) assert.ok(Date.now() < end, `never became ${expected}`)
        })
      assert.equal(yield* statuses, "200 401")
      yield* change(`# two\n${old.cert}${next.cert}`, "200 200")
      yield* change(next.cert, "401 200")
      yield* change("nothing", "401 401")
      // A session that began under an authority that is gone is as good as none.
      yield* change(old.cert, "200 401")
      const first = yield* resumable(server.port, alice)
      assert.match(first.answer, / 200 /u)
      assert.match((yield* resumable(server.port, alice, first.session)).answer, / 200 /u)
      yield* change(next.cert, "401 200")
      assert.match((yield* resumable(server.port, alice, first.session)).answer, / 401 /u)
    })
  )
})

describe("tokens of a file", () => {
  const policy = JSON.stringify({
    apiVersion: "chronode.dev/v1alpha1",
    kind: "NodeApiPolicy",
    rules: [{ groups: ["monitoring"], verbs: ["get"], resources: ["nodes/metrics"] }]
  })
  const tokens = 'secret-1,admin,1,"system:masters"\nsecret-2,prometheus,2,"monitoring,other"\n'
  const withTokens = (mode = 0o600) =>
    startServer(
      { routes },
      {
        tls: (directory) => ({
          tokenFile: write(join(directory, "tokens.csv"), tokens, mode),
          policyFile: write(join(directory, "policy.json"), policy)
        })
      }
    )

  liveTest(
    "name users, whom rules grant what they may",
    Effect.gen(function* () {
      const server = yield* withTokens()
      assert.deepEqual(yield* get(server, { token: "secret-1" }), [200, "admin system:masters,system:authenticated"])
      const prometheus = { token: "secret-2", path: "/metrics" }
      assert.equal((yield* get(server, prometheus))[0], 200)
      assert.deepEqual(yield* get(server, { ...prometheus, method: "POST" }), [
        403,
        "Forbidden (user=prometheus, verb=create, resource=nodes, subresource(s)=[metrics])"
      ])
      assert.equal((yield* get(server, { token: "secret-2" }))[0], 403)
      assert.deepEqual(yield* get(server, { token: "secret-3" }), [401, "Unauthorized"])
      assert.ok(!JSON.stringify(server.events).includes("secret-"))
    })
  )

  liveTest(
    "count only while the file is its owner's alone, and as it is now",
    Effect.gen(function* () {
      const server = yield* withTokens(0o644)
      const status = (token: string) => Effect.map(get(server, { token }), ([code]) => code)
      const becomes = (token: string, expected: number) =>
        Effect.gen(function* () {
          const end = Date.now() + 5_000
          while ((yield* status(token)) !== expected) assert.ok(Date.now() < end, `never became ${expected}`)
        })
      assert.equal(yield* status("secret-1"), 401)
      chmodSync(join(server.directory, "tokens.csv"), 0o600)
      yield* becomes("secret-1", 200)
      write(join(server.directory, "tokens.csv"), "secret-9,admin,1,system:masters\n")
      yield* becomes("secret-9", 200)
      assert.equal(yield* status("secret-1"), 401)
    })
  )
})

describe("without a name", () => {
  const open: Partial<TlsListener> = { anonymous: true, alwaysAllow: true }

  liveTest(
    "nobody may anything, also where everybody who is known may everything",
    Effect.gen(function* () {
      const server = yield* startServer(
        { routes },
        {
          tls: (directory) => ({
            ...open,
            tokenFile: write(join(directory, "tokens.csv"), "secret,dave,1\nsecret-2,system:anonymous,2\n")
          })
        }
      )
      assert.deepEqual(yield* get(server), [
        403,
        "Forbidden (user=system:anonymous, verb=get, resource=nodes, subresource(s)=[pods proxy])"
      ])
      assert.deepEqual(yield* get(server, { token: "secret" }), [200, "dave system:authenticated"])
      assert.equal((yield* get(server, { token: "secret-2" }))[0], 403)
      assert.equal((yield* get(server, { token: "wrong" }))[0], 401)
    })
  )

  liveTest(
    "a rule may grant something",
    Effect.gen(function* () {
      const rules = [{ groups: ["system:unauthenticated"], verbs: ["get"], resources: ["nodes/metrics"] }]
      const policy = JSON.stringify({ apiVersion: "chronode.dev/v1alpha1", kind: "NodeApiPolicy", rules })
      const server = yield* startServer(
        { routes },
        { tls: (directory) => ({ ...open, policyFile: write(join(directory, "policy.json"), policy) }) }
      )
      assert.equal((yield* get(server, { path: "/metrics" }))[0], 200)
      assert.equal((yield* get(server))[0], 403)
    })
  )
})

/** An API server that knows one token, and grants one right. It demands a client's certificate. */
const apiServer = (
  ca: Authority,
  server: Issued
): Effect.Effect<{ port: number; asked: Array<string> }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const port = yield* Effect.promise(freePort)
    const listening = createServer(
      { ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        let text = ""
        request.on("data", (part) => {
          text += String(part)
        })
        request.on("end", () => {
          const { kind, spec } = JSON.parse(text) as {
            readonly kind: string
            readonly spec: {
              readonly token?: string
              readonly user?: string
              readonly resourceAttributes?: Readonly<Record<string, string>>
            }
          }
          const { verb, resource, subresource, name, version } = spec.resourceAttributes ?? {}
          asked.push(
            kind === "TokenReview"
              ? `token ${request.url}`
              : `${spec.user} ${verb} ${version} ${resource}/${name}/${subresource}`
          )
          const isKnown = spec.token === "known"
          const status =
            kind === "TokenReview"
              ? { authenticated: isKnown, ...(isKnown ? { user: { username: "sa", groups: ["sas"] } } : {}) }
              : { allowed: subresource === "metrics" || subresource === "proxy" }
          response.writeHead(201, { "content-type": "application/json" })
          response.end(JSON.stringify({ apiVersion: "v1", kind, spec, status }))
        })
      }
    )
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void listening.listen(port, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          listening.close(() => resume(Effect.void))
          listening.closeAllConnections()
        })
    )
    return { port, asked }
  })

describe("an API server", () => {
  const prepared = (use: { readonly reachable: boolean }) =>
    Effect.gen(function* () {
      const ca = yield* authority("cluster")
      const certificate = yield* issue(ca, "CN=kube-apiserver", { usage: "server" })
      const node = yield* issue(ca, "CN=system:node:node-1, O=system:nodes")
      const { port, asked } = use.reachable
        ? yield* apiServer(ca, certificate)
        : { port: yield* Effect.promise(freePort), asked: [] }
      const server = yield* startServer(
        { routes },
        {
          tls: (directory) => {
            mkdirSync(join(directory, "k"))
            write(join(directory, "k", "node.crt"), node.cert)
            const kubeconfig = {
              "current-context": "c",
              clusters: [
                {
                  name: "k",
                  cluster: {
                    server: `https://127.0.0.1:${port}/`,
                    "certificate-authority-data": Buffer.from(ca.cert).toString("base64")
                  }
                }
              ],
              users: [
                {
                  name: "u",
                  user: {
                    "client-certificate": "node.crt",
                    "client-key-data": Buffer.from(node.key).toString("base64")
                  }
                }
              ],
              contexts: [{ name: "c", context: { cluster: "k", user: "u" } }]
            }
            return { kubeconfig: write(join(directory, "k", "config"), JSON.stringify(kubeconfig)) }
          }
        }
      )
      return { server, asked }
    })

  liveTest(
    "is asked whose a token is and what he may, once in a while",
    Effect.gen(function* () {
      const { server, asked } = yield* prepared({ reachable: true })
      const known = { token: "known" }
      const good = [200, "sa sas,system:authenticated"]
      assert.deepEqual(yield* get(server, { ...known, path: "/metrics" }), good)
      assert.deepEqual(yield* get(server, { ...known, path: "/metrics" }), good)
      assert.deepEqual(asked, ["token /apis/authentication.k8s.io/v1/tokenreviews", "sa get v1 nodes/node-1/metrics"])
      // The finer right first, then the one that is enough too.
      assert.deepEqual(yield* get(server, known), good)
      assert.deepEqual(asked.slice(2), ["sa get v1 nodes/node-1/pods", "sa get v1 nodes/node-1/proxy"])
      assert.equal((yield* get(server, { token: "unknown" }))[0], 401)
      assert.equal((yield* get(server, { token: "unknown" }))[0], 401)
      assert.equal(asked.length, 5)
    })
  )

  liveTest(
    "that is not there lets nobody in",
    Effect.gen(function* () {
      const { server } = yield* prepared({ reachable: false })
      assert.deepEqual(yield* get(server, { token: "known" }), [401, "Unauthorized"])
      const [told] = server.events.filter((event) => event._tag === "ApiRequestRefused")
      assert.match(told?.reason ?? "", /the API server was asked for a token/u)
      assert.ok(!JSON.stringify(server.events).includes("known"))
    }),
    { timeout: 30_000 }
  )
})
