/** A real gRPC server on loopback that answers health checks, and what it was asked. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js"
import { Effect, type Scope } from "effect"
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus
} from "../../../src/adapters/probing/generated/health_pb.js"

const { check } = Health.method
const identity = (bytes: Buffer): Buffer => bytes

export interface Asked {
  readonly service: string
  readonly userAgent: string
}

/**
 * `""` is well, `resting` is not serving, `unknown` and `42` answer such a status, `silent` never answers, `garbled` answers
 * bytes that are no message, any other service is not there.
 */
export const healthServer = (
  options: { readonly isImplemented?: boolean; readonly port?: number } = {}
): Effect.Effect<{ readonly port: number; readonly asked: ReadonlyArray<Asked> }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const answer = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void => {
      const { service } = fromBinary(HealthCheckRequestSchema, call.request)
      asked.push({ service, userAgent: String(call.metadata.get("user-agent")[0]) })
      const say = (state: number): void =>
        reply(
          null,
          Buffer.from(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: state })))
        )
      if (service === "") say(ServingStatus.SERVING)
      else if (service === "resting") say(ServingStatus.NOT_SERVING)
      else if (service === "unknown") say(ServingStatus.UNKNOWN)
      else if (service === "42") say(42)
      else if (service === "garbled") reply(null, Buffer.from([0xff, 0xff]))
      else if (service !== "silent") reply({ code: status.NOT_FOUND, details: "unknown service" })
    }
    const server = new Server()
    const method = { requestStream: false, responseStream: false, requestDeserialize: identity } as const
    const codecs = { requestSerialize: identity, responseSerialize: identity, responseDeserialize: identity }
    if (options.isImplemented !== false)
      server.addService(
        { Check: { path: `/${Health.typeName}/${check.name}`, ...method, ...codecs } },
        { Check: answer }
      )
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) =>
        server.bindAsync(`127.0.0.1:${options.port ?? 0}`, ServerCredentials.createInsecure(), (error, bound) =>
          resume(error === null ? Effect.succeed(bound) : Effect.die(error))
        )
      ),
      () => Effect.sync(() => server.forceShutdown())
    )
    return { port, asked }
  })
