#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Walking the stack on arm64: the runtime is cross-compiled and run under qemu-user.
set -eu

for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
	if ! command -v $tool >/dev/null; then
		echo "no $tool"
		exit 77
	fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir segments rt

compile() # SOURCE OUTPUT
{
	"$CLANG" --target=aarch64-linux-gnu -D_GNU_SOURCE -DINLAY_VERSION='"0"' -std=gnu11 -O1 -w \
		-fno-builtin -fno-stack-protector -fno-strict-aliasing -fno-omit-frame-pointer \
		-ftls-model=initial-exec -fvisibility=hidden "-I$INLAY_SOURCE" \
		"-I$INLAY_SOURCE/include" -isystem /usr/aarch64-linux-gnu/include -c "$1" -o "$2"
}
for source in "$INLAY_SOURCE"/rt/*.c "$INLAY_SOURCE"/rt/*.S; do
	[ ! -e "$source" ] || compile "$source" "rt/$(basename "$source").o"
done
compile "$INLAY_SOURCE/tests/e2e/stacks/arm64.c" main.o
aarch64-linux-gnu-gcc main.o rt/*.o -o main -lpthread
INLAY_DIR=$work/segments qemu-aarch64 -L /usr/aarch64-linux-gnu ./main
