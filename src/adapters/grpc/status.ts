/** How a call of gRPC ends: codes (grpc/doc/statuscodes.md), and where they stand in HTTP/2. Pure. */

export const grpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16
} as const

/** `code`: any number that a server sends. */
export interface GrpcFailure {
  readonly code: number
  readonly details: string
}

/** `ok`: the call is good. */
export type GrpcStatus = GrpcFailure | "ok"

type Headers = Readonly<Record<string, unknown>>

/** grpc-message is percent-encoded; what is not well encoded is shown as it came. */
const messageOf = (raw: unknown): string => {
  if (typeof raw !== "string") return ""
  try {
    return decodeURIComponent(raw)
  } catch {
    return raw
  }
}

/** What trailers say, or headers that come without a body. */
export const statusIn = (headers: Headers): GrpcStatus | undefined => {
  const raw = headers["grpc-status"]
  if (raw === undefined) return undefined
  const code = Number(raw)
  if (code === grpcCode.OK) return "ok"
  return { code: Number.isInteger(code) ? code : grpcCode.UNKNOWN, details: messageOf(headers["grpc-message"]) }
}

/** Of an answer that is none of gRPC's (grpc/doc/http-grpc-status-mapping.md). */
export const httpFailure = (status: number): GrpcFailure => {
  const byStatus: Readonly<Record<number, number>> = {
    400: grpcCode.INTERNAL,
    401: grpcCode.UNAUTHENTICATED,
    403: grpcCode.PERMISSION_DENIED,
    404: grpcCode.UNIMPLEMENTED,
    429: grpcCode.UNAVAILABLE,
    502: grpcCode.UNAVAILABLE,
    503: grpcCode.UNAVAILABLE,
    504: grpcCode.UNAVAILABLE
  }
  return { code: byStatus[status] ?? grpcCode.UNKNOWN, details: `HTTP status ${status}` }
}

/** RFC 9113, 7. */
export const http2Code = { NO_ERROR: 0, REFUSED_STREAM: 7, CANCEL: 8, ENHANCE_YOUR_CALM: 11, INADEQUATE_SECURITY: 12 }

/** Of a stream that ended without a status (grpc/doc/PROTOCOL-HTTP2.md, HTTP2 transport mapping). */
export const resetFailure = (code: number, error: string | undefined): GrpcFailure => {
  const details = error ?? `the stream ended without a status, with HTTP/2 code ${code}`
  switch (code) {
    case http2Code.REFUSED_STREAM:
      return { code: grpcCode.UNAVAILABLE, details }
    case http2Code.CANCEL:
      return { code: grpcCode.CANCELLED, details }
    case http2Code.ENHANCE_YOUR_CALM:
      return { code: grpcCode.RESOURCE_EXHAUSTED, details }
    case http2Code.INADEQUATE_SECURITY:
      return { code: grpcCode.PERMISSION_DENIED, details }
    default:
      return { code: grpcCode.INTERNAL, details }
  }
}

/** grpc-timeout of milliseconds: at most eight digits and a unit. */
export const timeoutHeader = (milliseconds: number): string => {
  const units = [
    ["m", 1],
    ["S", 1_000],
    ["M", 60_000]
  ] as const
  for (const [unit, length] of units) {
    const amount = Math.max(1, Math.ceil(milliseconds / length))
    if (amount < 100_000_000) return `${amount}${unit}`
  }
  return `${Math.min(99_999_999, Math.ceil(milliseconds / 3_600_000))}H`
}
