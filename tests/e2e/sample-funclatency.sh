#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# funclatency: one sample a call, in the histogram of its function, and times that make sense.
. "$(dirname "$0")/sample-common.sh"

build_sample funclatency 'FUNCTIONS(F)=F(kv_fibonacci) F(kv_get)' \
	-finlay-attach='time_matching:kv_run_*'
check_loads_in_kernel funclatency

start_kv -l "$work/log"
ask "fib 6"
ask "get a"
ask "get b"
ask "threads 2 1000"
ask "fork 3 1"
inlay hist latency_ns --sym -j -p $server >"$work/hist.json"
inlay hist latency_ns --sym -p $server >"$work/hist.txt"
stop_kv

# kv_fibonacci(6) is 25 calls; three forks take longer than 50 us, a kv_get on a quiet machine does not
python3 - "$work/hist.json" <<'CHECK' || fail "$(cat "$work/hist.txt")"
import json, sys
found = {h["symbol"]: h for h in json.load(open(sys.argv[1]))}
want = {"kv_fibonacci": 25, "kv_get": 2, "kv_run_threads": 1, "kv_run_children": 1}
assert {k: h["total"] for k, h in found.items()} == want, found
for h in found.values():
    assert h["unit"] == "ns"
    assert sum(s["count"] for s in h["slots"]) == h["total"]
assert all(s["count"] == 0 for s in found["kv_run_children"]["slots"] if s["high"] < 50000)
CHECK
grep -q '^kv_run_children  *1 samples' "$work/hist.txt" || fail "$(cat "$work/hist.txt")"
echo "funclatency: ok"
