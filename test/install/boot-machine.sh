#!/bin/sh
# boot-machine.sh FOLDER CHECKOUT BINARY: this machine's system once more, on a disk in memory that is gone with it, under a systemd of
# its own. For `unshare` with namespaces of mounts, processes and control groups.
set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p opt/checkout opt/units
mount --bind "$2" opt/checkout
touch opt/forecourt
mount --bind "$3" opt/forecourt
# Nothing else of this machine is started.
for target in boot sysinit basic shutdown multi-user network-online; do
  printf '[Unit]\nDefaultDependencies=no\n' >"opt/units/$target.target"
done
# Nor is there what an installation here left.
rm -rf etc/systemd/system/forecourt.service etc/systemd/system/forecourt.service.d etc/forecourt var/lib/forecourt \
  usr/local/bin/forecourt usr/local/lib/forecourt
export container=other SYSTEMD_UNIT_PATH=/etc/systemd/system:/opt/units
exec chroot . "$(command -v /usr/lib/systemd/systemd || echo /lib/systemd/systemd)" \
  --system --unit=boot.target --log-target=console --log-level=warning --show-status=0
