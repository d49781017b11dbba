/** Routing, tokens, rules and ciphers of the API: pure parts. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { cipherChoice, minTlsVersion } from "../../../src/adapters/api/cipher-suites.ts"
import { bearerToken } from "../../../src/adapters/api/doorkeeper.ts"
import { isGranted, parsePolicy } from "../../../src/adapters/api/policy.ts"
import { makeRouter, readPath } from "../../../src/adapters/api/router.ts"
import { userOfSubject } from "../../../src/adapters/api/tls.ts"
import { csvFields, parseTokens } from "../../../src/adapters/api/token-file.ts"
import { makeTtlCache } from "../../../src/adapters/api/ttl-cache.ts"

describe("paths", () => {
  it("are decoded once, and none goes up", () => {
    assert.equal(readPath("/pods/"), "/pods")
    assert.equal(readPath("/"), "/")
    assert.equal(readPath("/logs/a%20b"), "/logs/a b")
    // Decoded once: what is left is a name.
    assert.equal(readPath("/logs/%252e%252e"), "/logs/%2e%2e")
    for (const bad of [
      "",
      "pods",
      "//",
      "/a//b",
      "/..",
      "/a/../b",
      "/a/%2e%2e/b",
      "/a%2f..%2fb",
      "/%",
      "/a%00",
      "/a\\b"
    ])
      assert.equal(readPath(bad), undefined, bad)
  })

  it("find their routes, literal ones first", () => {
    const find = makeRouter([{ path: "/a/{x}" }, { path: "/a/b" }, { path: "/a/{x}/{rest*}" }])
    assert.deepEqual(
      find("/a/b").map(({ route, parts }) => [route.path, parts]),
      [
        ["/a/b", {}],
        ["/a/{x}", { x: "b" }],
        ["/a/{x}/{rest*}", { x: "b", rest: "" }]
      ]
    )
    assert.deepEqual(find("/a/1/2/3")[0]?.parts, { x: "1", rest: "2/3" })
    assert.deepEqual(find("/b"), [])
  })
})

describe("static tokens", () => {
  it("are read as the API server reads them", () => {
    assert.deepEqual(csvFields('a,b,c,"x,y"'), ["a", "b", "c", "x,y"])
    assert.deepEqual(csvFields('a, "b ""q""",'), ["a", 'b "q"', ""])
    assert.equal(csvFields('a,"b'), undefined)
    const { table, problems } = parseTokens('t1,alice,1,"devs, ops"\n\n# no\nt2,bob\nt3,,3\n,x,4\nt1,carol,5\n')
    assert.equal(table.size, 2)
    assert.deepEqual(table.find("t1"), { name: "carol", uid: "5", groups: [] })
    assert.equal(table.find("t2"), undefined)
    assert.equal(table.find(""), undefined)
    assert.deepEqual(
      problems.map((problem) => problem.split(":")[0]),
      ["line 4", "line 5", "line 6", "line 7"]
    )
    assert.ok(!problems.join().includes("t1") && !problems.join().includes("carol"))
  })

  it("come as bearer tokens", () => {
    assert.equal(bearerToken({}), undefined)
    assert.equal(bearerToken({ authorization: "Basic abc" }), undefined)
    assert.equal(bearerToken({ authorization: "bearer  abc " }), "abc")
    assert.equal(bearerToken({ authorization: `Bearer ${"a".repeat(20_000)}` }), "")
  })
})

describe("rules", () => {
  const head = "apiVersion: chronode.dev/v1alpha1\nkind: NodeApiPolicy\n"

  it("grant verbs on subresources to users and groups", () => {
    const rules = parsePolicy(`${head}rules:
- {users: [prometheus], verbs: [get], resources: [nodes/metrics, nodes/stats]}
- {groups: [ops], verbs: ["*"], resources: ["nodes/*"]}
`)
    const may = (name: string, groups: ReadonlyArray<string>, verb: string, subresource: string) =>
      isGranted(rules, { name, groups }, { verb, subresource })
    assert.ok(may("prometheus", [], "get", "metrics"))
    assert.ok(!may("prometheus", [], "create", "metrics"))
    assert.ok(!may("prometheus", [], "get", "proxy"))
    assert.ok(!may("x", ["prometheus"], "get", "metrics"))
    assert.ok(may("x", ["ops"], "create", "proxy"))
    assert.ok(may("x", ["system:masters"], "delete", "log"))
    assert.ok(!may("", [], "", "proxy"))
  })

  it("are refused whole where one is wrong", () => {
    for (const [text, problem] of [
      ["rules: []", /is no NodeApiPolicy/u],
      [`${head}rules: 1`, /rules is no list/u],
      [`${head}rules: [{users: x}]`, /rules\.0\.users is no list/u],
      [`${head}rules: [{verbs: [read]}]`, /'read' is none of/u],
      [`${head}rules: [{resources: [pods]}]`, /'pods' is no subresource/u],
      [`${head}rules: [{resource: [nodes\\/x]}]`, /rules\.0\.resource is unknown/u],
      [`${head}rules: [`, /./u]
    ] as const)
      assert.throws(() => parsePolicy(text), problem)
  })
})

describe("names of clients", () => {
  it("are the last CN and every O of a subject", () => {
    assert.deepEqual(userOfSubject({ CN: "a", O: ["x", "y"] }), { name: "a", groups: ["x", "y"] })
    assert.deepEqual(userOfSubject({ CN: ["a", "b"], O: "x" }), { name: "b", groups: ["x"] })
    assert.equal(userOfSubject({ O: "system:masters" }), undefined)
    assert.equal(userOfSubject({ CN: "" }), undefined)
  })
})

describe("TLS settings", () => {
  it("are kubelet's names", () => {
    assert.equal(minTlsVersion(""), "TLSv1.2")
    assert.equal(minTlsVersion("VersionTLS13"), "TLSv1.3")
    assert.deepEqual(cipherChoice([]), { ciphers: undefined, unknown: [] })
    assert.deepEqual(cipherChoice(["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_SHA"]), {
      ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256",
      unknown: ["TLS_RSA_WITH_RC4_128_SHA"]
    })
  })
})

describe("answers that hold for a while", () => {
  it("are forgotten in time, and the oldest when there are too many", () => {
    const cache = makeTtlCache<number>(2)
    cache.put("a", 1, 10, 0)
    cache.put("b", 2, 10, 0)
    assert.equal(cache.get("a", 9), 1)
    assert.equal(cache.get("a", 10), undefined)
    cache.put("c", 3, 10, 0)
    cache.put("d", 4, 10, 0)
    assert.deepEqual([cache.get("b", 1), cache.get("c", 1), cache.get("d", 1)], [undefined, 3, 4])
    cache.put("e", 5, 0, 0)
    assert.equal(cache.get("e", 0), undefined)
  })
})
