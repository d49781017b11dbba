#!/bin/sh
# Fetches containerd builds of other Debian suites for the tests, each into .cache/lab/containerd/SUITE; installs nothing.
# Usage: sh scripts/lab/newer-containerd.sh [SUITE…]     default: trixie (1.7) and sid (2.x)
# Works on Debian, over the mirror and the keys that this system's apt uses. Exit codes: 0 all there, 1 not to be had.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
say() { printf 'newer-containerd: %s\n' "$*" >&2; }
[ $# -gt 0 ] || set -- trixie sid

missing=""
for suite in "$@"; do
  [ -x "$root/.cache/lab/containerd/$suite/containerd" ] || missing="$missing $suite"
done
[ -n "$missing" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=scripts/lab/debian-suites.sh
. "$root/scripts/lab/debian-suites.sh"
# shellcheck disable=SC2086 # words without spaces
suites_open "$work" $missing
for suite in $missing; do
  unpack "$suites_options" "$work/$suite" "containerd/$suite"
  if ! "$work/$suite/usr/bin/containerd" --version >/dev/null 2>&1; then
    say "the containerd of $suite does not run here"
    exit 1
  fi
  mkdir -p "$root/.cache/lab/containerd"
  rm -rf "$root/.cache/lab/containerd/$suite"
  mv "$work/$suite/usr/bin" "$root/.cache/lab/containerd/$suite"
done
