#!/bin/sh
# Builds the library `chronode/client` (package.json, exports) from src/client into dist: JavaScript and its types, for
# programs on Node as well as Bun and Deno. `npm pack` and `npm publish` run it first, so that a package is never stale.
set -eu
cd "$(dirname -- "$0")/.."
# What else is in dist is not this script's.
rm -rf dist/client dist/events
node_modules/.bin/tsc --project tsconfig.client.json --pretty false
