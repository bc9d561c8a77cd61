#!/bin/sh
# Installs a release of the observer as a systemd service, or brings what is installed up to it. Run it from the
# release's own folder, as root, as often as wanted: what is there already is left as it is.
#
#   install.sh [--root FOLDER] [--no-packages]
#
# --root installs below a folder instead of into this machine, for images and for trials; nothing is started then.
# --no-packages leaves node_modules as it lies in the release.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
release=$(cd "$here/../.." && pwd)
root=
packages=yes
while [ $# -gt 0 ]; do
  case $1 in
    --root) root=${2:?--root needs a folder}; shift 2 ;;
    --no-packages) packages=no; shift ;;
    *) echo "install.sh: $1 is unknown; allowed: --root FOLDER, --no-packages" >&2; exit 64 ;;
  esac
done

fail() { echo "install.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || [ -n "$root" ] || fail "must run as root, or with --root FOLDER"
command -v node >/dev/null || fail "there is no node: install Node.js 24 (22 and 20.19 work, too)"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "node is $(node --version), needed is 20.19 or newer"
[ -f "$release/dist/main.js" ] || fail "$release has no dist/main.js: this is no release (deploy/release.sh makes one)"
version=$(node -p 'require(process.argv[1]).version' "$release/package.json")

units=$root/etc/systemd/system
home=$root/opt/observer

# Who the observer is.
mkdir -p "$root/usr/lib/sysusers.d"
install -m 0644 "$here/observer.sysusers" "$root/usr/lib/sysusers.d/observer.conf"
if [ -n "$root" ]; then
  mkdir -p "$root/etc"
  systemd-sysusers --root="$root" observer.conf
else
  systemd-sysusers observer.conf
fi
# An owner of the new root is known there by its number alone.
uid=$(sed -n 's/^observer:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/passwd")
gid=$(sed -n 's/^observer:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")
if [ -z "$uid" ] || [ -z "$gid" ]; then fail "the user and the group observer were not made"; fi

# Its folders, for doctor, migrate, restore and the rest come before the first start; the units would make two of them.
mkdir -p "$root/var/lib" "$root/var/log"
install -d -o "$uid" -g "$gid" -m 0750 "$root/var/lib/observer" "$root/var/log/observer"
[ -d "$root/var/lib/observer/data" ] || install -d -o "$uid" -g "$gid" -m 0750 "$root/var/lib/observer/data"
[ -d "$root/var/lib/observer/state" ] || install -d -o "$uid" -g "$gid" -m 0700 "$root/var/lib/observer/state"

# The program. A release of the same version with another content has a place of its own beside the one that is there.
contents() {
  (cd "$1" && find . -path ./node_modules -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
}
hash=$(contents "$release")
name=$version
if [ -d "$home/releases/$name" ] && [ "$(contents "$home/releases/$name")" != "$hash" ]; then
  name=$version+$(printf '%.12s' "$hash")
  echo "another release $version is installed: this one becomes $name"
fi
target=$home/releases/$name

# It is put together beside its place and moved there whole; a running one keeps its own.
if [ ! -d "$target" ]; then
  mkdir -p "$home/releases"
  rm -rf "$target.new"
  cp -R "$release" "$target.new"
  if [ "$packages" = yes ]; then
    (cd "$target.new" && npm ci --omit=dev --no-audit --no-fund --loglevel=error) ||
      fail "the packages could not be fetched; nothing was changed"
  fi
  chmod -R u=rwX,go=rX "$target.new"
  mv "$target.new" "$target"
fi
current=$(readlink "$home/current" 2>/dev/null || true)
if [ "$current" != "releases/$name" ]; then
  if [ -n "$current" ]; then ln -sfn "$current" "$home/previous.new" && mv -T "$home/previous.new" "$home/previous"; fi
  ln -sfn "releases/$name" "$home/current.new" && mv -T "$home/current.new" "$home/current"
fi

# The units; what `systemctl edit` has made beside them stays.
mkdir -p "$units/observer.service.d" "$units/observer-.service.d"
for unit in "$here"/*.service "$here"/*.timer; do install -m 0644 "$unit" "$units/"; done
install -m 0644 "$here/sandbox.conf" "$units/observer.service.d/sandbox.conf"
install -m 0644 "$here/sandbox.conf" "$units/observer-.service.d/sandbox.conf"

# Folders of the owner's, one list for all units and the command.
mkdir -p "$root/etc/observer"
[ -e "$root/etc/observer/paths.conf" ] || install -m 0644 "$here/paths.conf" "$root/etc/observer/paths.conf"
for folder in observer.service.d observer-.service.d; do
  ln -sfn ../../../observer/paths.conf "$units/$folder/paths.conf"
done

# The command.
mkdir -p "$root/usr/local/bin"
install -m 0755 "$here/observer" "$root/usr/local/bin/observer"

# The settings, with the owner's keys in them one day.
chmod 0750 "$root/etc/observer"
chown "0:$gid" "$root/etc/observer"
example=$root/etc/observer/observer.env.example
install -m 0640 -g "$gid" "$release/.env.example" "$example"

if [ -n "$root" ]; then
  echo "observer $name is installed below $root"
  exit 0
fi
systemctl daemon-reload
systemctl enable --quiet observer.service
echo "observer $name is installed."
if [ ! -f /etc/observer/observer.env ]; then
  echo "Now write its settings and start it:"
  echo "  install -m 0640 -g observer /etc/observer/observer.env.example /etc/observer/observer.env"
  echo "  \${EDITOR:-vi} /etc/observer/observer.env"
  echo "  systemctl start observer && systemctl status observer"
fi
