#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# samples/quickstart.sh with little load: the counts must be those of the requests sent, the
# histograms must hold every call, and nothing may be left running.
#
#   tests/e2e/quickstart.sh redis|kv
set -eu

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export INLAY_BUILD_DIR=$INLAY_BUILD INLAY_QUICKSTART_ROUNDS=1 INLAY_QUICKSTART_REQUESTS=200000

argument=
[ "$1" = redis ] || argument=--kv
"$INLAY_SOURCE/samples/quickstart.sh" $argument >"$log" 2>&1 </dev/null || { cat "$log"; exit 1; }

fail() {
	cat "$log"
	echo "quickstart: $*"
	exit 1
}

# count <function>: from the line "function: count"; samples <function>: from its histogram's head
count() {
	awk -F': ' -v name="$1" '$1 == name { print $2 }' "$log"
}
samples() {
	awk -v name="$1" '$1 == name && $3 == "samples" { gsub(",", "", $2); print $2 }' "$log"
}

if grep -q "redis's source cannot be had" "$log" || [ "$1" = kv ]; then
	functions=(kv_get kv_set)
	least=400000
	most=400000
else
	# SET and GET, and the few commands by which redis-benchmark asks for the server's settings
	functions=(call processCommand)
	least=400000
	most=400010
	[ "$(count dictFind)" -ge "$least" ] || fail "dictFind: $(count dictFind)"
fi
for function in "${functions[@]}"; do
	calls=$(count "$function")
	[ -n "$calls" ] && [ "$calls" -ge $least ] && [ "$calls" -le $most ] ||
		fail "$function: counted '$calls', sent $least"
	[ "$(samples "$function")" = "$calls" ] ||
		fail "$function: $calls calls, $(samples "$function") samples"
done
grep -Eq '^    ratio +[0-9.]+$' "$log" || fail "no throughput"
if pgrep -f "^$INLAY_BUILD/quickstart/" >/dev/null; then
	fail "processes are left"
fi
