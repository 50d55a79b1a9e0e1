#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The wrapper's table of options whose value is a word of its own, against clang itself: for each option
# that clang lists (families of flags such as -f… and -W… left out: they are asked about only if the
# table names them), is the next word an input or not?
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work	# clang -### leaves its temporary files behind
touch "$work/a.c"

sed -n '/separate\[\] = {/,/^};/p' "$INLAY_SOURCE/cli/driver/args.c" | grep -o '"[^"]*"' |
	tr -d '"' >"$work/table"
[ "$(wc -l <"$work/table")" -gt 80 ]
LC_ALL=C sort -c -u "$work/table"	# the wrapper searches it by halves

"$CLANG" --autocomplete=- | awk '{ print $1 }' |
	grep -E '^--?[A-Za-z]' | grep -Ev '=$|^--?(f|m|W|O|g|print|help|version|dump[mv]|cuda|hip|amdgpu|objc|no-)' |
	cat - "$work/table" | sort -u >"$work/options"

wrong=0
while read -r option; do
	if "$CLANG" -### "$option" value.q "$work/a.c" 2>&1 </dev/null |
	   grep -q "no such file or directory: 'value.q'"; then
		takes=no
	else
		takes=yes
	fi
	listed=no
	! grep -qxF -e "$option" "$work/table" || listed=yes
	if [ $takes != $listed ]; then
		echo "$option: clang takes the next word as its value: $takes; in the table: $listed"
		wrong=1
	fi
done <"$work/options"
exit $wrong
