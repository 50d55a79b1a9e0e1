#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An arena above 1 MiB: a list in it is followed by another process while the target lives; pages are
# refused where the file system ends; processes are killed while they allocate and free, and no page is
# lost but those that they had been given.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/cli/common.sh"
here=$INLAY_SOURCE/tests/e2e/arena
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/pages.bpf.c" -o "$work/pages.bpf.o"
inlay-cc -O2 -Wall -Wextra -Werror "-finlay-probes=$work/pages.bpf.o" "$here/target.c" -o "$work/target" \
	2>"$work/log" || { cat "$work/log" >&2; exit 1; }
inlay-cc -O2 -Wall -Wextra -Werror "-finlay-probes=$work/pages.bpf.o" -finlay-map=arena.max_entries=200 \
	"$here/target.c" -o "$work/small" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
"$CLANG" -O2 -Wall -Wextra -Werror "-I$INLAY_SOURCE/include" "$here/reader.c" -o "$work/reader" \
	"$INLAY_BUILD/lib/libinlay-reader.a" -lbpf

# value NAME: a variable of the last target
value()
{
	inlay dump .bss | tr ',{}' '\n\n\n' | sed -n "s/^ *\.\?$1[ =:]*\([0-9]*\) *$/\1/p" | head -1
}

# ---- a list, from outside ----
mkfifo "$work/hold"
"$work/target" list 5000 <"$work/hold" >"$work/out" &
pids+=($!)
exec 3>"$work/hold"
for _ in $(seq 500); do
	[ ! -s "$work/out" ] || break
	sleep 0.01
done
has "the list" "$("$work/reader" $!)" '^5000 nodes, sum 12502500, 6000$'
maps=$(inlay maps)
has "inlay maps" "$maps" 'arena +arena .* 20000 +7[0-9]\.[0-9] MiB'
pages=$(inlay dump arena)
has "inlay dump" "$pages" '^0x100[0-9a-f]+000:$'
has "inlay dump" "$pages" '^    \+0x000:  00 00 00 00 00 00 00 00  01 00 00 00 00 00 00 00$'
[ "$(grep -c '^0x' <<<"$pages")" = 60 ] || fail "a variable and 5000 nodes of 48 bytes are on $(grep -c '^0x' <<<"$pages") pages"
has "inlay dump -j" "$(inlay dump -j arena)" '"address": ?[0-9]+'
exec 3>&-
wait "${pids[0]}" || fail "the target's exit code"
pids=()
rm -f "$INLAY_DIR"/*
export INLAY_KEEP=1

# ---- kills ----
"$work/small" kill 150 || fail "kills: exit code"
got=$(value got)
# of 153 that were killed each may have had up to 3; most of them had none
[ "$(value wrong)" = 0 ] || fail "kills: $(value wrong) words were another's"
[ "${got:-0}" -ge 40 ] && [ "$got" -le 199 ] || fail "kills: $got pages are left of 200"
echo "kills: $got of 200 pages"
# none is between
inlay dump -j arena | python3 -c '
import json, sys
pages = json.load(sys.stdin)
assert len(pages) == 200, len(pages)' || fail "kills: pages are lost"
rm -f "$INLAY_DIR"/*

# ---- private memory ----
INLAY_DISABLE=1 "$work/target" list 5000 </dev/null >"$work/out" || fail "private memory: exit code"
INLAY_DISABLE=1 "$work/small" fill 500 || fail "private memory, in the image: exit code"

# ---- where there is no room ----
if ! unshare -m mount -t tmpfs none "$INLAY_DIR" 2>"$work/why"; then
	echo "skipped: a full file system: $(head -1 "$work/why")"
	exit 77
fi
unshare -m bash -c 'mount -t tmpfs -o size=8m,mode=0700 none "$1" && "$2" fill 10000 && cp "$1"/* "$3"' \
	bash "$INLAY_DIR" "$work/target" "$work" || fail "a full file system: exit code"
mv "$work"/target.* "$INLAY_DIR"
got=$(value got)
[ "$(value wrong)" = 0 ] || fail "a full file system: $(value wrong) pages were not clear"
[ "${got:-0}" -ge 500 ] && [ "$got" -le 2048 ] || fail "a full file system: $got pages"
[ "$(($(value refused) + got))" = 10000 ] || fail "a full file system: $(value refused) refused, $got not"
has "drops" "$(inlay maps)" "arena .* $(value refused)\$"
echo "a file system of 8 MB: $got pages"
[ $failures = 0 ] || exit 1
echo "arena: ok"
