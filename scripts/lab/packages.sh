#!/bin/sh
# Installs what the tests and the demo need and this machine lacks: Debian and Ubuntu, through apt. Says nothing and
# needs no rights when nothing is missing. Packages' own services are never started or enabled, and programs that are
# here already, from whatever source, are left alone (a containerd of Docker's is good enough).
# With --tests also what the tests alone need: a registry, Prometheus, a D-Bus, and QEMU and ipvsadm for those that need a kernel
# of their own (amd64 only).
#
# Exit codes: 0 everything is there; 1 something could not be installed; 2 not root, or no apt.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf 'packages: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
has_cni() { [ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ]; }
# The dynamic linker's name stands in every dynamically linked program.
is_static() { [ -x "$1" ] && ! grep -q -a -e '/ld-linux' -e '/ld64' "$1"; }
has_busybox() {
  for candidate in /bin/busybox /usr/bin/busybox "$root/.cache/lab/busybox/bin/busybox" "$root/.cache/lab/busybox/usr/bin/busybox"; do
    if is_static "$candidate"; then return 0; fi
  done
  return 1
}

missing=""
need() { missing="$missing $1"; }
{ has containerd && has ctr; } || need containerd
has runc || need runc
has_cni || need containernetworking-plugins
has nats-server || need nats-server
has ip || need iproute2
has iptables || need iptables
has nft || need nftables
has conntrack || need conntrack
if [ "${1:-}" = --tests ]; then
  has docker-registry || need docker-registry
  { has prometheus && has promtool; } || need prometheus
  has dbus-daemon || need dbus-daemon
  { [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import dbus; from gi.repository import GLib' 2>/dev/null; } || need "python3-dbus python3-gi"
  if [ "$(uname -m)" = x86_64 ]; then
    has qemu-system-x86_64 || need qemu-system-x86
    has ipvsadm || need ipvsadm
  fi
fi
unpack_busybox=no
if ! has_busybox; then
  # busybox-static would push the dynamically linked `busybox` out: then it is only unpacked beside the checkout.
  if has busybox; then unpack_busybox=yes; else need busybox-static; fi
fi
if [ -z "$missing" ] && [ "$unpack_busybox" = no ]; then exit 0; fi

wanted="$missing"
[ "$unpack_busybox" = no ] || wanted="$wanted busybox-static"
if ! has apt-get; then
  say "missing here:$wanted. This script knows apt only: install them in this system's own way (names are Debian's)."
  exit 2
fi
if [ "$(id -u)" != 0 ]; then
  say "missing here:$wanted. Run as root once: sudo sh scripts/lab/packages.sh${1:+ $1}"
  exit 2
fi

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l
work=$(mktemp -d)
policy=/usr/sbin/policy-rc.d
policy_changed=no
finish() {
  if [ "$policy_changed" = yes ]; then
    rm -f "$policy"
    if [ -e "$policy.saved" ] || [ -L "$policy.saved" ]; then mv "$policy.saved" "$policy"; fi
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# Seconds to wait for another apt that is at work.
apt() { apt-get -q -y -o DPkg::Lock::Timeout=180 -o Dpkg::Use-Pty=0 "$@"; }
quietly() {
  if "$@" >"$work/log" 2>&1; then return 0; fi
  return 1
}
fail() {
  tail -n 20 "$work/log" >&2 2>/dev/null || true
  say "$1"
  exit 1
}

known() { for package in $wanted; do apt-cache show "$package" >/dev/null 2>&1 || return 1; done; }
updated=no
update() {
  if [ "$updated" = no ]; then
    updated=yes
    quietly apt update || fail "apt-get update failed: are the package sources reachable?"
  fi
}
known || update

if [ -n "$missing" ]; then
  say "installing$missing"
  # Debian policy 9.3.3: exit code 101 forbids maintainer scripts to start or stop a service.
  # Beside the original, so that a run that was killed loses nothing: then `.saved` is the original already.
  if [ ! -e "$policy.saved" ] && { [ -e "$policy" ] || [ -L "$policy" ]; }; then mv "$policy" "$policy.saved"; fi
  policy_changed=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  # shellcheck disable=SC2086 # a list of names
  quietly apt install --no-install-recommends --no-remove $missing || {
    update # the lists were too old
    # shellcheck disable=SC2086
    quietly apt install --no-install-recommends --no-remove $missing ||
      fail "could not install:$missing (are the package sources reachable?)"
  }
  # Installed by us, wanted as programs only: they shall not start at the next boot either.
  if has systemctl; then
    for package in $missing; do
      case $package in
        containerd | nats-server | docker-registry | prometheus) quietly systemctl disable "$package.service" || say "could not disable $package.service" ;;
      esac
    done
  fi
fi

if [ "$unpack_busybox" = yes ]; then
  say "unpacking busybox-static to .cache/lab/busybox"
  mkdir -p "$root/.cache/lab/busybox" "$work/deb"
  chmod 777 "$work" "$work/deb" # apt downloads as its own user
  (cd "$work/deb" && quietly apt-get -q download busybox-static) || {
    update
    (cd "$work/deb" && quietly apt-get -q download busybox-static) || fail "could not download busybox-static"
  }
  dpkg -x "$work"/deb/busybox-static_*.deb "$root/.cache/lab/busybox"
fi
