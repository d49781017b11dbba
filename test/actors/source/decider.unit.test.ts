import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { FileReport, SourceCommand } from "../../../src/actors/source/commands.ts"
import { sourceDecider } from "../../../src/actors/source/decider.ts"
import { maxRemoved } from "../../../src/actors/source/state.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { Story, tags } from "../../support/given.ts"
import { seededRandom } from "../../support/random.ts"

const storyOf = () => new Story(sourceDecider, actorId("source", "", "manifests"))
const pod = (name: string, uid = `${name}-1`) => ({ namespace: "default", name, uid })
const wrong = { line: 3, column: 9, field: "metadata.name", message: "is missing" }
const ignored = { line: 7, field: "spec.x", message: "is no field of a Pod; ignored" }
const file = (name: string, more: Partial<FileReport> = {}): FileReport => ({
  file: `/m/${name}`,
  hash: "h1",
  pods: [],
  problems: [],
  ignored: [],
  ...more
})
const scanned = (files: ReadonlyArray<FileReport>, gone: ReadonlyArray<string> = []): SourceCommand => ({
  _tag: "ManifestsScanned",
  at: 1000,
  path: "/m",
  files,
  gone
})
const unreadable = (message: string): SourceCommand => ({ _tag: "DirectoryUnreadable", at: 1000, path: "/m", message })
const desired = (story: ReturnType<typeof storyOf>): ReadonlyArray<string> =>
  Object.values(story.state.files)
    .flatMap((f) => f.pods.map((p) => `${p.name} ${p.uid}`))
    .sort()

describe("the source of manifests", () => {
  it("tells a file once, and again when its content is new", () => {
    const story = storyOf()
    const web = file("web.yaml", { pods: [pod("web")] })
    const [read] = story.when(scanned([web]))
    assert.deepEqual(read?.event, { _tag: "ManifestRead", file: "/m/web.yaml", hash: "h1", pods: [pod("web")] })
    assert.deepEqual(story.when(scanned([web])), [])
    assert.deepEqual(tags(story.when(scanned([{ ...web, hash: "h2", pods: [pod("web", "web-2")] }]))), ["ManifestRead"])
    assert.deepEqual(desired(story), ["web web-2"])
    assert.deepEqual(tags(story.when(scanned([{ ...web, hash: "h3", pods: [pod("web", "web-2")] }]))), ["ManifestRead"])
  })

  it("tells pods that a file does not declare any more", () => {
    const story = storyOf()
    story.when(scanned([file("a", { pods: [pod("web"), pod("db")] })]))
    const [read] = story.when(scanned([file("a", { hash: "h2", pods: [pod("db")] })]))
    assert.ok(read?.event._tag === "ManifestRead")
    assert.deepEqual(read.event.dropped, [pod("web")])
    assert.deepEqual(story.state.removed, { "default/web": "web-1" })
    story.when(scanned([file("a", { hash: "h3", pods: [pod("web", "web-2"), pod("db")] })]))
    assert.deepEqual(story.state.removed, {})
  })

  it("tells a file that is gone with the pods that nobody declares any more", () => {
    const story = storyOf()
    story.when(scanned([file("a", { pods: [pod("web")] })]))
    const [gone] = story.when(scanned([], ["/m/a", "/m/never-seen"]))
    assert.deepEqual(gone?.event, { _tag: "ManifestRemoved", file: "/m/a", pods: [pod("web")] })
    assert.deepEqual(story.when(scanned([], ["/m/a"])), [])
    assert.deepEqual(story.state.removed, { "default/web": "web-1" })
  })

  it("keeps a pod desired that moves from one file to another", () => {
    const story = storyOf()
    story.when(scanned([file("b", { pods: [pod("web")] })]))
    const [read, removed] = story.when(scanned([file("a", { pods: [pod("web", "web-2")] })], ["/m/b"]))
    assert.ok(read?.event._tag === "ManifestRead")
    assert.deepEqual(removed?.event, { _tag: "ManifestRemoved", file: "/m/b", pods: [] })
    assert.deepEqual(desired(story), ["web web-2"])
    assert.deepEqual(story.state.removed, {})
  })

  it("keeps the pods of the last good version when a new one is broken, and says what is wrong once", () => {
    const story = storyOf()
    story.when(scanned([file("a", { pods: [pod("web")] })]))
    const broken = file("a", { hash: "h2", problems: [wrong] })
    const [invalid, ...rest] = story.when(scanned([broken]))
    assert.deepEqual(invalid?.event, { _tag: "ManifestInvalid", file: "/m/a", hash: "h2", ...wrong })
    assert.deepEqual(rest, [])
    assert.deepEqual(desired(story), ["web web-1"])
    assert.deepEqual(story.when(scanned([broken])), [])
    assert.deepEqual(tags(story.when(scanned([{ ...broken, hash: "h3" }]))), ["ManifestInvalid"])
    assert.deepEqual(tags(story.when(scanned([file("a", { hash: "h4", pods: [pod("web")] })]))), ["ManifestRead"])
  })

  it("uses the good documents of a file and keeps what a broken one may have declared", () => {
    const story = storyOf()
    story.when(scanned([file("a", { pods: [pod("web"), pod("db")] })]))
    const [read, invalid] = story.when(
      scanned([file("a", { hash: "h2", pods: [pod("db", "db-2")], problems: [wrong] })])
    )
    assert.ok(read?.event._tag === "ManifestRead")
    assert.deepEqual(read.event.pods, [pod("db", "db-2"), pod("web")])
    assert.equal(read.event.dropped, undefined)
    assert.equal(invalid?.event._tag, "ManifestInvalid")
  })

  it("does not let a row of half broken versions add up to more than an event holds", () => {
    const story = storyOf()
    for (let i = 0; i < 10; i++) {
      const pods = Array.from({ length: 100 }, (_, k) => pod(`${"p".repeat(30)}-${i}-${k}`))
      const happened = story.when(scanned([file("a", { hash: `h${i}`, pods, problems: [wrong] })]))
      assert.ok(happened.every(({ event }) => JSON.stringify(event).length < 33 * 1024))
      assert.ok(pods.every((p) => desired(story).includes(`${p.name} ${p.uid}`)))
    }
  })

  it("tells fields that are ignored as following from the reading", () => {
    const story = storyOf()
    const [read, field] = story.when(scanned([file("a", { pods: [pod("web")], ignored: [ignored] })]))
    assert.deepEqual(field?.event, { _tag: "ManifestFieldIgnored", file: "/m/a", hash: "h1", ...ignored })
    assert.equal(field?.cause, read?.id)
    assert.deepEqual(story.when(scanned([file("a", { pods: [pod("web")], ignored: [ignored] })])), [])
  })

  it("tells a file without pods, and nothing of one that is only broken", () => {
    const story = storyOf()
    assert.deepEqual(tags(story.when(scanned([file("empty")]))), ["ManifestRead"])
    assert.deepEqual(tags(story.when(scanned([file("bad", { problems: [wrong] })]))), ["ManifestInvalid"])
    assert.deepEqual(desired(story), [])
  })

  it("gives a pod to the first file, and back when that one goes", () => {
    const story = storyOf()
    const taken = { field: "metadata.name", message: "pod default/web is declared in /m/a already" }
    const b = file("b", { pods: [pod("web", "web-b")] })
    story.when(scanned([b]))
    story.when(scanned([file("a", { pods: [pod("web", "web-a")] }), { ...b, pods: [], problems: [taken] }]))
    assert.deepEqual(desired(story), ["web web-a"])
    assert.deepEqual(story.state.removed, {})
    const back = story.when(scanned([b], ["/m/a"]))
    assert.deepEqual(tags(back), ["ManifestRead", "ManifestRemoved"])
    assert.deepEqual(desired(story), ["web web-b"])
    assert.deepEqual(story.state.removed, {})
    const again = story.when(
      scanned([file("a", { pods: [pod("web", "web-a")] }), { ...b, pods: [], problems: [taken] }])
    )
    assert.deepEqual(tags(again), ["ManifestRead", "ManifestRead", "ManifestInvalid"])
  })

  it("concludes nothing from a directory that cannot be read, and says when it can be again", () => {
    const story = storyOf()
    story.when(scanned([file("a", { pods: [pod("web")] })]))
    const [lost] = story.when(unreadable("gone"))
    assert.deepEqual(lost?.event, { _tag: "SourceUnreadable", path: "/m", message: "gone" })
    assert.deepEqual(story.when(unreadable("gone")), [])
    assert.deepEqual(tags(story.when(unreadable("forbidden"))), ["SourceUnreadable"])
    assert.deepEqual(desired(story), ["web web-1"])
    const [back] = story.when(scanned([]))
    assert.deepEqual(back?.event, { _tag: "SourceReadable", path: "/m" })
    assert.equal(back?.cause, story.log.at(-2)?.id)
  })

  it("remembers only so many pods that are gone", () => {
    const story = storyOf()
    for (let i = 0; i < maxRemoved + 10; i++) {
      story.when(scanned([file(`f${i}`, { pods: [pod(`p${i}`)] })]))
      story.when(scanned([], [`/m/f${i}`]))
    }
    const names = Object.keys(story.state.removed)
    assert.equal(names.length, maxRemoved)
    assert.equal(names.at(-1), `default/p${maxRemoved + 9}`)
  })

  it("folds to the same state from what was recorded, and is silent about what it knows", () => {
    const random = seededRandom("source stories")
    for (let round = 0; round < 200; round++) {
      const story = storyOf()
      for (let step = 0; step < 30; step++) {
        const name = random.pick(["a", "b", "c"])
        const report = file(name, {
          hash: `h${random.int(1, 3)}`,
          pods: random.shuffle([pod("web", `web-${random.int(1, 2)}`), pod("db")]).slice(0, random.int(0, 2)),
          problems: random.chance(0.3) ? [wrong] : [],
          ignored: random.chance(0.3) ? [ignored] : []
        })
        const command = random.pick([
          scanned([report]),
          scanned([report]),
          scanned([], [`/m/${name}`]),
          unreadable("x")
        ])
        story.when(command)
        assert.deepEqual(story.when(command), [], "the same again is no news")
        const wanted = new Set(desired(story).map((d) => `default/${d.split(" ")[0]}`))
        assert.ok(Object.keys(story.state.removed).every((gone) => !wanted.has(gone)))
      }
      assert.deepEqual(story.refolded(), story.state)
    }
  })

  it("tells objects beside the pods when they come, change and go, caused by what was read of their file", () => {
    const story = storyOf()
    const secret = {
      kind: "Secret" as const,
      namespace: "default",
      name: "login",
      file: "/m/a",
      hash: "k1",
      keys: ["password"],
      type: "Opaque"
    }
    const objects = (
      declared: ReadonlyArray<typeof secret>,
      gone: ReadonlyArray<Pick<typeof secret, "kind" | "namespace" | "name">> = []
    ): SourceCommand => ({ _tag: "ObjectsScanned", at: 1000, declared, gone })
    const [read] = story.when(scanned([file("a", { objects: 1 })]))
    assert.deepEqual(read?.event, { _tag: "ManifestRead", file: "/m/a", hash: "h1", pods: [], objects: 1 })
    const because = story.state.files["/m/a"]?.because
    assert.notEqual(because, undefined)
    const [declared] = story.when(objects([secret]))
    assert.deepEqual(declared?.event, { _tag: "ObjectDeclared", ...secret })
    assert.equal(declared?.cause, because)
    assert.deepEqual(story.when(objects([secret])), [])
    assert.deepEqual(tags(story.when(objects([{ ...secret, hash: "k2" }]))), ["ObjectChanged"])
    assert.deepEqual(tags(story.when(objects([{ ...secret, hash: "k2", file: "/m/b" }]))), ["ObjectChanged"])
    const { kind, namespace, name } = secret
    const [removed] = story.when(objects([], [{ kind, namespace, name }]))
    assert.deepEqual(removed?.event, { _tag: "ObjectRemoved", kind, namespace, name, file: "/m/b" })
    assert.deepEqual(story.when(objects([], [{ kind, namespace, name }])), [])
    assert.deepEqual(story.state.objects, {})
  })

  it("reads a file with a broken document and an object: what is whole of it counts", () => {
    const story = storyOf()
    const said = story.when(scanned([file("a", { objects: 1, problems: [wrong] })]))
    assert.deepEqual(tags(said), ["ManifestRead", "ManifestInvalid"])
  })
})
