/** One run of nft(8). */
import { spawn } from "node:child_process"
import process from "node:process"
import { Effect } from "effect"
import { DataplaneError } from "../port.ts"

/** Milliseconds that nft may take: 30,000 Services are loaded in one second. */
export const toolMillis = 60_000
/** Bytes of what it answers: a listing of 100,000 elements has some 20 MB. */
const maxAnswerBytes = 512 * 1024 * 1024
const maxComplaintBytes = 64 * 1024

const folders = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"]

export const installRemedy = "install the package nftables (nft 1.0.1 or newer)"

const has = (complaint: string, ...words: ReadonlyArray<string>): boolean =>
  words.some((word) => complaint.includes(word))

/** errno(3) of what nft says, for those that are told apart. */
const errnoOf = (complaint: string): number | undefined => {
  const known: ReadonlyArray<readonly [string, number]> = [
    ["File exists", 17],
    ["No such file or directory", 2],
    ["Device or resource busy", 16],
    ["Interrupted system call", 4],
    ["No buffer space available", 105],
    ["Resource temporarily unavailable", 11],
    ["Invalid argument", 22],
    ["Too many open files in system", 23]
  ]
  return known.find(([words]) => complaint.includes(words))?.[1]
}

export const busyErrnos: ReadonlySet<number> = new Set([4, 11, 16, 105])

const reasonOf = (complaint: string, errno: number | undefined): DataplaneError["reason"] => {
  if (has(complaint, "Operation not permitted", "must be root")) return "NoPermission"
  if (has(complaint, "Operation not supported", "Protocol not supported")) return "Unsupported"
  if (errno !== undefined && busyErrnos.has(errno)) return "Busy"
  return has(complaint, "Error:") ? "Refused" : "Failed"
}

export const complaintError = (operation: string, complaint: string): DataplaneError => {
  const errno = errnoOf(complaint)
  const first = complaint.split("\n").find((line) => line.includes("Error:")) ?? complaint.split("\n")[0] ?? ""
  return new DataplaneError({
    reason: reasonOf(complaint, errno),
    operation,
    message: `nft could not ${operation}: ${first.replace(/^.*?Error: /, "").trim() || "it said nothing"}`,
    ...(errno === undefined ? {} : { errno })
  })
}

/** Process ids of the last runs: nft's netlink sockets have them as their address. */
const maxRemembered = 256
const recent = new Set<number>()
export const wasOurNft = (portId: number): boolean => recent.has(portId)

const remember = (pid: number | undefined): void => {
  if (pid === undefined) return
  recent.add(pid)
  for (const oldest of recent) {
    if (recent.size <= maxRemembered) break
    recent.delete(oldest)
  }
}

/** What nft wrote on stdout. `input` goes to its stdin. */
export const runNft = (
  operation: string,
  args: ReadonlyArray<string>,
  input: string | undefined = undefined
): Effect.Effect<string, DataplaneError> =>
  Effect.callback<string, DataplaneError>((resume) => {
    const child = spawn("nft", [...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", PATH: `${process.env.PATH ?? ""}:${folders.join(":")}` }
    })
    remember(child.pid)
    const answer: Array<Buffer> = []
    let answered = 0
    let complaint = ""
    let isDone = false
    const done = (result: Effect.Effect<string, DataplaneError>): void => {
      if (isDone) return
      isDone = true
      clearTimeout(timer)
      child.kill("SIGKILL")
      resume(result)
    }
    const failed = (message: string): void =>
      done(
        Effect.fail(
          new DataplaneError({ reason: "Failed", operation, message: `nft could not ${operation}: ${message}` })
        )
      )
    const timer = setTimeout(() => failed(`it did not end within ${toolMillis / 1000} s`), toolMillis)
    child.stdout.on("data", (bytes: Buffer) => {
      answered += bytes.length
      if (answered > maxAnswerBytes) failed(`it answered more than ${maxAnswerBytes} bytes`)
      else answer.push(bytes)
    })
    child.stderr.on("data", (bytes: Buffer) => {
      if (complaint.length < maxComplaintBytes) complaint += bytes.toString("utf8")
    })
    child.on("error", (error) => {
      const isMissing = (error as { readonly code?: string }).code === "ENOENT"
      const message = isMissing
        ? `the program nft is not installed: ${installRemedy}`
        : `nft cannot be run: ${error.message}`
      done(Effect.fail(new DataplaneError({ reason: isMissing ? "ToolMissing" : "Failed", operation, message })))
    })
    child.on("close", (code, signal) => {
      if (code === 0) done(Effect.succeed(Buffer.concat(answer).toString("utf8")))
      else if (code === null) failed(`it was ended by ${signal}`)
      else done(Effect.fail(complaintError(operation, complaint)))
    })
    // One that ends without reading leaves a broken pipe; how it ended says more.
    child.stdin.on("error", () => undefined)
    child.stdin.end(input ?? "")
    return Effect.sync(() => {
      isDone = true
      clearTimeout(timer)
      child.kill("SIGKILL")
    })
  })
