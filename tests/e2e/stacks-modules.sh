#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Names of functions in libraries when the target has been killed: of those that were there at its start,
# of one that it loaded later (by a relative name), and of one that it unloaded; C++ names as people
# write them; and none where the file is another one by now.
set -eu -o pipefail

here=$(cd "$(dirname "$0")" && pwd)/stacks
work=$(mktemp -d)
target=
trap '[ -z "$target" ] || kill -9 "$target" 2>/dev/null || :; rm -rf "$work"' EXIT
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
# has WHAT TEXT LINE...: fixed strings
has() {
	local what=$1 text=$2
	shift 2
	for line; do
		grep -Fq -- "$line" <<<"$text" || fail "$what: no $line in"$'\n'"$text"
	done
}

arch=x86
[ "$(uname -m)" != aarch64 ] || arch=arm64
flags=(-O1 -g -fno-omit-frame-pointer -fno-optimize-sibling-calls)
"$CLANG" -target bpf -D__TARGET_ARCH_$arch -g -O2 -Wall -Werror "-I$INLAY_SOURCE/include" \
	"-I/usr/include/$(uname -m)-linux-gnu" -c "$here/modules.bpf.c" -o modules.bpf.o
for name in linked loaded; do
	"$CLANG" --driver-mode=g++ "${flags[@]}" -fPIC -shared -fvisibility=hidden -Wl,--build-id=sha1 \
		-DLIBRARY=$name -DENTRY=${name}_entry "$here/modules-lib.cc" -o lib$name.so
done
"$INLAY_BUILD/bin/inlay-c++" "${flags[@]}" -finlay-probes=modules.bpf.o "$here/modules.cc" -L. -llinked \
	"-Wl,-rpath,$work" -Wl,--build-id=sha1 -pthread -o target 2>build.log || {
	cat build.log
	exit 1
}

linked='main;linked_entry;linked::Worker::work(std::vector<int, std::allocator<int> > const&, int);reached 2'
own='main;program::Worker::work(std::vector<int, std::allocator<int> > const&, int);reached 2'
loaded='main;loaded_entry;loaded::Worker::work(std::vector<int, std::allocator<int> > const&, int);reached 2'

# run ARGUMENT...: until it waits, and kills it
run() {
	rm -f segments/* ready
	mkfifo ready
	./target "$@" >ready 2>errors &
	target=$!
	read -r _ <ready
	if [ -n "${live:-}" ]; then
		has "live $*" "$(inlay stacks counts --folded)" "$linked" "$own" "$loaded"
	fi
	kill -9 "$target"
	wait "$target" 2>/dev/null || :
	target=
}

live=1 run "$work/libloaded.so"
text=$(inlay stacks counts --folded)
has "killed" "$text" "$linked" "$own" "$loaded"
has "libc" "$text" 'libc'
has "raw" "$(inlay stacks counts --folded --no-demangle)" 'main;loaded_entry;_ZN6loaded6Worker4work'
has "files" "$(inlay stacks counts --folded --no-sym)" '[target];[libloaded.so];[libloaded.so];[target] 2'
has "JSON" "$(inlay stacks counts -j)" '"symbol":"linked::Worker::work(' "\"module\":\"$work/liblinked.so\""

# a name that counts from the directory of that time; and one that is not mapped any more
run ./libloaded.so
has "relative" "$(cd / && inlay stacks counts --folded)" "$loaded"
live=1 run "$work/libloaded.so" unload
has "unloaded" "$(inlay stacks counts --folded)" "$loaded" "$linked"
inlay stacks counts --folded --inlines >/dev/null

# looks at the list of libraries while it changes
out=$(./target "$work/libloaded.so" storm) || fail "storm: exit code $?"
[ "${out% times}" -gt 100 ] || fail "storm: only $out"

# more programs than there is room for: what is loaded now has names, and so has what a child of somebody
# whose rows were taken finds to be missing
export INLAY_SEGMENT=many
rm -f segments/* ready input
mkfifo ready input
(exec 9>input; sleep 300) & holder=$!
./target "$work/libloaded.so" child <input >ready 2>errors &
target=$!
exec 7<ready
read -r _ <&7
read -r _ <&7
child=$(pgrep -P "$target")
kill -9 "$target"
wait "$target" 2>/dev/null || :
target=$child
"$CLANG" --driver-mode=g++ "${flags[@]}" -fPIC -shared -fvisibility=hidden -Wl,--build-id=sha1 \
	-DLIBRARY=last -DENTRY=loaded_entry "$here/modules-lib.cc" -o liblast.so
for library in $(yes libloaded.so | head -17 || :) liblast.so; do
	mkfifo ready-too
	./target "$work/$library" <input >ready-too 2>errors &
	last=$!
	read -r _ <ready-too
	kill -9 "$last"
	wait "$last" 2>/dev/null || :
	rm ready-too
done
has "many programs: the last one" "$(inlay stacks counts --folded)" "${loaded//loaded::/last::}"
kill "$holder"
wait "$holder" 2>/dev/null || :
read -r done <&7
[ "$done" = "done" ] || fail "the child says $done"
has "many programs: a child" "$(inlay stacks counts --folded)" \
	"main;child_goes_on();${linked#main;}"
kill -9 "$child"
exec 7<&-
target=
unset INLAY_SEGMENT

# a program that has nobody's row, and no headers to read any more
rm -f segments/* ready input
mkfifo ready input
cat >where.c <<'C'
#include <stddef.h>
#include <stdio.h>
#include "inlay/abi.h"
int main(void)
{
	return printf("%zu %zu\n", offsetof(struct inlay_segment, modules_off),
		      sizeof(struct inlay_modules)) < 0;
}
C
"$CLANG" "-I$INLAY_SOURCE/include" where.c -o where
LD_BIND_NOW=1 ./target "$work/libloaded.so" hidden <input >ready 2>errors &
target=$!
exec 9>input
read -r _ <ready
python3 - segments/* $(./where) <<'PY'
import struct, sys
at, size = map(int, sys.argv[2:])
with open(sys.argv[1], "r+b") as file:
    file.seek(at)
    at = struct.unpack("<Q", file.read(8))[0]
    assert at
    file.seek(at)
    assert b"libloaded.so" in file.read(size)
    file.seek(at)
    file.write(bytes(size))
PY
exec 9>&-
code=0
wait "$target" || code=$?
target=
[ $code = 0 ] || fail "hidden headers: exit code $code"

# two programs in one segment, at other addresses
mkdir other
cp target other/target
rm -f segments/* ready
mkfifo ready
INLAY_SEGMENT=both ./target "$work/libloaded.so" >ready 2>errors &
target=$!
read -r _ <ready
INLAY_SEGMENT=both other/target "$work/libloaded.so" >ready 2>errors &
second=$!
read -r _ <ready
kill -9 "$target" "$second"
wait "$target" "$second" 2>/dev/null || :
target=
has "two programs" "$(inlay stacks counts --folded)" "${linked% 2} 4" "${own% 2} 4" "${loaded% 2} 4"
live=1 run "$work/libloaded.so"

# another file in its place: its names would be wrong
cp liblinked.so saved
"$CLANG" --driver-mode=g++ "${flags[@]}" -fPIC -shared -fvisibility=hidden -Wl,--build-id=sha1 -O2 \
	-DLIBRARY=other -DENTRY=other_entry "$here/modules-lib.cc" -o new.so
mv new.so liblinked.so
text=$(inlay stacks counts --folded)
has "replaced" "$text" 'main;[liblinked.so];[liblinked.so];reached 2' "$loaded"
rm liblinked.so
has "removed" "$(inlay stacks counts --folded)" 'main;[liblinked.so];[liblinked.so];reached 2' "$loaded"
mv saved liblinked.so
has "back" "$(inlay stacks counts --folded)" "$linked"
mkfifo pipe && mv libloaded.so real.so && mv pipe libloaded.so
has "a FIFO" "$(timeout 20 "$INLAY_BUILD/bin/inlay" stacks counts --folded)" \
	'main;[libloaded.so];[libloaded.so];reached 2'
mv real.so libloaded.so

# no C++ runtime in the machine of who reads: names as they are
if [ -x "$(command -v unshare)" ]; then
	text=$(unshare -m sh -c '
		for f in $(ldconfig -p | sed -n "s/.*lib\(stdc++\|c++\|c++abi\)\.so.* => //p"); do
			mount --bind /dev/null "$f" || exit 77
		done
		"$0" stacks counts --folded' "$INLAY_BUILD/bin/inlay" 2>&1) || text=
	[ -z "$text" ] || has "without a C++ runtime" "$text" '_ZN6linked6Worker4work'
fi

# nonsense in every row of the table
segment=$(echo segments/*)
for seed in 1 2 3 4; do
	python3 - "$segment" $seed <<'PY'
import random, sys
random.seed(int(sys.argv[2]))
data = bytearray(open(sys.argv[1], "rb").read())
head = int.from_bytes(data[12:16], "little")
begin = head - 4096 * 9          # the last table of the header
for _ in range(3000):
    data[random.randrange(begin, head)] = random.choice([0, 1, 255, random.randrange(256)])
open(sys.argv[1], "r+b").write(data)
PY
	code=0
	inlay stacks counts --folded --inlines >out 2>&1 || code=$?
	[ $code -le 1 ] || fail "nonsense, seed $seed: exit code $code: $(cat out)"
done
