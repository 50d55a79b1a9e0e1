#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A hash map takes room as it fills: one of 30 MB starts in a file system of 16, inserts are refused where
# that ends, and nothing is a SIGBUS. The file systems are mounts of their own.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

if ! unshare -m mount -t tmpfs none "$work" 2>"$work/why"; then
	echo "skipped: $(head -1 "$work/why")"
	exit 77
fi
# shellcheck disable=SC2086
"$CLANG" $includes -O2 -D_GNU_SOURCE -o "$work/huge" "$here/huge.c" "$lib/libinlay.a" -pthread
mkdir "$work/small"

# run WHAT SIZE SETUP ARGUMENTS...: in a fresh file system of SIZE; SETUP is a command that runs there
run()
{
	local what=$1 size=$2 setup=$3
	shift 3
	if ! INLAY_DIR=$work/small timeout 100 unshare -m bash -c \
		'mount -t tmpfs -o size=$1,mode=0700 none "$2" && cd "$2" && eval "$3" && shift 3 && "$@"' \
		bash "$size" "$work/small" "$setup" "$work/huge" "$@" >"$work/out" 2>&1; then
		cat "$work/out"
		fail "$what: exit code"
		return
	fi
	expect "$what: a file" "$(value mode "$work/out")" file
}

# between WHAT IS LOW HIGH
between()
{
	if [ "${2:-0}" -ge "$3" ] && [ "$2" -le "$4" ]; then
		echo "ok: $1: $2"
	else
		fail "$1: $2, not $3 to $4"
	fi
}

run "start" 16m :
between "start: takes kbytes" "$(value kbytes "$work/out")" 1000 3000
run "fill" 16m : fill
# 288 bytes each, less what the segment has beside
between "fill: entries" "$(value entries "$work/out")" 45000 57000
run "room is made" 32m 'head -c 20000000 /dev/zero >filler' room filler
between "room is made: more entries" "$(value more "$work/out")" 40000 90000
run "room for all" 64m : all
run "threads and handlers" 16m : threads
between "threads and handlers: entries" "$(value entries "$work/out")" 45000 57000
between "in handlers" "$(value in_handlers "$work/out")" 1 57000
run "kills" 16m : kills
between "kills: entries" "$(value entries "$work/out")" 45000 57000
exit $failed
