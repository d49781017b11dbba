#!/bin/sh
# Makes a clone runnable with nothing but npm: the packages of package-lock.json, and Bun and Deno among them. Says
# nothing when all is there. Debian packages are the business of scripts/lab/packages.sh. Exit codes: 0 ready, 1 not.
set -eu
cd "$(dirname -- "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

if ! command -v npm >/dev/null 2>&1 || ! command -v node >/dev/null 2>&1; then
  say "npm is missing: install Node.js 18 or newer with its npm (Debian, Ubuntu: apt-get install npm)"
  exit 1
fi

if ! node scripts/npm-installed.mjs; then
  say "installing npm packages by package-lock.json"
  if ! npm ci --no-audit --no-fund --loglevel=error >&2; then
    # Every version and checksum in the lockfile still holds; what it lacks is resolved by npm, and nothing is written back.
    say "'npm ci' refused: going on with 'npm install', which takes what the lockfile lacks from the registry"
    npm install --no-save --no-audit --no-fund --loglevel=error >&2 || {
      say "npm could not install: is its registry reachable?"
      exit 1
    }
  fi
fi

# npm may be told not to run install steps (--ignore-scripts; newer versions ask first). Those of bun and deno only put
# the binary of the platform's package into place: done here where it did not happen.
is_program() { [ -x "$1" ] && head -c 4 "$1" | grep -q ELF; }
place() {
  if is_program "node_modules/.bin/$1"; then return 0; fi
  (cd "node_modules/$1" && node "$2" >&2) || true
  if is_program "node_modules/.bin/$1"; then return 0; fi
  say "node_modules/.bin/$1 is no program, and node_modules/$1/$2 did not make it one (no binary for this platform?)"
  return 1
}
place bun install.js
place deno install.cjs

# What bin/chronode starts (npm makes it with `npm ci`, but not where it was told to run nothing, and not after a change).
built=dist/agent/main.js
if [ ! -f "$built" ] || [ -n "$(find src package.json package-lock.json -newer "$built" -print -quit)" ]; then
  sh scripts/build-agent.sh || say "the agent could not be made one program: it runs from its sources"
fi
