/** The server's certificate: from the files that are configured, or made by the node itself and kept. */
import { createPrivateKey, X509Certificate } from "node:crypto"
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

/** PEM and what is told of it. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  /** SHA-256 of the certificate (DER), hexadecimal. */
  readonly fingerprint: string
  /** Milliseconds since the epoch. */
  readonly notAfter: number
  readonly selfMade: boolean
}

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

export interface SelfMade {
  /** Where it is kept; its owner's alone. */
  readonly directory: string
  readonly nodeName: string
  /** Host names and IP addresses by which the node is reached. */
  readonly names: ReadonlyArray<string>
}

/** One of our own is made anew so long before its end; one of others' is told of. Milliseconds. */
export const renewalBefore = 30 * 86_400_000
/** Bytes of a file. */
const maxPemBytes = 1024 * 1024

export const readPem = async (path: string): Promise<string> => {
  const text = await readFile(path, "utf8")
  if (Buffer.byteLength(text) > maxPemBytes) throw new Error(`${path} is larger than ${maxPemBytes} bytes`)
  return text
}

/** Certificates of a PEM file, each for itself; what else is in it is left out. */
export const certificatesIn = (pem: string): ReadonlyArray<string> =>
  pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu) ?? []

/** The first private key of a PEM file: another block beside it would irritate some TLS libraries. */
const keyIn = (pem: string): string =>
  /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^-]+-----END \1-----/u.exec(pem)?.[0] ?? pem

const certificateOf = (certPem: string, keyPem: string, selfMade: boolean, where: string): Certificate => {
  const chain = certificatesIn(certPem)
  const [first] = chain
  if (first === undefined) throw new Error(`${where}: holds no certificate (PEM)`)
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(first)
  } catch {
    throw new Error(`${where}: its certificate cannot be read`)
  }
  const cert = `${chain.join("\n")}\n`
  const key = keyIn(keyPem)
  let isPair: boolean
  try {
    isPair = leaf.checkPrivateKey(createPrivateKey(key))
  } catch {
    throw new Error(`${where}: the key cannot be read (PEM, without passphrase)`)
  }
  if (!isPair) throw new Error(`${where}: the key is not that of the certificate`)
  return {
    cert,
    key,
    fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
    notAfter: Date.parse(leaf.validTo),
    selfMade
  }
}

/** Rejects with what is wrong, for people. */
export const readCertificate = async ({ cert, key }: CertificateFiles): Promise<Certificate> =>
  certificateOf(await readPem(cert), await readPem(key), false, cert)

/** Whole or not at all, and never readable by others. */
const writePrivately = async (path: string, text: string): Promise<void> => {
  const draft = `${path}.new`
  await writeFile(draft, text, { mode: 0o600 })
  await chmod(draft, 0o600)
  await rename(draft, path)
}

/** The node's own certificate: the one that is kept, or a new one where there is none, it ends soon, or the node has another name. */
export const ownCertificate = async ({ directory, nodeName, names }: SelfMade, now: number): Promise<Certificate> => {
  const path = join(directory, "api.pem")
  const kept = await readPem(path).then(
    (text) => {
      try {
        return certificateOf(text, text, true, path)
      } catch {
        return undefined
      }
    },
    () => undefined
  )
  const isOurs =
    kept !== undefined && new X509Certificate(certificatesIn(kept.cert)[0] ?? "").subject.startsWith(`CN=${nodeName}@`)
  if (kept !== undefined && isOurs && kept.notAfter - now > renewalBefore) return kept
  const { makeCertificate } = await import("./self-made.ts")
  const made = await makeCertificate(nodeName, names, now)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  // In one file: key and certificate change together, whatever happens in between.
  await writePrivately(path, `${made.key}${made.cert}`)
  return certificateOf(made.cert, made.key, true, path)
}
