#!/bin/sh
# Runs one lab machine until it is powered off. Arguments: NAME ROOT NETNS_FILE. Started in the machine's cgroup and in a mount namespace of its own.
set -u
name=$1 root=$2 netns=$3
# nspawn keeps its book here; private, so that labs with a machine of the same name do not meet.
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
tries=3
while [ "$tries" -gt 0 ]; do
  SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$root" --machine="$name" \
    --boot --register=no --keep-unit --capability=CAP_NET_ADMIN --bind=/dev/net/tun --network-namespace-path="$netns" \
    --resolv-conf=off --timezone=off --link-journal=no --console=pipe --kill-signal=SIGRTMIN+3
  code=$?
  case $code in
  0) exit 0 ;; # powered off
  133) ;;      # the guest asked for a reboot (--keep-unit leaves that to us)
  *)
    tries=$((tries - 1))
    echo "machine-loop: systemd-nspawn ended with $code"
    sleep 1
    ;;
  esac
done
exit 1
