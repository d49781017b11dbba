/** TLS on connections that were accepted elsewhere. Certificates and settings may change: new connections get the new ones. */
import { X509Certificate } from "node:crypto"
import type { Socket } from "node:net"
import { createServer, type Server, type TLSSocket } from "node:tls"
import { handshakeTimeout } from "./bounds.ts"
import type { Certificate } from "./certificate.ts"
import type { User } from "./port.ts"

export interface TlsTrust {
  /** PEM of each authority that issues clients' certificates; none: clients are not asked for one. */
  readonly authorities: ReadonlyArray<string>
}

export interface TlsSettings {
  readonly minVersion: "TLSv1.2" | "TLSv1.3"
  /** OpenSSL's names; undefined: the library's choice. */
  readonly ciphers: string | undefined
}

export interface Tls {
  readonly serve: (raw: Socket) => void
  /** From the next connection on. Throws where TLS does not take them. */
  readonly use: (certificate: Certificate, trust: TlsTrust) => void
}

/** Whom a connection's certificate names, as long as it is good. */
interface Proven {
  readonly user: User
  /** Milliseconds since the epoch. */
  readonly notAfter: number
  /** Under which authorities it was checked. */
  readonly trust: TlsTrust
}

export interface ClientCertificates {
  /** The user whose certificate the connection was opened with; undefined: none that is good now. */
  readonly userOf: (socket: Socket, now: number) => User | undefined
}

const texts = (value: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : typeof value === "string" ? [value] : value

/**
 * `apiserver/pkg/authentication/request/x509` CommonNameUserConversion: CN is the user, each O is a group. Undefined: it names
 * nobody.
 */
export const userOfSubject = (subject: {
  readonly CN?: string | ReadonlyArray<string>
  readonly O?: string | ReadonlyArray<string>
}): User | undefined => {
  // As Go's: the last one counts.
  const name = texts(subject.CN).at(-1)
  return name === undefined || name === "" ? undefined : { name, groups: texts(subject.O) }
}

/** Whether one of the authorities signed the certificate (DER) itself. */
const isIssued = (raw: Uint8Array, { authorities }: TlsTrust): boolean => {
  const leaf = new X509Certificate(raw)
  return authorities.some((pem) => {
    const authority = new X509Certificate(pem)
    return leaf.checkIssued(authority) && leaf.verify(authority.publicKey)
  })
}

/** Certificates that are remembered as checked. */
const maxChecked = 1_024

/** Which certificates a whole handshake has checked under the present authorities; the oldest are forgotten. */
const makeChecked = () => {
  let under: TlsTrust | undefined
  const known = new Set<string>()
  const of = (trust: TlsTrust): Set<string> => {
    if (under !== trust) known.clear()
    under = trust
    return known
  }
  return {
    has: (fingerprint: string, trust: TlsTrust) => of(trust).has(fingerprint),
    add: (fingerprint: string, trust: TlsTrust) => {
      const all = of(trust)
      const [oldest] = all
      if (all.size >= maxChecked && oldest !== undefined) all.delete(oldest)
      all.add(fingerprint)
    }
  }
}

const clientOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** @param serve gets each connection after its handshake */
export const makeTls = (settings: TlsSettings, serve: (socket: TLSSocket) => void): Tls & ClientCertificates => {
  let server: Server | undefined
  let trusted: TlsTrust = { authorities: [] }
  const proven = new WeakMap<Socket, Proven>()
  const checked = makeChecked()

  const prove = (socket: TLSSocket, trust: TlsTrust): void => {
    // The chain leads to an authority, is for clients, and is of this time; the handshake proved that the client has the key.
    if (!socket.authorized || trust.authorities.length === 0) return
    const { subject, valid_to: validTo, raw, fingerprint256 } = socket.getPeerCertificate()
    // A session that is resumed was checked when it began: perhaps under other authorities than today's.
    if (!socket.isSessionReused()) checked.add(fingerprint256, trust)
    else if (!checked.has(fingerprint256, trust) && !isIssued(raw, trust)) return
    const user = userOfSubject((subject ?? {}) as Parameters<typeof userOfSubject>[0])
    if (user !== undefined) proven.set(socket, { user, notAfter: Date.parse(validTo), trust })
  }

  /** By the client's address: what comes out of a handshake is another object than what went in. */
  const handshakes = new Map<string, NodeJS.Timeout>()
  const settle = (client: string): void => {
    clearTimeout(handshakes.get(client))
    handshakes.delete(client)
  }

  return {
    serve: (raw) => {
      if (server === undefined) {
        raw.destroy()
        return
      }
      const client = clientOf(raw)
      handshakes.set(
        client,
        setTimeout(() => raw.destroy(), handshakeTimeout)
      )
      raw.once("close", () => settle(client))
      server.emit("connection", raw)
    },
    use: (certificate, trust) => {
      const made = createServer(
        {
          cert: certificate.cert,
          key: certificate.key,
          ...(trust.authorities.length === 0
            ? {}
            : { ca: [...trust.authorities], requestCert: true, rejectUnauthorized: false }),
          minVersion: settings.minVersion,
          ...(settings.ciphers === undefined ? {} : { ciphers: settings.ciphers, honorCipherOrder: true }),
          ALPNProtocols: ["http/1.1"],
          handshakeTimeout
        },
        (socket) => {
          settle(clientOf(socket))
          prove(socket, trust)
          serve(socket)
        }
      )
      // A handshake that failed is its client's affair.
      made.on("tlsClientError", (_, socket) => socket.destroy())
      made.on("error", () => undefined)
      server = made
      trusted = trust
    },
    userOf: (socket, now) => {
      const found = proven.get(socket)
      return found !== undefined && found.trust === trusted && found.notAfter > now ? found.user : undefined
    }
  }
}
