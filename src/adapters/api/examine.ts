/** Looks at what the API would be served with, without serving it: for `chronode doctor`. */
import { createServer } from "node:net"
import { hostPort } from "../../events/ip-address.ts"
import { listenError, listening } from "../serving/listen.ts"
import { certificatesIn, readCertificate, readPem, renewalBefore } from "./certificate.ts"
import { cipherChoice } from "./cipher-suites.ts"
import { readKubeconfig } from "./kubeconfig.ts"
import { parsePolicy } from "./policy.ts"
import type { ApiFinding, ApiSettings, ListenerAddress, TlsListener } from "./port.ts"
import { readTokens } from "./token-file.ts"

const ok = (found: string): ApiFinding => ({ status: "ok", found })
const warn = (found: string, mend: string): ApiFinding => ({ status: "warn", found, mend })
const fail = (found: string, mend: string): ApiFinding => ({ status: "fail", found, mend })
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const dayOf = (millis: number): string => new Date(millis).toISOString().slice(0, 10)

const address = async (what: string, at: ListenerAddress, field: string): Promise<ApiFinding> => {
  const text = hostPort(at.host, at.port)
  try {
    const server = await listening(() => createServer(), at)
    await new Promise((done) => server.close(done))
    return ok(`${what} would listen at ${text}`)
  } catch (error) {
    const { message, remedy } = listenError(text, `set ${field} to another one`, error as NodeJS.ErrnoException)
    return fail(message, remedy)
  }
}

/** What a look at a file finds, or what is wrong with it. */
const look = async (mend: string, read: () => Promise<ApiFinding>): Promise<ApiFinding> => {
  try {
    return await read()
  } catch (error) {
    return fail(messageOf(error), mend)
  }
}

const certificate = ({ certificate: source }: TlsListener, now: number): Promise<ApiFinding> | ApiFinding => {
  if ("directory" in source) return ok("the agent makes a certificate of its own")
  return look("mend tlsCertFile and tlsPrivateKeyFile", async () => {
    const { notAfter } = await readCertificate(source)
    const about = `the certificate ${source.cert} is good until ${dayOf(notAfter)}`
    if (notAfter <= now) return fail(`the certificate ${source.cert} ended on ${dayOf(notAfter)}`, "renew it")
    return notAfter - now < renewalBefore ? warn(about, "renew it soon") : ok(about)
  })
}

const clients = (path: string): Promise<ApiFinding> =>
  look("mend authentication.x509.clientCAFile", async () => {
    const count = certificatesIn(await readPem(path)).length
    return count === 0
      ? fail(`${path} holds no certificate (PEM)`, "mend authentication.x509.clientCAFile")
      : ok(`clients' certificates of ${count === 1 ? "one authority" : `${count} authorities`} are taken`)
  })

const tokens = (path: string): Promise<ApiFinding> =>
  look("mend the file of --token-auth-file", async () => {
    const { table, problems } = await readTokens(path)
    return problems.length > 0
      ? warn(`${path}: ${problems.join("; ")}`, "mend these lines")
      : ok(`${table.size} tokens in ${path}`)
  })

const policy = (path: string): Promise<ApiFinding> =>
  look("mend the file of --authorization-policy-file", async () =>
    ok(`${parsePolicy(await readPem(path)).length} rules in ${path}`)
  )

const apiServer = (path: string): Promise<ApiFinding> =>
  look("mend the file of --authentication-kubeconfig", async () =>
    ok(`tokens and rights are asked of ${(await readKubeconfig(path)).url.host}`)
  )

const isKnownSomehow = ({ clientCAFile, tokenFile, kubeconfig, webhook }: TlsListener): boolean =>
  clientCAFile !== undefined || tokenFile !== undefined || (kubeconfig !== undefined && webhook.tokens)

const secure = async (tls: TlsListener, now: number): Promise<ReadonlyArray<ApiFinding>> => {
  const { clientCAFile, tokenFile, policyFile, kubeconfig, anonymous, alwaysAllow } = tls
  const { unknown } = cipherChoice(tls.cipherSuites)
  return [
    await certificate(tls, now),
    ...(unknown.length === 0 ? [] : [warn(`tlsCipherSuites: ${unknown.join(", ")} cannot be had`, "leave them out")]),
    ...(clientCAFile === undefined ? [] : [await clients(clientCAFile)]),
    ...(tokenFile === undefined ? [] : [await tokens(tokenFile)]),
    ...(policyFile === undefined ? [] : [await policy(policyFile)]),
    ...(kubeconfig === undefined ? [] : [await apiServer(kubeconfig)]),
    ...(isKnownSomehow(tls)
      ? []
      : [
          warn(
            "nobody can be known to the API: there are neither certificates of clients nor tokens",
            "set authentication.x509.clientCAFile, --token-auth-file or --authentication-kubeconfig"
          )
        ]),
    ...(anonymous && alwaysAllow
      ? [warn("authorization mode AlwaysAllow does not count for anonymous requests", "let rules grant what they may")]
      : [])
  ]
}

/** @param now milliseconds since the epoch */
export const examineApi = async (
  { tls, readOnly, healthz }: ApiSettings,
  now: number
): Promise<ReadonlyArray<ApiFinding>> => [
  ...(tls === undefined ? [] : [await address("the API", tls, "port or --api-port"), ...(await secure(tls, now))]),
  ...(readOnly === undefined
    ? []
    : [
        await address("the read-only port", readOnly, "readOnlyPort"),
        warn("anybody who reaches readOnlyPort can read pods and figures, without TLS", "set readOnlyPort to 0")
      ]),
  ...(healthz === undefined ? [] : [await address("health", healthz, "healthzPort")])
]
