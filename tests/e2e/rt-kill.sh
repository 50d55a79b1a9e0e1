#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processes killed at any instruction of start, claiming and counting leave a segment that others go on
# using: what lives afterwards counts exactly.
set -eu -o pipefail
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

compile "$work/target" "$CLANG"
# shellcheck disable=SC2086
"$CLANG" $includes -D_GNU_SOURCE -o "$work/segcat" "$here/segcat.c"
# shellcheck disable=SC2086
"$CLANG" $includes -O2 -D_GNU_SOURCE -o "$work/killer" "$here/killer.c"

export INLAY_SEGMENT=together INLAY_KEEP=1
"$work/killer" 600 "$work/target" join || fail "killer: exit $?"
path=$INLAY_DIR/together
[ -f "$path" ] || fail "no segment after the kills"
counts=$("$work/segcat" "$path" counts 1)
per_thread=$("$work/segcat" "$path" per_thread 1)
for _ in 1 2 3 4 5; do
	"$work/target" join || fail "the living: exit $?"
done
expect "counts of the living" "$("$work/segcat" "$path" counts 1)" $((counts + 50))
expect "shards of the living" "$("$work/segcat" "$path" per_thread 1)" $((per_thread + 500))
expect_procs "nobody is thought alive" "$path" 0
echo "$counts counted by the killed"
exit $failed
