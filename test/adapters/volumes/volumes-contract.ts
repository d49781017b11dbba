/** What every implementation of `Volumes` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import type { FilesPlugin, HostPathType, VolumeRequest, Volumes } from "../../../src/adapters/volumes/port.ts"

export interface VolumesUnderTest {
  readonly volumes: (typeof Volumes)["Service"]
  /** A directory of the host that the test may use; paths below it are free. */
  readonly free: string
  readonly put: (path: string, what: "directory" | "file" | "socket") => Effect.Effect<void>
  readonly exists: (path: string) => Effect.Effect<boolean>
  /** Text of a file in a volume, links followed; `undefined`: there is none. */
  readonly read: (path: string) => Effect.Effect<string | undefined>
}

const emptyDir = (podUid: string, name: string): VolumeRequest => ({
  podUid,
  name,
  source: { kind: "emptyDir", medium: "" }
})
const hostPath = (path: string, type: HostPathType): VolumeRequest => ({
  podUid: "u-1",
  name: "host",
  source: { kind: "hostPath", path, type }
})

const utf8 = new TextEncoder()
export const filesOf = (
  texts: Readonly<Record<string, string>>,
  more: { readonly plugin?: FilesPlugin; readonly mode?: number; readonly nested?: ReadonlyArray<string> } = {}
): VolumeRequest => ({
  podUid: "u-1",
  name: "settings",
  source: {
    kind: "files",
    plugin: more.plugin ?? "configmap",
    memory: false,
    files: Object.entries(texts).map(([path, text]) => ({ path, data: utf8.encode(text), mode: more.mode ?? 0o644 })),
    nested: more.nested ?? []
  }
})

/** `canMount`: why bind mounts cannot be made here; `false`: they can. */
export const volumesContract = (
  name: string,
  make: Effect.Effect<VolumesUnderTest, never, Scope.Scope>,
  canMount: string | false = false
): void => {
  const needs = { skip: canMount }
  const withIt = (use: (it: VolumesUnderTest) => Effect.Effect<void, unknown>): Promise<void> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))

  describe(`${name} keeps the volumes contract`, () => {
    it("makes an emptyDir of the pod's own, finds it again, and takes it down once and for all", () =>
      withIt(({ volumes, exists }) =>
        Effect.gen(function* () {
          const path = yield* volumes.mount(emptyDir("u-1", "cache"))
          assert.ok(path.endsWith("/pods/u-1/volumes/kubernetes.io~empty-dir/cache"), path)
          assert.equal(yield* volumes.mount(emptyDir("u-1", "cache")), path)
          const other = yield* volumes.mount(emptyDir("u-2", "cache"))
          assert.notEqual(other, path)
          yield* volumes.unmount("u-1", "cache")
          yield* volumes.unmount("u-1", "cache")
          assert.equal(yield* exists(path), false)
          assert.equal(yield* exists(other), true)
        })
      ))

    it("answers a hostPath as it is, and leaves it when it is taken down", () =>
      withIt(({ volumes, free, put, exists }) =>
        Effect.gen(function* () {
          yield* put(`${free}/dir`, "directory")
          assert.equal(yield* volumes.mount(hostPath(`${free}/dir`, "Directory")), `${free}/dir`)
          yield* volumes.unmount("u-1", "host")
          assert.equal(yield* exists(`${free}/dir`), true)
          assert.equal(yield* volumes.mount(hostPath(`${free}/nowhere`, "")), `${free}/nowhere`)
          assert.equal(yield* exists(`${free}/nowhere`), false)
        })
      ))

    it("creates what the type says, and keeps it", () =>
      withIt(({ volumes, free, exists }) =>
        Effect.gen(function* () {
          for (const type of ["DirectoryOrCreate", "FileOrCreate"] as const) {
            yield* volumes.mount(hostPath(`${free}/${type}`, type))
            yield* volumes.mount(hostPath(`${free}/${type}`, type))
            yield* volumes.unmount("u-1", "host")
            assert.equal(yield* exists(`${free}/${type}`), true)
          }
        })
      ))

    it("refuses what is missing or of another kind, and names the path", () =>
      withIt(({ volumes, free, put }) =>
        Effect.gen(function* () {
          yield* put(`${free}/f`, "file")
          yield* put(`${free}/d`, "directory")
          yield* put(`${free}/s`, "socket")
          assert.equal(yield* volumes.mount(hostPath(`${free}/s`, "Socket")), `${free}/s`)
          for (const [path, type, message] of [
            ["f", "Directory", "is not a directory"],
            ["f", "DirectoryOrCreate", "is not a directory"],
            ["f", "Socket", "is not a socket file"],
            ["f", "CharDevice", "is not a character device"],
            ["f", "BlockDevice", "is not a block device"],
            ["d", "File", "is not a file"],
            ["d", "FileOrCreate", "is not a file"],
            ["no", "Directory", "is not a directory"],
            ["no", "File", "is not a file"],
            ["no", "Socket", "is not a socket file"]
          ] as const) {
            const error = yield* Effect.flip(volumes.mount(hostPath(`${free}/${path}`, type)))
            assert.equal(error.message, `hostPath type check failed: ${free}/${path} ${message}`)
            assert.equal(error.volume, "host")
          }
        })
      ))

    it("fills a volume with files, replaces them, and takes it down", () =>
      withIt(({ volumes, exists, read }) =>
        Effect.gen(function* () {
          assert.equal(yield* volumes.hasFiles("u-1", "settings"), false)
          const path = yield* volumes.mount(filesOf({ mode: "fast", "deep/er/key": "one" }))
          assert.ok(path.endsWith("/pods/u-1/volumes/kubernetes.io~configmap/settings"), path)
          assert.equal(yield* volumes.hasFiles("u-1", "settings"), true)
          assert.deepEqual(yield* volumes.onNode, [{ podUid: "u-1", name: "settings" }])
          assert.equal(yield* read(`${path}/mode`), "fast")
          assert.equal(yield* read(`${path}/deep/er/key`), "one")
          assert.equal(yield* volumes.mount(filesOf({ mode: "slow", new: "" })), path)
          assert.equal(yield* read(`${path}/mode`), "slow")
          assert.equal(yield* read(`${path}/new`), "")
          assert.equal(yield* read(`${path}/deep/er/key`), undefined)
          yield* volumes.mount(filesOf({}))
          assert.equal(yield* read(`${path}/mode`), undefined)
          assert.equal(yield* volumes.hasFiles("u-1", "settings"), true)
          yield* volumes.unmount("u-1", "settings")
          yield* volumes.unmount("u-1", "settings")
          assert.equal(yield* exists(path), false)
          assert.equal(yield* volumes.hasFiles("u-1", "settings"), false)
          assert.deepEqual(yield* volumes.onNode, [])
        })
      ))

    it("makes no file outside of the volume, and leaves what was there", () =>
      withIt(({ volumes, read }) =>
        Effect.gen(function* () {
          for (const [path, message] of [
            ["../x", "invalid path: must not contain '..': ../x"],
            ["a/../../x", "invalid path: must not contain '..': a/../../x"],
            ["/etc/x", "invalid path: must be relative path: /etc/x"],
            ["..data/x", "invalid path: must not start with '..': ..data/x"],
            ["", 'invalid path: must not be empty: ""'],
            [".", 'invalid path: names no file: "."'],
            ["n".repeat(256), "invalid path: filenames must be less than or equal to 255 characters"]
          ] as const) {
            assert.equal((yield* Effect.flip(volumes.mount(filesOf({ [path]: "x" })))).message, message)
          }
          assert.equal(yield* volumes.hasFiles("u-1", "settings"), false)
          const path = yield* volumes.mount(filesOf({ a: "kept" }))
          yield* Effect.flip(volumes.mount(filesOf({ "../x": "x" })))
          assert.equal(yield* read(`${path}/a`), "kept")
        })
      ))

    it("makes a path in a volume reachable, finds it again, and takes it down with the volume", needs, () =>
      withIt(({ volumes, exists }) =>
        Effect.gen(function* () {
          const volumePath = yield* volumes.mount(emptyDir("u-1", "data"))
          const request = { podUid: "u-1", volume: "data", volumePath, container: "app", index: 3, subPath: "a/b" }
          const path = yield* volumes.mountSubPath(request)
          assert.ok(path.endsWith("/pods/u-1/volume-subpaths/data/app/3"), path)
          assert.equal(yield* exists(`${volumePath}/a/b`), true)
          assert.equal(yield* volumes.mountSubPath(request), path)
          const wrong = yield* Effect.flip(volumes.mountSubPath({ ...request, subPath: "../x" }))
          assert.deepEqual([wrong._tag, wrong.volume], ["SubPathError", "data"])
          const nameless = yield* Effect.flip(volumes.mountSubPath({ ...request, container: "../x" }))
          assert.equal(nameless.step, "prepare")
          yield* volumes.unmount("u-1", "data")
          assert.deepEqual([yield* exists(path), yield* exists(volumePath)], [false, false])
        })
      )
    )

    it("knows a hostPath that has sub paths, and takes only these down", needs, () =>
      withIt(({ volumes, free, put, exists }) =>
        Effect.gen(function* () {
          yield* put(`${free}/shared`, "directory")
          const volumePath = yield* volumes.mount(hostPath(`${free}/shared`, "Directory"))
          assert.deepEqual(yield* volumes.onNode, [])
          const request = { podUid: "u-1", volume: "host", volumePath, container: "app", index: 0, subPath: "a" }
          const path = yield* volumes.mountSubPath(request)
          assert.deepEqual(yield* volumes.onNode, [{ podUid: "u-1", name: "host" }])
          yield* volumes.unmount("u-1", "host")
          assert.deepEqual(yield* volumes.onNode, [])
          assert.deepEqual([yield* exists(path), yield* exists(`${volumePath}/a`)], [false, true])
        })
      )
    )

    it("reads no file that is not in the volume", () =>
      withIt(({ volumes, free, put }) =>
        Effect.gen(function* () {
          yield* put(`${free}/beside`, "file")
          const volumePath = yield* volumes.mount(emptyDir("u-1", "data"))
          for (const path of ["nothing", "../beside", "../../../../../beside"])
            assert.equal(
              (yield* Effect.flip(volumes.readFile("u-1", "data", volumePath, path)))._tag,
              "VolumeError",
              path
            )
        })
      ))

    it("makes no paths of what is no name", () =>
      withIt(({ volumes }) =>
        Effect.gen(function* () {
          for (const [uid, volume] of [
            ["..", "v"],
            ["u", "../../x"],
            ["u/../..", "v"],
            ["", "v"],
            ["u", ""]
          ] as const) {
            assert.match(
              (yield* Effect.flip(volumes.mount(emptyDir(uid, volume)))).message,
              /cannot be a directory's name/u
            )
            assert.match((yield* Effect.flip(volumes.unmount(uid, volume))).message, /cannot be a directory's name/u)
          }
        })
      ))
  })
}
