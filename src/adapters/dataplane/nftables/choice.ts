/**
 * The rules of chains that choose a server, and of those that remember the choice, as the kernel's expressions. They are made
 * through netlink, because nft 1.0.6 cannot add a rule that looks into a map of addresses and ports which it did not make in the same run ("conflicting
 * protocols specified: ip vs. th"), and because a change that needs a new chain is so one transaction with it.
 */
import type { IpFamily } from "../../../events/service-shape.ts"
import type { Expression } from "../../netlink/nftables-rules.ts"
import { protocolNumbers } from "./bytes.ts"
import { choosers, drawsFor, lastDraw, nftFamily, sets } from "./layout.ts"
import type { Choice } from "./skeleton.ts"

interface Header {
  readonly length: number
  /** Where the addresses stand in the IP header: bytes. */
  readonly source: number
  readonly destination: number
}

/** RFC 791 and RFC 8200. */
const headers: Readonly<Record<IpFamily, Header>> = {
  IPv4: { length: 4, source: 12, destination: 16 },
  IPv6: { length: 16, source: 8, destination: 24 }
}

/** Of TCP, UDP and SCTP alike. */
const destinationPort = { load: "transport", offset: 2, length: 2 } as const

/** Rules in their order, each a list of expressions. */
export const choiceRules = (choice: Choice, family: IpFamily): ReadonlyArray<ReadonlyArray<Expression>> => {
  if ("seconds" in choice) return memoryRules(choice.seconds, family)
  const { kind, slots: count, isSticky } = choice
  const { length, source, destination } = headers[family]
  /** Registers that an address takes up. */
  const width = length / 4
  const send = (map: string): ReadonlyArray<Expression> => [
    { lookup: map, from: 0, to: 0 },
    { dnat: nftFamily(family), address: 0, port: width }
  ]
  const front: ReadonlyArray<Expression> = [
    { load: "network", offset: destination, length, to: 0 },
    { load: "protocol", to: width },
    { ...destinationPort, to: width + 1 }
  ]
  const nodePort: ReadonlyArray<Expression> = [
    { load: "protocol", to: 0 },
    { ...destinationPort, to: 1 }
  ]
  const { slots, isNodePort } = choosers[kind]
  const choose = (modulus: number): ReadonlyArray<Expression> => [
    ...(isNodePort ? nodePort : front),
    { load: "random", modulus, to: isNodePort ? 2 : width + 2 },
    ...send(slots.name)
  ]
  const draws = Array.from({ length: drawsFor(count) }, () => choose(count))
  const choices = [...draws, choose(lastDraw(count))]
  const recall: ReadonlyArray<Expression> = [
    ...front,
    { load: "network", offset: source, length, to: width + 2 },
    ...send(sets.affinity.name)
  ]
  return isSticky ? [recall, ...choices] : choices
}

/**
 * The client and where it has been sent to: for each protocol a rule, because nft can tell ports of a connection's first
 * destination only with their protocol. (It cannot make the rule itself: for IPv6 it would run out of registers.)
 */
const memoryRules = (seconds: number, family: IpFamily): ReadonlyArray<ReadonlyArray<Expression>> => {
  const { length, source, destination } = headers[family]
  const width = length / 4
  const data = 2 * width + 2
  return Object.values(protocolNumbers).map((protocol) => [
    { load: "protocol", to: 0 },
    { equals: Uint8Array.of(protocol), from: 0 },
    { load: family === "IPv4" ? "original ip" : "original ip6", to: 0 },
    { load: "protocol", to: width },
    { load: "original port", to: width + 1 },
    { load: "network", offset: source, length, to: width + 2 },
    { load: "network", offset: destination, length, to: data },
    { ...destinationPort, to: data + width },
    { update: sets.affinity.name, key: 0, data, timeoutMillis: seconds * 1000 }
  ])
}
