#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Targets of musl libc, dynamic, static and static-pie: the runtime and its reads of bad memory; in
# a static one also maps of inlaid programs whose users are killed. Skipped without musl-gcc (Debian:
# musl-tools).
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

machine=$(uname -m)
arch=x86
[ "$machine" != aarch64 ] || arch=arm64
if ! command -v musl-gcc >/dev/null; then
	echo "skipped: no musl-gcc"
	exit 77
fi
# the kernel's headers, which musl has no copy of, are behind musl's
headers="-idirafter /usr/include -idirafter /usr/include/$machine-linux-gnu"
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 "-I$INLAY_SOURCE/include" "-I/usr/include/$machine-linux-gnu" \
	-c "$INLAY_SOURCE/tests/e2e/map-kill/churn.bpf.c" -o "$work/churn.bpf.o"
"$INLAY_BUILD/bin/inlay-cc" "--target=$machine-linux-musl" -nostdinc \
	-isystem "/usr/include/$machine-linux-musl" -O2 "-finlay-probes=$work/churn.bpf.o" \
	-c "$INLAY_SOURCE/tests/e2e/map-kill/target.c" -o "$work/churn.o"

# try NAME FLAGS...
try()
{
	local name=$1 folder=$work/$1
	shift
	mkdir "$folder"
	compile "$folder/target" musl-gcc $headers -DTARGET_STATIC "$@" 2>"$work/log" ||
		{ cat "$work/log"; fail "$name: does not link"; return; }
	"$folder/target" check >"$work/out" 2>&1 || { cat "$work/out"; fail "$name: runs wrong"; }
	expect "$name" "$(value mode "$work/out")" file
	expect "$name: removed at exit" "$(nr_segments)" 0
	# shellcheck disable=SC2086
	musl-gcc $headers $includes -O2 "$@" -o "$folder/reads" "$here/reads-lib.c" \
		"$here/reads-linked.c" "$lib/libinlay.a" -pthread
	"$folder/reads" || fail "$name: reads of bad memory: exit $?"
	[ "$name" = static ] || return 0
	musl-gcc "$@" -o "$folder/churn" "$work/churn.o" "$lib/libinlay.a" -pthread
	INLAY_KEEP=1 "$folder/churn" || fail "$name: kills: exit $?"
	for map in whole parts queue stack trie; do
		expect "$name: entries of $map" "$("$INLAY_BUILD/tests/kernel-equal/segment" \
			"$INLAY_DIR"/churn.* | grep -c "^$map ")" 40
	done
	rm -f "$INLAY_DIR"/*
}

try dynamic
try static -static
try static-pie -static-pie -fPIE
exit $failed
