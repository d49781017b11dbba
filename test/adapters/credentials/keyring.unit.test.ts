/** Rules of pkg/credentialprovider: which credentials are tried for an image, and in which order. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Redacted, Result } from "effect"
import { type DockerConfigForm, parseDockerConfig } from "../../../src/adapters/credentials/docker-config.ts"
import { Keyring } from "../../../src/adapters/credentials/keyring.ts"
import { registryMatches } from "../../../src/adapters/credentials/matching.ts"
import { type CredentialSource, registryProblem } from "../../../src/adapters/credentials/port.ts"

const auth = (text: string): string => Buffer.from(text).toString("base64")
const source: CredentialSource = { kind: "file", path: "/f" }

/** `user:password` by registry, in the order in which the keyring was filled. */
const keyring = (entries: Readonly<Record<string, string>>): Keyring => {
  const ring = new Keyring()
  const auths = Object.fromEntries(Object.entries(entries).map(([registry, text]) => [registry, { auth: auth(text) }]))
  const config = parseDockerConfig(JSON.stringify({ auths }), "config.json")
  assert.ok(Result.isSuccess(config))
  ring.add(source, config.success)
  return ring
}
const tried = (ring: Keyring, repository: string): ReadonlyArray<string> =>
  ring.lookUp(repository).map(({ username, password }) => `${username}:${Redacted.value(password)}`)

describe("the name of a registry", () => {
  it("stands for images of its host, its port and the path below it, with globs in the parts of the host", () => {
    for (const [glob, repository, want] of [
      ["registry.io", "registry.io/app", true],
      ["registry.io", "other.io/app", false],
      ["registry.io/team", "registry.io/team/app", true],
      ["registry.io/team", "registry.io/other/app", false],
      ["registry.io:5000", "registry.io:5000/app", true],
      ["registry.io", "registry.io:5000/app", false],
      ["registry.io:5000", "registry.io/app", false],
      ["*.registry.io", "eu.registry.io/app", true],
      ["*.registry.io", "registry.io/app", false],
      ["*.registry.io", "a.b.registry.io/app", false],
      ["*.*.registry.io", "a.b.registry.io/app", true],
      ["pre*.registry.io", "prefix.registry.io/app", true],
      ["pre*.registry.io", "other.registry.io/app", false],
      ["*.registry.*:5000/team", "eu.registry.io:5000/team/app", true],
      ["e?.registry.io", "eu.registry.io/app", true],
      ["e[a-u].registry.io", "eu.registry.io/app", true],
      ["e[^a-u].registry.io", "eu.registry.io/app", false],
      ["e[a-.registry.io", "eu.registry.io/app", false],
      ["e[.registry.io", "e[.registry.io/app", false],
      ["registry.io/*", "registry.io/app", false],
      ["[::1]:5000", "[::1]:5000/app", true],
      ["127.0.0.1:5000", "127.0.0.1:5000/app", true],
      ["*", "localhost/app", true],
      ["a+b(.io", "a+b(.io/x", true]
    ] as const) {
      assert.equal(registryMatches(glob, repository), want, `${glob} for ${repository}`)
    }
  })

  it("is refused where it can be none", () => {
    assert.equal(registryProblem("*.registry.io:5000/team"), undefined)
    assert.equal(registryProblem(""), "is empty")
    assert.match(registryProblem("a b") ?? "", /blanks/u)
    assert.match(registryProblem("registry.io:http/x") ?? "", /port 'http'/u)
    assert.match(registryProblem("registry.io/%zz") ?? "", /%/u)
    assert.equal(registryProblem("[::1]"), undefined)
  })
})

describe("a keyring", () => {
  it("gives the credentials of the longest name first, and then the others", () => {
    const ring = keyring({
      "quay.io": "host:1",
      "quay.io/coreos": "team:2",
      "https://quay.io/v1/": "old:3",
      "gcr.io": "x:4"
    })
    assert.deepEqual(tried(ring, "quay.io/coreos/etcd"), ["team:2", "host:1", "old:3"])
    assert.deepEqual(tried(ring, "quay.io/other/etcd"), ["host:1", "old:3"])
    assert.deepEqual(tried(ring, "example.io/etcd"), [])
  })

  it("takes schemes, /v1/ and /v2/ for no part of the name", () => {
    for (const registry of ["https://r.io/v2/", "http://r.io", "r.io/v1/", "https://r.io/"]) {
      assert.deepEqual(tried(keyring({ [registry]: "u:p" }), "r.io/app"), ["u:p"], registry)
    }
    assert.deepEqual(tried(keyring({ "https://r.io/v2/team": "u:p" }), "r.io/team/app"), ["u:p"])
    assert.deepEqual(tried(keyring({ "https://r.io/v2/team": "u:p" }), "r.io/app"), [])
  })

  it("has those of Docker's own registry for images that name none", () => {
    const ring = keyring({ "https://index.docker.io/v1/": "hub:p" })
    for (const repository of ["docker.io/library/busybox", "index.docker.io/a/b", "busybox", "a/b"]) {
      assert.deepEqual(tried(ring, repository), ["hub:p"], repository)
    }
    for (const repository of ["r.io/a", "localhost:5000/a", "/a"]) assert.deepEqual(tried(ring, repository), [])
    assert.deepEqual(
      tried(keyring({ "docker.io/library": "l:p", "index.docker.io": "hub:p" }), "docker.io/library/a"),
      ["l:p"]
    )
  })

  it("keeps several credentials of one registry, for when one is replaced", () => {
    const ring = keyring({ "r.io": "a:1" })
    const other = parseDockerConfig('{"r.io":{"username":"b","password":"2"}}', "dockercfg")
    assert.ok(Result.isSuccess(other))
    ring.add({ kind: "provider", name: "p" }, other.success)
    assert.deepEqual(tried(ring, "r.io/app"), ["a:1", "b:2"])
  })
})

describe("a docker config", () => {
  const read = (text: string, form: DockerConfigForm = "config.json") => parseDockerConfig(text, form)
  const entries = (text: string, form: DockerConfigForm = "config.json") => {
    const config = read(text, form)
    assert.ok(Result.isSuccess(config), Result.isFailure(config) ? config.failure : "")
    return config.success.map(([registry, e]) => [registry, e.username, Redacted.value(e.password)])
  }

  it("is read with and without `auths`, with `auth` before user name and password", () => {
    assert.deepEqual(
      entries(`{"auths":{"r.io":{"auth":"${auth("u:p:q")}","username":"x","password":"y","email":"e"}}}`),
      [["r.io", "u", "p:q"]]
    )
    assert.deepEqual(entries('{"r.io":{"username":"x","password":"y"}}', "dockercfg"), [["r.io", "x", "y"]])
    assert.deepEqual(entries('{"credsStore":"desktop"}'), [])
    assert.deepEqual(entries(`{"auths":{"r.io":{"auth":"${auth("u:pw").replace(/=/gu, "")}"}}}`), [["r.io", "u", "pw"]])
    assert.deepEqual(entries('{"auths":{"r.io":{}}}'), [["r.io", "", ""]])
  })

  it("that is wrong is told without a value of it", () => {
    for (const [text, want] of [
      ["s3cret", "is no JSON"],
      ['["s3cret"]', "is no map"],
      ['{"auths":["s3cret"]}', "auths is no map"],
      ['{"auths":{"r.io":"s3cret"}}', 'the entry of "r.io": is no map'],
      ['{"auths":{"r.io":{"password":7}}}', 'the entry of "r.io": password is no text'],
      [
        `{"auths":{"r.io":{"auth":"${auth("s3cret")}"}}}`,
        'the entry of "r.io": auth is not base64 of username:password'
      ],
      ['{"auths":{"r.io":{"auth":"s3cret!"}}}', 'the entry of "r.io": auth is not base64 of username:password']
    ] as const) {
      const config = read(text)
      assert.ok(Result.isFailure(config))
      assert.equal(config.failure, want)
    }
  })

  it("shows no password when it is printed", () => {
    const config = read('{"auths":{"r.io":{"username":"x","password":"s3cret"}}}')
    assert.ok(Result.isSuccess(config))
    assert.doesNotMatch(JSON.stringify(config.success) + String(config.success[0]?.[1].password), /s3cret/u)
  })
})
