import assert from "node:assert/strict"
import { describe } from "node:test"
import { Effect } from "effect"
import { makeMemoryLogind } from "../../../src/adapters/logind/memory.ts"
import { logindContract } from "./logind-contract.ts"

describe("logind in memory", () => {
  const memory = Effect.runSync(makeMemoryLogind(5_000))
  logindContract(() => ({
    logind: memory.service,
    delayLimit: 5_000,
    inhibitors: async (expected) => assert.equal(memory.inhibitors(), expected),
    prepare: async (active) => {
      await Effect.runPromise(memory.prepare(active))
    }
  }))
})
