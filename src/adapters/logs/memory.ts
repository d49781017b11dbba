/** Containers' logs in memory: names and sizes, for tests and simulations. */
import { Context, Effect, Layer } from "effect"
import { besides, inUse, kept, nextName, packedSuffix } from "./names.ts"
import { ContainerLogs, LogError } from "./port.ts"

/** What a test does to the files. */
export class LogsControl extends Context.Service<
  LogsControl,
  {
    /** The file has this size from now on. */
    readonly write: (path: string, bytes: number) => Effect.Effect<void>
    readonly files: Effect.Effect<ReadonlyArray<string>>
    /** Target by link. */
    readonly links: Effect.Effect<ReadonlyMap<string, string>>
    /** The next renaming fails with this message. */
    readonly failNext: (message: string) => Effect.Effect<void>
  }
>()("chronode/LogsControl") {}

const split = (path: string) => ({
  directory: path.slice(0, path.lastIndexOf("/")),
  name: path.slice(path.lastIndexOf("/") + 1)
})

export const make = Effect.sync(() => {
  const sizes = new Map<string, number>()
  const links = new Map<string, string>()
  let failure: string | undefined
  const names = (directory: string): ReadonlyArray<string> =>
    [...sizes.keys()].filter((path) => split(path).directory === directory).map((path) => split(path).name)
  const rename = (from: string, to: string): void => {
    const size = sizes.get(from)
    if (size === undefined) return
    sizes.delete(from)
    sizes.set(to, size)
  }
  const logs = ContainerLogs.of({
    size: (path) => Effect.sync(() => sizes.get(path)),
    makeRoom: (path, maxFiles) =>
      Effect.sync(() => {
        const { directory, name } = split(path)
        const all = besides(name, names(directory))
        const stay = new Set(kept(inUse(all), maxFiles))
        for (const each of all) if (!stay.has(each)) sizes.delete(`${directory}/${each}`)
        for (const each of stay)
          if (!each.endsWith(packedSuffix)) rename(`${directory}/${each}`, `${directory}/${each}${packedSuffix}`)
      }),
    setAside: (path, at) =>
      Effect.suspend(() => {
        const message = failure ?? (sizes.has(path) ? undefined : `ENOENT: no such file or directory, rename '${path}'`)
        failure = undefined
        if (message !== undefined) return Effect.fail(new LogError({ operation: "set aside", path, message }))
        const { directory, name } = split(path)
        const rotated = `${directory}/${nextName(name, at, names(directory))}`
        rename(path, rotated)
        return Effect.succeed(rotated)
      }),
    putBack: (rotated, path) =>
      Effect.sync(() => {
        if (!sizes.has(path)) rename(rotated, path)
      }),
    directories: (path) =>
      Effect.sync(() => {
        const within = [...sizes.keys()].filter((file) => file.startsWith(`${path}/`))
        const first = within.map((file) => file.slice(path.length + 1).split("/"))
        return [...new Set(first.flatMap((parts) => (parts.length > 1 ? [parts[0]!] : [])))].sort()
      }),
    removeDirectory: (path) =>
      Effect.sync(() => {
        for (const file of sizes.keys()) if (file.startsWith(`${path}/`)) sizes.delete(file)
      }),
    remove: (path) =>
      Effect.sync(() => {
        const { directory, name } = split(path)
        for (const each of besides(name, names(directory))) sizes.delete(`${directory}/${each}`)
        sizes.delete(path)
      }),
    link: (at, target) =>
      Effect.sync(() => {
        if (sizes.has(target)) links.set(at, target)
      }),
    unlink: (directory, target) =>
      Effect.sync(() => {
        for (const [at, to] of links)
          if (split(at).directory === directory && (to === target || to.startsWith(`${target}/`))) links.delete(at)
      })
  })
  const control = LogsControl.of({
    write: (path, bytes) => Effect.sync(() => void sizes.set(path, bytes)),
    files: Effect.sync(() => [...sizes.keys()].sort()),
    links: Effect.sync(() => new Map(links)),
    failNext: (message) =>
      Effect.sync(() => {
        failure = message
      })
  })
  return Context.make(ContainerLogs, logs).pipe(Context.add(LogsControl, control))
})

export const layer: Layer.Layer<ContainerLogs | LogsControl> = Layer.effectContext(make)
