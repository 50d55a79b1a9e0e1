#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The runtime in every kind of link: compilers, linkers, PIE or not, static, sanitizers, LTO.
set -eu
. "$INLAY_SOURCE/tests/e2e/rt/common.sh"

try()
{
	local what=$1 cc=$2
	shift 2
	mkdir -p "$work/$what"
	if ! compile "$work/$what/target" "$cc" "$@" 2>"$work/log"; then
		cat "$work/log"
		fail "$what: does not link"
		return
	fi
	if ! "$work/$what/target" check >"$work/out" 2>&1; then
		cat "$work/out"
		fail "$what: runs wrong"
		return
	fi
	expect "$what" "$(value mode "$work/out")" file
	expect "$what: removed at exit" "$(nr_segments)" 0
}

static_flags="-static -DTARGET_STATIC"
for linker in bfd lld; do
	for cc in "$CLANG" gcc; do
		name=$(basename "$cc")
		command -v "$cc" >/dev/null || { echo "skipped: no $cc"; continue; }
		use=-fuse-ld=$linker
		if [ $linker = lld ] && [ "$name" = gcc ]; then
			use="-fuse-ld=lld -B$work/bin"
			mkdir -p "$work/bin"
			ln -sf "$(command -v ld.lld-19 || command -v ld.lld)" "$work/bin/ld.lld"
		fi
		try "$name-$linker-pie" "$cc" $use -fPIE -pie
		try "$name-$linker-nopie" "$cc" $use -fno-pie -no-pie
		try "$name-$linker-static" "$cc" $use $static_flags -fno-pie -no-pie
		try "$name-$linker-static-pie" "$cc" $use -static-pie -DTARGET_STATIC -fPIE
		try "$name-$linker-gc" "$cc" $use -ffunction-sections -fdata-sections \
			-Wl,--gc-sections
		try "$name-$linker-relro" "$cc" $use -Wl,-z,relro,-z,now -D_FORTIFY_SOURCE=2 \
			-fstack-protector-strong
	done
done
try clang-asan "$CLANG" -fsanitize=address -g
try clang-asan-nopie "$CLANG" -fsanitize=address -fno-pie -no-pie
try clang-ubsan "$CLANG" -fsanitize=undefined
try clang-lto "$CLANG" -flto -fuse-ld=lld
try clang-thinlto "$CLANG" -flto=thin -fuse-ld=lld
try clang-O0 "$CLANG" -O0 -g
try gcc-asan gcc -fsanitize=address

# nothing but libc, and no C++
expect "libinlay.so.1 needs libc only" \
	"$(readelf -d "$lib/libinlay.so.1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
		grep -v '^ld-linux' | tr '\n' ' ')" "libc.so.6 "
exit $failed
