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

# shellcheck source=/dev/null
if ! { [ -r /etc/os-release ] && . /etc/os-release && [ "${ID:-}" = debian ] && command -v apt-get >/dev/null; }; then
  say "only Debian's apt has these packages"
  exit 1
fi
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
if [ -z "$mirror" ]; then
  say "apt knows no Debian mirror: run apt-get update once"
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
for suite in $missing; do
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite"
done >"$work/sources.list"
options="-q -o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache"
# shellcheck disable=SC2086 # words without spaces
if ! apt-get $options update >"$work/log" 2>&1; then
  tail -n 5 "$work/log" >&2
  say "no package lists of$missing from $mirror"
  exit 1
fi
for suite in $missing; do
  mkdir -p "$work/$suite" "$work/$suite.root"
  chmod 777 "$work/$suite"
  # shellcheck disable=SC2086
  if ! (cd "$work/$suite" && apt-get $options download "containerd/$suite" >"$work/log" 2>&1); then
    tail -n 5 "$work/log" >&2
    say "no containerd of $suite for this machine"
    exit 1
  fi
  dpkg -x "$work/$suite"/containerd_*.deb "$work/$suite.root"
  if ! "$work/$suite.root/usr/bin/containerd" --version >/dev/null 2>&1; then
    say "the containerd of $suite does not run here"
    exit 1
  fi
  mkdir -p "$root/.cache/lab/containerd"
  rm -rf "$root/.cache/lab/containerd/$suite"
  mv "$work/$suite.root/usr/bin" "$root/.cache/lab/containerd/$suite"
done
