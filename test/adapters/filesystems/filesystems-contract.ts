/** What every implementation of `FileSystems` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import type { FileSystemError, FileSystems } from "../../../src/adapters/filesystems/port.ts"

export interface FileSystemsUnderTest {
  readonly files: (typeof FileSystems)["Service"]
  /** A directory that is there and empty. */
  readonly root: string
  readonly makeDirectory: (path: string) => Effect.Effect<void>
  /** Of so many bytes on the disk: whole blocks. */
  readonly writeFile: (path: string, bytes: number) => Effect.Effect<void>
  /** One more name of a file. */
  readonly link: (path: string, name: string) => Effect.Effect<void>
  /** Another file system at a directory that is there; undefined: it cannot be had here. */
  readonly mount: ((path: string) => Effect.Effect<void, never, Scope.Scope>) | undefined
  /** What an empty directory takes: nothing on some file systems. */
  readonly directoryBytes: number
}

const kibibyte = 1024

export const fileSystemsContract = (
  name: string,
  make: Effect.Effect<FileSystemsUnderTest, never, Scope.Scope>
): void => {
  const withIt = (
    use: (it: FileSystemsUnderTest) => Effect.Effect<void, FileSystemError, Scope.Scope>
  ): Promise<void> => Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))

  describe(`${name} keep the contract of file systems`, () => {
    it("tell what a file system has, and the same of all paths on it", () =>
      withIt(({ files, root, makeDirectory }) =>
        Effect.gen(function* () {
          yield* makeDirectory(`${root}/a`)
          const whole = yield* files.usage(root)
          assert.match(whole.device, /^\d+:\d+$/)
          assert.ok(whole.capacity > 0 && whole.free <= whole.capacity && whole.available <= whole.free)
          assert.ok(whole.inodes > 0 && whole.inodesFree <= whole.inodes)
          const again = yield* files.usage(`${root}/a`)
          assert.deepEqual([again.device, again.capacity], [whole.device, whole.capacity])
        })
      ))

    it("size a directory with all below it, itself included", () =>
      withIt(({ files, root, makeDirectory, writeFile, directoryBytes }) =>
        Effect.gen(function* () {
          yield* makeDirectory(`${root}/a`)
          yield* makeDirectory(`${root}/a/b`)
          yield* writeFile(`${root}/a/one`, 64 * kibibyte)
          yield* writeFile(`${root}/a/b/two`, 128 * kibibyte)
          yield* writeFile(`${root}/beside`, 64 * kibibyte)
          const { bytes, inodes, at, truncated } = yield* files.directory(`${root}/a`)
          assert.deepEqual([inodes, truncated, at > 0], [4, undefined, true])
          assert.equal(bytes - 192 * kibibyte, 2 * directoryBytes)
        })
      ))

    it("count a file with several names once", () =>
      withIt(({ files, root, writeFile, link }) =>
        Effect.gen(function* () {
          yield* writeFile(`${root}/one`, 64 * kibibyte)
          const before = yield* files.directory(root)
          yield* link(`${root}/one`, `${root}/again`)
          const after = yield* files.directory(root)
          assert.deepEqual([after.bytes, after.inodes], [before.bytes, before.inodes])
        })
      ))

    it("stay on one file system", () =>
      withIt(({ files, root, makeDirectory, writeFile, mount }) =>
        Effect.gen(function* () {
          if (mount === undefined) return
          yield* makeDirectory(`${root}/other`)
          yield* mount(`${root}/other`)
          yield* writeFile(`${root}/other/file`, 64 * kibibyte)
          const { bytes, inodes } = yield* files.directory(root)
          assert.ok(inodes <= 2 && bytes < 64 * kibibyte, `${inodes} inodes, ${bytes} bytes`)
          assert.notEqual((yield* files.usage(`${root}/other`)).device, (yield* files.usage(root)).device)
        })
      ))

    it("size the files right in a directory by the beginning of their names", () =>
      withIt(({ files, root, makeDirectory, writeFile }) =>
        Effect.gen(function* () {
          yield* makeDirectory(`${root}/0.log.d`)
          yield* writeFile(`${root}/0.log.d/inside`, 64 * kibibyte)
          yield* writeFile(`${root}/0.log`, 64 * kibibyte)
          yield* writeFile(`${root}/0.log.20261126-101010.gz`, 64 * kibibyte)
          yield* writeFile(`${root}/1.log`, 64 * kibibyte)
          const { bytes, inodes } = yield* files.files(root, "0.log")
          assert.deepEqual([bytes, inodes], [128 * kibibyte, 2])
          const all = yield* files.files(root, "")
          assert.deepEqual([all.bytes, all.inodes], [192 * kibibyte, 3])
        })
      ))

    it("say NotFound of what is not there", () =>
      withIt(({ files, root }) =>
        Effect.gen(function* () {
          const nowhere = `${root}/nowhere`
          const calls: ReadonlyArray<Effect.Effect<unknown, FileSystemError>> = [
            files.usage(nowhere),
            files.directory(nowhere),
            files.files(nowhere, "")
          ]
          for (const call of calls) {
            const told: FileSystemError | string = yield* Effect.match(call, {
              onFailure: (error) => error,
              onSuccess: () => "an answer"
            })
            assert.equal(typeof told === "string" ? told : told.reason, "NotFound")
          }
        })
      ))

    it("give those who ask for the same directory at once the same answer", () =>
      withIt(({ files, root, writeFile }) =>
        Effect.gen(function* () {
          yield* writeFile(`${root}/one`, 64 * kibibyte)
          const [one, two] = yield* Effect.all([files.directory(root), files.directory(root)], { concurrency: 2 })
          // In memory a walk takes no time: the next one begins a moment later.
          assert.deepEqual({ ...one, at: 0 }, { ...two, at: 0 })
          assert.ok(Math.abs(one.at - two.at) < 1_000)
        })
      ))
  })
}
