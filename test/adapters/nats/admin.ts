/** A second client on the test server: what an operator or a stranger does to the stream, and what is really in it. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node"

export interface Stored {
  readonly subject: string
  readonly line: string
  readonly headers: ReadonlyMap<string, string>
}

export const withClient = async <A>(
  options: ConnectionOptions,
  use: (connection: NatsConnection) => Promise<A>
): Promise<A> => {
  const connection = await connect({ reconnect: false, noAsyncTraces: true, ...options })
  try {
    return await use(connection)
  } finally {
    await connection.close()
  }
}

export const manage = <A>(
  url: string,
  use: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<A>
): Promise<A> => withClient({ servers: url }, async (connection) => use(await jetstreamManager(connection)))

export const writeForeign = (url: string, subject: string, line: string | Uint8Array): Promise<void> =>
  withClient({ servers: url }, async (connection) => {
    await jetstream(connection).publish(subject, line)
  })

/** Everything the stream holds, oldest first; empty where there is none. */
export const contents = (url: string, stream: string): Promise<ReadonlyArray<Stored>> =>
  withClient({ servers: url }, async (connection) => {
    const manager = await jetstreamManager(connection)
    const info = await manager.streams.info(stream).catch(() => undefined)
    const found: Array<Stored> = []
    if (info === undefined || info.state.messages === 0) return found
    const consumer = await jetstream(connection).consumers.get(stream)
    const messages = await consumer.consume({ max_messages: 1_000 })
    for await (const message of messages) {
      const names = message.headers?.keys() ?? []
      found.push({
        subject: message.subject,
        line: message.string(),
        headers: new Map(names.map((name) => [name, message.headers?.get(name) ?? ""]))
      })
      if (message.info.pending === 0) break
    }
    return found
  })
