#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Targets in unusual states (survive/odd.c): started so, or brought there by themselves. Hits leave them as
# they are, and count.
set -eu -o pipefail
here=$(dirname "$0")/survive
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-odd.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
failed=0

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/storm.bpf.c" -o "$work/storm.bpf.o"
# build NAME FLAGS...
build()
{
	"$INLAY_BUILD/bin/inlay-cc" -O2 -fno-omit-frame-pointer -Wall -Wextra -Werror -D_GNU_SOURCE \
		"-finlay-probes=$work/storm.bpf.o" -finlay-allow-override "$here/odd.c" -o "$work/$1" \
		"${@:2}" -lpthread 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
}
build odd
build odd.static -static
build odd.quiet -finlay-no-handler

# odd WHAT MODE COMMAND...: it ends as it should, and its segment was of that mode
odd()
{
	local what=$1 mode=$2 is code=0
	shift 2
	# through a pipe: some may not write to a file
	is=$(timeout 60 "$@" 2>&1 | cat; exit "${PIPESTATUS[0]}") || code=$?
	if [ $code != 0 ] || [ "$(head -1 <<<"$is")" != "mode=$mode" ]; then
		echo "FAILED: $what: exit $code, $is" >&2
		failed=1
	else
		echo "ok: $what"
	fi
}

# ---- by themselves
export INLAY_DIR=$work/segments
for state in none no-file-size no-descriptors no-memory locked-memory closed closed-and-used not-dumpable \
	all-blocked all-ignored umask spawned clones small-stack piece-of-stack; do
	odd "$state" file "$work/odd" $state
	odd "$state, static" file "$work/odd.static" $state
	odd "$state, without handlers" file "$work/odd.quiet" $state
done

# ---- started so
odd "no address space randomisation, executable data" file setarch -R -X "$work/odd" none
odd "little address space" file bash -c "ulimit -v 40000; exec '$work/odd.static' none"
odd "no files of any size" private bash -c "ulimit -f 0; exec '$work/odd' none"
few="exec 3>&- 4>&- 5>&-; ulimit -n 12; exec"
odd "few descriptors" file bash -c "$few '$work/odd' lowest-descriptors"
odd "few descriptors, static" file bash -c "$few '$work/odd.static' lowest-descriptors"
odd "a small stack" file bash -c "ulimit -s 128; exec '$work/odd' none"

# a umask that leaves the owner nothing: neither this target nor those after it go without
umasked()
{
	local user=$1 dir=$2
	shift 2
	odd "umask, $user" file "$@" bash -c "umask 0777; INLAY_DIR='$dir' INLAY_KEEP=1 exec '$work/odd' none"
	if [ "$(stat -c %a "$dir" "$dir"/odd.* | tr '\n' ' ')" != "700 600 " ]; then
		echo "FAILED: umask, $user: $(stat -c '%a %n' "$dir" "$dir"/*)" >&2
		failed=1
	fi
	odd "after such a umask, $user" file "$@" env "INLAY_DIR=$dir" "$work/odd" none
}
umasked "the same user" "$work/of-umask"

# ---- what needs root
if [ "$(id -u)" != 0 ]; then
	echo "skipped: other users, mounts and chroot need root"
	exit $((failed ? 1 : 77))
fi
for state in chroot another-user another-user-closed; do
	odd "$state" file "$work/odd" $state
	odd "$state, static" file "$work/odd.static" $state
done
mkdir -m 0755 "$work/parent"
chown 65534 "$work/parent"
umasked "without rights" "$work/parent/of-nobody" setpriv --reuid 65534 --regid 65534 --clear-groups
if unshare -m mount -t tmpfs none "$work/parent" 2>"$work/why"; then
	odd "a directory without execution" file unshare -m bash -c \
		"mount -t tmpfs -o noexec,nosuid,nodev none '$work/parent'
		INLAY_DIR='$work/parent/dir' exec setarch -X '$work/odd' none"
	odd "root of a user namespace" file unshare -m -U -r bash -c \
		"mount -t tmpfs none /dev/shm; unset INLAY_DIR; exec '$work/odd' none"
	odd "nobody in a user namespace" memfd unshare -U bash -c "unset INLAY_DIR; exec '$work/odd' none"
	odd "a pid namespace without /proc" file unshare -p -f bash -c "exec '$work/odd' none"
else
	echo "skipped: namespaces and mounts: $(head -1 "$work/why")"
	exit $((failed ? 1 : 77))
fi
exit $failed
