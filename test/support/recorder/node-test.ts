/** Stands in for `node:test` on Deno (import-map.json): the same module, with notes about what is skipped. */
import * as real from "node:test"
import { watched } from "./notes.ts"

export const { it, test, describe, suite } = watched(real)
export const { before, after, beforeEach, afterEach, mock } = real
export default test
