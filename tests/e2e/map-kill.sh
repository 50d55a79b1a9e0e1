#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processes that share a hash map are killed while they change it: no crash, no torn value, no hang,
# and the map can be emptied and filled again to its last entry. Counts in shards outlive the killed.
# map-kill.sh [N]: N times (1).
set -eu
here=$(dirname "$0")/map-kill
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -m 700 "$work/segments"
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/churn.bpf.c" -o "$work/churn.bpf.o"
"$INLAY_BUILD/bin/inlay-cc" -O2 "-finlay-probes=$work/churn.bpf.o" "$here/target.c" -o "$work/target"
# Entry 0 of an array of 64-bit numbers, printed as the bytes in memory.
count_of() {
	local bytes
	bytes=$(awk -v map="$1" '$1 == map { print $3 }' "$work/dump")
	echo $((16#$(fold -w 2 <<<"$bytes" | tac | tr -d '\n')))
}

for ((run = 0; run < ${1:-1}; run++)); do
	rm -f "$work"/segments/*
	INLAY_DIR=$work/segments INLAY_KEEP=1 "$work/target"
	"$INLAY_BUILD/tests/kernel-equal/segment" "$work"/segments/* >"$work/dump"
	for map in whole parts recent queue stack trie; do
		n=$(grep -c "^$map " "$work/dump" || true)
		[ "$n" = 40 ] || { echo "run $run: $map has $n entries of 40" >&2; exit 1; }
	done
	# Every word of a value is its key: no value is torn. The shards of the killed add nothing to an
	# entry that is not theirs.
	awk '($1 == "whole" || $1 == "recent") && $3 != $2 $2 $2 $2 || $1 == "parts" && $3 != $2 { bad = 1; print }
	     $1 == "queue" || $1 == "stack" || $1 == "trie" {
		     key = $1 == "trie" ? substr($2, 9) : substr($3, 1, 16)
		     if ($3 != key key key key) { bad = 1; print }
	     }
	     END { exit bad }' "$work/dump"
	# who was killed between its two counts has counted once more for its thread
	more=$(($(count_of calls_by_thread) - $(count_of calls)))
	[ "$more" -ge 0 ] && [ "$more" -le 304 ] ||
		{ echo "run $run: shards have $more counts more than were made" >&2; exit 1; }
done
echo "map-kill: ok"
