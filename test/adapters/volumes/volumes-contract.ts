/** What every implementation of `Volumes` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import type { HostPathType, VolumeRequest, Volumes } from "../../../src/adapters/volumes/port.ts"

export interface VolumesUnderTest {
  readonly volumes: (typeof Volumes)["Service"]
  /** A directory of the host that the test may use; paths below it are free. */
  readonly free: string
  readonly put: (path: string, what: "directory" | "file" | "socket") => Effect.Effect<void>
  readonly exists: (path: string) => Effect.Effect<boolean>
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

export const volumesContract = (name: string, make: Effect.Effect<VolumesUnderTest, never, Scope.Scope>): void => {
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
            ["f", "Directory", "is no directory"],
            ["f", "DirectoryOrCreate", "is no directory"],
            ["f", "Socket", "is no socket"],
            ["f", "CharDevice", "is no character device"],
            ["f", "BlockDevice", "is no block device"],
            ["d", "File", "is no file"],
            ["d", "FileOrCreate", "is no file"],
            ["no", "Directory", "does not exist"],
            ["no", "File", "does not exist"],
            ["no", "Socket", "does not exist"]
          ] as const) {
            const error = yield* Effect.flip(volumes.mount(hostPath(`${free}/${path}`, type)))
            assert.equal(error.message, `${free}/${path} ${message} (hostPath type ${type})`)
            assert.equal(error.volume, "host")
          }
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
