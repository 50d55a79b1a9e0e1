#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where the segment is made, what happens when it cannot be, who may steer that, and what stays of it after
# exits and crashes.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

compile "$work/target" "$CLANG"
compile "$work/target.static" "$CLANG" -static -DTARGET_STATIC -DTARGET_NAME='"target.static"'
compile "$work/target.abi" "$CLANG" -DTARGET_ABI_MAJOR=99
# shellcheck disable=SC2086
"$CLANG" $includes -D_GNU_SOURCE -o "$work/segcat" "$here/segcat.c"
target=$work/target
segcat=$work/segcat

# check WHAT MODE COMMAND...: runs a target that must succeed, with a segment of this mode
check()
{
	local what=$1 mode=$2
	shift 2
	# through a pipe: a target with a file size limit could not write a file
	if ! "$@" 2>&1 | cat >"$work/out"; then
		sort "$work/out" | uniq -c
		fail "$what: exit code"
		return
	fi
	expect "$what" "$(value mode "$work/out")" "$mode"
}

# ---- exits and crashes
check "normal exit" file "$target" check
expect "removed at normal exit" "$(nr_segments)" 0
INLAY_KEEP=1 check "kept" file "$target" check
path=$(value path "$work/out")
expect "kept: state" "$("$segcat" "$path" state)" EXITED
expect "kept: counts" "$("$segcat" "$path" counts 1)" 10
rm -f "$path"

bash -c '"$1" crash; true' crash "$target" >"$work/out" 2>&1
path=$(value path "$work/out")
expect "crash: state" "$("$segcat" "$path" state)" LIVE
expect_procs "crash: nobody alive" "$path" 0
expect "crash: counts" "$("$segcat" "$path" per_thread 1)" 400
rm -f "$path"

# start COMMAND...: runs a target that waits; $path is its segment, `stop` ends it
start()
{
	rm -f "$work/in"
	mkfifo "$work/in"
	: >"$work/out"
	"$@" <"$work/in" >"$work/out" 2>&1 &
	pid=$!
	pids="$pids $pid"
	exec 9>"$work/in"
	for _ in $(seq 200); do
		path=$(value path "$work/out")
		[ -n "$path" ] && break
		sleep 0.02
	done
}

stop()
{
	exec 9>&-
	wait "$pid" || fail "target: exit $?"
}

start "$target" wait
expect_procs "live: processes" "$path" 1
mkfifo "$work/hold"
"$segcat" "$path" hold <"$work/hold" >"$work/held" 9>&- &
holder=$!
pids="$pids $holder"
exec 8>"$work/hold"
until [ -s "$work/held" ]; do sleep 0.02; done
stop
expect "read while it exits: stays" "$(nr_segments)" 1
expect "read while it exits: state" "$("$segcat" "$path" state)" EXITED
exec 8>&-
wait $holder
rm -f "$path"

# ---- exec and daemons
"$target" exec exec check >"$work/out" 2>&1 || fail "exec: exit code"
expect "exec: three segments" "$(value path "$work/out" | sort -u | wc -l)" 3
expect "exec: the last one is gone, the others stay as after a crash" "$(nr_segments)" 2
for path in $(find "$INLAY_DIR" -type f); do
	expect_procs "exec: nobody alive in $(basename "$path" | sed 's/[0-9]\{3,\}/N/g')" "$path" 0
done
rm -f "$INLAY_DIR"/*

start "$target" daemon
for _ in $(seq 200); do
	[ "$("$segcat" "$path" counts 3 2>&1)" = 33 ] &&
		[ "$("$segcat" "$path" procs 2>&1)" = 1 ] && break
	sleep 0.02
done
expect "daemon: counts with every descriptor closed" "$("$segcat" "$path" counts 3)" 33
expect "daemon: counts in a shard of its own" "$("$segcat" "$path" per_thread 3)" 33
expect_procs "daemon: alive" "$path" 1
expect "daemon: its parent's exit leaves the segment" "$(nr_segments)" 1
stop
for _ in $(seq 200); do
	[ "$(nr_segments)" = 0 ] && break
	sleep 0.02
done
expect "daemon: removed at its own exit" "$(nr_segments)" 0

# ---- joined by name
export INLAY_SEGMENT=together
joined=
for _ in 1 2 3 4 5 6 7 8; do
	INLAY_KEEP=1 "$target" join &
	joined="$joined $!"
done
for pid in $joined; do
	wait "$pid" || fail "join: exit $?"
done
path=$INLAY_DIR/together
expect "joined: one segment" "$(nr_segments)" 1
expect "joined: counts" "$("$segcat" "$path" counts 1)" 80
expect "joined: per thread" "$("$segcat" "$path" per_thread 1)" 800
rm -f "$path"
# each of them may be the first one, the last one, or between
for _ in $(seq 40); do
	joined=
	for _ in 1 2 3 4; do
		"$target" joined &
		joined="$joined $!"
	done
	for pid in $joined; do
		wait "$pid" || fail "come and go: exit $?"
	done
done
expect "come and go: nothing is left" "$(nr_segments)" 0
INLAY_SEGMENT=../escape check "a bad name" memfd "$target" check
unset INLAY_SEGMENT
rm -f "$path"

# ---- where there is no place
touch "$work/a-file"
INLAY_DIR=$work/a-file/below check "directory cannot be made" memfd "$target" check
mkdir -m 0755 "$work/open-dir"
INLAY_DIR=$work/open-dir check "directory that others can enter" memfd "$target" check
mkdir -m 0700 "$work/elsewhere"
ln -s "$work/elsewhere" "$work/link"
INLAY_DIR=$work/link check "symbolic link" memfd "$target" check
expect "nothing behind the link" "$(nr_segments "$work/elsewhere")" 0
INLAY_DISABLE=1 check "disabled" private "$target" off
expect "disabled: no segment" "$(nr_segments)" 0
check "file size limit" private bash -c "ulimit -f 0; exec '$target' check"
check "few descriptors" file bash -c "ulimit -n 20; '$target' check"
check "standard descriptors closed" file bash -c "'$target' check 0<&- 2>&-"

# ---- another ABI
check "another ABI: runs on, off" file "$work/target.abi" off
expect "another ABI: counted" "$(value refused "$work/out")" 1

# ---- what needs root
if [ "$(id -u)" != 0 ]; then
	echo "skipped: mounts and other users need root"
	exit $((failed ? 1 : 77))
fi
mkdir -m 0700 "$work/others"
chown 65534 "$work/others"
INLAY_DIR=$work/others check "directory of another user" memfd "$target" check

# ---- what needs mounts: not in every container
mounts_of_its_own()
{
	mkdir "$work/small"
	mount -t tmpfs -o size=1m,mode=0700 none "$work/small"
	mounts=$work/small
	INLAY_DIR=$work/small check "tmpfs with too little room" memfd "$target" check
	expect "tmpfs with too little room: cleaned up" "$(nr_segments "$work/small")" 0
	dd if=/dev/zero of="$work/small/filler" bs=1k count=2000 2>/dev/null || true
	INLAY_DIR=$work/small check "full tmpfs" memfd "$target" check
	rm "$work/small/filler"
	mount -o remount,ro "$work/small"
	INLAY_DIR=$work/small check "read-only directory" memfd "$target" check
	umount "$work/small"
	mounts=

	# shards stop when the file system is full; what is counted stays right
	mount -t tmpfs -o size=2304k,mode=0700 none "$work/small"
	mounts=$work/small
	export INLAY_DIR=$work/small
	start "$target" wait
	expect "nearly full: a file" "$(value mode "$work/out")" file
	expect "nearly full: per thread" "$("$segcat" "$path" per_thread 1)" 400
	stop
	export INLAY_DIR=$work/segments
	umount "$work/small"
	mounts=

	check "read-only /dev/shm" memfd unshare -m bash -c \
		"mount -t tmpfs -o ro none /dev/shm; unset INLAY_DIR; exec '$target' check"
}

skipped=
if unshare -m mount -t tmpfs none "$work/elsewhere" 2>"$work/why"; then
	mounts_of_its_own
else
	skipped="full and read-only file systems: $(head -1 "$work/why")"
fi
mkdir "$work/root"
cp "$work/target.static" "$work/root/"
check "no /dev, no /proc, no /tmp" private chroot "$work/root" /target.static check

# an unprivileged user has a directory of his own
chmod 0755 "$work"
as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups env -u INLAY_DIR"
check "another user" file $as_nobody "$target" check
case $(value path "$work/out") in
/dev/shm/inlay-65534/*) echo "ok: in that user's directory" ;;
*) fail "another user: $(value path "$work/out")" ;;
esac

# a setuid program is steered by nobody
mkdir "$work/setuid"
cp "$target" "$work/setuid/target"
chown root "$work/setuid/target"
chmod 4755 "$work/setuid/target"
mkdir -m 0700 "$work/evil"
chown 65534 "$work/evil"
check "setuid" file $as_nobody INLAY_DIR="$work/evil" INLAY_KEEP=1 INLAY_SEGMENT=evil \
	"$work/setuid/target" check
path=$(value path "$work/out")
case $path in
/dev/shm/inlay-0/target.*) echo "ok: setuid: INLAY_DIR and INLAY_SEGMENT ignored" ;;
*) fail "setuid: $path" ;;
esac
[ ! -e "$path" ] || fail "setuid: INLAY_KEEP was not ignored"
check "setuid: INLAY_DISABLE ignored" file $as_nobody INLAY_DISABLE=1 \
	"$work/setuid/target" check
if [ $failed = 0 ] && [ -n "$skipped" ]; then
	echo "skipped: $skipped"
	exit 77
fi
exit $failed
