/**
 * The peer of bench/idle: a bare program that looks and asks as the agent does, and does nothing else. It lists all
 * sandboxes and containers every second and decodes the answers, and asks each address every 10 s, by HTTP and by TCP in
 * turns. No journal, no actors, no Effect. Started by bench/idle.
 *
 *   bun bench/idle-bare.ts SOCKET ADDRESS…
 */
import * as http from "node:http"
import { connect } from "node:net"
import process from "node:process"
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import { Client, credentials, Metadata } from "@grpc/grpc-js"
import { RuntimeService } from "../src/adapters/cri/generated/api_pb.js"

const [socket = "", ...addresses] = process.argv.slice(2)
const relistMillis = 1_000
const probeMillis = 10_000
const port = 8080

const client = new Client(socket, credentials.createInsecure())
const same = (bytes: Buffer): Buffer => bytes
const fail = (error: Error): void => {
  console.error(`bench/idle-bare: ${error.message}`)
  process.exit(1)
}
const list = (method: (typeof RuntimeService.method)["listPodSandbox" | "listContainers"]): void => {
  const request = Buffer.from(toBinary(method.input, create(method.input)))
  const path = `/${method.parent.typeName}/${method.name}`
  client.makeUnaryRequest(
    path,
    same,
    same,
    request,
    new Metadata(),
    { deadline: Date.now() + 10_000 },
    (error, bytes) => (error === null ? fromBinary(method.output, bytes ?? Buffer.alloc(0)) : fail(error))
  )
}
const agent = new http.Agent({ keepAlive: false })
const ask = (address: string, index: number): void => {
  if (index % 2 === 0) {
    const asked = http.request({ hostname: address, port, path: "/ok", agent }, (response) => response.resume())
    asked.on("error", fail).end()
  } else {
    const opened = connect({ host: address, port }, () => opened.destroy())
    opened.on("error", fail)
  }
}

setInterval(() => {
  list(RuntimeService.method.listPodSandbox)
  list(RuntimeService.method.listContainers)
}, relistMillis)
for (const [index, address] of addresses.entries())
  setTimeout(() => setInterval(() => ask(address, index), probeMillis), (index * probeMillis) / addresses.length)
