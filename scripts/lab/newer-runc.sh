#!/bin/sh
# Fetches Debian sid's runc for the tests of user namespaces into .cache/lab/runc/sid; installs nothing. runc can mount
# with ids of a pod's own since 1.2. Where this system's C library is too old for it, it gets sid's beside it.
# Usage: sh scripts/lab/newer-runc.sh
# Works on Debian, over the mirror and the keys that this system's apt uses. Exit codes: 0 it is there, 1 not to be had.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
place="$root/.cache/lab/runc/sid"
say() { printf 'newer-runc: %s\n' "$*" >&2; }
if [ -x "$place/runc" ] && "$place/runc" --version >/dev/null 2>&1; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=scripts/lab/debian-suites.sh
. "$root/scripts/lab/debian-suites.sh"
suites_open "$work" sid
unpack "$suites_options" "$work/files" runc/sid
rm -rf "$place"
mkdir -p "$place"
cp "$work/files/usr/sbin/runc" "$place/runc"
if ! "$place/runc" --version >/dev/null 2>&1; then
  unpack "$suites_options" "$work/files" libc6/sid libseccomp2/sid
  unpack -q "$work/files" patchelf
  for library in $(find "$work/files" -type f \( -name 'libc.so.6' -o -name 'ld-linux*.so.*' -o -name 'libseccomp.so.2.*' \)); do
    name=$(basename "$library")
    case $name in libseccomp*) name=libseccomp.so.2 ;; esac
    cp "$library" "$place/$name"
  done
  "$work/files/usr/bin/patchelf" --set-interpreter "$(ls "$place"/ld-linux*)" --set-rpath "$place" "$place/runc"
fi
if ! "$place/runc" --version >/dev/null 2>&1; then
  rm -rf "$place"
  say "the runc of sid does not run here"
  exit 1
fi
