#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench-codegen in short: every program runs on every side with equal results, and the JSON says the same as
# the table. Times need a quiet machine; what is judged here are instructions, by callgrind: native
# code of a program takes at most 1.05 times those of the same C compiled by clang -O2. ChaCha20 and the
# parser may take a few more: moves and spills between registers, in less time than clang's.
set -eu

dir=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$dir/bench-codegen" --samples 3 --json "$scratch/out.json" >"$scratch/table"
cat "$scratch/table"
python3 - "$scratch/out.json" "$scratch/table" "$(id -u)" <<'EOP'
import json
import sys

result = json.load(open(sys.argv[1]))
table = open(sys.argv[2]).read()
assert result["samples"] == 3
keys = [p["key"] for p in result["programs"]]
assert keys == ["empty", "counter", "filter", "histogram", "sieve", "chacha", "fnv", "parser"]
for p in result["programs"]:
    assert p["what"] in table, p
    for side in "inlay", "clang -O2", "kernel JIT":
        if side == "kernel JIT" and "no_kernel" in p:
            # root, and the kernel has what is needed: it must take the program
            assert sys.argv[3] != "0" or p["no_kernel"] != "the kernel refuses it", p
            continue
        t = p[side]
        assert len(t["ns"]) == 3 and 0 <= t["min_ns"] <= t["median_ns"] <= t["max_ns"], p
    assert f'{p["inlay"]["median_ns"]:.3f}' in table, p
    assert ("max_of_clang" in p) == (p["key"] not in ("empty", "counter")), p
EOP
for bad in "--samples 0" "--only nothing" "--once empty:c" nonsense; do
	# shellcheck disable=SC2086
	if "$dir/bench-codegen" $bad >/dev/null 2>&1; then
		echo "FAIL: bad arguments were accepted: $bad"
		exit 1
	fi
done

if ! command -v valgrind >/dev/null; then
	echo "skipped: valgrind is not installed"
	exit 77
fi
# Debian 12's valgrind gives up on the debug information of newer compilers.
objcopy --strip-debug "$dir/bench-codegen" "$scratch/bench-codegen"

# collected KEY SIDE ROUNDS: instructions of one run
collected() {
	INLAY_DISABLE=1 valgrind --tool=callgrind --callgrind-out-file="$scratch/callgrind" \
		"$scratch/bench-codegen" --once "$1:$2:$3" 2>&1 >/dev/null |
		sed -n 's/.*Collected : //p'
}

# per_round KEY SIDE: instructions of ten rounds; starting up cancels out
per_round() {
	local few many
	few=$(collected "$1" "$2" 20)
	many=$(collected "$1" "$2" 120)
	echo $(((many - few) / 10))
}

failed=0
for key in filter histogram sieve chacha fnv parser; do
	case $key in
	chacha | parser) percent=115 ;;
	*) percent=105 ;;
	esac
	native=$(per_round "$key" native)
	c=$(per_round "$key" c)
	echo "$key: $native instructions for ten rounds, clang -O2: $c"
	if [ "$native" -gt $((c * percent / 100 + 1)) ]; then
		echo "FAIL: more than $percent % of clang's"
		failed=1
	fi
done
exit $failed
