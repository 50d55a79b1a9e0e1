#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Hits of all maps and helpers where a program is not at rest (survive/places.c): before the
# constructors, in malloc(), dlopen(), signal handlers, destructors, with SIGSEGV in all states.
set -eu -o pipefail
here=$(dirname "$0")/survive
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-places.XXXXXX")
trap 'rm -rf "$work"' EXIT
export INLAY_DIR=$work/segments
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/storm.bpf.c" -o "$work/storm.bpf.o"
"$CLANG" -O2 -Wall -Werror -shared -fPIC -DLIBRARY "$here/places.c" -o "$work/lib.so"

# places NAME FLAGS...
places()
{
	local name=$1
	shift
	"$INLAY_BUILD/bin/inlay-cc" -O2 -fno-omit-frame-pointer -Wall -Wextra -Werror -rdynamic \
		"-finlay-probes=$work/storm.bpf.o" -finlay-allow-override "$here/places.c" -o "$work/$name" \
		"$@" -lpthread 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
	echo "$name: $(timeout 60 "$work/$name" "$work/lib.so")"
	[ -z "$(find "$INLAY_DIR" -type f)" ] || { echo "$name: a segment is left" >&2; exit 1; }
}

places reads-guarded
places reads-by-call -finlay-no-handler
places unoptimised -O0
