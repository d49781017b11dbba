/** gRPC statuses as the port's errors. Pure. */
import { status as code, type ServiceError } from "@grpc/grpc-js"
import { CriError } from "./port.ts"

type Reason = CriError["reason"]

const byCode: Readonly<Partial<Record<number, Reason>>> = {
  [code.UNAVAILABLE]: "Unavailable",
  // Not by us: an interrupted call is no longer listened to. The runtime gives up calls when it stops.
  [code.CANCELLED]: "Unavailable",
  [code.DEADLINE_EXCEEDED]: "DeadlineExceeded",
  [code.UNIMPLEMENTED]: "Unimplemented",
  [code.NOT_FOUND]: "NotFound",
  [code.ALREADY_EXISTS]: "AlreadyExists",
  [code.INVALID_ARGUMENT]: "InvalidArgument",
  [code.RESOURCE_EXHAUSTED]: "ResourceExhausted"
}

/** What containerd says in words only: up to 1.7 under the code UNKNOWN, since under codes that mean less. */
const byWords: ReadonlyArray<readonly [RegExp, Reason]> = [
  [/name ".*" is reserved for ".*"/, "AlreadyExists"],
  [/server is not initialized yet/, "Unavailable"],
  [/context deadline exceeded/, "DeadlineExceeded"]
]

/**
 * `pastDeadline`: the call's own deadline has passed. Some runtimes of ours report that as CANCELLED (a timer of the
 * transport beats gRPC's).
 */
export const criError = (call: string, error: ServiceError, pastDeadline: boolean): CriError => {
  const reason =
    error.code === code.CANCELLED && pastDeadline
      ? "DeadlineExceeded"
      : (byCode[error.code] ?? byWords.find(([words]) => words.test(error.details))?.[1] ?? "Failed")
  return new CriError({ reason, call, message: error.details === "" ? error.message : causeOf(error.details) })
}

/** What grpc-js adds of its own working (attempts, picks, name resolution) says nothing of the runtime, and is left out. */
const causeOf = (details: string): string =>
  details
    .replace(/^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:.*$/su, "$1")
    .replace(/^(Deadline exceeded after [\d.]+s),.*$/su, "$1")
