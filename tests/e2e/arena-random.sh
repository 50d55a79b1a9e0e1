#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Random programs on addresses in an arena return the same compiled, interpreted and in the kernel.
# arena-random.sh [SEED [NUMBER]]
set -eu -o pipefail
here=$INLAY_SOURCE/tests/e2e/arena
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-arena.XXXXXX")
trap 'rm -rf "$work"' EXIT
number=${2:-30}
failed=0

if [ "$(id -u)" != 0 ]; then
	echo "running programs in the kernel needs root"
	exit 77
fi
"$CLANG" -O1 -Wall -Wextra -Werror "$here/kernel.c" -o "$work/kernel" -lbpf
python3 "$here/random.py" "${1:-1}" "$number" >"$work/random.bpf.c"
# compile SECTION OUTPUT
compile()
{
	"$CLANG" -target bpf -g -O2 -mcpu=v4 "-I/usr/include/$(uname -m)-linux-gnu" "-DSECTION=\"$1\"" \
		-c "$work/random.bpf.c" -o "$work/$2"
}
compile syscall kernel.bpf.o
compile uprobe.s/app:f ours.bpf.o
code=0
"$work/kernel" "$work/kernel.bpf.o" >"$work/results" || code=$?
[ $code = 0 ] || exit $code
while read -r name kernel; do
	native=$("$INLAY_BUILD/bin/bpfcc" run "$work/ours.bpf.o:$name")
	interpreted=$("$INLAY_BUILD/bin/bpfcc" run --interp "$work/ours.bpf.o:$name")
	[ "$native $interpreted" = "$kernel $kernel" ] || {
		echo "$name: kernel $kernel, compiled $native, interpreted $interpreted"
		failed=1
	}
done <"$work/results"
[ "$(wc -l <"$work/results")" = "$number" ] || failed=1
[ $failed = 0 ] && echo "arena-random: $number programs return the same"
exit $failed
