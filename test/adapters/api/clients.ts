/** Clients of the API as tests need them: good ones, and ones that send what they like. */
import { type RequestOptions, request } from "node:http"
import { request as requestSecurely } from "node:https"
import { connect, type Socket } from "node:net"

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
}

/** One request on a connection of its own. `secure`: TLS, with these options. */
export const ask = (options: RequestOptions, secure?: Readonly<Record<string, unknown>>, body?: string): Promise<Got> =>
  new Promise((resolve, reject) => {
    const start = secure === undefined ? request : requestSecurely
    const sent = start({ agent: false, ...options, ...secure }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (part: string) => {
        text += part
      })
      response.on("error", reject)
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    sent.on("error", reject)
    sent.end(body)
  })

/** All that a client gets which sends `bytes` and waits for the end of the connection, or `within` milliseconds. */
export const send = (
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  bytes: string,
  within = 3_000
): Promise<string> =>
  new Promise((resolve) => {
    let answer = ""
    const socket: Socket = connect(where as { path: string }, () => socket.write(bytes))
    socket.on("data", (part) => {
      answer += String(part)
    })
    socket.on("error", () => socket.destroy())
    socket.on("close", () => resolve(answer))
    setTimeout(() => socket.destroy(), within)
  })
