#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The map code of libinlay calls nothing of libc, not even by what a compiler makes of a loop or an
# initialiser: a probe on memset() would otherwise call itself.
set -eu
symbols=$(nm -A --undefined-only "$INLAY_BUILD/lib/libinlay.a" 2>/dev/null | grep -E ':(map_[a-z]*|shard_cold)\.c\.o:')
echo "$symbols" | grep -q __inlay_shard_get_v1
if echo "$symbols" | awk '{ print $NF }' | grep -vE '^(__inlay_|_GLOBAL_OFFSET_TABLE_$)'; then
	echo "libinlay's map code needs these" >&2
	exit 1
fi
