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
import { Cause, Effect, Queue, type Scope, Stream } from "effect"
import { openGrpc } from "../grpc/connection.ts"
import { type GrpcFailure, grpcCode } from "../grpc/status.ts"
import { Nonsense } from "./decode.ts"
import { criError } from "./failure.ts"
import { CriError, maxMessageBytes } from "./port.ts"

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

const serialize = <I extends DescMessage>(schema: I, request: MessageInitShape<I>): Uint8Array =>
  toBinary(schema, create(schema, request))

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

/** Path of an endpoint: `unix:///run/containerd/containerd.sock`, or the bare path. */
const socketOf = (endpoint: string): Effect.Effect<string, CriError> => {
  const path = endpoint.startsWith("unix://") ? endpoint.slice("unix://".length) : endpoint
  return path.startsWith("/")
    ? Effect.succeed(path)
    : Effect.fail(
        new CriError({
          reason: "InvalidArgument",
          call: "connect",
          message: `the runtime's endpoint must be unix:///PATH, not ${JSON.stringify(endpoint)}`
        })
      )
}

const noAnswer: GrpcFailure = { code: grpcCode.INTERNAL, details: "the answer has no message" }

/** Connects when first used and again by itself; closed with the scope. */
export const openChannel = (endpoint: string): Effect.Effect<Channel, CriError, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* socketOf(endpoint)
    const grpc = yield* Effect.acquireRelease(
      Effect.sync(() => openGrpc({ socket, maxMessageBytes })),
      (opened) => Effect.sync(opened.close)
    )

    const unaryBytes: Channel["unaryBytes"] = (method, deadline, request, read) =>
      Effect.try({
        try: () => serialize(method.input, request()),
        catch: (cause) => new CriError({ reason: "InvalidArgument", call: method.name, message: textOf(cause) })
      }).pipe(
        Effect.flatMap((bytes) =>
          Effect.callback<Buffer, CriError>((resume) => {
            const until = Date.now() + deadline
            let answer: Buffer | undefined
            const cancel = grpc.call(pathOf(method), bytes, deadline, {
              message: (message) => {
                answer ??= message
              },
              ended: (status) => {
                if (status === "ok" && answer !== undefined) return resume(Effect.succeed(answer))
                const failure = status === "ok" ? noAnswer : status
                resume(Effect.fail(criError(method.name, failure, Date.now() >= until)))
              }
            })
            return Effect.sync(cancel)
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
              const cancel = grpc.call(pathOf(method), serialize(method.input, request), undefined, {
                message: (message) => {
                  if (Queue.offerUnsafe(queue, message)) return
                  cancel()
                  const why = `more than ${eventBuffer} events wait to be read`
                  fail(new CriError({ reason: "ResourceExhausted", call: method.name, message: why }))
                },
                ended: (status) =>
                  fail(
                    status === "ok"
                      ? new CriError({
                          reason: "Unavailable",
                          call: method.name,
                          message: "the runtime ended the stream"
                        })
                      : criError(method.name, status, false)
                  )
              })
              return cancel
            }),
            (cancel) => Effect.sync(cancel)
          ),
        { bufferSize: eventBuffer, strategy: "dropping" }
      ).pipe(
        Stream.mapEffect((bytes) => parse(method.name, bytes, (message) => decode(fromBinary(method.output, message)))),
        Stream.filter((event) => event !== undefined)
      )
    return { unary, unaryBytes, serverStream }
  })
