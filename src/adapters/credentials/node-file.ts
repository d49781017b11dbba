/**
 * The node's own credentials: a file of docker's. Read again every five minutes (`pkg/credentialprovider/provider.go`:
 * CachingDockerConfigProvider), so that a changed one is taken without a restart.
 */
import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { Clock, Effect, Result } from "effect"
import { type DockerConfig, type DockerConfigForm, maxDockerConfigBytes, parseDockerConfig } from "./docker-config.ts"

export interface NodeFile {
  readonly path: string
  readonly form: DockerConfigForm
}

export interface NodeCredentials {
  readonly path: string
  readonly config: DockerConfig
}

export interface NodeFileRead {
  readonly found: NodeCredentials | undefined
  readonly problems: ReadonlyArray<string>
}

/** Milliseconds. */
const lifetime = 300_000

/**
 * Where kubelet looks, in its order, but not in the working directory: what an agent does must not depend on where it was
 * started. The first file that can be read counts.
 */
export const defaultNodeFiles = (dataDir: string, home: string | undefined): ReadonlyArray<NodeFile> => {
  const homes = home === undefined || home === "" || home === "/" ? [] : [home]
  const json = [dataDir, ...homes.map((h) => join(h, ".docker")), "/.docker"]
  const older = [dataDir, ...homes, "/"]
  return [
    ...json.map((folder): NodeFile => ({ path: join(folder, "config.json"), form: "config.json" })),
    ...older.map((folder): NodeFile => ({ path: join(folder, ".dockercfg"), form: "dockercfg" }))
  ]
}

/** A file that is named: its form is told by its name. */
export const namedNodeFile = (path: string): NodeFile => ({
  path,
  form: path.endsWith("dockercfg") ? "dockercfg" : "config.json"
})

const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? "unreadable"

/** Undefined: there is none. */
const readOne = async ({ path, form }: NodeFile): Promise<Result.Result<DockerConfig, string> | undefined> => {
  try {
    const { size } = await stat(path)
    if (size > maxDockerConfigBytes) return Result.fail(`is longer than ${maxDockerConfigBytes} bytes`)
    return parseDockerConfig(await readFile(path, "utf8"), form)
  } catch (error) {
    const code = codeOf(error)
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : Result.fail(`cannot be read (${code})`)
  }
}

const readFirst = async (files: ReadonlyArray<NodeFile>, isNamed: boolean): Promise<NodeFileRead> => {
  const problems: Array<string> = []
  for (const file of files) {
    const read = await readOne(file)
    if (read === undefined) {
      if (isNamed) problems.push(`file ${file.path}: is not there`)
    } else if (Result.isFailure(read)) problems.push(`file ${file.path}: ${read.failure}`)
    else return { found: { path: file.path, config: read.success }, problems }
  }
  return { found: undefined, problems }
}

/** `isNamed`: somebody wants this very file, so that its absence is worth a word. */
export const makeNodeFile = (files: ReadonlyArray<NodeFile>, isNamed: boolean): Effect.Effect<NodeFileRead> => {
  let last: { readonly until: number; readonly read: NodeFileRead } | undefined
  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (last !== undefined && now < last.until) return last.read
    const read = yield* Effect.promise(() => readFirst(files, isNamed))
    // What could not be read is looked at with every pull.
    if (read.problems.length === 0) last = { until: now + lifetime, read }
    return read
  })
}
