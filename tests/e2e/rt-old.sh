#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What crashes leave: a target that starts keeps the newest 16 of its directory and removes the others,
# but none that somebody uses, that was kept on purpose, or that is no segment.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"
compile "$work/target" "$CLANG"

crash() {
	bash -c '"$1" crash; true' crash "$work/target" >"$work/out" 2>&1
	path=$(value path "$work/out")
}
# there FILE...: how many of them are left
there() {
	local nr=0 file
	for file; do
		[ ! -e "$file" ] || nr=$((nr + 1))
	done
	echo $nr
}

INLAY_KEEP=1 "$work/target" check >"$work/out"
kept=$(value path "$work/out")
paths=()
for _ in $(seq 3); do
	crash
	paths+=("$path")
done
rm -f "$work/in"
mkfifo "$work/in"
"$work/target" wait <"$work/in" >"$work/live" 2>&1 &
pid=$!
pids="$pids $pid"
exec 9>"$work/in"
for _ in $(seq 200); do
	live=$(value path "$work/live")
	[ -z "$live" ] || break
	sleep 0.02
done
[ -e "$live" ] || fail "no live target: $(cat "$work/live")"
head -c 100 "$path" >"$INLAY_DIR/short"
head -c 300000 /dev/zero >"$INLAY_DIR/zeroes"
mkfifo "$INLAY_DIR/pipe"
ln -s "$path" "$INLAY_DIR/link"
mkdir "$INLAY_DIR/folder"

for _ in $(seq 13); do
	crash
	paths+=("$path")
done
expect "16 are kept" "$(there "${paths[@]}")" 16
# a reader's lock
python3 - "${paths[0]}" "$work/locked" <<'PY' &
import fcntl, struct, sys, time
f = open(sys.argv[1], "rb")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, (1 << 62) - 1, 1, 0)) # F_OFD_SETLK
open(sys.argv[2], "w").write("yes")
time.sleep(60)
PY
reader=$!
pids="$pids $reader"
for _ in $(seq 200); do
	[ ! -s "$work/locked" ] || break
	sleep 0.02
done
crash
paths+=("$path")
expect "one more: the reader's does not count" "$(there "${paths[@]}")" 17
crash
paths+=("$path")
"$work/target" check >"$work/out"
expect "two more: the oldest that nobody reads goes" "$(there "${paths[@]}") $(there "${paths[1]}")" "17 0"
kill "$reader"
wait "$reader" 2>/dev/null || :
"$work/target" check >"$work/out"
expect "no reader any more" "$(there "${paths[0]}")" 0
for _ in $(seq 20); do
	crash
	paths+=("$path")
done
expect "after 20 more" "$(there "${paths[@]}")" 17 # what was there, and the last one
"$work/target" check >"$work/out"
expect "a start later" "$(there "${paths[@]}")" 16
expect "the newest is there" "$(there "${paths[-1]}")" 1
expect "what is no crash's stays" "$(there "$kept" "$live" "$INLAY_DIR"/{short,zeroes,pipe,link,folder})" 6
[ -L "$INLAY_DIR/link" ] || fail "the link is gone"
exec 9>&-
wait "$pid" || fail "the live target: $?"
exit $failed
