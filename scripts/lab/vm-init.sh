#!/bin/busybox sh
# The first process of the tests' virtual machine: makes the host's files its own (read-only, with a layer in memory
# above them that takes what is written), and hands over to /start of the initramfs.
b=/bin/busybox
give_up() {
  echo "vm-init: $1"
  $b poweroff -f
}
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
# A machine that only shall show that it boots.
if $b grep -qw vm-probe /proc/cmdline; then
  echo "vm-init: booted"
  $b poweroff -f
fi
while read -r module; do
  $b insmod "/modules/$module.ko" || echo "vm-init: no module $module"
done </modules/order
$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 host /lower || give_up "no files of the host"
$b mount -t tmpfs -o mode=755 upper /upper
$b mkdir /upper/files /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work root /root || give_up "no overlay"
for directory in proc sys dev; do $b mount --move "/$directory" "/root/$directory"; done
$b mkdir -p /root/dev/pts /root/dev/shm
$b mount -t devpts -o mode=620,ptmxmode=666 pts /root/dev/pts
$b mount -t tmpfs shm /root/dev/shm
$b mount -t tmpfs -o mode=755 run /root/run
$b mount -t cgroup2 cgroup2 /root/sys/fs/cgroup || give_up "no cgroup v2"
$b mkdir -p /root/run/vm /root/run/tmp
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 results /root/run/vm || give_up "no folder for results"
$b cp /start /root/run/start
$b hostname vm
$b ifconfig lo 127.0.0.1 up
exec $b switch_root /root /bin/sh /run/start
