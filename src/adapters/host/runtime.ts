/** The one place that knows which JavaScript runtime runs the agent. */
import process from "node:process"

/** `bun 1.4.5`, `deno 2.9.6` or `node 24.1.0`. */
export const runtimeName = (): string => {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>
  return bun !== undefined ? `bun ${bun}` : deno !== undefined ? `deno ${deno}` : `node ${node ?? "unknown"}`
}
