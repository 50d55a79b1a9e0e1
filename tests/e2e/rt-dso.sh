#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One runtime per process: libraries with a copy of libinlay of their own, with libinlay.so, loaded
# and unloaded, in another namespace, and without a probed executable.
set -eu
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

# library OUTPUT FLAGS...
library()
{
	local out=$1
	shift
	# shellcheck disable=SC2086
	"$CLANG" $includes -O2 -fPIC -shared -o "$out" "$here/lib.c" "$@"
}

run()
{
	local what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok: $what"
	else
		cat "$work/out"
		fail "$what: exit $?"
	fi
	expect "$what: removed at exit" "$(nr_segments)" 0
}

own="$lib/libinlay.a"
shared="-L$lib -linlay -Wl,-rpath,$lib"
library "$work/liba.so" "$own"
library "$work/libb.so" "$own"
library "$work/libld.so" "$own" -fuse-ld=lld
# shellcheck disable=SC2086
library "$work/libs.so" $shared
compile "$work/target" "$CLANG"
# shellcheck disable=SC2086
"$CLANG" $includes -O2 -D_GNU_SOURCE -o "$work/target.shared" -DTARGET_NAME='"target.shared"' \
	"$here/target.c" $shared -pthread
# shellcheck disable=SC2086
"$CLANG" $includes -O2 -fno-pie -no-pie -D_GNU_SOURCE -o "$work/target.nopie" \
	-DTARGET_NAME='"target.nopie"' "$here/target.c" $shared -pthread
"$CLANG" -O2 -o "$work/host" "$here/host.c" -pthread
"$CLANG" $includes -O2 -D_GNU_SOURCE -o "$work/target.needs" -DTARGET_NAME='"target.needs"' \
	"$here/target.c" "$own" -Wl,--no-as-needed "$work/liba.so" -Wl,-rpath,"$work" -pthread

run "two libraries with copies of their own" \
	"$work/target" dlopen "$work/liba.so" "$work/libb.so" "$work/libld.so"
run "a library with libinlay.so, executable with a copy" \
	"$work/target" dlopen "$work/libs.so" "$work/liba.so"
run "executable with libinlay.so" "$work/target.shared" check
run "non-PIE executable with libinlay.so" "$work/target.nopie" check
run "executable with libinlay.so, libraries of all kinds" \
	"$work/target.shared" dlopen "$work/liba.so" "$work/libs.so" "$work/libb.so"
run "the executable's own library starts first" "$work/target.needs" dlopen "$work/libb.so"
run "libraries only; the first one leads" "$work/host" "$work/liba.so" "$work/libb.so"
run "libraries only, with libinlay.so" "$work/host" "$work/libs.so" "$work/liba.so"
run "another namespace" "$work/target" dlmopen "$work/liba.so"

# shellcheck disable=SC2086
"$CLANG" $includes -fPIC -shared -o "$work/libalien.so" "$here/alien.c"
compile "$work/target.alien" "$CLANG" -Wl,--no-as-needed "$work/libalien.so" -Wl,-rpath,"$work"
run "a runtime of another ABI leads: off" "$work/target.alien" off
expect "a runtime of another ABI leads: no segment" "$(value mode "$work/out")" private

# two programs with different objects in one segment
export INLAY_SEGMENT=both INLAY_KEEP=1
# shellcheck disable=SC2086
"$CLANG" $includes -D_GNU_SOURCE -o "$work/segcat" "$here/segcat.c"
"$work/target" join
"$work/host" "$work/liba.so" >/dev/null
"$work/target" join
both=$INLAY_DIR/both
expect "two objects in one segment: the first" "$("$work/segcat" "$both" counts 1)" 20
expect "two objects in one segment: the second" "$("$work/segcat" "$both" lib_counts 0)" 40
expect "two objects in one segment: shards" "$("$work/segcat" "$both" per_thread 1)" 200
expect "two objects in one segment: shards of the second" \
	"$("$work/segcat" "$both" lib_per_thread 0)" 40
unset INLAY_SEGMENT INLAY_KEEP
rm -f "$both"

# exported: only what the version script says
expect "exports" "$(nm -D --defined-only "$lib/libinlay.so.1" | awk '{print $3}' |
	grep -v '^__inlay_[a-z0-9_]*_v1@@INLAY_1$' | tr '\n' ' ')" "INLAY_1 "
expect "a target exports nothing of ours" \
	"$(nm -D --defined-only "$work/liba.so" | grep -c __inlay || true)" 0
exit $failed
