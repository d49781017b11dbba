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
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
chmod -R 777 "$work"
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' "$mirror" >"$work/sources.list"
options="-q -o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache"
fetch() { # options package…: unpacks them into $work/files
  given=$1
  shift
  # shellcheck disable=SC2086 # words without spaces
  if ! (cd "$work/packages" && apt-get $given download "$@" >"$work/log" 2>&1); then
    tail -n 5 "$work/log" >&2
    say "no $* for this machine"
    exit 1
  fi
  for package in "$work/packages"/*.deb; do dpkg -x "$package" "$work/files"; done
  rm -f "$work/packages"/*.deb
}

# shellcheck disable=SC2086
if ! apt-get $options update >"$work/log" 2>&1; then
  tail -n 5 "$work/log" >&2
  say "no package lists of sid from $mirror"
  exit 1
fi
fetch "$options" runc/sid
rm -rf "$place"
mkdir -p "$place"
cp "$work/files/usr/sbin/runc" "$place/runc"
if ! "$place/runc" --version >/dev/null 2>&1; then
  fetch "$options" libc6/sid libseccomp2/sid
  fetch "-q" patchelf
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
