#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Maps of every type with 300,000 entries (an arena of 60,000 pages), where there is room and where there is not: in 64 MB of
# shared memory, in a full MB, and where only private memory is left. The target runs on in each.
set -eu -o pipefail
here=$(dirname "$0")/survive
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-huge.XXXXXX")
trap 'rm -rf "$work"' EXIT
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
flags=
for map in hash parts lru lru_parts trie queue stack bloom traces counts_by_thread; do
	flags="$flags -finlay-map=$map.max_entries=300000"
done
flags="$flags -finlay-map=arena.max_entries=60000 -finlay-map=ring.max_entries=16777216 -finlay-map=events.ring_bytes=16777216"

if ! unshare -m mount -t tmpfs none "$work" 2>"$work/why"; then
	echo "skipped: $(head -1 "$work/why")"
	exit 77
fi
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/storm.bpf.c" -o "$work/storm.bpf.o"
# shellcheck disable=SC2086
"$INLAY_BUILD/bin/inlay-cc" -O2 -fno-omit-frame-pointer -Wall -Wextra -Werror $flags \
	"-finlay-probes=$work/storm.bpf.o" -finlay-allow-override "$here/hostile.c" -o "$work/huge" \
	-lpthread 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
mkdir "$work/small"

# run WHAT SIZE COMMAND...: in a fresh file system of that size for segments
run()
{
	local what=$1 size=$2 code=0
	shift 2
	INLAY_DIR=$work/small timeout 100 unshare -m bash -c \
		'mount -t tmpfs -o "size=$1,mode=0700" none "$2" && shift 2 && exec "$@"' \
		bash "$size" "$work/small" "$@" >"$work/out" 2>&1 || code=$?
	[ $code = 0 ] || { echo "$what: exit $code: $(cat "$work/out")" >&2; exit 1; }
	echo "$what: $(cat "$work/out") operations"
}

run "1 GB" 1g "$work/huge" 300
run "64 MB" 64m "$work/huge" 300
run "1 MB, full" 1m bash -c \
	"head -c 2000000 /dev/zero 2>/dev/null >'$work/small/filler'; exec '$work/huge' 300"
# neither files nor memfds of that size
run "private memory" 1g bash -c "ulimit -f 1024; exec '$work/huge' 300"
run "disabled" 1g env INLAY_DISABLE=1 "$work/huge" 300
