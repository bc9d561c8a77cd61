#!/bin/sh
# Makes a fresh machine the observer's: its disk, Node.js, the release. Every step may be taken again, so that what
# failed half-way (no network, a disk that came late) is mended by running it once more: sudo observer-setup
set -eu

settings=${SETUP_ENV:-/etc/observer-setup.env}
root=${SETUP_ROOT:-}
DATA_VOLUME='' NODE_VERSION='' RELEASE_URL='' RELEASE_SHA256=''
# shellcheck source=/dev/null
. "$settings"
device=$root/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$DATA_VOLUME
home=$root/var/lib/observer

say() { echo "observer-setup: $*"; }
fail() { echo "observer-setup: $*" >&2; exit 1; }

# The disk is attached once the machine runs.
waited=0
until [ -e "$device" ]; do
  [ "$waited" -lt "${SETUP_WAIT:-300}" ] || fail "the data disk $DATA_VOLUME is not there; is it attached?"
  sleep 5
  waited=$((waited + 5))
done

# A disk with anything on it is never formatted: blkid ends with 2 when it finds nothing at all.
found=0
kind=$(blkid -p -s TYPE -o value "$device") || found=$?
case "$found $kind" in
  "2 ") say "the disk is empty: it is formatted"; mkfs.ext4 -q -L observer-data "$device" ;;
  "0 ext4") say "the disk has a file system: it is used as it is" ;;
  *) fail "the disk holds something that is no ext4 file system ($kind, blkid ended with $found); nothing was done to it" ;;
esac
mkdir -p "$home"
if ! grep -q " /var/lib/observer " "$root/etc/fstab"; then
  uuid=$(blkid -p -s UUID -o value "$device")
  # nofail: a machine without its disk can still be looked at. The unit asks for the mount and does not start without.
  echo "UUID=$uuid /var/lib/observer ext4 defaults,noatime,nofail,x-systemd.device-timeout=120 0 2" >>"$root/etc/fstab"
fi
systemctl daemon-reload
mountpoint -q "$home" || mount "$home"

if [ "$(node --version 2>/dev/null || true)" != "v$NODE_VERSION" ]; then
  archive=node-v$NODE_VERSION-linux-x64.tar.gz
  scratch=$(mktemp -d)
  curl -fsSL --retry 5 -o "$scratch/$archive" "https://nodejs.org/dist/v$NODE_VERSION/$archive"
  curl -fsSL --retry 5 -o "$scratch/sums" "https://nodejs.org/dist/v$NODE_VERSION/SHASUMS256.txt"
  (cd "$scratch" && grep " $archive\$" sums | sha256sum -c --quiet -) || fail "$archive is not what nodejs.org says it is"
  tar -C "$root/usr/local" --strip-components=1 --no-same-owner -xzf "$scratch/$archive"
  rm -rf "$scratch"
  say "Node.js $NODE_VERSION is installed"
fi

if [ -z "$RELEASE_URL" ]; then
  say "no release_url: bring a release and run its deploy/systemd/install.sh"
  exit 0
fi
scratch=$(mktemp -d)
curl -fsSL --retry 5 -o "$scratch/release.tar.gz" "$RELEASE_URL"
echo "$RELEASE_SHA256  $scratch/release.tar.gz" | sha256sum -c --quiet - ||
  fail "the release does not have the sum $RELEASE_SHA256; nothing was installed"
tar -C "$scratch" --no-same-owner -xzf "$scratch/release.tar.gz"
sh "$scratch"/observer-*/deploy/systemd/install.sh
rm -rf "$scratch"

# Without settings there is nothing to start; the unit would say so, too.
if [ -f "$root/etc/observer/observer.env" ]; then
  systemctl start observer.service
  say "the observer is started"
else
  say "now write /etc/observer/observer.env and run: systemctl start observer"
fi
