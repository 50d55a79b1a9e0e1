#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every helper inlaid into a program by inlay-cc: what `inlay dump` shows is what the program knows of
# itself. In several build modes.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
here=$INLAY_SOURCE/tests/e2e/helper-inlaid
export INLAY_KEEP=1 INLAY_DIR="$scratch/segments"
mkdir -m 700 "$INLAY_DIR"

"$CLANG" -target bpf -D__TARGET_ARCH_x86 -g -O2 -Wall -Werror -I"$INLAY_SOURCE/include" \
	-I"/usr/include/$(uname -m)-linux-gnu" -c "$here/helpers.bpf.c" -o "$scratch/helpers.bpf.o"

run() {
	rm -rf "${INLAY_DIR:?}"/*
	# shellcheck disable=SC2086
	"$INLAY_BUILD/bin/inlay-cc" -finlay-probes="$scratch/helpers.bpf.o" -Wall -Werror $1 \
		"$here/target.c" -o "$scratch/target" -lpthread 2>"$scratch/report" ||
		{
			cat "$scratch/report"
			exit 1
		}
	"$scratch/target" >"$scratch/knows" || {
		echo "FAIL: [$1]: the target: exit code $?"
		exit 1
	}
	set -- "$1" "$INLAY_DIR"/*
	"$INLAY_BUILD/bin/inlay" dump -j -p "$2" .bss >"$scratch/said"
	"$INLAY_BUILD/bin/inlay" trace "$2" >"$scratch/trace"
	python3 "$here/check.py" "$scratch/knows" "$scratch/said" "$scratch/trace" "$1"
}

run "-O0 -g"
run "-O2"
run "-O2 -flto"
run "-O1 -fsanitize=address"
run "-O2 -static"
run "-O2 -finlay-no-handler"
