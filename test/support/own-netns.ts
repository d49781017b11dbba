/**
 * Loaded by test files with `// netns: own`: they change rules, addresses and kernel parameters, which must never be the
 * machine's own. The runner starts them as they need it; started by hand without that they end here.
 */
import process from "node:process"

if (process.env.CHRONODE_OWN_NETNS === undefined) {
  throw new Error(
    "this test needs a network namespace of its own: sh scripts/test/own-netns.sh node_modules/.bin/bun test ./test/…"
  )
}
