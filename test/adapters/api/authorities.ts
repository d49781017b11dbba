/** Authorities and certificates for tests, made on the spot. */
import "reflect-metadata"
import { randomBytes, webcrypto } from "node:crypto"
import * as x509 from "@peculiar/x509"

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const

export interface Issued {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

export interface Authority extends Issued {
  /** `subject`: as of RFC 4514: `CN=alice, O=devs, O=ops`. */
  readonly issue: (subject: string, options?: IssueOptions) => Promise<Issued>
}

export interface IssueOptions {
  /** Milliseconds from now. */
  readonly notBefore?: number
  readonly notAfter?: number
  readonly usage?: "client" | "server"
}

const pemOf = async (key: CryptoKey): Promise<string> => {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64")
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}/gu, "$&\n").trimEnd()}\n-----END PRIVATE KEY-----\n`
}
type CryptoKey = webcrypto.CryptoKey

const generate = async () =>
  (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair
const day = 86_400_000
const serialNumber = () => `01${randomBytes(8).toString("hex")}`

export const makeAuthority = async (name: string): Promise<Authority> => {
  const keys = await generate()
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 10 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)
    ]
  })
  const issue: Authority["issue"] = async (subject, { notBefore = -day, notAfter = day, usage = "client" } = {}) => {
    const leaf = await generate()
    const isServer = usage === "server"
    const cert = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: own.subject,
      notBefore: new Date(Date.now() + notBefore),
      notAfter: new Date(Date.now() + notAfter),
      signingAlgorithm: algorithm,
      publicKey: leaf.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.ExtendedKeyUsageExtension([
          isServer ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
        ]),
        ...(isServer
          ? [
              new x509.SubjectAlternativeNameExtension([
                { type: "dns", value: "localhost" },
                { type: "ip", value: "127.0.0.1" }
              ])
            ]
          : [])
      ]
    })
    return { cert: `${cert.toString("pem")}\n`, key: await pemOf(leaf.privateKey) }
  }
  return { cert: `${own.toString("pem")}\n`, key: await pemOf(keys.privateKey), issue }
}
