/**
 * The configuration of credential providers, as kubelet reads it (`pkg/credentialprovider/plugin/config.go`): one file, or all
 * *.json, *.yaml and *.yml of a directory. Strict: what is not understood is an error, since a provider that is not asked
 * shows up as an image that cannot be pulled.
 */
import { accessSync, constants, readdirSync, readFileSync, statSync } from "node:fs"
import { extname, join } from "node:path"
import { isMap, LineCounter, parseDocument } from "yaml"
import { type ProviderSettings, providerApiVersions, registryProblem } from "../../adapters/credentials/port.ts"
import { checkFields } from "../configuration/check.ts"
import { maxConfigurationBytes, shownKind } from "../configuration/documents.ts"
import type { Fields } from "../configuration/fields.ts"
import { CommandFailed, UsageError } from "../exit.ts"
import { lengthOf } from "../times.ts"
import type { Remark } from "./agent-options.ts"

export interface CredentialProviderPaths {
  /** `--image-credential-provider-config` */
  readonly config: string | undefined
  /** `--image-credential-provider-bin-dir` */
  readonly binDir: string | undefined
}

export interface CredentialProviders {
  readonly providers: ReadonlyArray<ProviderSettings>
  readonly remarks: ReadonlyArray<Remark>
}

const groupVersions = ["v1", "v1beta1", "v1alpha1"].map((version) => `kubelet.config.k8s.io/${version}`)
/** Providers of one node. */
const maxProviders = 100

const fields: Fields = {
  apiVersion: "string",
  kind: "string",
  providers: {
    list: {
      name: "string",
      matchImages: "strings",
      defaultCacheDuration: "duration",
      apiVersion: "string",
      args: "strings",
      env: { list: { name: "string", value: "string" } },
      tokenAttributes: {
        fields: {
          serviceAccountTokenAudience: "string",
          cacheType: { one: ["ServiceAccount", "Token"] },
          requireServiceAccount: "boolean",
          requiredServiceAccountAnnotationKeys: "strings",
          optionalServiceAccountAnnotationKeys: "strings"
        }
      }
    }
  }
}

interface Written {
  readonly name?: string
  readonly matchImages?: ReadonlyArray<string>
  readonly defaultCacheDuration?: string
  readonly apiVersion?: string
  readonly args?: ReadonlyArray<string>
  readonly env?: ReadonlyArray<{ readonly name?: string; readonly value?: string }>
  readonly tokenAttributes?: { readonly requireServiceAccount?: boolean }
}

/** Field and message of everything that is wrong with a provider whose types are right. */
const problemsOf = (p: Written): ReadonlyArray<readonly [field: string, message: string]> => {
  const problems: Array<readonly [string, string]> = []
  const { name = "", apiVersion = "", matchImages = [], defaultCacheDuration } = p
  if (name === "") problems.push(["name", "is missing"])
  else if (name === "." || name === ".." || /[/ ]/u.test(name))
    problems.push(["name", `'${name}' cannot be the name of a program in the directory of plugins`])
  if (!(providerApiVersions as ReadonlyArray<string>).includes(apiVersion))
    problems.push(["apiVersion", `must be one of ${providerApiVersions.join(", ")}, not '${apiVersion}'`])
  if (matchImages.length === 0) problems.push(["matchImages", "names no images"])
  matchImages.forEach((image, i) => {
    const problem = registryProblem(image)
    if (problem !== undefined) problems.push([`matchImages[${i}]`, problem])
  })
  if (defaultCacheDuration === undefined) problems.push(["defaultCacheDuration", "is missing"])
  else if (lengthOf(defaultCacheDuration) < 0) problems.push(["defaultCacheDuration", "must not be negative"])
  for (const [i, { name: variable = "" }] of (p.env ?? []).entries())
    if (variable === "" || variable.includes("=")) problems.push([`env[${i}].name`, `'${variable}' is no name`])
  return problems
}

/** @throws CommandFailed that names file, line and field of every problem */
const readFile = (file: string): ReadonlyArray<Written> => {
  let text: string
  try {
    if (statSync(file).size > maxConfigurationBytes)
      throw new CommandFailed(`${file}: is longer than ${maxConfigurationBytes} bytes`)
    text = readFileSync(file, "utf8")
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    throw new CommandFailed(`cannot read the credential providers: ${(error as Error).message}`)
  }
  const lines = new LineCounter()
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  const mend = (problems: ReadonlyArray<string>) => new CommandFailed(problems.join("\n"), "mend it and start again")
  const document = parseDocument(text, { lineCounter: lines })
  if (document.errors.length > 0) throw mend(document.errors.map((e) => `${at(e.pos[0])}: ${e.message.split("\n")[0]}`))
  const root = document.contents
  if (!isMap(root)) throw mend([`${at(0)}: must be a CredentialProviderConfig`])
  const {
    apiVersion,
    kind,
    providers = []
  } = document.toJS() as {
    readonly apiVersion?: string
    readonly kind?: string
    readonly providers?: ReadonlyArray<Written>
  }
  if (kind !== "CredentialProviderConfig" || !groupVersions.includes(apiVersion ?? ""))
    throw mend([
      `${at(root.range?.[0] ?? 0)}: kind: is ${shownKind({ kind, apiVersion })}, not CredentialProviderConfig of ${groupVersions[0]}`
    ])
  const shape = checkFields(document, root, fields, "").map(
    (p) => `${at(p.offset)}: ${p.field}: ${p.message.replace(" and ignored", "")}`
  )
  if (shape.length > 0) throw mend(shape)
  const offsetOf = (path: ReadonlyArray<string | number>): number =>
    (document.getIn(path, true) as { readonly range?: readonly [number, number, number] } | undefined)?.range?.[0] ?? 0
  const wrong = providers.flatMap((provider, i) =>
    problemsOf(provider).map(([field, message]) => {
      const offset = offsetOf(["providers", i, field.split("[")[0]!]) || offsetOf(["providers", i])
      return `${at(offset)}: providers[${i}].${field}: ${message}`
    })
  )
  if (providers.length === 0) wrong.push(`${at(root.range?.[0] ?? 0)}: providers: names no provider`)
  if (wrong.length > 0) throw mend(wrong)
  return providers
}

const filesOf = (path: string): ReadonlyArray<string> => {
  let entries: ReadonlyArray<string>
  try {
    if (!statSync(path).isDirectory()) return [path]
    entries = readdirSync(path, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [] : [e.name]))
  } catch (error) {
    throw new CommandFailed(`cannot read the credential providers: ${(error as Error).message}`)
  }
  const files = entries.filter((name) => [".json", ".yaml", ".yml"].includes(extname(name))).sort()
  if (files.length === 0) throw new CommandFailed(`${path}: holds no *.json, *.yaml or *.yml with credential providers`)
  return files.map((name) => join(path, name))
}

const checkProgram = (program: string): void => {
  try {
    accessSync(program, constants.X_OK)
    if (!statSync(program).isFile()) throw new Error("it is no file")
  } catch (error) {
    throw new CommandFailed(`the credential provider ${program} cannot be run: ${(error as Error).message}`)
  }
}

/** @throws CommandFailed, UsageError */
export const readCredentialProviders = ({ config, binDir }: CredentialProviderPaths): CredentialProviders => {
  if (config === undefined && binDir === undefined) return { providers: [], remarks: [] }
  if (config === undefined || binDir === undefined)
    throw new UsageError("--image-credential-provider-config and --image-credential-provider-bin-dir go together")
  const remarks: Array<Remark> = []
  const providers: Array<ProviderSettings> = []
  for (const file of filesOf(config)) {
    for (const written of readFile(file)) {
      const name = written.name!
      if (providers.some((p) => p.name === name)) throw new CommandFailed(`${file}: a second provider named '${name}'`)
      const program = join(binDir, name)
      checkProgram(program)
      if (written.tokenAttributes?.requireServiceAccount === true) {
        const message = `${file}: provider ${name} wants the token of a service account, which pods of a node by itself do not have: it is not asked`
        remarks.push({ level: "warn", message })
        continue
      }
      providers.push({
        name,
        program,
        apiVersion: written.apiVersion as ProviderSettings["apiVersion"],
        matchImages: written.matchImages ?? [],
        defaultCacheDuration: lengthOf(written.defaultCacheDuration!),
        args: written.args ?? [],
        env: (written.env ?? []).map(({ name: variable, value }) => ({ name: variable!, value: value ?? "" }))
      })
    }
  }
  if (providers.length > maxProviders)
    throw new CommandFailed(`${config}: more than ${maxProviders} credential providers`)
  return { providers, remarks }
}
