/** What a client can make the API do at most. Lengths of time are milliseconds. */

/** Connections at a time, of one listener. Further ones are closed at once. */
export const maxConnections = 256
/** Of these, from one address: one client does not take them all. The local socket has no addresses. */
export const maxConnectionsOfOne = 64
/** Requests on one connection that are not answered yet (pipelining); one more closes it. */
export const maxPipelined = 4
/** Request line and headers, bytes. */
export const maxHeaderBytes = 16 * 1024
/** From the accepted connection to the end of the TLS handshake. */
export const handshakeTimeout = 10_000
/** From there, or from the first byte after an answer, to the end of the request's head. */
export const headTimeout = 10_000
/** A connection without a request (Go's IdleTimeout of kubelet's server). */
export const idleTimeout = 90_000
/** For the whole body of a request. */
export const bodyTimeout = 30_000
/** A client that takes nothing of its answer for so long is cut off. */
export const stallTimeout = 30_000
/** An answer is written in pieces of so many bytes: what one slow client holds in memory. */
export const pieceBytes = 64 * 1024
/** An address that cannot be had is tried again after that. */
export const retryPeriod = 5_000
