/** What every implementation of `Manifests` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Exit, type Scope, Stream } from "effect"
import type { Manifests } from "../../../src/adapters/manifests/port.ts"

export interface ManifestsUnderTest {
  readonly manifests: (typeof Manifests)["Service"]
  readonly write: (name: string, text: string) => Effect.Effect<void>
  readonly remove: (name: string) => Effect.Effect<void>
  /** Takes the directory away. */
  readonly breakDirectory: Effect.Effect<void>
}

export const podText = (name: string, value = "one") => `apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  containers:
  - {name: c, image: i, env: [{name: A, value: ${value}}]}
`

export const objectsText = (password: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: ${password}}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: 10.0.0.7, selector: {app: db}, ports: [{name: sql, port: 5432, targetPort: 5432}]}
`

export const manifestsContract = (name: string, make: Effect.Effect<ManifestsUnderTest, never, Scope.Scope>): void => {
  const withIt = <A>(use: (it: ManifestsUnderTest) => Effect.Effect<A, unknown>): Promise<A> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))

  describe(`${name} keeps the manifests contract`, () => {
    it("tells files sorted by name, hidden ones left out, whatever their suffix", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          yield* write("b.yaml", podText("b"))
          yield* write("a", podText("a"))
          yield* write(".hidden.yaml", podText("hidden"))
          const snapshot = yield* manifests.scan
          assert.ok(snapshot._tag === "Readable")
          assert.deepEqual(
            snapshot.files.map((f) => [f.file, f.pods.map((p) => p.metadata.name)]),
            [
              [`${manifests.directory}/a`, ["a"]],
              [`${manifests.directory}/b.yaml`, ["b"]]
            ]
          )
          assert.match(snapshot.files[0]?.hash ?? "", /^[0-9a-f]{64}$/u)
        })
      ))

    it("keeps values out of snapshots and gives them for a uid", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          yield* write("a.yaml", podText("a", "s3cret"))
          const snapshot = yield* manifests.scan
          assert.ok(snapshot._tag === "Readable")
          assert.doesNotMatch(JSON.stringify(snapshot), /s3cret/u)
          const uid = snapshot.files[0]?.pods[0]?.metadata.uid ?? ""
          assert.deepEqual(yield* manifests.declared(uid), snapshot.files[0]?.pods[0])
          assert.equal((yield* manifests.secretsOf(uid)).spec.containers[0]?.env?.[0]?.value, "s3cret")
          assert.ok(Exit.isFailure(yield* Effect.exit(manifests.secretsOf("nobody"))))
          assert.equal(yield* manifests.declared("nobody"), undefined)
        })
      ))

    it("waits for the first scan when asked for values", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          yield* write("a.yaml", podText("a"))
          const asked = yield* Effect.forkChild(Effect.exit(manifests.secretsOf("nobody")), { startImmediately: true })
          assert.equal(asked.pollUnsafe(), undefined)
          yield* manifests.scan
          yield* Effect.yieldNow
          assert.ok(asked.pollUnsafe() !== undefined)
        })
      ))

    it("tells a file that is gone by its absence, and still knows the values of a pod that a broken edit replaced", () =>
      withIt(({ manifests, write, remove }) =>
        Effect.gen(function* () {
          yield* write("a.yaml", podText("a", "s3cret"))
          const first = yield* manifests.scan
          assert.ok(first._tag === "Readable")
          const uid = first.files[0]?.pods[0]?.metadata.uid ?? ""
          yield* write("a.yaml", "kind: [")
          const second = yield* manifests.scan
          assert.ok(second._tag === "Readable")
          assert.deepEqual(second.files[0]?.pods, [])
          assert.equal((second.files[0]?.problems.length ?? 0) > 0, true)
          assert.notEqual(second.files[0]?.hash, first.files[0]?.hash)
          assert.equal((yield* manifests.secretsOf(uid)).metadata.name, "a")
          yield* remove("a.yaml")
          const third = yield* manifests.scan
          assert.ok(third._tag === "Readable")
          assert.deepEqual(third.files, [])
        })
      ))

    it("gives the objects beside the pods, and keeps their values out of snapshots", () =>
      withIt(({ manifests, write, remove }) =>
        Effect.gen(function* () {
          const { configMap, secret, services } = manifests.objects
          yield* write("a.yaml", objectsText("s3cret"))
          const first = yield* manifests.scan
          assert.ok(first._tag === "Readable")
          assert.doesNotMatch(JSON.stringify(first), /s3cret|czNjcmV0/u)
          assert.deepEqual(
            first.objects.map(({ kind, namespace, name, file, keys, type }) => [
              kind,
              namespace,
              name,
              file,
              keys,
              type
            ]),
            [
              ["ConfigMap", "default", "settings", `${manifests.directory}/a.yaml`, ["mode"], undefined],
              ["Secret", "default", "login", `${manifests.directory}/a.yaml`, ["password"], "Opaque"],
              ["Service", "default", "db", `${manifests.directory}/a.yaml`, [], "ClusterIP"]
            ]
          )
          assert.equal(first.files[0]?.objects, 3)
          assert.deepEqual((yield* configMap("default", "settings"))?.data, { mode: "fast" })
          const password = (yield* secret("default", "login"))?.data.password
          assert.equal(new TextDecoder().decode(password), "s3cret")
          assert.deepEqual(
            (yield* services("default")).map(({ name, clusterIP, ports }) => [name, clusterIP, ports]),
            [["db", "10.0.0.7", [{ name: "sql", protocol: "TCP", port: 5432 }]]]
          )
          assert.equal(yield* secret("other", "login"), undefined)
          assert.deepEqual(yield* services("other"), [])
          yield* write("a.yaml", objectsText("an0ther"))
          const second = yield* manifests.scan
          assert.ok(second._tag === "Readable")
          const hashes = (snapshot: typeof first) => snapshot.objects.map((o) => o.hash)
          assert.deepEqual(
            hashes(second).map((hash, i) => hash === hashes(first)[i]),
            [true, false, true]
          )
          yield* remove("a.yaml")
          const third = yield* manifests.scan
          assert.ok(third._tag === "Readable")
          assert.deepEqual(third.objects, [])
          assert.equal(yield* secret("default", "login"), undefined)
        })
      ))

    it("keeps the objects of a file that an edit broke, until another file declares them or it is whole again", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          yield* write("b.yaml", objectsText("s3cret"))
          yield* manifests.scan
          yield* write("b.yaml", "kind: [")
          const broken = yield* manifests.scan
          assert.ok(broken._tag === "Readable")
          assert.equal(broken.objects.length, 3)
          assert.notEqual(yield* manifests.objects.secret("default", "login"), undefined)
          yield* write("a.yaml", objectsText("an0ther"))
          const taken = yield* manifests.scan
          assert.ok(taken._tag === "Readable")
          assert.ok(taken.objects.every((o) => o.file.endsWith("/a.yaml")))
          yield* write("b.yaml", objectsText("s3cret"))
          const twice = yield* manifests.scan
          assert.ok(twice._tag === "Readable")
          assert.deepEqual(
            twice.files[1]?.problems.map((p) => [p.line, p.message]),
            [
              [3, `ConfigMap default/settings is declared in ${manifests.directory}/a.yaml already`],
              [8, `Secret default/login is declared in ${manifests.directory}/a.yaml already`],
              [13, `Service default/db is declared in ${manifests.directory}/a.yaml already`]
            ]
          )
        })
      ))

    it("does not change an object that is immutable, and takes it anew when it was away", () =>
      withIt(({ manifests, write, remove }) =>
        Effect.gen(function* () {
          const text = (value: string) =>
            `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nimmutable: true\ndata: {a: ${value}}\n`
          const value = Effect.map(manifests.objects.configMap("default", "c"), (c) => c?.data.a)
          yield* write("c.yaml", text("one"))
          yield* manifests.scan
          yield* write("c.yaml", text("two"))
          const changed = yield* manifests.scan
          assert.ok(changed._tag === "Readable")
          assert.deepEqual(
            changed.files[0]?.problems.map((p) => [p.line, p.message]),
            [[3, "ConfigMap default/c is not changed: field is immutable when `immutable` is set"]]
          )
          assert.equal(yield* value, "one")
          yield* remove("c.yaml")
          yield* manifests.scan
          yield* write("c.yaml", text("two"))
          yield* manifests.scan
          assert.equal(yield* value, "two")
        })
      ))

    it("tells an unreadable directory as such", () =>
      withIt(({ manifests, breakDirectory }) =>
        Effect.gen(function* () {
          yield* breakDirectory
          const snapshot = yield* manifests.scan
          assert.equal(snapshot._tag, "Unreadable")
          assert.equal(snapshot.directory, manifests.directory)
        })
      ))

    it("ticks at once and after a change", { timeout: 60_000 }, () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          let ticks = 0
          yield* Effect.forkScoped(
            Stream.runForEach(manifests.changes, () =>
              Effect.sync(() => {
                ticks += 1
              })
            )
          )
          const until = (n: number) =>
            Effect.gen(function* () {
              while (ticks < n) yield* Effect.sleep(20)
            }).pipe(Effect.timeout(15_000))
          yield* until(1)
          yield* Effect.sleep(100)
          const before = ticks
          yield* write("a.yaml", podText("a"))
          yield* until(before + 1)
        }).pipe(Effect.scoped)
      )
    )
  })
}
