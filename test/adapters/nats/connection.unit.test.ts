import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { inspect } from "node:util"
import { Redacted, Result } from "effect"
import {
  type NatsFlags,
  type NatsOptionError,
  type NatsTarget,
  resolveTarget
} from "../../../src/adapters/nats/connection.ts"

const home = "/home/operator"
const contexts = `${home}/.config/nats/context`
const seed = `SU${"A".repeat(56)}`
const credentials = `-----BEGIN NATS USER JWT-----\neyJ0.e30.sig\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`
const secret = "s3cr3t-value"

interface Given {
  readonly flags?: NatsFlags
  readonly environment?: Readonly<Record<string, string>>
  /** Text by path; `Error`: reading it throws. */
  readonly files?: Readonly<Record<string, string | Error>>
}

const resolve = ({ environment = {}, files = {}, flags = {} }: Given) =>
  resolveTarget({
    flags,
    environment,
    home,
    read: (path) => {
      const file = files[path]
      if (file instanceof Error) throw file
      return file
    }
  })
const target = (given: Given): NatsTarget => Result.getOrThrow(resolve(given))
const problem = (given: Given): NatsOptionError => {
  const result = resolve(given)
  assert.ok(Result.isFailure(result), "it was resolved")
  return result.failure
}
const secretOf = ({ authentication }: NatsTarget): string | undefined => {
  if (authentication._tag === "Token") return Redacted.value(authentication.token)
  if (authentication._tag === "Password") return `${authentication.user}:${Redacted.value(authentication.password)}`
  return undefined
}
const context = (name: string, fields: object) => ({ [`${contexts}/${name}.json`]: JSON.stringify(fields) })

describe("where to connect", () => {
  it("is the local server when nothing is said", () => {
    assert.deepEqual(target({}), {
      servers: ["nats://127.0.0.1:4222"],
      authentication: { _tag: "None" },
      tls: undefined,
      inboxPrefix: undefined,
      domain: undefined
    })
  })

  it("is what the flag says, before the environment, before the context", () => {
    const files = {
      ...context("edge", { url: "nats://from-context:1" }),
      [`${home}/.config/nats/context.txt`]: "edge\n"
    }
    const environment = { NATS_URL: "nats://from-environment:2" }
    assert.deepEqual(target({ files }).servers, ["nats://from-context:1"])
    assert.deepEqual(target({ files, environment }).servers, ["nats://from-environment:2"])
    assert.deepEqual(target({ files, environment, flags: { nats: "nats://from-flag:3" } }).servers, [
      "nats://from-flag:3"
    ])
  })

  it("may be several servers, with and without scheme and port", () => {
    assert.deepEqual(target({ flags: { nats: "nats://a, b:4333,[::1]:5000,tls://c:80" } }).servers, [
      "nats://a:4222",
      "nats://b:4333",
      "nats://[::1]:5000",
      "tls://c:80"
    ])
  })

  it("asks for TLS where a server is given as tls://", () => {
    assert.deepEqual(target({ flags: { nats: "tls://a" } }).tls, {})
  })

  it("must be a NATS URL", () => {
    assert.match(problem({ flags: { nats: "http://a" } }).message, /^--nats: is no nats:\/\/ or tls:\/\/ URL$/u)
    assert.match(problem({ environment: { NATS_URL: "nats://a:port" } }).message, /^NATS_URL: is no URL/u)
    assert.equal(problem({ files: context("x", { url: "nats://" }), environment: { NATS_CONTEXT: "x" } }).field, "url")
  })
})

describe("as whom to connect", () => {
  it("takes user and password, a token or a user alone as a token from the environment", () => {
    assert.equal(secretOf(target({ environment: { NATS_USER: "u", NATS_PASSWORD: secret } })), `u:${secret}`)
    assert.equal(secretOf(target({ environment: { NATS_USER: secret } })), secret)
    assert.equal(secretOf(target({ environment: { NATS_TOKEN: secret } })), secret)
  })

  it("takes user and password or a token out of the URL, and leaves them out of the servers", () => {
    const both = target({ flags: { nats: `nats://u:p%40ss@a:4222` } })
    assert.equal(secretOf(both), "u:p@ss")
    assert.deepEqual(both.servers, ["nats://a:4222"])
    assert.equal(secretOf(target({ flags: { nats: `nats://${secret}@a` } })), secret)
  })

  it("takes authentication whole from the first that has any", () => {
    const files = {
      "/creds": credentials,
      ...context("edge", { url: "nats://c", user: "u", password: secret, nkey: "" })
    }
    const environment = { NATS_CONTEXT: "edge" }
    assert.equal(secretOf(target({ files, environment })), `u:${secret}`)
    const flagged = target({ files, environment, flags: { creds: "/creds" } })
    assert.deepEqual(flagged.authentication, { _tag: "Creds", file: "/creds" })
    assert.deepEqual(flagged.servers, ["nats://c:4222"])
    assert.equal(secretOf(target({ files, environment: { ...environment, NATS_TOKEN: "t" } })), "t")
  })

  it("lets a URL from the environment bring its own user before the context's", () => {
    const files = context("edge", { url: "nats://c", token: "context-token" })
    const environment = { NATS_CONTEXT: "edge", NATS_URL: "nats://u:p@e" }
    assert.equal(secretOf(target({ files, environment })), "u:p")
  })

  it("checks credentials and nkey files", () => {
    const files = { "/creds": credentials, "/nk": `${seed}\n`, "/empty": "", [`${home}/nk`]: seed }
    assert.deepEqual(target({ files, flags: { nkey: "/nk" } }).authentication, { _tag: "Nkey", file: "/nk" })
    assert.deepEqual(target({ files, environment: { NATS_NKEY: "~/nk" } }).authentication, {
      _tag: "Nkey",
      file: `${home}/nk`
    })
    assert.equal(problem({ files, flags: { creds: "/none" } }).message, "--creds: /none does not exist")
    assert.match(
      problem({ files, flags: { creds: "/nk" } }).message,
      /^--creds: \/nk is no NATS credentials file \(no user JWT\)/u
    )
    assert.match(problem({ files, flags: { nkey: "/empty" } }).message, /^--nkey: \/empty holds no user seed/u)
    assert.match(problem({ files, environment: { NATS_CREDS: "/none" } }).message, /^NATS_CREDS: /u)
  })

  it("wants a user to a password", () => {
    assert.match(
      problem({ environment: { NATS_PASSWORD: secret } }).message,
      /^NATS_PASSWORD: is set without NATS_USER$/u
    )
  })
})

describe("TLS files", () => {
  const files = { "/ca": "ca", "/cert": "cert", "/key": "key" }

  it("come each from the first that names them, certificate and key together", () => {
    const given = {
      files: { ...files, ...context("edge", { cert: "/cert", key: "/key", ca: "/none" }) },
      environment: { NATS_CONTEXT: "edge" },
      flags: { tlsCa: "/ca" }
    }
    assert.deepEqual(target(given).tls, { ca: "/ca", cert: "/cert", key: "/key" })
  })

  it("must exist, and a certificate needs its key", () => {
    assert.equal(problem({ files, flags: { tlsCa: "/gone" } }).message, "--tls-ca: /gone does not exist")
    assert.equal(problem({ files, flags: { tlsCert: "/cert" } }).message, "--tls-cert: is set without --tls-key")
    assert.equal(problem({ files, environment: { NATS_KEY: "/key" } }).message, "NATS_KEY: is set without NATS_CERT")
  })
})

describe("a context file", () => {
  it("is looked for under XDG_CONFIG_HOME and under HOME", () => {
    const files = { "/xdg/nats/context/edge.json": JSON.stringify({ url: "nats://x" }) }
    assert.deepEqual(target({ files, environment: { XDG_CONFIG_HOME: "/xdg", NATS_CONTEXT: "edge" } }).servers, [
      "nats://x:4222"
    ])
    assert.equal(
      problem({ files, environment: { NATS_CONTEXT: "edge" } }).message,
      `NATS_CONTEXT: ${contexts}/edge.json does not exist`
    )
  })

  it("gives inbox prefix, JetStream domain and TLS first", () => {
    const files = context("edge", { inbox_prefix: "_INBOX_agent", jetstream_domain: "edge1", tls_first: true })
    const { domain, inboxPrefix, tls } = target({ files, environment: { NATS_CONTEXT: "edge" } })
    assert.deepEqual([inboxPrefix, domain, tls], ["_INBOX_agent", "edge1", { first: true }])
  })

  it("ignores what it does not know", () => {
    const files = context("edge", { url: "nats://x", description: "at the edge", color_scheme: "red" })
    assert.deepEqual(target({ files, environment: { NATS_CONTEXT: "edge" } }).servers, ["nats://x:4222"])
  })

  it("names file and field where it is wrong", () => {
    const edge = { NATS_CONTEXT: "edge" }
    const file = `${contexts}/edge.json`
    const wrong = problem({ files: context("edge", { password: 12 }), environment: edge })
    assert.deepEqual([wrong.source, wrong.field], [file, "password"])
    assert.equal(problem({ files: { [file]: "[]" }, environment: edge }).message, `${file}: is no JSON object`)
    const nsc = problem({ files: context("edge", { nsc: "nsc://o/a/u" }), environment: edge })
    assert.deepEqual([nsc.source, nsc.field], [file, "nsc"])
    const unreadable = Object.assign(new Error("no"), { code: "EACCES" })
    assert.match(problem({ files: { [file]: unreadable }, environment: edge }).message, /cannot be read \(EACCES\)$/u)
  })

  it("cannot be reached by a path in its name", () => {
    assert.match(problem({ environment: { NATS_CONTEXT: "../../etc/passwd" } }).message, /no name of a context/u)
  })
})

describe("secrets", () => {
  const edge = { NATS_CONTEXT: "edge" }
  const file = `${contexts}/edge.json`
  const cases: Readonly<Record<string, Given>> = {
    "broken JSON": { files: { [file]: `{"password":"${secret}",}` }, environment: edge },
    "a password in a bad URL": { flags: { nats: `nats://u:${secret}@` } },
    "a URL of another scheme": { environment: { NATS_URL: `ftp://${secret}@a` } },
    "a bad port behind a token": { environment: { NATS_URL: `nats://${secret}@a:b` } },
    "a password without user": { environment: { NATS_PASSWORD: secret } },
    "a seed file in place of credentials": { files: { "/s": `${secret} ${seed}` }, flags: { creds: "/s" } }
  }
  for (const [name, given] of Object.entries(cases)) {
    it(`stay out of the error: ${name}`, () => {
      const error = problem(given)
      assert.ok(!`${error.message} ${error.stack} ${inspect(error)} ${JSON.stringify(error)}`.includes(secret))
      assert.ok(!inspect(error).includes(seed))
    })
  }

  it("stay out of what a target looks like", () => {
    const whole = target({ flags: { nats: `nats://u:${secret}@a` } })
    assert.ok(!`${inspect(whole, { depth: 9 })}${JSON.stringify(whole)}`.includes(secret))
  })
})
