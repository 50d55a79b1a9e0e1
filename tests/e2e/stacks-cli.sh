#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `inlay stacks`: names of functions in an executable at a random address and in libraries, while the
# target runs and later, and when it was stripped; counts by every kind of key; text, JSON and folded lines.
set -eu -o pipefail

here=$(cd "$(dirname "$0")" && pwd)/stacks
work=$(mktemp -d)
target=
trap '[ -z "$target" ] || kill "$target" 2>/dev/null || :; rm -rf "$work"' EXIT
cd "$work"
mkdir -m 700 segments
export INLAY_DIR=$work/segments

fail() {
	echo "FAILED: $*"
	exit 1
}
inlay() {
	"$INLAY_BUILD/bin/inlay" "$@"
}
# has WHAT TEXT PATTERN...: lines of the text
has() {
	local what=$1 text=$2
	shift 2
	for pattern in "$@"; do
		grep -Eq -- "$pattern" <<<"$text" || fail "$what: no $pattern in"$'\n'"$text"
	done
}
refused() {
	local code=0
	out=$(inlay "${@:2}" 2>&1) || code=$?
	[ $code = "$1" ] || fail "inlay ${*:2}: exit code $code: $out"
}

arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
flags=(-O1 -g -gdwarf-4 -fPIE -fno-omit-frame-pointer -fno-optimize-sibling-calls
	"-I$INLAY_SOURCE/include")
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/counts.bpf.c" -o counts.bpf.o
"$CLANG" "${flags[@]}" -fPIC -shared "$here/outside.c" -o liboutside.so
"$INLAY_BUILD/bin/inlay-cc" "${flags[@]}" -finlay-probes=counts.bpf.o "$here/target.c" -L. -loutside \
	"-Wl,-rpath,$work" -pie -lpthread -Wno-unused-command-line-argument -o target 2>build.log || {
	cat build.log
	exit 1
}

# 7 rounds, then it waits
mkfifo input
INLAY_KEEP=1 ./target 7 <input &
target=$!
exec 9>input
for _ in $(seq 500); do
	[ "$(inlay stacks by_task --folded 2>/dev/null | sed -n 's/.* //p' | head -n 1)" != 7 ] || break
	sleep 0.02
done

check_names() {
	local text
	text=$(inlay stacks by_id --folded)
	has "by_id, $1" "$text" '(^|;)main;middle;leaf 7$' '(^|;)main;other;leaf 14$' \
		'(^|;)main(;recurse){6};leaf 7$' '(^|;)thread_main;middle;leaf 7$' \
		'(^|;)on_signal;middle;leaf 7$' '(^|;)main;wrapper;leaf 7$' '^\[no stack: EFAULT\] 0$'
	has "16 frames, $1" "$text" '^recurse(;recurse){14};leaf 7$'
	text=$(inlay stacks by_id --folded --inlines)
	has "inlined, $1" "$text" '(^|;)main;wrapper;wrapped_\[i\];leaf 7$' '(^|;)main;middle;leaf 7$'
	text=$(inlay stacks by_id --inlines)
	has "text, $1" "$text" '^    leaf \(target\)$' '^    wrapped \(inlined\)$' \
		'^    wrapper\+0x[0-9a-f]+ \(target\)$'
	has "no names, $1" "$(inlay stacks by_id --folded --no-sym)" '\[target\];\[target\];\[target\] '
	# of a map of stacks: the one map whose keys are its ids counts
	has "stacks, $1" "$(inlay stacks stacks --folded)" 'main'
	has "maps, $1" "$(inlay maps)" 'stacks +stack_trace'
	inlay stacks by_id -j >"$work/json"
	python3 - "$work/json" <<'PY'
import json, sys
rows = json.load(open(sys.argv[1]))
by = {}
for row in rows:
    names = ";".join(frame.get("symbol", "?") for frame in row["frames"])
    by[names] = by.get(names, 0) + row["count"]
    assert row["key"] == row["id"], row
    for frame in row["frames"][:2]:
        assert frame["module"].endswith("/target"), frame
        assert int(frame["address"], 16) > 4096
    if row["id"] >= 0:
        assert row["frames"][0]["offset"] == 0 and row["frames"][1]["offset"] > 0, row
counts = [row["count"] for row in rows]
assert counts == sorted(counts, reverse=True), counts
assert sum(counts) == 7 * 8, by
assert any(name.startswith("leaf;middle;main") and n == 7 for name, n in by.items()), by
PY
}

check_names "while it runs"
text=$(inlay dump stacks)
has "dump of stacks" "$text" '^[0-9]+: 0x[0-9a-f]+( 0x[0-9a-f]+)+$'
[ -z "$(grep -Ev '^[0-9]+:( 0x[0-9a-f]+)+$' <<<"$text")" ] || fail "dump of stacks: $text"
has "dump --sym" "$(inlay dump stacks --sym)" '^    0x[0-9a-f]+ leaf \(target\)$' \
	'^    0x[0-9a-f]+ middle\+0x[0-9a-f]+ \(target\)$' '\(libc\.so\.6\)$'
inlay dump stacks -j --sym >"$work/json"
python3 - "$work/json" <<'PY'
import json, sys
rows = json.load(open(sys.argv[1]))
assert any([f.get("symbol") for f in row["stack"]][:3] == ["leaf", "middle", "main"] for row in rows)
assert all(len(row["value"]) == 16 * 8 and int(f["address"], 16) for row in rows for f in row["stack"])
PY
text=$(inlay stacks by_task --folded)
has "by_task" "$text" '^target;(.*;)?main;caller;outside 7$'
has "at a function that is always inlined" "$(inlay stacks by_place --folded)" \
	'(^|;)main;wrapper;(wrapper;)?wrapped 7$'
text=$(inlay stacks allocations --folded)
has "ids in values" "$text" '(^|;)main;middle 70$' '(^|;)thread_main;middle 70$'
has "another number" "$(inlay stacks allocations --folded --count-member line)" '(^|;)main;middle 21$'
has "ids in values, text" "$(inlay stacks allocations)" '^70  stack [0-9]+$'
has "ids in values, JSON" "$(inlay stacks allocations -j)" '"count": ?70,'
has "libraries" "$text" 'libc'
has "another member" "$(inlay stacks by_task --folded --count-member sum)" 'outside 700$'
has "the kernel's part" "$(inlay stacks by_task --folded --id-member kern_stack_id)" \
	'^target;\[no stack: EFAULT\] 7$'
has "by_task, text" "$(inlay stacks by_task)" '^7  \{ \.pid = [0-9]+' '^    outside \(liboutside\.so\)$'
has "of the target" "$(inlay stacks "$target:counts.by_task" --folded)" 'outside 7$'

refused 1 stacks nothing
has "no such map" "$out" "there is no map 'nothing'"
refused 1 stacks .bss
refused 1 stacks by_task --id-member comm
has "no such member" "$out" '--id-member'
refused 1 stacks by_task --count-member pid
has "no such member" "$out" '--count-member'
refused 2 stacks by_id --folded -j
refused 2 stacks
# keys that are no ids of stacks
has "other keys" "$(inlay stacks by_number --folded)" '^\[stack 10[0-9]+ is gone\] '

exec 9>&-
wait "$target"
target=
check_names "after its end"

# what was stripped is in a debug file: beside the executable, in .debug, or nowhere
strip_names() {
	local text
	text=$(inlay stacks by_id --folded --inlines)
	has "$1" "$text" "$2"
}
cp target whole
objcopy --only-keep-debug whole target.debug
objcopy --strip-all --add-gnu-debuglink=target.debug whole target
check_names "stripped, with a debug file"
mkdir .debug
mv target.debug .debug
check_names "stripped, with a debug file in .debug"
# of the name of the file itself, which has the build id, too
mv .debug/target.debug .debug/target
objcopy --strip-all --add-gnu-debuglink=.debug/target whole target
check_names "stripped, with a debug file of its name"
objcopy --strip-debug --add-gnu-debuglink=.debug/target whole target
check_names "stripped of DWARF, with a debug file of its name"
mv .debug/target .debug/target.debug
objcopy --strip-debug --add-gnu-debuglink=.debug/target.debug whole target
check_names "stripped of DWARF"
objcopy --strip-all --add-gnu-debuglink=.debug/target.debug whole target
# one of another build
objcopy --only-keep-debug liboutside.so .debug/target.debug
strip_names "another's debug file" '\[target\];\[target\];\[target\] 7$'
for bytes in 0 70 3000; do
	head -c $bytes whole >.debug/target.debug
	strip_names "a debug file of $bytes bytes" '\[target\];\[target\] 7$'
done
rm -r .debug
strip_names "no debug file" '\[target\];\[target\] 7$'
mv whole target
check_names "whole again"

# a stack of every byte that there is: nothing crashes, whatever the numbers are
segment=$(echo segments/*)
for seed in 1 2 3 4 5 6; do
	python3 - "$segment" $seed <<'PY'
import random, sys
random.seed(int(sys.argv[2]))
data = bytearray(open(sys.argv[1], "rb").read())
first = int.from_bytes(data[12:16], "little")
for _ in range(20000):
    data[random.randrange(first, len(data))] = random.randrange(256)
open(sys.argv[1], "r+b").write(data)
PY
	for map in stacks by_id by_task allocations; do
		code=0
		inlay stacks $map --folded --inlines >out 2>&1 || code=$?
		[ $code -le 1 ] || fail "$map, seed $seed: exit code $code: $(cat out)"
		inlay stacks $map -j >out 2>&1 || [ $? = 1 ] || fail "$map -j, seed $seed"
	done
done
