import { Effect } from "effect"
import { makeMemoryFileSystems } from "../../../src/adapters/filesystems/memory.ts"
import { fileSystemsContract } from "./filesystems-contract.ts"

const disk = (device: string) => ({
  device,
  capacity: 1_000_000_000,
  free: 600_000_000,
  available: 500_000_000,
  inodes: 10_000,
  inodesFree: 9_000
})

fileSystemsContract(
  "the file systems in memory",
  Effect.sync(() => {
    const memory = makeMemoryFileSystems(disk("8:1"))
    memory.directories.add("/root")
    return {
      files: memory.service,
      root: "/root",
      makeDirectory: (path) => Effect.sync(() => void memory.directories.add(path)),
      writeFile: (path, bytes) => Effect.sync(() => void memory.files.set(path, { bytes })),
      link: (path, name) =>
        Effect.sync(() => {
          const file = { ...memory.files.get(path)!, inode: 1 }
          memory.files.set(path, file)
          memory.files.set(name, file)
        }),
      mount: (path) => Effect.sync(() => void memory.mounts.set(path, disk("0:50"))),
      directoryBytes: 0
    }
  })
)
