/**
 * How an API server is reached, from a kubeconfig file: the cluster and the user of the current context. Certificates and tokens, in
 * the file or beside it; programs that make credentials are not run.
 */
import { readFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { parse } from "yaml"

export interface ApiServer {
  readonly url: URL
  /** PEM; undefined: the system's authorities. */
  readonly authority: string | undefined
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
  /** Read for each call where it stands in a file, for it may change. */
  readonly token: () => Promise<string | undefined>
  /** Of which its certificate must be; undefined: the URL's host. */
  readonly serverName: string | undefined
  /** The server's certificate is not checked: only where the file says so. */
  readonly insecure: boolean
}

type Dictionary = Readonly<Record<string, unknown>>

const isMap = (value: unknown): value is Dictionary =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const named = (list: unknown, name: string | undefined, field: string): Dictionary | undefined => {
  if (!Array.isArray(list)) return undefined
  const found = list.find((entry: unknown) => isMap(entry) && entry.name === name) as Dictionary | undefined
  return isMap(found?.[field]) ? found[field] : undefined
}

/** Rejects with what is wrong, without any secret of the file. */
export const readKubeconfig = async (path: string): Promise<ApiServer> => {
  let config: unknown
  try {
    config = parse(await readFile(path, "utf8"), { maxAliasCount: 0 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${path}: ${code === undefined ? "is no YAML" : `cannot be read (${code})`}`)
  }
  const fail = (what: string): never => {
    throw new Error(`${path}: ${what}`)
  }
  if (!isMap(config)) return fail("is no map")
  const current = text(config["current-context"])
  const context = named(config.contexts, current, "context") ?? fail("names no current-context that it has")
  const cluster = named(config.clusters, text(context.cluster), "cluster") ?? fail("lacks the cluster of its context")
  const user = named(config.users, text(context.user), "user") ?? {}
  const server = text(cluster.server) ?? fail("names no server")
  const url = URL.canParse(server) ? new URL(server) : fail("its server is no URL")
  if (url.protocol !== "https:") fail("its server is not reached by TLS (https)")
  if (user.exec !== undefined || user["auth-provider"] !== undefined)
    fail("wants a program for credentials; give it a certificate or a token")

  const beside = (file: string): string => resolve(dirname(path), file)
  const pem = async (data: unknown, file: unknown): Promise<string | undefined> => {
    const inside = text(data)
    if (inside !== undefined) return Buffer.from(inside, "base64").toString("utf8")
    const outside = text(file)
    if (outside === undefined) return undefined
    return readFile(beside(outside), "utf8").catch((error: NodeJS.ErrnoException) =>
      fail(`${outside} cannot be read (${error.code})`)
    )
  }
  const cert = await pem(user["client-certificate-data"], user["client-certificate"])
  const key = await pem(user["client-key-data"], user["client-key"])
  const tokenFile = text(user.tokenFile)
  const token = text(user.token)
  return {
    url,
    authority: await pem(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    certificate: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    token: () =>
      tokenFile === undefined
        ? Promise.resolve(token)
        : readFile(beside(tokenFile), "utf8").then((content) => content.trim()),
    serverName: text(cluster["tls-server-name"]),
    insecure: cluster["insecure-skip-tls-verify"] === true
  }
}
