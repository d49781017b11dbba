// netns: own
import "../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { createSocket } from "node:dgram"
import { it } from "node:test"
import { Effect } from "effect"
import { makeConntrack } from "../../../src/adapters/conntrack/live.ts"
import { acknowledging, scriptedKernel } from "../../../src/adapters/netlink/memory.ts"
import { makeSession } from "../../../src/adapters/netlink/session.ts"
import type { IpFamily } from "../../../src/events/service-shape.ts"
import { requires } from "../../support/requires.ts"
import { conntrackContract } from "./conntrack-contract.ts"

/** Connections are tracked in a network namespace as soon as a rule there asks about them. */
const startTracking = () =>
  execFileSync("nft", ["-f", "-"], {
    input: "table inet track { chain out { type filter hook output priority 0; ct state new accept; }; }\n"
  })

/** One packet. */
const send = (family: IpFamily, from: number, to: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(family === "IPv4" ? "udp4" : "udp6")
    const address = family === "IPv4" ? "127.0.0.1" : "::1"
    socket.on("error", reject)
    socket.bind(from, address, () =>
      socket.send("x", to, address, (error) => {
        socket.close(() => (error === null ? resolve() : reject(error)))
      })
    )
  })

const live = Effect.gen(function* () {
  const conntrack = makeConntrack(yield* makeSession("netfilter"))
  yield* Effect.sync(startTracking)
  return {
    conntrack,
    track: async (family: IpFamily, ports: ReadonlyArray<number>, to: number) => {
      for (const port of ports) await send(family, port, to)
    }
  }
})

conntrackContract("the kernel's connections", live, requires("root", "nft"))

it("the kernel's connections are those that conntrack(8) lists", requires("root", "nft", "conntrack"), () =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { conntrack, track } = yield* live
        yield* Effect.promise(() => track("IPv4", [20_010, 20_011], 30_010))
        const lines = execFileSync("conntrack", ["-L", "-f", "ipv4", "-p", "udp"], {
          stdio: ["ignore", "pipe", "ignore"]
        })
        const listed = lines
          .toString()
          .split("\n")
          .flatMap((line) => {
            const [original, reply] = [...line.matchAll(/src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/gu)]
            return original === undefined || reply === undefined ? [] : [[original[0], reply[0]].join(" ")]
          })
        const flows = yield* conntrack.flows("IPv4", "UDP")
        const text = (it: (typeof flows)[number]["original"]) =>
          `src=${it.source} dst=${it.destination} sport=${it.sourcePort} dport=${it.destinationPort}`
        assert.deepEqual(flows.map(({ original, reply }) => `${text(original)} ${text(reply)}`).sort(), listed.sort())
      })
    )
  )
)

it("a kernel that refuses is told as it is, and asked anew the next time", () =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        let errno = 1
        let opened = 0
        const session = yield* makeSession("netfilter", () => {
          opened += 1
          return scriptedKernel((sent) => (errno === 0 ? [] : acknowledging(() => errno)(sent))).transport
        })
        const conntrack = makeConntrack(session)
        assert.equal((yield* Effect.flip(conntrack.flows("IPv4", "UDP"))).reason, "NoPermission")
        errno = 95
        assert.equal((yield* Effect.flip(conntrack.flows("IPv4", "UDP"))).reason, "Unsupported")
        assert.equal(opened, 1)
        errno = 0
        assert.equal((yield* Effect.flip(conntrack.flows("IPv4", "UDP"))).reason, "Failed")
        yield* Effect.flip(conntrack.flows("IPv4", "UDP"))
        assert.equal(opened, 2)
      })
    )
  ))
