/** What every implementation of `ServiceManifests` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope, Stream } from "effect"
import type { ServiceManifests, ServicesSnapshot } from "../../../../src/adapters/services/port.ts"

export interface ServicesUnderTest {
  readonly manifests: (typeof ServiceManifests)["Service"]
  readonly write: (name: string, text: string) => Effect.Effect<void>
  readonly remove: (name: string) => Effect.Effect<void>
  /** Takes the directory away. */
  readonly breakDirectory: Effect.Effect<void>
}

export const serviceText = (name: string, ip = "10.96.0.1") => `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {clusterIP: ${ip}, ports: [{port: 80, targetPort: 8080}]}
`

export const sliceText = (service: string, ...addresses: ReadonlyArray<string>) => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${service}-1
  labels: {kubernetes.io/service-name: ${service}}
addressType: IPv4
ports: [{port: 8080}]
endpoints:
${addresses.map((a) => `- {addresses: ["${a}"]}`).join("\n")}
`

type Readable = Extract<ServicesSnapshot, { readonly _tag: "Readable" }>

const readable = (snapshot: ServicesSnapshot): Readable => {
  assert.ok(snapshot._tag === "Readable", JSON.stringify(snapshot))
  return snapshot
}

export const servicesContract = (name: string, make: Effect.Effect<ServicesUnderTest, never, Scope.Scope>): void => {
  const withIt = <A>(use: (it: ServicesUnderTest) => Effect.Effect<A, unknown>): Promise<A> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))

  describe(`${name} keeps the contract of Service manifests`, () => {
    it("tells what files declare, sorted by file, hidden ones left out", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          yield* write("b.yaml", serviceText("b", "10.96.0.2"))
          yield* write("a.yaml", `${serviceText("a")}---\n${sliceText("a", "10.0.0.1", "10.0.0.2")}`)
          yield* write(".hidden", serviceText("hidden"))
          const { files, services, slices } = readable(yield* manifests.scan)
          assert.deepEqual(
            files.map((f) => [f.file, f.objects, f.problems]),
            [
              [`${manifests.directory}/a.yaml`, 2, []],
              [`${manifests.directory}/b.yaml`, 1, []]
            ]
          )
          assert.deepEqual(
            services.map((s) => [s.namespace, s.name, s.spec.clusterIPs, s.line]),
            [
              ["default", "a", ["10.96.0.1"], 3],
              ["default", "b", ["10.96.0.2"], 3]
            ]
          )
          assert.deepEqual(
            slices.map((s) => [s.service, s.endpoints.map((e) => e.address)]),
            [["a", ["10.0.0.1", "10.0.0.2"]]]
          )
        })
      ))

    it("answers the same objects for files that are as they were", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          yield* write("a.yaml", serviceText("a"))
          yield* write("b.yaml", serviceText("b"))
          const before = readable(yield* manifests.scan)
          yield* write("b.yaml", serviceText("b", "10.96.0.9"))
          const after = readable(yield* manifests.scan)
          assert.equal(after.services[0], before.services[0])
          assert.equal(after.files[0], before.files[0])
          assert.notEqual(after.services[1], before.services[1])
          assert.notEqual(after.services[1]?.hash, before.services[1]?.hash)
        })
      ))

    it("keeps what a file declared while an edit of it is broken", () =>
      withIt(({ manifests, write, remove }) =>
        Effect.gen(function* () {
          yield* write("a.yaml", `${serviceText("a")}---\n${sliceText("a", "10.0.0.1")}`)
          yield* manifests.scan
          yield* write("a.yaml", `${serviceText("a", "10.96.0.5")}---\nkind: [`)
          const broken = readable(yield* manifests.scan)
          assert.equal(broken.services[0]?.spec.clusterIPs[0], "10.96.0.5")
          assert.equal(broken.slices.length, 1)
          assert.equal(broken.files[0]?.problems.length, 1)
          yield* remove("a.yaml")
          const gone = readable(yield* manifests.scan)
          assert.deepEqual([gone.services.length, gone.slices.length, gone.files.length], [0, 0, 0])
        })
      ))

    it("lets the first of two with one name count, and names both files", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          yield* write("a.yaml", serviceText("web"))
          yield* write("b.yaml", serviceText("web", "10.96.0.2"))
          const { services, files } = readable(yield* manifests.scan)
          assert.deepEqual(
            services.map((s) => s.spec.clusterIPs[0]),
            ["10.96.0.1"]
          )
          assert.deepEqual(files[1]?.problems, [
            {
              line: 3,
              field: "metadata.name",
              message: `Service default/web is declared in ${manifests.directory}/a.yaml already`
            }
          ])
        })
      ))

    it("says that the directory cannot be read, and concludes nothing", () =>
      withIt(({ manifests, write, breakDirectory }) =>
        Effect.gen(function* () {
          yield* write("a.yaml", serviceText("a"))
          yield* manifests.scan
          yield* breakDirectory
          const snapshot = yield* manifests.scan
          assert.equal(snapshot._tag, "Unreadable")
        })
      ))

    it("ticks after a change", () =>
      withIt(({ manifests, write }) =>
        Effect.gen(function* () {
          let ticks = 0
          const count = Stream.runForEach(manifests.changes, () =>
            Effect.sync(() => {
              ticks += 1
            })
          )
          yield* Effect.forkScoped(count)
          const until = (n: number) =>
            Effect.gen(function* () {
              while (ticks < n) yield* Effect.sleep(20)
            }).pipe(Effect.timeout(15_000))
          yield* until(1)
          yield* Effect.sleep(100)
          const before = ticks
          yield* write("a.yaml", serviceText("a"))
          yield* until(before + 1)
        }).pipe(Effect.scoped)
      ))
  })
}
