/** What IPVS is told is what is read of it: every virtual and real server is the same again, whatever it is. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Request } from "../../../src/adapters/netlink/connection.ts"
import { NetlinkError } from "../../../src/adapters/netlink/error.ts"
import {
  commands,
  destinationRequest,
  readDestination,
  readService,
  readTimeouts,
  serviceRequest,
  timeoutsRequest
} from "../../../src/adapters/netlink/ipvs.ts"
import { forEachMessage, type Message } from "../../../src/adapters/netlink/reader.ts"
import { Writer } from "../../../src/adapters/netlink/writer.ts"
import { roundsOr, seededRandom } from "../../support/random.ts"
import { randomServers } from "./random-ipvs.ts"

const random = seededRandom("IPVS codec")
const family = { id: 32, version: 1 }

const written = (request: Request): Uint8Array => {
  const writer = new Writer()
  const at = writer.beginMessage(request.type, request.flags ?? 0, 1)
  request.write(writer)
  writer.endMessage(at)
  return writer.written.slice()
}

const messageOf = (bytes: Uint8Array): Message => {
  let found: Message | undefined
  forEachMessage(bytes, (message) => {
    found = message
  })
  return found!
}

describe("the codec of IPVS", () => {
  it("reads what it writes", () => {
    for (const { destinations, ...server } of randomServers(random, roundsOr(500))) {
      const message = messageOf(written(serviceRequest(family, commands.newService, server, server)))
      assert.deepEqual(readService(message), server)
      for (const real of destinations) {
        const request = destinationRequest(family, commands.newDestination, server, real)
        const counted = { ...real, active: 0, inactive: 0, persistent: 0 }
        assert.deepEqual(readDestination(messageOf(written(request)), server.family), counted)
      }
    }
    for (const timeouts of [{}, { tcp: 900 }, { tcpFin: 1, udp: 2 }, { tcp: 1, tcpFin: 2, udp: 3 }]) {
      assert.deepEqual(readTimeouts(messageOf(written(timeoutsRequest(family, timeouts)))), timeouts)
    }
  })

  it("refuses what was cut off, and nothing else is thrown whatever comes", () => {
    for (const { destinations, ...server } of randomServers(random, roundsOr(40))) {
      const real = destinations[0]
      const whole = written(
        real === undefined
          ? serviceRequest(family, commands.newService, server, server)
          : destinationRequest(family, commands.newDestination, server, real)
      )
      for (let round = 0; round < whole.length; round++) {
        const bytes = whole.slice()
        for (let k = random.int(1, 4); k > 0; k--) bytes[random.int(16, bytes.length - 1)] = random.int(0, 255)
        try {
          readService(messageOf(bytes))
          readDestination(messageOf(bytes), server.family)
        } catch (error) {
          assert.ok(error instanceof NetlinkError && error.reason === "Malformed", String(error))
        }
      }
    }
  })

  it("does not take text for an address", () => {
    for (const address of ["", "10.0.0", "10.0.0.0.1", "fd00", "web"]) {
      const request = serviceRequest(family, commands.getService, {
        ...{ family: "IPv4", protocol: "TCP", address, port: 80 }
      })
      assert.throws(() => written(request), NetlinkError, address)
    }
  })
})
