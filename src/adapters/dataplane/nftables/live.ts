/** Services by nftables. */
import { Effect, Layer, Semaphore } from "effect"
import { Dataplane, type DataplaneError, type DataplaneSettings, type Missing } from "../port.ts"
import { chainsToMake, readyChains } from "./chains.ts"
import { type Kernel, liveKernel } from "./kernel.ts"
import { fixedChains, skeletonText } from "./skeleton.ts"
import { makeSynchronizer } from "./synchronize.ts"
import { installRemedy, runNft } from "./tool.ts"

/** nft before this one reads the rules of everybody first, and has been seen to crash on them (`proxier.go`). */
const oldestNft = [1, 0, 1] as const

const isOlder = (version: string): boolean => {
  const numbers = version.split(".").map(Number)
  for (const [at, least] of oldestNft.entries()) {
    const number = numbers[at] ?? 0
    if (number !== least) return number < least
  }
  return false
}

const remedyOf = ({ reason }: DataplaneError): string => {
  switch (reason) {
    case "ToolMissing":
      return installRemedy
    case "NoPermission":
      return "run the agent as root, or with CAP_NET_ADMIN"
    default:
      return "a kernel 5.13 or newer with nf_tables and its modules nft_chain_nat, nft_ct, nft_fib_ipv4, nft_fib_ipv6, nft_masq, nft_numgen and nft_reject"
  }
}

/** What the machine lacks: the program, its version, rights, and parts of the kernel, which checks all rules without taking them. */
const missingOf = (settings: DataplaneSettings): Effect.Effect<ReadonlyArray<Missing>> =>
  Effect.gen(function* () {
    const version = /v(\d[\d.]*)/.exec(yield* runNft("tell its version", ["--version"]))?.[1] ?? "0"
    if (isOlder(version)) {
      return [
        {
          what: `nft ${version} is too old: ${oldestNft.join(".")} is the oldest that can be used`,
          remedy: installRemedy
        }
      ]
    }
    for (const family of settings.families) {
      const chains = [...fixedChains(settings, family), ...chainsToMake(readyChains, family, new Set(), [])]
      yield* runNft(
        "check the rules for Services",
        ["-c", "-f", "-"],
        `${skeletonText(family, `${settings.name}-check`, chains).join("\n")}\n`
      )
    }
    return []
  }).pipe(Effect.catch((error) => Effect.succeed([{ what: error.message, remedy: remedyOf(error) }])))

export const make = (
  settings: DataplaneSettings,
  kernel: Kernel = liveKernel(settings.name)
): typeof Dataplane.Service => {
  const { resync, apply, undisturbed, cleanup } = makeSynchronizer(kernel, settings)
  // What is sent depends on what was sent before.
  const turns = Semaphore.makeUnsafe(1)
  return Dataplane.of({
    mode: "nftables",
    missing: missingOf(settings),
    // None is needed: packets are sent on as far as whoever gives pods their network lets them (`proxier.go` NewProxier).
    prepare: Effect.succeed([]),
    resync: (desired) => turns.withPermits(1)(resync(desired)),
    apply: (changes) => turns.withPermits(1)(apply(changes)),
    undisturbed: turns.withPermits(1)(undisturbed),
    disturbances: kernel.disturbances,
    cleanup: turns.withPermits(1)(cleanup)
  })
}

export const layer = (settings: DataplaneSettings): Layer.Layer<Dataplane> =>
  Layer.sync(Dataplane, () => make(settings))
