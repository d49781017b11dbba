#!/bin/sh
# Installs Debian's chromium, with which the tests click through HTML reports. Says nothing when it is here already. Exit
# codes: 0 it is there; 1 it is not to be had: not root, or no package of that name (Ubuntu has it as a snap only).
set -eu

say() { printf 'chromium: %s\n' "$*" >&2; }
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
  say "this script knows apt only: install chromium in this system's own way"
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  say "run as root once: sudo sh scripts/lab/chromium.sh"
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
# Seconds to wait for another apt that is at work.
apt() { apt-get -q -y -o DPkg::Lock::Timeout=180 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1; }
candidate() { apt-cache policy chromium | grep -q 'Candidate: [0-9]'; }

candidate || apt update || say "apt-get update failed: are the package sources reachable?"
if ! candidate; then
  say "apt knows no package chromium"
  exit 1
fi
say "installing chromium"
apt install --no-install-recommends --no-remove chromium || {
  # The lists were too old.
  if ! { apt update && apt install --no-install-recommends --no-remove chromium; }; then
    tail -n 5 "$log" >&2
    say "could not be installed"
    exit 1
  fi
}
