#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench-maps in short: every figure is measured on every side, every operation does what it should, and
# the JSON says the same as the table. Of times, only what is far from its bound is judged here.
set -eu

dir=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$dir/bench-maps" --samples 5 --json "$scratch/out.json" >"$scratch/table"

# a pipe is written to, not replaced by a file
mkfifo "$scratch/pipe"
python3 -c 'import json, sys; json.load(open(sys.argv[1]))["figures"]' "$scratch/pipe" & reader=$!
timeout 20 "$dir/bench-maps" --samples 1 --only ktime --json "$scratch/pipe" >/dev/null
[ -p "$scratch/pipe" ] || { kill $reader; echo "the pipe was replaced"; exit 1; }
wait $reader
cat "$scratch/table"
python3 - "$scratch/out.json" "$scratch/table" "$(id -u)" <<'EOP'
import json
import sys

result = json.load(open(sys.argv[1]))
table = open(sys.argv[2]).read()
assert result["samples"] == 5
if sys.argv[3] == "0":
    # the kernel has what is needed: it must take the programs
    assert result.get("no_kernel") != "the kernel refuses the object", result["no_kernel"]
figures = {f["key"]: f for f in result["figures"]}
for key in ("array", "percpu_array", "hash8", "hash64", "percpu_hash", "hash_update", "timestamps",
            "ring", "ktime", "pid_tgid", "probe_read", "threads", "ring_threads"):
    assert key in figures, key
for key, f in figures.items():
    assert f["what"] in table, f
    for side in "inlay", "kernel":
        if side == "kernel" and ("no_kernel" in result or "min_gain" in f):
            continue
        t = f[side]
        assert len(t["ns"]) == 5 and 0 < t["min_ns"] <= t["median_ns"] <= t["max_ns"], f
    assert f'{f["inlay"]["median_ns"]:.2f}' in table, f
if "no_kernel" not in result:
    for key in "hash8", "hash16", "hash32", "hash64", "percpu_hash", "lru":
        mine, kernel = figures[key]["inlay"]["median_ns"], figures[key]["kernel"]["median_ns"]
        assert mine <= kernel, f"{key}: {mine} ns, the kernel's {kernel}"
EOP
[ "$("$dir/bench-maps" --once hash8_fill:50)" = 50 ]
# a record of the lone producer: its own two stores and the loop's 8 instructions among them
if command -v valgrind >/dev/null; then
	# Debian 12's valgrind gives up on the debug information of newer compilers
	objcopy --strip-debug "$dir/bench-maps" "$scratch/bench-maps"
	few=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$scratch/bench-maps" \
		--once ring:100 2>&1 | sed -n 's/.*Collected : //p')
	many=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$scratch/bench-maps" \
		--once ring:1100 2>&1 | sed -n 's/.*Collected : //p')
	echo "ring buffer: $(((many - few) / 1000)) instructions a record"
	if [ $(((many - few) / 1000)) -gt 100 ]; then
		echo "FAIL: more than 100 instructions for a record"
		exit 1
	fi
fi
for bad in "--samples 0" "--only nothing" "--once empty" nonsense; do
	# shellcheck disable=SC2086
	if "$dir/bench-maps" $bad >/dev/null 2>&1; then
		echo "FAIL: bad arguments were accepted: $bad"
		exit 1
	fi
done
