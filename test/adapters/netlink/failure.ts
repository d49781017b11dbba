import assert from "node:assert/strict"
import { NetlinkError } from "../../../src/adapters/netlink/error.ts"

/** The error with which something fails that has to. */
export const failure = (run: () => unknown): NetlinkError => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof NetlinkError, String(error))
    return error
  }
  return assert.fail("it did not fail")
}
