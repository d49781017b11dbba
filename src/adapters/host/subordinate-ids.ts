/** The ids that this host sets aside for the pods' user namespaces (`pkg/kubelet/kubelet_pods.go` getKubeletMappings). */
import { execFile } from "node:child_process"
import type { SubordinateIds } from "./port.ts"

/** Whose they are in /etc/subuid and /etc/subgid: kubelet's, so that a host prepared for it is so for us. */
const owner = "kubelet"
const program = "getsubids"
/** Milliseconds. */
const patience = 5_000
const maxId = 2 ** 32 - 1

const idOf = (text: string, line: string): number => {
  const id = /^\d+$/u.test(text) ? Number(text) : Number.NaN
  if (!(id <= maxId)) throw new Error(`error parsing line ${JSON.stringify(line)}: ${text} is no id of 32 bits`)
  return id
}

/** `0: kubelet 65536 2147483648`: exactly one line. Throws for anything else. */
export const parseSubordinateIds = (output: string): SubordinateIds => {
  const lines = output.replace(/^\n+|\n+$/gu, "").split("\n")
  const line = lines[0] ?? ""
  if (lines.length !== 1) throw new Error(`error parsing ${JSON.stringify(output)}: it must contain only one line`)
  const parts = line.split(/\s+/u).filter((part) => part !== "")
  const [, , first, length] = parts
  if (parts.length !== 4 || first === undefined || length === undefined)
    throw new Error(`invalid line ${JSON.stringify(line)}`)
  return { first: idOf(first, line), length: idOf(length, line) }
}

interface Ended {
  /** `ENOENT`: there is no such program. */
  readonly code: number | string
  readonly stdout: string
}

const run = (command: string, args: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(command, args, { timeout: patience, encoding: "utf8" }, (error, stdout) =>
      resolve({ code: error === null ? 0 : (error.code ?? "killed"), stdout })
    )
  })

/** Undefined where nothing is set aside: there is no such user, or no program that tells. */
export const readSubordinateIds = async (): Promise<SubordinateIds | undefined> => {
  if ((await run("id", ["-u", owner])).code !== 0) return undefined
  const users = await run(program, [owner])
  if (users.code === "ENOENT") return undefined
  if (users.code !== 0) throw new Error(`error retrieving additional ids for user "${owner}"`)
  const groups = await run(program, ["-g", owner])
  if (groups.code !== 0) throw new Error(`error retrieving additional gids for user "${owner}"`)
  if (users.stdout !== groups.stdout) throw new Error(`mismatched subuids and subgids for user "${owner}"`)
  return parseSubordinateIds(users.stdout)
}
