#!/bin/sh
# Makes observer-<version>.tar.gz in the folder given (else here): what a server needs to install this version, built.
# The packages are not in it; installing fetches exactly those of the lockfile.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(cd "${1:-.}" && pwd)
version=$(node -p 'require(process.argv[1]).version' "$root/package.json")
name=observer-$version
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
node "$root/scripts/build.mjs" >&2
mkdir "$staging/$name"
for part in dist data deploy docker docs package.json package-lock.json .npmrc .env.example README.md README.ko.md CHANGELOG.md SECURITY.md LICENSE; do
  cp -R "$root/$part" "$staging/$name/"
done
# Whose machine built it is nobody's business, and the same sources give the same names in the same order.
tar -C "$staging" --owner=0 --group=0 --numeric-owner --sort=name -czf "$out/$name.tar.gz" "$name"
echo "$out/$name.tar.gz"
