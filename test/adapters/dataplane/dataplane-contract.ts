/**
 * What every dataplane must keep, judged by packets: real clients and servers in the network of a small cluster
 * (test/support/netlab). The file that calls it needs the line `// netns: own`.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { affinityTests } from "./contract/affinity.ts"
import { changeTests } from "./contract/change.ts"
import { driftTests } from "./contract/drift.ts"
import { faultTests } from "./contract/faults.ts"
import { policyTests } from "./contract/policies.ts"
import { reachTests } from "./contract/reach.ts"
import { families, type Subject, sh, World } from "./contract/world.ts"

export type { Deviation, Disturbance, Subject } from "./contract/world.ts"

export const dataplaneContract = (subject: Subject): void => {
  describe(`${subject.mode} keeps the contract of dataplanes`, { skip: subject.skip }, () => {
    let world: World | undefined
    let theirs = ""
    const its = (): World => world!
    before(async () => {
      world = await World.make(subject)
      theirs = await sh(subject.foreign.read)
      assert.notEqual(theirs.trim(), "")
    })
    after(() => world?.close())

    for (const family of families) {
      describe(family, () => {
        reachTests(its, family)
        policyTests(its, family)
        affinityTests(its, family)
        changeTests(its, family)
      })
    }
    driftTests(its, subject)
    faultTests(its, subject)

    it("has left others' entries as they were all the time", async () => {
      assert.equal(await sh(subject.foreign.read), theirs)
    })
  })
}
