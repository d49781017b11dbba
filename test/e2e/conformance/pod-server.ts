/**
 * What runs in pods of the conformance tests, on the host's Bun (`chroot /host`): HTTP on 8080, datagrams on 8081, gRPC health
 * on 5000. `udp ADDRESS` instead asks another one by datagram and prints the answer.
 *
 * FAIL_AFTER: seconds after which `/healthz` answers 500.
 */
import { createSocket } from "node:dgram"
import { createServer } from "node:http"
import { hostname } from "node:os"
import process from "node:process"
import { create, toBinary } from "@bufbuild/protobuf"
import { Server, ServerCredentials, type sendUnaryData } from "@grpc/grpc-js"
import {
  Health,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus
} from "../../../src/adapters/probing/generated/health_pb.js"

export const ports = { http: 8080, udp: 8081, grpc: 5000 } as const

const serve = () => {
  const began = Date.now()
  const failsAt = began + Number(process.env.FAIL_AFTER ?? 1_000_000) * 1000
  const http = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://pod")
    const message = url.searchParams.get("msg")
    if (message !== null) console.log(`asked: ${message}`)
    response.statusCode = url.pathname === "/healthz" && Date.now() >= failsAt ? 500 : 200
    response.end(url.pathname === "/hostname" ? hostname() : "ok")
  })
  http.listen(ports.http, () => console.log("serving"))
  const datagrams = createSocket("udp4")
  datagrams.on("message", (_, from) => datagrams.send(hostname(), from.port, from.address))
  datagrams.bind(ports.udp)
  const identity = (bytes: Buffer): Buffer => bytes
  const well = Buffer.from(
    toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: ServingStatus.SERVING }))
  )
  const health = new Server()
  const codecs = { requestSerialize: identity, responseSerialize: identity, responseDeserialize: identity }
  const path = `/${Health.typeName}/${Health.method.check.name}`
  health.addService(
    { Check: { path, requestStream: false, responseStream: false, requestDeserialize: identity, ...codecs } },
    { Check: (_: unknown, reply: sendUnaryData<Buffer>) => reply(null, well) }
  )
  health.bindAsync(`0.0.0.0:${ports.grpc}`, ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error
  })
  process.on("SIGTERM", () => process.exit(0))
}

/** Milliseconds between questions, and until one must have been answered. */
const again = 300
const limit = 15_000

const ask = (address: string) => {
  const socket = createSocket("udp4")
  socket.on("message", (answer) => {
    console.log(`answer ${answer}`)
    process.exit(0)
  })
  setInterval(() => socket.send("?", ports.udp, address), again)
  setTimeout(() => process.exit(1), limit)
}

if (import.meta.main) {
  if (process.argv[2] === "udp") ask(process.argv[3] ?? "")
  else serve()
}
