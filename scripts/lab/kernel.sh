#!/bin/sh
# Fetches Debian's kernel package for the tests' virtual machine and unpacks what it needs into .cache/lab/kernel: vmlinuz
# and modules; installs nothing. Needs apt and an amd64 machine. Exit codes: 0 it is there, 1 not to be had.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cache="$root/.cache/lab/kernel"
# Grows with what is unpacked, so that an older copy is replaced.
layout=2
say() { printf 'kernel: %s\n' "$*" >&2; }
if [ -e "$cache/vmlinuz" ] && [ "$(cat "$cache/layout" 2>/dev/null)" = "$layout" ]; then exit 0; fi

if ! command -v apt-get >/dev/null 2>&1 || [ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ]; then
  say "only Debian's apt on amd64 has this package"
  exit 1
fi
# The metapackage names the newest kernel of this suite. Not the cloud flavour: it has no 9p.
package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*-amd64\)$/\1/p' | head -n 1)
if [ -z "$package" ]; then
  say "apt knows no package linux-image-amd64: run apt-get update once"
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/deb"
chmod 755 "$work"
chmod 777 "$work/deb" # apt downloads as its own user
say "downloading $package"
if ! (cd "$work/deb" && apt-get -q download "$package" >"$work/log" 2>&1); then
  tail -n 5 "$work/log" >&2
  say "$package could not be downloaded"
  exit 1
fi
mkdir -p "$work/new/modules"
# Newer packages have all below /usr/lib; modules may be compressed.
dpkg-deb --fsys-tarfile "$work/deb"/*.deb | tar -x -C "$work" --wildcards './boot/vmlinuz-*' '*/kernel/lib/*' \
  '*/kernel/crypto/*' '*/kernel/arch/x86/crypto/*' '*/kernel/drivers/virtio/*' '*/kernel/fs/9p/*' \
  '*/kernel/fs/fscache/*' '*/kernel/fs/netfs/*' '*/kernel/fs/overlayfs/*' '*/kernel/net/802/*' '*/kernel/net/9p/*' \
  '*/kernel/net/bridge/*' '*/kernel/net/ipv4/*' '*/kernel/net/ipv6/*' '*/kernel/net/llc/*' '*/kernel/net/netfilter/*' \
  '*/kernel/net/sched/*' '*/kernel/net/sctp/*' '*/kernel/drivers/net/veth.ko*' '*/kernel/drivers/net/dummy.ko*' '*/kernel/drivers/net/tun.ko*' \
  2>"$work/log" || true # kernels differ in what they have as modules
find "$work" -name '*.ko.xz' -exec xz -d {} +
find "$work" -name '*.ko' -exec mv -t "$work/new/modules" {} +
mv "$work"/boot/vmlinuz-* "$work/new/vmlinuz" || {
  tail -n 5 "$work/log" >&2
  say "$package holds no kernel"
  exit 1
}
printf '%s\n' "$package" >"$work/new/package"
printf '%s\n' "$layout" >"$work/new/layout"
mkdir -p "$root/.cache/lab"
if [ -e "$cache" ] && [ "$(cat "$cache/layout" 2>/dev/null)" != "$layout" ]; then mv -T "$cache" "$work/old"; fi
# Another run may have been quicker: then its copy stays.
mv -T "$work/new" "$cache" 2>/dev/null || [ -e "$cache/vmlinuz" ]
