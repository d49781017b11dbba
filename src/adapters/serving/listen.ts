/** Listening for clients: what several servers of the agent have in common. */
import type { Server } from "node:net"
import { Schema } from "effect"

/** It cannot listen. `message` says why, `remedy` how to mend it. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  message: Schema.String,
  remedy: Schema.String
}) {}

/** @param remedy what else to do where the address cannot be had: `set healthzBindAddress to another` */
export const listenError = (address: string, remedy: string, error: NodeJS.ErrnoException): ListenError => {
  const fail = (message: string, mend: string) => new ListenError({ address, message, remedy: mend })
  switch (error.code) {
    case "EADDRINUSE":
      return fail(
        `${address} is in use by another program`,
        `see which with: ss -ltnp; stop it (a kubelet or a kube-proxy?), or ${remedy}`
      )
    case "EADDRNOTAVAIL":
      return fail(`no interface of this node has the address of ${address}`, remedy)
    case "EACCES":
    case "EPERM":
      return fail(`this user may not listen on ${address}`, `run as root, or ${remedy}`)
    default:
      return fail(`cannot listen on ${address}: ${error.message}`, remedy)
  }
}

const isNoFamily = ({ code }: NodeJS.ErrnoException): boolean => code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL"

type Where = { readonly host: string; readonly port: number } | { readonly path: string }

const listen = (server: Server, where: Where): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen({ ...where, ipv6Only: false }, () => {
      server.off("error", reject)
      // From here on an error is one of accepting a client, who sees it.
      server.on("error", () => undefined)
      resolve()
    })
  })

/** A new server that listens. An address that stands for all stands for both families, as in Go. Rejects with the system's error. */
export const listening = async <S extends Server>(make: () => S, where: Where): Promise<S> => {
  const open = async (at: Where): Promise<S> => {
    const server = make()
    await listen(server, at)
    return server
  }
  if ("path" in where || (where.host !== "0.0.0.0" && where.host !== "::")) return open(where)
  try {
    return await open({ ...where, host: "::" })
  } catch (error) {
    if (!isNoFamily(error as NodeJS.ErrnoException)) throw error
    return open({ ...where, host: "0.0.0.0" })
  }
}

/** The port that a server got; `otherwise` where it has none. */
export const boundPort = (server: Server, otherwise: number): number => {
  const bound = server.address()
  return typeof bound === "object" && bound !== null ? bound.port : otherwise
}
