#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Which system calls the runtime makes, by the instruction that makes them, at the start, in hits, after a
# fork and at the end, in many surroundings: all of them stand in docs/runtime.md, in the row for their time.
# And each that is in the sources is in some row.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"
storm=$INLAY_SOURCE/tests/e2e/survive
docs=$INLAY_SOURCE/docs/runtime.md
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
mkdir -m 700 "$INLAY_DIR"
mounts=

# ---- the rows: the first word of their time, and the calls
awk -F'|' '/^\| when \| system calls/ { on = 1; next } /^$/ { on = 0 }
	on && !/^\|---/ { n = split($3, part, "`"); for (i = 2; i <= n; i += 2) print $2 ":" part[i] }' \
	"$docs" | sed 's/^ *//' >"$work/rows"
[ "$(wc -l <"$work/rows")" -gt 60 ] || fail "the table is not found in $docs"
for call in $(grep -ho '__NR_[a-z0-9_]*' "$INLAY_SOURCE"/rt/*.[ch] --exclude='interpose*' | sort -u); do
	grep -q ":${call#__NR_}\$" "$work/rows" || fail "${call#__NR_} is in no row of $docs"
done
rows=("start" "a thread's first hits" "maps of all types" "reads of memory" "a fork's child" "an event" "exit")

echo '#include <sys/syscall.h>' | "$CLANG" -E -dM - |
	sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/\2 \1/p' >"$work/names"
"$CLANG" -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$work/calls" "$here/calls.c"
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$storm/storm.bpf.c" -o "$work/storm.bpf.o"
# build OUTPUT FLAG...
build() {
	"$INLAY_BUILD/bin/inlay-cc" -O2 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -D_GNU_SOURCE \
		"-I$storm" "-finlay-probes=$work/storm.bpf.o" -finlay-allow-override "${@:2}" \
		"$here/calls-target.c" -o "$1" -lpthread 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
}
build "$work/target"

# look WHAT COMMAND...: runs it, and compares with the rows
look() {
	local what=$1 code=0 phase number call nr=0
	shift
	"$work/calls" "$@" >"$work/made" 2>"$work/err" || code=$?
	[ $code != 77 ] || { echo "skipped: no ptrace"; exit 77; }
	[ $code = 0 ] || fail "$what: exit code $code: $(cat "$work/err")"
	while read -r phase number; do
		[ "$phase" != ready ] || continue
		nr=$((nr + 1))
		call=$(sed -n "s/^$number //p" "$work/names")
		grep -q "^${rows[$phase]}.*:$call\$" "$work/rows" ||
			{ [ "$phase" = 4 ] && grep -Eq "^(${rows[1]}|${rows[3]}|${rows[5]}).*:$call\$" "$work/rows"; } ||
			fail "$what: $call is not in the row of ${rows[$phase]}"
	done <"$work/made"
	[ $nr -gt 10 ] || fail "$what: only $nr calls were seen"
	echo "ok: $what: $nr calls"
}
crash() {
	bash -c '"$1" >/dev/null & pid=$!; sleep 0.05; kill -9 $pid' crash "$work/target" 2>/dev/null || :
}

look "a file" "$work/target"
grep -q "^0 " "$work/made" && grep -q "^1 " "$work/made" && grep -q "^4 " "$work/made" ||
	fail "phases are missing: $(cat "$work/made")"
! grep -q '^2 ' "$work/made" || fail "maps make calls"
INLAY_SEGMENT=named look "a name" "$work/target"
"$work/target" wait >/dev/null & pids="$pids $!"
INLAY_SEGMENT=other "$work/target" wait >"$work/ready" & pids="$pids $!"
for _ in $(seq 200); do
	[ ! -s "$work/ready" ] || break
	sleep 0.02
done
INLAY_SEGMENT=other look "a segment that another made" "$work/target"
(cd "$work" && INLAY_DIR=segments look "a relative directory" "$work/target" && exit $failed) || failed=1
INLAY_DIR=$work/none/none look "no directory" "$work/target"
INLAY_DISABLE=1 look "no segment" "$work/target"
mkdir "$work/small"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1m,mode=700 none "$work/small" 2>/dev/null; then
	mounts=$work/small
	INLAY_DIR=$work/small look "a full file system" "$work/target"
fi
for _ in $(seq 20); do crash; done
look "what crashes left" "$work/target"
build "$work/target.quiet" -finlay-no-handler
look "without handlers" "$work/target.quiet"
build "$work/target.static" -static
# libc's own instructions are in the executable then: nothing to compare, but it runs
"$work/calls" "$work/target.static" >/dev/null || fail "static: $?"

# ---- with a consumer
mkfifo "$work/events"
cp "$work/target" "$work/consumed"
timeout 60 "$INLAY_BUILD/bin/inlay" trace -w consumed >/dev/null 2>"$work/trace.err" & tracer=$!
look "a consumer" "$work/consumed" wait
grep -q '^5 ' "$work/made" || fail "nobody was woken: $(cat "$work/trace.err")"
wait "$tracer" || fail "inlay trace: $(cat "$work/trace.err")"
exit $failed
