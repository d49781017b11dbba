/** Every way to prove who we are, and TLS, against a real server that asks for it. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { nkeys } from "@nats-io/nats-core"
import { Effect, Result } from "effect"
import { type NatsServerOptions, natsServerMissing, startNats } from "../../../scripts/lab/nats.ts"
import { type NatsFlags, type NatsTarget, resolveTarget } from "../../../src/adapters/nats/connection.ts"
import { layerLive } from "../../../src/adapters/nats/live.ts"
import { type EnsuredStream, EventStream, type StreamError } from "../../../src/adapters/nats/port.ts"
import { settings } from "./event-stream-contract.ts"

type KeyPair = ReturnType<typeof nkeys.createUser>

const skip = natsServerMissing()
const noOpenssl = spawnSync("openssl", ["version"]).status === 0 ? undefined : "openssl is not installed"
const skipTls = skip ?? noOpenssl
const timeout = 60_000

describe("connecting with proof", { ...(skip === undefined ? {} : { skip }) }, () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "chronode-nats-"))
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  /** Of the flags alone: nothing of this machine's environment. */
  const targetOf = (flags: NatsFlags): NatsTarget =>
    Result.getOrThrow(
      resolveTarget({
        flags,
        environment: {},
        home: dir,
        read: (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined)
      })
    )
  const ensure = (target: NatsTarget): Promise<EnsuredStream> =>
    Effect.runPromise(
      Effect.scoped(Effect.flatMap(EventStream, (s) => Effect.flatMap(s.connect, ({ ensure }) => ensure))).pipe(
        Effect.provide(layerLive(target, settings))
      )
    )
  const failure = (target: NatsTarget): Promise<StreamError> =>
    ensure(target).then(
      () => assert.fail("it connected"),
      (error: StreamError) => error
    )
  let servers = 0
  const within = async (options: NatsServerOptions, use: (url: string) => Promise<void>): Promise<void> => {
    const server = await startNats(join(dir, `nats${++servers}`), options)
    try {
      await use(server.url)
    } finally {
      await server.stop()
    }
  }
  const seedOf = (pair: KeyPair) => new TextDecoder().decode(pair.getSeed())

  it("works with an nkey from a file, read anew at each connect", { timeout }, async () => {
    const pair = nkeys.createUser()
    const nkey = file("agent.nk", `${seedOf(nkeys.createUser())}\n`)
    await within({ nkey: pair.getPublicKey() }, async (nats) => {
      const target = targetOf({ nats, nkey })
      assert.equal((await failure(target)).reason, "AuthorizationViolation")
      file("agent.nk", `${seedOf(pair)}\n`)
      assert.equal((await ensure(target)).created, true)
      rmSync(nkey)
      const gone = await failure(target)
      assert.deepEqual(
        [gone.reason, gone.message],
        ["AuthorizationViolation", "the credentials cannot be read (ENOENT)"]
      )
    })
  })

  it("works with a credentials file of a decentralised account", { timeout }, async () => {
    const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()]
    const system = nkeys.createAccount()
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
    /** https://docs.nats.io/running-a-nats-service/nats_admin/security/jwt */
    const token = (subject: KeyPair, issuer: KeyPair, name: string, claims: object): string => {
      const body = {
        jti: name,
        iat: 1_700_000_000,
        iss: issuer.getPublicKey(),
        name,
        sub: subject.getPublicKey(),
        nats: claims
      }
      const text = `${encode({ typ: "JWT", alg: "ed25519-nkey" })}.${encode(body)}`
      return `${text}.${Buffer.from(issuer.sign(new TextEncoder().encode(text))).toString("base64url")}`
    }
    const unlimited = { subs: -1, data: -1, payload: -1 }
    const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }
    const counts = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }
    const limits = { ...counts, ...storage }
    const operatorToken = token(operator, operator, "op", { type: "operator", version: 2 })
    const accountToken = token(account, operator, "acc", { type: "account", version: 2, limits })
    const systemToken = token(system, operator, "sys", {
      type: "account",
      version: 2,
      limits: counts
    })
    const userToken = token(user, account, "agent", { type: "user", version: 2, ...unlimited })
    const creds = file(
      "agent.creds",
      `-----BEGIN NATS USER JWT-----\n${userToken}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seedOf(user)}\n------END USER NKEY SEED------\n`
    )
    const config = [
      `operator: ${operatorToken}`,
      "resolver: MEMORY",
      `system_account: ${system.getPublicKey()}`,
      `resolver_preload: { ${account.getPublicKey()}: ${accountToken}, ${system.getPublicKey()}: ${systemToken} }`
    ].join("\n")
    await within({ config }, async (nats) => {
      assert.equal((await failure(targetOf({ nats }))).reason, "AuthorizationViolation")
      assert.equal((await ensure(targetOf({ nats, creds }))).created, true)
    })
  })

  it("works over TLS with the client's own certificate", {
    timeout,
    ...(skipTls ? { skip: skipTls } : {})
  }, async () => {
    const tls = join(dir, "tls")
    mkdirSync(tls)
    const openssl = (...words: ReadonlyArray<string>) => {
      const { status, stderr } = spawnSync("openssl", words, { cwd: tls, encoding: "utf8" })
      assert.equal(status, 0, stderr)
    }
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    const authority = (name: string) =>
      openssl(
        "req",
        "-x509",
        ...key,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.crt`,
        "-days",
        "2",
        "-subj",
        `/CN=${name}`
      )
    const signed = (name: string, extra: string) => {
      writeFileSync(join(tls, "ext"), extra)
      openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`)
      openssl(
        ..."x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext".split(" "),
        "-in",
        `${name}.csr`,
        "-out",
        `${name}.crt`
      )
    }
    authority("ca")
    authority("stranger")
    signed("server", "subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    signed("agent", "extendedKeyUsage=clientAuth\n")
    const at = (name: string) => join(tls, name)
    await within(
      { tls: { cert: at("server.crt"), key: at("server.key"), ca: at("ca.crt"), verify: true } },
      async (nats) => {
        const pair = { tlsCert: at("agent.crt"), tlsKey: at("agent.key") }
        assert.equal((await ensure(targetOf({ nats, tlsCa: at("ca.crt"), ...pair }))).created, true)
        const secure = nats.replace("nats://", "tls://")
        assert.equal((await ensure(targetOf({ nats: secure, tlsCa: at("ca.crt"), ...pair }))).created, false)
        for (const flags of [{ tlsCa: at("stranger.crt"), ...pair }, { tlsCa: at("ca.crt") }, {}]) {
          const error = await failure(targetOf({ nats, ...flags }))
          assert.ok(error.message.length > 0)
          assert.ok(["Unavailable", "AuthorizationViolation", "TimedOut"].includes(error.reason), error.reason)
        }
      }
    )
  })
})
