#!/bin/sh
# `own-netns.sh COMMAND [ARGUMENT…]`: a command whose network namespace is a fresh one, as a small node of its own. Its mounts
# are its own too: names of `ip netns` clash with nobody's, /sys/class/net shows its devices, cgroups stay where they are.
# All of it goes with the last process in it. Needs root; exit code: the command's.
set -eu
if [ "${1:-}" != --inside ]; then
  # `ip netns` wants it as a mount point; the mount that hides it is made below.
  mkdir -p /run/netns
  exec unshare --net --mount --propagation private -- sh "$0" --inside "$@"
fi
shift
mount -t tmpfs -o mode=755 netns /run/netns
if [ -d /sys/fs/cgroup ]; then
  mkdir /run/netns/cgroup
  mount --rbind /sys/fs/cgroup /run/netns/cgroup
fi
mount -t sysfs sysfs /sys
if [ -d /run/netns/cgroup ]; then
  mount --move /run/netns/cgroup /sys/fs/cgroup
  rmdir /run/netns/cgroup
fi
ip link set lo up
# Tests that change the kernel's rules look for it: they must never do so to the machine itself.
export CHRONODE_OWN_NETNS=1
exec "$@"
