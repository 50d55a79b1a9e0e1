#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Unpacks Debian's source package of redis as FOLDER, unless it is there already:
#
#   samples/redis-source.sh FOLDER
#
# The package list that this needs is kept in a temporary folder: apt's own lists stay as they are.
set -eu

if [ $# -ne 1 ]; then
	echo "usage: samples/redis-source.sh FOLDER" >&2
	exit 2
fi
folder=$1
[ ! -e "$folder/src/server.c" ] || exit 0

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$(dirname "$folder")/redis-source.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The mirror and release that this machine uses; failing that, Debian's own.
. /etc/os-release
release=${VERSION_CODENAME:-bookworm}
mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' \
	'Created-By: Packages' 2>/dev/null |
	awk -v release="$release" '$1 == "Debian" && $2 == release { print $3; exit }') || mirror=
mirror=${mirror:-http://deb.debian.org/debian}

mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts"
cat >"$work/parts/source.sources" <<END
Types: deb-src
URIs: $mirror
Suites: $release
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
apt=(apt-get -q
	-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/parts"
	-o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache"
	-o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::http::Timeout=20)

(
	cd "$work"
	"${apt[@]}" update
	"${apt[@]}" source redis
) </dev/null
unpacked=$(find "$work" -mindepth 1 -maxdepth 1 -type d -name 'redis-*' | head -n 1)
[ -n "$unpacked" ] && [ -e "$unpacked/src/server.c" ]
rm -rf "$folder"
mv "$unpacked" "$folder"
