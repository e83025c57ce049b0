#!/bin/sh
# mmdebstrap's customize hook: what every lab machine shares. $1 is the new root.
set -eu
chroot "$1" useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD:ALL' >"$1/etc/sudoers.d/admin"
chmod 440 "$1/etc/sudoers.d/admin"
install -d -o 1000 -g 1000 -m 700 "$1/home/admin/.ssh"
# Each machine makes its own host keys and machine id, but for the RSA key: making that takes longer than the machine's boot.
rm -f "$1"/etc/ssh/ssh_host_*
chroot "$1" ssh-keygen -q -t rsa -b 2048 -N '' -C root@lab -f /etc/ssh/ssh_host_rsa_key
: >"$1/etc/machine-id"
# A container has no console, no clock and no disk of its own to look after, and no way out for updates.
for unit in console-getty.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
  dpkg-db-backup.timer fstrim.timer systemd-timesyncd.service systemd-networkd-wait-online.service; do
  chroot "$1" systemctl mask "$unit" >/dev/null 2>&1 || :
done
chroot "$1" systemctl set-default multi-user.target >/dev/null 2>&1
# Nobody reads what a login is told, and telling it starts five programs each time.
sed -i '/pam_motd/d' "$1/etc/pam.d/sshd" "$1/etc/pam.d/login"
# One systemd for the user's own services from boot on, not another for each login after a pause.
install -D -m 644 /dev/null "$1/var/lib/systemd/linger/admin"
# Half of its files, which nobody reads there; tests list all of a machine's files again and again.
for directory in doc locale lintian man zoneinfo/posix zoneinfo/right; do
  rm -rf "${1:?}/usr/share/$directory"/*
done
