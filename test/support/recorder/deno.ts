/**
 * Loaded by `deno test --preload`: notes errors that no test caught. Deno 2.9 swallows them once a test was declared
 * through node:test: a file that throws half-way still counts as passed.
 */
import process from "node:process"
import { note } from "./notes.ts"

const messageOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
const seen = new Set<unknown>()
const uncaught = (error: unknown) => {
  if (error !== undefined && seen.has(error)) return
  seen.add(error)
  note({ kind: "uncaught", message: messageOf(error) })
}

const events = globalThis as unknown as {
  addEventListener(name: string, listen: (event: { readonly error?: unknown; readonly reason?: unknown }) => void): void
}
events.addEventListener("error", (event) => uncaught(event.error))
events.addEventListener("unhandledrejection", (event) => uncaught(event.reason))
process.on("uncaughtException", uncaught)
