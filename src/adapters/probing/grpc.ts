/**
 * Asking by the gRPC health checking protocol (`pkg/probe/grpc/grpc.go`), in plain text: SERVING is good, and everything
 * else is a failure, also what keeps the question from being asked.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import { Client, status as code, credentials, Metadata, type ServiceError } from "@grpc/grpc-js"
import { Effect } from "effect"
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as ServingStatus
} from "./generated/health_pb.js"
import { hostAndPort, userAgent } from "./http-request.ts"
import { failed, type Outcome, succeeded } from "./outcome.ts"
import type { GrpcQuestion } from "./port.ts"

/** gRPC's own bound in Go. */
const maxMessageBytes = 4 * 1024 * 1024

const { check } = Health.method
const path = `/${Health.typeName}/${check.name}`
const identity = (bytes: Buffer): Buffer => bytes

/** Go's name of a status code: `NotFound` of `NOT_FOUND`. */
const codeName = (number: number): string =>
  number === code.CANCELLED
    ? "Canceled"
    : (code[number] ?? `Code(${number})`).toLowerCase().replace(/(?:^|_)([a-z])/gu, (_, letter) => letter.toUpperCase())

const timedOut = (output: string): Outcome => ({ result: "failure", output, timedOut: true })

/** From the bytes of an answer. */
const judgeAnswer = (bytes: Uint8Array): Outcome => {
  try {
    const { status } = fromBinary(check.output, bytes)
    if (status === ServingStatus.SERVING) return succeeded("service healthy")
    return failed(`service unhealthy (responded with ${JSON.stringify(ServingStatus[status] ?? String(status))})`)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    return failed(`error: health rpc probe failed: rpc error: code = Internal desc = the answer cannot be read: ${why}`)
  }
}

/** `isLate`: its time was up; some transports report that as a cancelled call. */
const judgeError = ({ code: number, details }: ServiceError, isLate: boolean, seconds: number): Outcome => {
  if (number === code.DEADLINE_EXCEEDED || (number === code.CANCELLED && isLate))
    return timedOut(`timeout: health rpc did not complete within ${seconds}s`)
  if (number === code.UNIMPLEMENTED)
    return failed(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`)
  return failed(`error: health rpc probe failed: rpc error: code = ${codeName(number)} desc = ${details}`)
}

/** On a connection of its own. Where nobody listens yet it is tried again until the time is up, as kubelet's dialling is. */
export const askGrpc = ({ host, port, service, timeoutSeconds }: GrpcQuestion): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const address = hostAndPort(host, port)
    const deadline = Date.now() + timeoutSeconds * 1000
    const client = new Client(address, credentials.createInsecure(), {
      "grpc.primary_user_agent": userAgent,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_http_proxy": 0,
      "grpc.enable_channelz": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.max_receive_message_length": maxMessageBytes
    })
    let isOver = false
    const end = (outcome: Outcome): void => {
      if (isOver) return
      isOver = true
      client.close()
      resume(Effect.succeed(outcome))
    }
    let cancel = (): void => {}
    client.waitForReady(deadline, (error) => {
      if (isOver) return
      if (error !== undefined && error !== null) {
        const within = `within ${timeoutSeconds}s: context deadline exceeded`
        end(timedOut(`timeout: failed to connect service ${JSON.stringify(address)} ${within}`))
        return
      }
      const request = Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })))
      const answered = (failure: ServiceError | null, bytes?: Buffer): void =>
        end(
          failure === null
            ? judgeAnswer(bytes ?? Buffer.alloc(0))
            : judgeError(failure, Date.now() >= deadline, timeoutSeconds)
        )
      const call = client.makeUnaryRequest(path, identity, identity, request, new Metadata(), { deadline }, answered)
      cancel = () => call.cancel()
    })
    return Effect.sync(() => {
      isOver = true
      cancel()
      client.close()
    })
  })
