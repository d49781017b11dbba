/** What every implementation of `Conntrack` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import type { Conntrack, Flow } from "../../../src/adapters/conntrack/port.ts"
import type { IpFamily } from "../../../src/events/service-shape.ts"

export interface ConntrackUnderTest {
  readonly conntrack: (typeof Conntrack)["Service"]
  /** Makes the machine track UDP flows from these ports of the loopback address to port `to`, which has no answers. */
  readonly track: (family: IpFamily, ports: ReadonlyArray<number>, to: number) => Promise<void>
}

const loopback = { IPv4: "127.0.0.1", IPv6: "::1" } as const
const sourcePorts = (flows: ReadonlyArray<Flow>, to: number): ReadonlyArray<number> =>
  flows
    .filter(({ original }) => original.destinationPort === to)
    .map(({ original }) => original.sourcePort)
    .sort((a, b) => a - b)

export const conntrackContract = (
  name: string,
  make: Effect.Effect<ConntrackUnderTest, never, Scope.Scope>,
  options: { readonly skip?: string | false } = {}
): void => {
  const withIt = (use: (it: ConntrackUnderTest) => Effect.Effect<void, unknown>): Promise<void> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))

  describe(name, options, () => {
    for (const [family, port] of [
      ["IPv4", 30_001],
      ["IPv6", 30_006]
    ] as const) {
      it(`tells flows of ${family} as they began and as their answers come`, () =>
        withIt(({ conntrack, track }) =>
          Effect.gen(function* () {
            yield* Effect.promise(() => track(family, [20_001], port))
            const flows = yield* conntrack.flows(family, "UDP")
            const address = loopback[family]
            assert.deepEqual(
              flows.filter(({ original }) => original.destinationPort === port),
              [
                {
                  family,
                  protocol: "UDP",
                  original: { source: address, destination: address, sourcePort: 20_001, destinationPort: port },
                  reply: { source: address, destination: address, sourcePort: port, destinationPort: 20_001 }
                }
              ]
            )
            const others = yield* conntrack.flows(family === "IPv4" ? "IPv6" : "IPv4", "UDP")
            assert.deepEqual(sourcePorts(others, port), [])
            assert.deepEqual(sourcePorts(yield* conntrack.flows(family, "TCP"), port), [])
          })
        ))
    }

    it("removes the flows that it is told, and no others", () =>
      withIt(({ conntrack, track }) =>
        Effect.gen(function* () {
          yield* Effect.promise(() => track("IPv4", [20_002, 20_003, 20_004], 30_002))
          const flows = (yield* conntrack.flows("IPv4", "UDP")).filter(
            ({ original }) => original.destinationPort === 30_002
          )
          assert.equal(flows.length, 3)
          const gone = flows.filter(({ original }) => original.sourcePort !== 20_003)
          assert.equal(yield* conntrack.remove(gone), 2)
          assert.deepEqual(sourcePorts(yield* conntrack.flows("IPv4", "UDP"), 30_002), [20_003])
        })
      ))

    it("counts flows as removed that are gone already, and takes none for nothing to do", () =>
      withIt(({ conntrack, track }) =>
        Effect.gen(function* () {
          yield* Effect.promise(() => track("IPv4", [20_005], 30_003))
          const flows = (yield* conntrack.flows("IPv4", "UDP")).filter(
            ({ original }) => original.destinationPort === 30_003
          )
          assert.equal(yield* conntrack.remove(flows), 1)
          assert.equal(yield* conntrack.remove(flows), 1)
          const before = (yield* conntrack.flows("IPv4", "UDP")).length
          assert.equal(yield* conntrack.remove([]), 0)
          assert.equal((yield* conntrack.flows("IPv4", "UDP")).length, before)
        })
      ))

    it("removes thousands", () =>
      withIt(({ conntrack, track }) =>
        Effect.gen(function* () {
          const ports = Array.from({ length: 2000 }, (_, k) => 40_000 + k)
          yield* Effect.promise(() => track("IPv4", ports, 30_004))
          const flows = (yield* conntrack.flows("IPv4", "UDP")).filter(
            ({ original }) => original.destinationPort === 30_004
          )
          assert.equal(flows.length, 2000)
          assert.equal(yield* conntrack.remove(flows), 2000)
          assert.deepEqual(sourcePorts(yield* conntrack.flows("IPv4", "UDP"), 30_004), [])
        })
      ))
  })
}
