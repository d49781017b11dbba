/** Loaded by `bun test --preload`: `node:test` with notes about what is skipped. */
// @ts-expect-error Bun's own module; its types are no dependency of ours
import { mock } from "bun:test"
import * as module from "node:test"
import { watched } from "./notes.ts"

// A copy: the namespace itself changes when it is mocked.
const real = { ...module }
const replaced = watched(real)
mock.module("node:test", () => ({ ...real, ...replaced, default: replaced.test }))
