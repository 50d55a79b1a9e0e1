#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench-probe in short: every variant is measured or says why not, Inlay's and the hand-written ones are
# measured, and the JSON says the same as the table. The figures need a quiet machine and are not judged.
set -eu

dir=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$dir/bench-probe" --rounds 3 --calls 20000 --json "$scratch/out.json" >"$scratch/table"
cat "$scratch/table"
python3 - "$scratch/out.json" "$scratch/table" "$(id -u)" <<'EOF'
import json
import sys

result = json.load(open(sys.argv[1]))
table = open(sys.argv[2]).read()
assert result["rounds"] == 3 and result["calls"] == 20000
kinds = ("none", "hand-", "inlay-", "instrument-")
for v in result["variants"]:
    assert v["what"] in table, v
    if "skipped" in v:
        assert v["skipped"], v
        assert not v["key"].startswith(kinds), v
        continue
    assert len(v["ns"]) == 3 and 0 < v["min_ns"] <= v["median_ns"] <= v["max_ns"], v
    assert f'{v["median_ns"]:.2f}' in table, v
assert len(result["figures"]) >= 4
# root on a kernel that has them: the kernel's uprobes must have been hit
if sys.argv[3] == "0":
    kernel = [v for v in result["variants"] if v["key"].startswith("uprobe")]
    assert len(kernel) == 3
    print("kernel:", [v.get("skipped", "measured") for v in kernel])
EOF
if "$dir/bench-probe" --rounds 0 2>/dev/null || "$dir/bench-probe" nonsense 2>/dev/null; then
	echo "FAIL: bad arguments were accepted"
	exit 1
fi
