#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What libinlay asks libc for, object by object. A function of libc may be the target's own, interposed,
# instrumented or probed: none is called on a hit's path or in a signal handler. (Copies and fills of
# structures are where the compiler brings in memcpy() and memset() unasked.)
set -eu
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

# OBJECT SYMBOL WHEN, one a line
allowed='
current.c.o __rseq_offset data
current.c.o __rseq_size data
current.c.o getauxval start
current.c.o pthread_atfork start
fault.c.o pthread_atfork start
fault_where.c.o __tsan_init data
fault_where.c.o dl_iterate_phdr start
fault_where.c.o dlsym start
fault_where.c.o getauxval start
fork.c.o __errno_location fork handlers
fork.c.o pthread_atfork start
identity.c.o dl_iterate_phdr start
identity.c.o getauxval start
interpose.c.o __errno_location call of the target
interpose.c.o __interceptor_sigaction call of the target
interpose.c.o __sigaction call of the target; in a handler of a vfork child
interpose.c.o __tsan_init data
interpose.c.o ssignal call of the target
interpose_wait.c.o __chk_fail call of the target
interpose_wait.c.o __errno_location call of the target
interpose_wait.c.o pthread_setcanceltype call of the target
modules.c.o dl_iterate_phdr start
modules.c.o getauxval start
shard.c.o pthread_key_create start
shard.c.o __pthread_setspecific the first hit of a thread: a name that targets do not define
shard.c.o pthread_setspecific where libc lacks that name
start.c.o dl_iterate_phdr start
start.c.o dlsym start
start.c.o environ data
start.c.o getauxval start
unit.c.o __start_inlay_objects data
unit.c.o __stop_inlay_objects data
vdso.c.o getauxval start
'

nm -A -g "$lib/libinlay.a" 2>/dev/null >"$work/nm"
sed -n 's/^[^:]*:\([^:]*\): *U \(.*\)$/\1 \2/p; s/^[^:]*:\([^:]*\): *w \(.*\)$/\1 \2/p' "$work/nm" |
	sort -u >"$work/undefined"
sed -n 's/^.* [ABDRTVW] \(.*\)$/\1/p' "$work/nm" | sort -u >"$work/defined"
nr=0
while read -r object symbol; do
	nr=$((nr + 1))
	! grep -qxF "$symbol" "$work/defined" || continue
	case "$symbol" in __inlay_no_handler_v1 | _GLOBAL_OFFSET_TABLE_) continue ;; esac
	grep -q "^$object $symbol " <<<"$allowed" || fail "$object needs $symbol"
done <"$work/undefined"
[ "$nr" -gt 50 ] || fail "nm shows only $nr undefined symbols"
while read -r object symbol _; do
	[ -z "$object" ] || grep -qxF "$object $symbol" "$work/undefined" ||
		fail "$object does not need $symbol: out of the list"
done <<<"$allowed"
exit $failed
