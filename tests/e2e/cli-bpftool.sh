#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `inlay dump -j` beside `bpftool map dump -j`: the same object's maps are made in the kernel, filled with
# what the target's maps hold, and dumped by bpftool. The JSON must be equal, member by member.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"
export PATH=$PATH:/usr/sbin:/sbin
if [ "$(id -u)" != 0 ]; then
	echo "making maps in the kernel needs root"
	exit 77
fi
if ! command -v bpftool >/dev/null; then
	echo "bpftool is not installed"
	exit 77
fi
build_target
"$CLANG" -D_GNU_SOURCE -O1 "$here/kernel_maps.c" -o "$work/kernel_maps" -lbpf -ljansson
start one
for map in sizes conns by_thread latency_ns tiny .bss .data .rodata; do
	inlay dump -j $map >"$work/ours.json"
	code=0
	"$work/kernel_maps" "$work/probes.bpf.o" $map "$work/ours.json" >"$work/theirs.json" || code=$?
	if [ $code = 77 ]; then
		cat "$work/theirs.json"
		exit 77
	fi
	[ $code = 0 ] || { fail "$map: the kernel's map cannot be made"; continue; }
	python3 - "$work/ours.json" "$work/theirs.json" <<'PY' || fail "$map differs"
import json, sys
ours, theirs = (sorted(json.load(open(f)), key=lambda e: e["key"]) for f in sys.argv[1:3])
# shards are threads here and CPUs there: as many as both have
for a, b in zip(ours, theirs):
    for x, y in ((a, b), (a.get("formatted", {}), b.get("formatted", {}))):
        if "values" in x and "values" in y:
            n = min(len(x["values"]), len(y["values"]))
            assert n > 0
            x["values"], y["values"] = x["values"][:n], y["values"][:n]
if not ours or ours != theirs:
    sys.exit(f"inlay:   {json.dumps(ours)}\nbpftool: {json.dumps(theirs)}")
PY
done
finish
