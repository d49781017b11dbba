// runtimes: (vm)
// netns: own
/** What the contract says of reaching Services, by nftables, where the kernel has sockets of SCTP: the virtual machine. */
import "../../../support/own-netns.ts"
import { after, before, describe } from "node:test"
import { reachTests } from "../contract/reach.ts"
import { families, World } from "../contract/world.ts"
import { nftables } from "./subject.ts"

describe("Services by nftables in another kernel", { skip: nftables.skip }, () => {
  let world: World | undefined
  before(async () => {
    world = await World.make(nftables)
  })
  after(() => world?.close())
  for (const family of families) describe(family, () => reachTests(() => world!, family))
})
