#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Installs into a scratch prefix, moves it, and uses it as a project would: find_package(Inlay) with
# the wrapper and with plain clang 19, CMake's compiler checks, pkg-config, the installed wrapper.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
inputs=$INLAY_SOURCE/tests/e2e/driver

cmake --install "$INLAY_BUILD" --prefix "$work/first" >"$work/log" 2>&1 ||
	{ cat "$work/log"; exit 1; }
mv "$work/first" "$work/prefix"		# nothing may point to where it was
prefix=$work/prefix
libdir=$(dirname "$(find "$prefix" -name libinlay.a)")

for file in bin/inlay-cc bin/inlay-c++ bin/inlay bin/bpfcc include/inlay/abi.h include/inlay/abi/base.h \
	    include/inlay/inlay.h include/inlay/inlay.bpf.h include/inlay/bpfcc.h; do
	[ -e "$prefix/$file" ] || { echo "not installed: $file"; exit 1; }
done
for file in libinlay.a libinlay.so libinlay.so.1 inlay-pass.so libbpfcc.so pkgconfig/inlay.pc; do
	[ -e "$libdir/$file" ] || { echo "not installed: $file"; exit 1; }
done

# calls <program>: runs it and prints what its probe counted
calls() {
	INLAY_DIR=$work/segments INLAY_KEEP=1 "$1" >/dev/null
	INLAY_DIR=$work/segments "$prefix/bin/inlay" dump .bss -j | grep -o '"calls":[0-9]*'
	rm -rf "$work/segments"
	mkdir -m 700 "$work/segments"
}
mkdir -m 700 "$work/segments"

expect() {
	[ "$2" = "$3" ] || { echo "$1: expected '$3', got '$2'"; exit 1; }
}

# CMake with the wrapper, then with clang 19 and the plugin's flags
for compiler in "$prefix/bin/inlay-c" clang; do
	case $compiler in
	clang) c=$CLANG cxx=$(dirname "$(readlink -f "$CLANG")")/clang++ ;;
	*) c=${compiler}c cxx=${compiler}++ ;;
	esac
	name=$(basename "$compiler")
	rm -rf "$work/build"
	cmake -S "$inputs" -B "$work/build" -DCMAKE_C_COMPILER="$c" -DCMAKE_CXX_COMPILER="$cxx" \
		-DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
	cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
	grep -q 'inlay: app: 1 of 1 programs at 1 sites' "$work/log" ||
		{ cat "$work/log"; echo "$name: no report of the link"; exit 1; }
	expect "$name: C" "$(calls "$work/build/app")" '"calls":7'
	expect "$name: C++" "$(calls "$work/build/app-cxx")" '"calls":3'

	# A changed probe object rebuilds what it is in.
	cmake -S "$inputs" -B "$work/build" -DSTEP=10 >/dev/null
	cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
	expect "$name: rebuilt" "$(calls "$work/build/app")" '"calls":70'

	# A probe for this program that matches nothing fails the build.
	if cmake --build "$work/build" --target app-broken >"$work/log" 2>&1; then
		echo "$name: a probe that matches nothing was accepted"
		exit 1
	fi
	grep -q "matched nothing in 'app-broken'" "$work/log" || { cat "$work/log"; exit 1; }
done

# the build tree, as it is
rm -rf "$work/build"
cmake -S "$inputs" -B "$work/build" -DCMAKE_C_COMPILER="$CLANG" -DCMAKE_CXX_COMPILER="$cxx" \
	-DCMAKE_PREFIX_PATH="$INLAY_BUILD" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
expect "build tree" "$(calls "$work/build/app")" '"calls":7'

# pkg-config and the environment, with nothing else on the command line
export PKG_CONFIG_PATH=$libdir/pkgconfig
"$CLANG" -target bpf -g -O2 -I"/usr/include/$(uname -m)-linux-gnu" -DSTEP=1 -DFUNCTION='"step"' \
	-c "$inputs/step.bpf.c" -o "$work/step.bpf.o"
# shellcheck disable=SC2046
INLAY_PROBES=$work/step.bpf.o "$CLANG" -O2 $(pkg-config --cflags inlay) "$inputs/app.c" \
	$(pkg-config --libs inlay) -o "$work/app"
expect "pkg-config" "$(calls "$work/app")" '"calls":7'

# through a symbolic link, as distributions do
ln -s "$prefix/bin/inlay-cc" "$work/inlay-cc"
"$work/inlay-cc" -finlay-probes="$work/step.bpf.o" "$inputs/app.c" -o "$work/app" 2>/dev/null
expect "link" "$(calls "$work/app")" '"calls":7'
