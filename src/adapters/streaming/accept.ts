/** The answer to a client that asked for a WebSocket. */
import type { UpgradingClient } from "./port.ts"
import { headEnd } from "./upgrade.ts"
import { valuesOf } from "./upgrade-request.ts"
import { acceptOf } from "./web-socket.ts"

/** @param protocol one of those that the client named; undefined: it named none */
export const acceptWebSocket = (client: UpgradingClient, protocol: string | undefined): void => {
  const [key = ""] = valuesOf(client.rawHeaders, "sec-websocket-key")
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`])
  ]
  client.socket.write(`${lines.join("\r\n")}${headEnd}`)
}
