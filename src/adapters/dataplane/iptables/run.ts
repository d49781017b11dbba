/** Runs of iptables' programs. */
import { spawn } from "node:child_process"
import process from "node:process"
import { Effect } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import { DataplaneError } from "../port.ts"

export interface Programs {
  readonly restore: string
  readonly save: string
  readonly command: string
}

/** Whichever the system has chosen, over nf_tables or over the older interface: others' rules stand there too. */
export const systemPrograms: Readonly<Record<IpFamily, Programs>> = {
  IPv4: { restore: "iptables-restore", save: "iptables-save", command: "iptables" },
  IPv6: { restore: "ip6tables-restore", save: "ip6tables-save", command: "ip6tables" }
}

export const installRemedy = "install the package iptables (1.8.5 or newer)"

/** Seconds that a program waits for the lock which all of iptables share (WaitSeconds in `pkg/util/iptables`). */
export const lockWaitSeconds = 5
/** Milliseconds that one run may take: a listing of 40,000 chains takes iptables 1.8.9 over nf_tables 20 s. */
const runMillis = 180_000
const maxOutputBytes = 512 * 1024 * 1024
const maxComplaintBytes = 64 * 1024
/** Of what a program says, so much is told: it may say the same of each of many lines. */
const maxToldCharacters = 500
const systemFolders = "/usr/local/sbin:/usr/sbin:/sbin"

/** What a failed run said, beside why it failed. */
export interface Complaint {
  readonly error: DataplaneError
  /** The line of the input that was refused, from 1. */
  readonly line?: number
}

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly output: string
  readonly complaint: string
}

/** exit code of "another app is holding the lock" (RESOURCE_PROBLEM in iptables' xshared.h), which has other reasons too. */
const resourceProblem = 4
const anyOf = (text: string, ...parts: ReadonlyArray<string>): boolean => parts.some((part) => text.includes(part))

const reasonOf = ({ code, complaint }: Ended): DataplaneError["reason"] => {
  if (anyOf(complaint, "Permission denied", "you must be root", "Operation not permitted")) return "NoPermission"
  if (code === resourceProblem && anyOf(complaint, "xtables lock", "Resource temporarily unavailable")) return "Busy"
  if (anyOf(complaint, "Table does not exist", "Protocol not supported", "initialize")) return "Unsupported"
  return "Refused"
}

const remedies: Readonly<Partial<Record<DataplaneError["reason"], string>>> = {
  NoPermission: "; run the agent as root, or with CAP_NET_ADMIN",
  Busy: "; another program holds /run/xtables.lock",
  Unsupported: "; the kernel lacks a part of iptables: load its module, or use a kernel that has it"
}

export const complaintOf = (program: string, operation: string, ended: Ended): Complaint => {
  const reason = reasonOf(ended)
  const lines = ended.complaint.split("\n").map((line) => line.trim())
  const said = lines.filter((line) => line !== "" && !line.startsWith("Try `") && !line.startsWith("#"))
  const text = said
    .join("; ")
    .replace(/^\S+ v\S+ \((?:nf_tables|legacy)\):[; ]*/u, "")
    .slice(0, maxToldCharacters)
  const line = /\bline:? (\d+)/u.exec(ended.complaint)?.[1]
  const error = new DataplaneError({
    reason,
    operation,
    message: `${program} could not ${operation}: ${text === "" ? `it ended with ${ended.code ?? ended.signal}` : text}${remedies[reason] ?? ""}`
  })
  return line === undefined ? { error } : { error, line: Number(line) }
}

const ended = (
  program: string,
  operation: string,
  args: ReadonlyArray<string>,
  input: string
): Effect.Effect<Ended, Complaint> =>
  Effect.callback((resume) => {
    const fail = (reason: DataplaneError["reason"], message: string): void =>
      resume(Effect.fail({ error: new DataplaneError({ reason, operation, message }) }))
    const child = spawn(program, [...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", PATH: `${process.env.PATH ?? ""}:${systemFolders}` }
    })
    const output: Array<Buffer> = []
    let bytes = 0
    let complaint = ""
    const give = (why: string): void => {
      child.kill("SIGKILL")
      fail("Failed", `${program} could not ${operation}: ${why}`)
    }
    const timer = setTimeout(() => give(`it did not end within ${runMillis / 1000} s`), runMillis)
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxOutputBytes) give(`it wrote more than ${maxOutputBytes} bytes`)
      else output.push(chunk)
    })
    child.stderr.on("data", (chunk: Buffer) => {
      if (complaint.length < maxComplaintBytes) complaint += chunk.toString("utf8")
    })
    child.on("error", (error) => {
      clearTimeout(timer)
      const isMissing = (error as { readonly code?: string }).code === "ENOENT"
      if (isMissing) fail("ToolMissing", `the program ${program} is not installed: ${installRemedy}`)
      else fail("Failed", `${program} cannot be run: ${error.message}`)
    })
    child.on("close", (code, signal) => {
      clearTimeout(timer)
      resume(Effect.succeed({ code, signal, output: Buffer.concat(output).toString("utf8"), complaint }))
    })
    // One that ends without reading leaves a broken pipe; how it ended says more.
    child.stdin.on("error", () => undefined)
    child.stdin.end(input)
    return Effect.sync(() => {
      clearTimeout(timer)
      child.kill("SIGKILL")
    })
  })

/** What the program wrote on stdout. */
export const run = (
  program: string,
  operation: string,
  args: ReadonlyArray<string>,
  input = ""
): Effect.Effect<string, Complaint> =>
  Effect.flatMap(ended(program, operation, args, input), (result) =>
    result.code === 0 ? Effect.succeed(result.output) : Effect.fail(complaintOf(program, operation, result))
  )

/** Whether the program works over nf_tables; over the older interface every change is one of a whole table. */
export const isOverNfTables = (program: string): Effect.Effect<boolean, Complaint> =>
  Effect.map(run(program, "tell its version", ["--version"]), (version) => version.includes("nf_tables"))
