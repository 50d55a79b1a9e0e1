#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# inlay/probe.h without Inlay: compiles without a warning in C and C++ of any age, by clang and gcc, and
# the notes say the same sizes and signs.
set -eu

here=$INLAY_SOURCE/tests/e2e/usdt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sizes() # FILE: the arguments without their places
{
	# an inlined function's probe may be there more than once
	readelf -n "$1" | sed -n 's/@[^ ]*//g; s/^ *Arguments: */ /p; s/^ *Name: *//p' |
		paste -d '' - - | sort -u
}

first=
check() # COMPILER-AND-FLAGS...
{
	local flags
	for flags in -O0 -O2 "-O2 -fPIC" "-O3 -fno-pie"; do
		# shellcheck disable=SC2086
		"$@" $flags -Wall -Wextra -Werror "-I$INLAY_SOURCE/include" -c "$here/target.c" -o "$work/o"
		sizes "$work/o" >"$work/sizes"
		if [ -z "$first" ]; then
			cp "$work/sizes" "$work/first"
			first="$* $flags"
		elif ! diff -u "$work/first" "$work/sizes"; then
			echo "the notes of '$first' and '$* $flags' differ"
			exit 1
		fi
	done
}
check "$CLANG" -x c -std=gnu11 -pedantic
check "$CLANG" -x c -std=c99
if command -v gcc >/dev/null; then
	check gcc -x c -std=gnu17 -pedantic
	check gcc -x c -std=c99
fi
first= # an enumeration without a negative value is unsigned in C, and an int where C++ promotes it
check "$CLANG" -x c++ -std=c++98 -Wno-variadic-macros -Wno-long-long
check "$CLANG" -x c++ -std=c++20 -pedantic
if command -v g++ >/dev/null; then
	check g++ -x c++ -std=c++98
	check g++ -x c++ -std=c++20 -pedantic
fi
[ "$(grep -c '^twelve ' "$work/first")" = 1 ]
grep -qx -e 'small -1 1 1 -2 2 -1' -e 'small -1 1 1 -2 2 1' "$work/first"

# twelve arguments and nothing but a nop that is executed
"$CLANG" -O2 "-I$INLAY_SOURCE/include" -S -x c - -o "$work/s" <<'C'
#include <inlay/probe.h>
void f(void) { INLAY_PROBE(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12); }
C
insns=$(sed -n '/^f:/,/Lfunc_end/p' "$work/s" | sed '/pushsection/,/popsection/d' |
	grep -cP '^(770:)?\t(nop|ret|mov|push|sub)') || true
[ "$insns" = 2 ] || {
	cat "$work/s"
	exit 1
}
# elsewhere the arguments are evaluated, once, and nothing else is there
"$CLANG" --target=riscv64-linux-gnu -ffreestanding -O1 -Werror "-I$INLAY_SOURCE/include" -S -x c - -o - <<'C' | grep -qE '(call|tail).*next'
#include <inlay/probe.h>
int next(void);
void f(void) { INLAY_PROBE(a, b, next()); INLAY_PROBE(a, none); }
C
echo "the same notes everywhere"
