/** The live adapter against a real bus with a logind of the lab. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { Effect } from "effect"
import { type LabLogind, logindLack, startLogind } from "../../../scripts/lab/logind.ts"
import { liveLogind } from "../../../src/adapters/logind/live.ts"
import { logindContract } from "./logind-contract.ts"

const lack = logindLack()

describe("logind on a private bus", { skip: lack ?? false }, () => {
  let lab: LabLogind
  before(async () => {
    lab = await startLogind(5)
  })
  after(() => lab.stop())

  logindContract(() => ({
    logind: liveLogind(lab.address),
    delayLimit: 5_000,
    inhibitors: async (expected) => {
      await lab.heard("inhibited shutdown chronode delay")
      if (expected === 0) await lab.heard("released")
    },
    prepare: async (active) => lab.prepare(active)
  }))

  it("that is not there is told of in words", async () => {
    const { inhibit } = liveLogind("unix:path=/nowhere/bus")
    const error = await Effect.runPromise(Effect.flip(Effect.scoped(inhibit)))
    assert.equal(error.reason, "Unavailable")
    assert.match(error.message, /there is no system bus/u)
  })
})
