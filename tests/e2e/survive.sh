#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processes that change maps of every type are killed at random instructions; another process goes
# on in 100 ms after each kill, with every key, count and event where it belongs.
# survive.sh [KILLS]: so many kills (100).
set -eu -o pipefail
here=$(dirname "$0")/survive
work=$(mktemp -d "${TMPDIR:-/tmp}/inlay-survive.XXXXXX")
trap 'rm -rf "$work"' EXIT
arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64

"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/storm.bpf.c" -o "$work/storm.bpf.o"
"$INLAY_BUILD/bin/inlay-cc" -O2 -fno-omit-frame-pointer -Wall -Wextra -Werror \
	"-I$INLAY_SOURCE/include" \
	"-finlay-probes=$work/storm.bpf.o" -finlay-allow-override "$here/target.c" -o "$work/target" \
	"$INLAY_BUILD/lib/libinlay-reader.a" -lbpf -lpthread 2>"$work/build.log" ||
	{ cat "$work/build.log" >&2; exit 1; }
INLAY_DIR=$work/segments timeout 500 "$work/target" "${1:-100}"
