#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Libraries that read memory, each with a runtime of its own. One that is linked before libc can keep the
# handler. One that is loaded later cannot: it reads under the handler of a copy that can (the
# executable's), or else by system call. Also where the dynamic linker was started as a program.
set -eu
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

run()
{
	local what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok: $what"
	else
		fail "$what: exit $?: $(head -3 "$work/out")"
	fi
}

# library NAME FLAGS...
library()
{
	local out=$work/lib$1.so
	shift
	# shellcheck disable=SC2086
	"$CLANG" $includes -O2 -shared -fPIC -o "$out" "$here/reads-lib.c" "$@"
}

# host OUTPUT FLAGS...
host()
{
	local out=$work/$1
	shift
	# shellcheck disable=SC2086
	"$CLANG" $includes -O2 -pthread -o "$out" "$here/reads-host.c" "$@"
}

library one "$lib/libinlay.a"
library two "$lib/libinlay.a"
library without "$lib/libinlay.a" -Xlinker --defsym=__inlay_no_handler_v1=1
one=$work/libone.so
two=$work/libtwo.so
"$CLANG" -o "$work/linked" "$here/reads-linked.c" -L"$work" -lone -Wl,-rpath,"$work"
host reader -DREAD -DGUARDED=1 "$lib/libinlay.a"
host reader.libc -DREAD -DGUARDED=1 -lc "$lib/libinlay.a"
host reader.asan -fsanitize=address -DREAD -DGUARDED=1 "$lib/libinlay.a"
host reader.alone -DREAD -DGUARDED=0 "$lib/libinlay.a"
host reader.spaces -DREAD -DGUARDED=0 -DNAMESPACES "$lib/libinlay.a"
host plain -DGUARDED=0

run "linked library" "$work/linked"
run "loaded libraries, the executable reads too" "$work/reader" "$one" "$two"
run "loaded libraries, libc named first" "$work/reader.libc" "$one" "$two"
run "loaded libraries, ASan" "$work/reader.asan" "$one" "$two"
run "a loaded library that wants no handler" "$work/reader.alone" "$work/libwithout.so"
run "loaded libraries, no handler in the process" "$work/plain" "$one" "$two"
run "libraries in namespaces of their own" "$work/reader.spaces" "$one" "$two"

loader=$(sed -n 's/.*interpreter: \(.*\)\].*/\1/p' <(LC_ALL=C readelf -l "$work/plain"))
run "linked library, linker as a program" "$loader" "$work/linked"
run "loaded libraries, linker as a program" "$loader" "$work/reader" "$one" "$two"
run "no handler in the process, linker as a program" "$loader" "$work/plain" "$one" "$two"
exit $failed
