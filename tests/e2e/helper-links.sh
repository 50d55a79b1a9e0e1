#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a link gets of libinlay: the fault handler only with a reader of memory, libc's signal names only
# with the handler (libc named first) - for every kind of executable and both linkers. And what the
# sanitizer reports of a fault is still reported.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lib=$INLAY_BUILD/lib/libinlay.a
failed=0

cat >"$dir/app.c" <<'EOF'
#include <signal.h>
#include <stdio.h>
#include "rt/inlay_rt.h"
#include "rt/inline/clock.h"
int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	volatile int *nowhere = (volatile int *)8;
	(void)argv;
#ifdef READ
	extern int __inlay_fault_check(void);
	long word = 1;
	if (__inlay_fault_check() != 1)
		return 4; /* would read by system call */
	if (__inlay_probe_read_user_v1(&word, 8, 16) != -14 || word)
		return 1;
	word = 7;
	long copy = 0;
	if (__inlay_probe_read_user_v1(&copy, 8, (__u64)&word) || copy != 7)
		return 2;
#endif
	if (argc > 1)
		return *nowhere;
	if (sigaction(SIGUSR1, &act, NULL))
		return 3;
	return __inlay_ktime_get_ns() <= 0;
}
EOF

fail() {
	echo "FAIL: $*"
	failed=1
}

# has BINARY SYMBOL: 1 or 0
has() {
	nm "$1" | grep -c " [tT] $2\$" || true
}

while read -r flags; do
	for libc in "" -lc; do
		case "$flags" in *static*) [ -z "$libc" ] || continue ;; esac
		for read in "" -DREAD; do
			what="[$flags] [$libc] [$read]"
			# shellcheck disable=SC2086
			if ! "$CLANG" $flags $read -fPIE -I"$INLAY_SOURCE" -I"$INLAY_SOURCE/include" \
				"$dir/app.c" $libc "$lib" -o "$dir/app" 2>"$dir/err"; then
				fail "$what: does not link: $(head -2 "$dir/err")"
				continue
			fi
			"$dir/app" || fail "$what: exit code $?"
			handler=$(has "$dir/app" on_fault)
			names=$(has "$dir/app" __inlay_interposed_sigaction)
			[ "$handler" = "$([ -n "$read" ] && echo 1 || echo 0)" ] ||
				fail "$what: fault handler: $handler"
			if [ -n "$libc" ] || [ -n "$read" ]; then
				[ "$names" = "$handler" ] || fail "$what: libc's names: $names"
			fi
		done
	done
done <<'EOF'

-no-pie
-static
-static-pie
-fuse-ld=lld
-fuse-ld=lld -no-pie
-fuse-ld=lld -static-pie
-fsanitize=address
EOF

"$CLANG" -fsanitize=address -g -DREAD -I"$INLAY_SOURCE" -I"$INLAY_SOURCE/include" "$dir/app.c" \
	"$lib" -o "$dir/asan"
if "$dir/asan" fault 2>"$dir/report"; then
	fail "asan: the fault went unnoticed"
fi
grep -q "AddressSanitizer: SEGV on unknown address 0x000000000008" "$dir/report" ||
	fail "asan: no report: $(head -3 "$dir/report")"

exit $failed
