#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A whole target for arm64: compiled by the plugin, linked with the cross-compiled runtime and run under
# qemu-user. Its maps are those of the same target on this machine.
set -eu

for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
	if ! command -v $tool >/dev/null; then
		echo "no $tool"
		exit 77
	fi
done
here=$INLAY_SOURCE/tests/e2e/pass-aarch64
dump=$INLAY_SOURCE/tests/lit/pass/Inputs/dump.c
plugin=$INLAY_BUILD/lib/inlay-pass.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir rt segments
includes=("-I$INLAY_SOURCE" "-I$INLAY_SOURCE/include")
cross=("$CLANG" --target=aarch64-linux-gnu -D_GNU_SOURCE -isystem /usr/aarch64-linux-gnu/include
	"${includes[@]}")
export INLAY_DIR=$work/segments INLAY_DISABLE=1	# maps stay where dump.c reads them

for machine in x86 arm64; do
	"$CLANG" -target bpf -g -O2 -D__TARGET_ARCH_$machine "-I$INLAY_SOURCE/include" \
		-I/usr/include/x86_64-linux-gnu -c "$here/probes.bpf.c" -o $machine.bpf.o
done
for source in "$INLAY_SOURCE"/rt/*.c "$INLAY_SOURCE"/rt/*.S; do
	[ ! -e "$source" ] || "${cross[@]}" -DINLAY_VERSION='"0"' -std=gnu11 -O1 -w -fno-builtin \
		-fno-stack-protector -fno-strict-aliasing -ftls-model=initial-exec -fvisibility=hidden \
		-c "$source" -o "rt/$(basename "$source").o"
done
"${cross[@]}" -O1 -c "$dump" -o dump.o

for flags in "-O0 -g" "-O2" "-O3 -fno-plt"; do
	flags="$flags -fno-omit-frame-pointer"
	options=(-fplugin="$plugin" -fpass-plugin="$plugin" -mllvm -inlay-allow-override -mllvm)
	# shellcheck disable=SC2086
	"$CLANG" $flags "${includes[@]}" "${options[@]}" -inlay-probes=x86.bpf.o "$here/target.c" \
		-x c "$dump" -x none "$INLAY_BUILD/lib/libinlay.a" -lpthread -o here
	./here | sort >here.out
	grep -q '^.bss\[0\] = 10$' here.out
	# shellcheck disable=SC2086
	"${cross[@]}" $flags "${options[@]}" -inlay-probes=arm64.bpf.o -c "$here/target.c" -o target.o
	for static in "" -static; do
		aarch64-linux-gnu-gcc $static target.o dump.o rt/*.o -o there -lpthread
		qemu-aarch64 -L /usr/aarch64-linux-gnu ./there | sort >there.out
		if ! diff -u here.out there.out; then
			echo "$flags $static: on arm64 (+) the maps differ"
			exit 1
		fi
	done
done
echo "$(wc -l <here.out) counts are equal"
cat here.out
