#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# usdt.sh [COMPILER-FLAG...]: one object with USDT programs in three runs of one target: in the kernel
# on a target built without Inlay, inlaid, and in the kernel on the inlaid target, whose probes are
# still there. All see the same probes with the same arguments.
set -eu

[ $# -gt 0 ] || set -- -O2 -g
here=$INLAY_SOURCE/tests/e2e/usdt
tools=$INLAY_BUILD/tests/kernel-equal
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -m 700 "$work/segments"

if [ "$(id -u)" != 0 ]; then
	echo "uprobes need root"
	exit 77
fi
if ! echo '#include <sys/sdt.h>' | "$CLANG" -fsyntax-only -xc - 2>/dev/null; then
	echo "no sys/sdt.h (package systemtap-sdt-dev)"
	exit 77
fi
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
language=()
for flag; do
	if [ "$flag" = c++ ]; then
		language=(-x c++)
		set -- -O2 -g
	fi
done

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/probes.bpf.c" -o "$work/probes.bpf.o"

build() # NAME COMPILER-AND-FLAGS...
{
	local name=$1 unit
	shift
	for unit in target stap sema; do
		local as=()
		[ $unit != target ] || as=("${language[@]}")
		"$@" -Wall -Werror "-I$INLAY_SOURCE/include" "${as[@]}" -c "$here/$unit.c" -o "$work/$name.$unit.o"
	done
	"$@" "$work/$name.target.o" "$work/$name.stap.o" "$work/$name.sema.o" -o "$work/$name"
}
build plain "$CLANG" "$@"
build inlaid "$INLAY_BUILD/bin/inlay-cc" "$@" "-finlay-probes=$work/probes.bpf.o"

INLAY_DIR=$work/segments "$tools/attach" "$work/probes.bpf.o" "$work/plain" "$work/plain" >"$work/plain.dump"
[ -z "$(ls "$work/segments")" ]
INLAY_DIR=$work/segments INLAY_KEEP=1 "$work/inlaid"
"$tools/segment" "$work"/segments/inlaid.* | sort >"$work/inlaid.sorted"
"$tools/attach" "$work/probes.bpf.o" "$work/inlaid" "$work/inlaid" >"$work/both.dump"
for run in plain both; do
	# what only libbpf's bodies use
	grep -v -e '^__bpf_usdt' -e '^\.kconfig' "$work/$run.dump" | sort >"$work/$run.sorted"
	if ! diff -u "$work/$run.sorted" "$work/inlaid.sorted"; then
		echo "the kernel ($run) and the inlaid programs differ"
		exit 1
	fi
done

# each of the 13 programs ran
hits=$(awk '$1 == "records" && substr($3, 1, 16) != "0000000000000000"' "$work/inlaid.sorted" | wc -l)
if [ "$hits" != 13 ]; then
	echo "$hits records of 13 are filled"
	cat "$work/inlaid.sorted"
	exit 1
fi
readelf -n "$work/inlaid" >"$work/notes"
for probe in t.none t.types t.twelve stap.two stap.asm sema.work; do
	grep -A1 "Provider: ${probe%.*}\$" "$work/notes" | grep -q "Name: ${probe#*.}\$"
done
"$INLAY_BUILD/bin/inlay" list "$work/inlaid" >"$work/list"
grep -q '^usdt *t:small in .*probes\.small .*(s8, u8, u8, s16, u16, [su]8)' "$work/list" || {
	cat "$work/list"
	exit 1
}
echo "13 records are equal"
