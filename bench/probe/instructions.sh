#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How many instructions a hit takes, by callgrind: the same program with more and with fewer calls, so
# that starting up cancels out. Fails if counting takes more than was promised: nothing above the hand
# in a global, two instructions above it per thread.
#
#	instructions.sh DIR	DIR: where bench-probe's programs are
set -eu

dir=$1
calls=10000
if ! command -v valgrind >/dev/null; then
	echo "skipped: valgrind is not installed"
	exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# collected PROGRAM CALLS: instructions of one run. Without debug information: Debian 12's valgrind
# gives up on that of newer compilers.
collected() {
	objcopy --strip-debug "$dir/$1" "$scratch/$1"
	printf '%s\n0\n' "$2" | valgrind --tool=callgrind --callgrind-out-file="$scratch/out" \
		"$scratch/$1" 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}

# per_call PROGRAM: instructions a call, rounded
per_call() {
	local few many
	few=$(collected "$1" 100)
	[ -n "$few" ] || {
		echo "FAIL: $1 does not run under valgrind" >&2
		exit 1
	}
	many=$(collected "$1" $((100 + calls)))
	echo $(((many - few + calls / 2) / calls))
}

none=$(per_call none)
echo "no probe: $none instructions a call, loop included"
failed=0
# check WHAT PROGRAM HAND EXTRA
check() {
	local ours hand
	ours=$(($(per_call "$2") - none))
	hand=$(($(per_call "$3") - none))
	echo "$1: $ours, by hand: $hand"
	if [ "$ours" -gt $((hand + $4)) ]; then
		echo "FAIL: more than $4 above the hand"
		failed=1
	fi
}
check "count in a global" inlay-global hand-global 0
check "count in an array map" inlay-array hand-global 0
check "count per thread" inlay-percpu hand-tls 2
echo "by hand, thread-local to the file: $(($(per_call hand-tls-static) - none))"
exit $failed
