/** One gRPC connection to a runtime's socket: every call with a deadline, cancelled when interrupted, errors as values. */
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary
} from "@bufbuild/protobuf"
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js"
import { Cause, Effect, Queue, type Scope, Stream } from "effect"
import { Nonsense } from "./decode.ts"
import { criError } from "./failure.ts"
import { CriError, maxMessageBytes } from "./port.ts"

/** Bounds of the wait between two attempts to connect, milliseconds. gRPC's own upper bound is 2 minutes. */
const reconnectBackoff = { initial: 100, max: 1_000 } as const
/** Events that wait to be taken. More, and the stream fails: its reader relists and begins anew. */
const eventBuffer = 1_024

export interface Channel {
  /** `deadline` in milliseconds from now. What `decode` throws becomes a `Protocol` error. */
  readonly unary: <I extends DescMessage, O extends DescMessage, A>(
    method: DescMethodUnary<I, O>,
    deadline: number,
    request: () => MessageInitShape<I>,
    decode: (response: MessageShape<O>) => A
  ) => Effect.Effect<A, CriError>
  /** The same for an answer whose bytes are read by `read`. */
  readonly unaryBytes: <I extends DescMessage, A>(
    method: DescMethodUnary<I, DescMessage>,
    deadline: number,
    request: () => MessageInitShape<I>,
    read: (response: Uint8Array) => A
  ) => Effect.Effect<A, CriError>
  /** Without a deadline. Undecodable messages are a `Protocol` error; `undefined` is left out. */
  readonly serverStream: <I extends DescMessage, O extends DescMessage, A>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    decode: (response: MessageShape<O>) => A | undefined
  ) => Stream.Stream<A, CriError>
}

const pathOf = (method: { readonly parent: { readonly typeName: string }; readonly name: string }): string =>
  `/${method.parent.typeName}/${method.name}`

const serialize = <I extends DescMessage>(schema: I, request: MessageInitShape<I>): Buffer =>
  Buffer.from(toBinary(schema, create(schema, request)))

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** A message that cannot be parsed, made an error after gRPC has handed it over: thrown inside gRPC it would end the process. */
const parse = <A>(call: string, bytes: Buffer, read: (bytes: Uint8Array) => A): Effect.Effect<A, CriError> =>
  Effect.try({
    try: () => read(bytes),
    catch: (cause) =>
      new CriError({
        reason: "Protocol",
        call,
        message: cause instanceof Nonsense ? cause.message : `the answer cannot be read: ${textOf(cause)}`
      })
  })

/** gRPC's address of an endpoint: `unix:///run/containerd/containerd.sock`, or the bare path. */
const addressOf = (endpoint: string): Effect.Effect<string, CriError> => {
  const path = endpoint.startsWith("unix://") ? endpoint.slice("unix://".length) : endpoint
  return path.startsWith("/")
    ? Effect.succeed(`unix://${path}`)
    : Effect.fail(
        new CriError({
          reason: "InvalidArgument",
          call: "connect",
          message: `the runtime's endpoint must be unix:///PATH, not ${JSON.stringify(endpoint)}`
        })
      )
}

const identity = (bytes: Buffer): Buffer => bytes

/** Connects when first used and again by itself; closed with the scope. */
export const openChannel = (endpoint: string): Effect.Effect<Channel, CriError, Scope.Scope> =>
  Effect.gen(function* () {
    const address = yield* addressOf(endpoint)
    const client = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Client(address, credentials.createInsecure(), {
            "grpc.initial_reconnect_backoff_ms": reconnectBackoff.initial,
            "grpc.max_reconnect_backoff_ms": reconnectBackoff.max,
            "grpc.max_receive_message_length": maxMessageBytes,
            "grpc.max_send_message_length": maxMessageBytes,
            "grpc.use_local_subchannel_pool": 1
          })
      ),
      (opened) => Effect.sync(() => opened.close())
    )

    const unaryBytes: Channel["unaryBytes"] = (method, deadline, request, read) =>
      Effect.try({
        try: () => serialize(method.input, request()),
        catch: (cause) => new CriError({ reason: "InvalidArgument", call: method.name, message: textOf(cause) })
      }).pipe(
        Effect.flatMap((bytes) =>
          Effect.callback<Buffer, CriError>((resume) => {
            const until = Date.now() + deadline
            const answered = (error: ServiceError | null, response?: Buffer) => {
              if (error !== null) resume(Effect.fail(criError(method.name, error, Date.now() >= until)))
              else resume(Effect.succeed(response ?? Buffer.alloc(0)))
            }
            const options = { deadline: until }
            const call = client.makeUnaryRequest(
              pathOf(method),
              identity,
              identity,
              bytes,
              new Metadata(),
              options,
              answered
            )
            return Effect.sync(() => call.cancel())
          })
        ),
        Effect.flatMap((bytes) => parse(method.name, bytes, read))
      )
    const unary: Channel["unary"] = (method, deadline, request, decode) =>
      unaryBytes(method, deadline, request, (bytes) => decode(fromBinary(method.output, bytes)))

    const serverStream: Channel["serverStream"] = <I extends DescMessage, O extends DescMessage, A>(
      method: DescMethodServerStreaming<I, O>,
      request: MessageInitShape<I>,
      decode: (response: MessageShape<O>) => A | undefined
    ) =>
      Stream.callback<Buffer, CriError>(
        (queue) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const fail = (error: CriError) => Queue.failCauseUnsafe(queue, Cause.fail(error))
              const bytes = serialize(method.input, request)
              const call = client.makeServerStreamRequest(pathOf(method), identity, identity, bytes, new Metadata())
              call.on("data", (message: Buffer) => {
                if (Queue.offerUnsafe(queue, message)) return
                call.cancel()
                const why = `more than ${eventBuffer} events wait to be read`
                fail(new CriError({ reason: "ResourceExhausted", call: method.name, message: why }))
              })
              call.on("error", (error) => fail(criError(method.name, error as ServiceError, false)))
              call.on("end", () =>
                fail(
                  new CriError({ reason: "Unavailable", call: method.name, message: "the runtime ended the stream" })
                )
              )
              return call
            }),
            (call) => Effect.sync(() => call.cancel())
          ),
        { bufferSize: eventBuffer, strategy: "dropping" }
      ).pipe(
        Stream.mapEffect((bytes) => parse(method.name, bytes, (message) => decode(fromBinary(method.output, message)))),
        Stream.filter((event) => event !== undefined)
      )
    return { unary, unaryBytes, serverStream }
  })
