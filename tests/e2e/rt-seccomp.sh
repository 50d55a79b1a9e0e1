#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Targets that may not make system calls. Each call of the runtime's start fails in turn: the target
# runs, in the next best memory. And once it runs: which calls a hit makes, under filters that kill
# at others; docs/runtime.md has the list.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"
storm=$INLAY_SOURCE/tests/e2e/survive
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64

"$CLANG" -O2 -Wall -Wextra -Werror -o "$work/deny" "$here/deny.c"
compile "$work/target" "$CLANG" -static -DTARGET_STATIC
number()
{
	echo "#include <sys/syscall.h>
number __NR_$1" | "$CLANG" -E - | sed -n 's/^number \([0-9]*\)$/\1/p'
}
code=0
"$work/deny" 9999 1 "$work/target" check >"$work/out" || code=$?
[ $code != 77 ] || { echo "skipped: no seccomp"; exit 77; }
expect "nothing denied" "$(value mode "$work/out")" file

# denied MODE CALL...: the segment is there in this form, and what is counted is right
denied()
{
	local mode=$1 call error
	shift
	for call; do
		for error in 1 38; do # EPERM, ENOSYS
			code=0
			"$work/deny" "$(number "$call")" $error "$work/target" check >"$work/out" 2>&1 || code=$?
			[ $code = 0 ] || { cat "$work/out"; fail "$call: exit $code"; }
			expect "$call fails with $error" "$(value mode "$work/out")" "$mode"
			rm -f "$INLAY_DIR"/*
		done
	done
}

denied file memfd_create membarrier rseq process_vm_readv readlinkat prctl madvise getcwd mkdirat \
	rt_tgsigqueueinfo getcpu clock_getres gettid renameat2
denied memfd geteuid
INLAY_SEGMENT=together denied memfd renameat2
denied private fallocate prlimit64 newfstatat fcntl

# ---- once main() runs
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$storm/storm.bpf.c" -o "$work/storm.bpf.o"
"$INLAY_BUILD/bin/inlay-cc" -O2 -g -fno-omit-frame-pointer -Wall -Wextra -Werror \
	"-finlay-probes=$work/storm.bpf.o" -finlay-allow-override "$storm/quiet.c" -o "$work/quiet" \
	-lpthread 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
for phase in maps reads first denied; do
	code=0
	"$work/quiet" $phase >"$work/out" 2>&1 || code=$?
	expect "calls of hits: $phase $(cat "$work/out")" $code 0
	[ $code = 0 ] || "$work/quiet" $phase list || true
done
exit $failed
