# SPDX-License-Identifier: BSD-2-Clause
# Shared by the runtime's end-to-end scripts: a scratch folder, compiling, comparing. Sourced.
: "${INLAY_BUILD:?}" "${INLAY_SOURCE:?}" "${CLANG:=clang-19}"
here=$INLAY_SOURCE/tests/e2e/rt
lib=$INLAY_BUILD/lib
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-rt.XXXXXX")
includes="-I$INLAY_SOURCE -I$INLAY_SOURCE/include"
failed=0
pids=

cleanup()
{
	for pid in $pids; do
		kill "$pid" 2>/dev/null || true
	done
	for mount in ${mounts:-}; do
		umount "$mount" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT

# Segments of the tests' own, so that others of this user are left alone.
export INLAY_DIR=$work/segments

fail()
{
	echo "FAIL: $*"
	failed=1
}

# expect WHAT IS WANTED
expect()
{
	if [ "$2" = "$3" ]; then
		echo "ok: $1"
	else
		fail "$1: is '$2', not '$3'"
	fi
}

# expect_procs WHAT SEGMENT WANTED: somebody who looks at a process in /proc may keep its lock a moment
expect_procs()
{
	for _ in $(seq 100); do
		[ "$("$work/segcat" "$2" procs)" = "$3" ] && break
		sleep 0.02
	done
	expect "$1" "$("$work/segcat" "$2" procs)" "$3"
}

value()
{
	sed -n "s/^$1=//p" "$2"
}

nr_segments()
{
	find "${1:-$INLAY_DIR}" -type f 2>/dev/null | wc -l
}

# compile OUTPUT COMPILER FLAGS...: the target and libinlay.a
compile()
{
	local out=$1 cc=$2
	shift 2
	# shellcheck disable=SC2086
	$cc $includes -O2 -D_GNU_SOURCE -o "$out" "$@" "$here/target.c" "$lib/libinlay.a" -pthread
}
