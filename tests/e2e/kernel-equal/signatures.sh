#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Functions of random signatures, probed by the kernel and inlaid: signatures.sh SEED NUMBER [FLAG...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=$INLAY_BUILD/tests/kernel-equal
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$(uname -m)" != x86_64 ]; then
	echo "knows the argument registers of x86-64 only"
	exit 77
fi
if [ "$(id -u)" != 0 ]; then
	echo "uprobes need root"
	exit 77
fi
seed=$1
python3 "$here/signatures.py" "$seed" "$2" "$work"
shift 2
[ $# -gt 0 ] || set -- -O2
cd "$work"
mkdir -m 700 segments
"$CLANG" -target bpf -D__TARGET_ARCH_x86 -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c signatures.bpf.c -o signatures.bpf.o
"$CLANG" -O2 -w functions.c main.c -o plain
"$INLAY_BUILD/bin/inlay-cc" "$@" -w -finlay-probes=signatures.bpf.o functions.c main.c -o inlaid 2>log || {
	cat log
	exit 1
}
"$tools/attach" signatures.bpf.o "$work/plain" ./plain >dump
sort dump >kernel.dump
INLAY_DIR=$work/segments INLAY_KEEP=1 ./inlaid
"$tools/segment" segments/* >dump
sort dump >inlaid.dump
if ! diff -u kernel.dump inlaid.dump >diff; then
	cat diff
	# the functions that differ: the first half of a key is their number
	for key in $(grep '^[-+]values' diff | awk '{ print $2 }' | sort -u); do
		number=$((16#${key:6:2}${key:4:2}${key:2:2}${key:0:2}))
		grep "f$number(" functions.h
		echo "	... place $((16#${key:8:2})) (0: calls, 1 to 6: argument registers, 7: return)"
	done
	exit 1
fi
[ -s kernel.dump ]
echo "seed $seed: $(wc -l <kernel.dump) values are equal"
