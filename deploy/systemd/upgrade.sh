#!/bin/sh
# Brings the installed observer to another release, or back.
#
#   upgrade.sh observer-0.2.0.tar.gz     unpacks, installs, restarts; goes back by itself when the new one does not get ready
#   upgrade.sh --rollback                to the release before, which is kept
#
# The restart takes as long as the drain and the start, some seconds, which the record shows as a gap of cause
# `downtime`; after the close is the time for it. Journal, state and settings stay where they are.
set -eu

root=
wait_seconds=120
rollback=no
tarball=
while [ $# -gt 0 ]; do
  case $1 in
    --root) root=${2:?--root needs a folder}; shift 2 ;;
    --wait) wait_seconds=${2:?--wait needs seconds}; shift 2 ;;
    --rollback) rollback=yes; shift ;;
    -*) echo "upgrade.sh: $1 is unknown; allowed: FILE, --rollback, --wait SECONDS, --root FOLDER" >&2; exit 64 ;;
    *) tarball=$1; shift ;;
  esac
done
home=$root/opt/observer

fail() { echo "upgrade.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || [ -n "$root" ] || fail "must run as root"

ran=no
if systemctl is-active --quiet observer.service; then ran=yes; fi

# Makes a release current, and another one, or none, the one before it.
turn() {
  ln -sfn "$1" "$home/current.new" && mv -T "$home/current.new" "$home/current"
  if [ -n "$2" ]; then ln -sfn "$2" "$home/previous.new" && mv -T "$home/previous.new" "$home/previous"
  else rm -f "$home/previous"; fi
  units "$home/$1"
}

# The units and the command belong to the release: an older program runs under its own.
units() {
  install -m 0755 "$1/deploy/systemd/observer" "$root/usr/local/bin/observer"
  for unit in "$1"/deploy/systemd/*.service "$1"/deploy/systemd/*.timer; do
    install -m 0644 "$unit" "$root/etc/systemd/system/"
  done
  for folder in observer.service.d observer-.service.d; do
    install -m 0644 "$1/deploy/systemd/sandbox.conf" "$root/etc/systemd/system/$folder/sandbox.conf"
  done
}

# A service that does not run is not started by an upgrade. Ready is what /readyz says: data can be written, and the
# source is what the phase wants.
restart() {
  systemctl daemon-reload
  [ "$ran" = yes ] || { echo "the observer did not run, and is not started"; return 0; }
  systemctl restart observer.service || return 1
  waited=0
  until observer status --quiet; do
    [ "$waited" -lt "$wait_seconds" ] || return 1
    sleep 2
    waited=$((waited + 2))
  done
}

before=$(readlink "$home/current" 2>/dev/null) || fail "nothing is installed yet: unpack the release and run its install.sh"
kept=$(readlink "$home/previous" 2>/dev/null || true)

# The new one was not ready in time: everything is as it was, the release before this one, too.
go_back() {
  echo "upgrade.sh: $1 does not get ready within $wait_seconds s; going back to $before" >&2
  turn "$before" "$kept"
  restart || fail "$before does not get ready either; see journalctl -u observer"
  exit 1
}

if [ "$rollback" = yes ]; then
  [ -n "$kept" ] || fail "there is no release before this one"
  [ -f "$home/$kept/dist/main.js" ] || fail "$home/$kept is no release any more"
  turn "$kept" "$before"
  restart || go_back "$kept"
  echo "now runs $kept"
  exit 0
fi

[ -f "$tarball" ] || fail "which release? (upgrade.sh observer-VERSION.tar.gz)"
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
tar -C "$unpacked" --no-same-owner -xzf "$tarball"
installer=$(find "$unpacked" -maxdepth 4 -path '*/deploy/systemd/install.sh')
[ -n "$installer" ] || fail "$tarball is no release"
if [ -n "$root" ]; then sh "$installer" --root "$root" --no-packages; else sh "$installer"; fi
after=$(readlink "$home/current")
[ "$after" != "$before" ] || fail "$after is installed already"

restart || go_back "$after"
echo "now runs $after; $before is kept for upgrade.sh --rollback"
