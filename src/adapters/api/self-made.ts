/**
 * A certificate of the node's own: an EC key and a certificate signed with it, as kubelet makes where none is configured
 * (`cmd/kubelet/app/server_bootstrap`, GenerateSelfSignedCertKey). Loaded only where one has to be made.
 */
import "reflect-metadata"
import { randomBytes, webcrypto } from "node:crypto"
import { isIP } from "node:net"
import * as x509 from "@peculiar/x509"

/** Milliseconds. Long enough to be pinned, short enough not to be forgotten. */
export const lifetime = 365 * 86_400_000
/** Clocks of clients may be behind. */
const backdated = 3_600_000

export interface MadeCertificate {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const

/** @param names host names and IP addresses by which the node is reached @param now milliseconds since the epoch */
export const makeCertificate = async (
  nodeName: string,
  names: ReadonlyArray<string>,
  now: number
): Promise<MadeCertificate> => {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair
  const serial = randomBytes(16)
  // Positive, and not zero (RFC 5280, 4.1.2.2).
  serial[0] = ((serial[0] as number) & 0x7f) | 0x01
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toString("hex"),
    name: [{ CN: [`${nodeName}@${Math.floor(now / 1000)}`] }],
    notBefore: new Date(now - backdated),
    notAfter: new Date(now + lifetime),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }))
      )
    ]
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64")
  return {
    cert: `${cert.toString("pem")}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{64}/gu, "$&\n").trimEnd()}\n-----END PRIVATE KEY-----\n`
  }
}
