#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bpfcc --target=aarch64-linux-gnu: an object with maps of each kind, a callback, a tail call and atomics is
# cross-compiled, linked with a cross-compiled runtime, and run under qemu-user; its results are those of
# the same object on this machine.
set -eu

bpfcc=$INLAY_BUILD/bin/bpfcc
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
	if ! command -v $tool >/dev/null; then
		echo "skipped: $tool is not installed (tests/setup.sh test)"
		exit 77
	fi
done
if [ "$(uname -m)" != x86_64 ]; then
	echo "skipped: compiles from x86-64"
	exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

cat >cross.bpf.c <<'EOC'
#include <linux/bpf.h>
#include <linux/types.h>
#ifdef __TARGET_ARCH_arm64
struct user_pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
#else
#include <linux/ptrace.h>
#endif
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define MAP(name, kind)                                                                            \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, 4);                                                            \
		__type(key, __u32);                                                                \
		__type(value, __u64);                                                              \
	} name SEC(".maps")
MAP(array, BPF_MAP_TYPE_ARRAY);
MAP(hash, BPF_MAP_TYPE_HASH);
MAP(shards, BPF_MAP_TYPE_PERCPU_ARRAY);
__u64 total, order;

static long add(__u32 i, void *sum)
{
	*(__u64 *)sum += i * i;
	return i == 20;
}

SEC("uprobe") int cross(struct pt_regs *ctx)
{
	__u64 v = PT_REGS_PARM1(ctx), sum = 0, *p;
	__u32 key = v & 3;

	bpf_loop(v & 63, add, &sum, 0);
	p = bpf_map_lookup_elem(&array, &key);
	if (p)
		sum += *p += v;
	bpf_map_update_elem(&hash, &key, &v, 0);
	p = bpf_map_lookup_elem(&hash, &key);
	if (p)
		sum += *p / (v & 7) * 1000;
	p = bpf_map_lookup_elem(&shards, &key);
	if (p)
		sum += ++*p * 1000000;
	order = order << 4 | __sync_fetch_and_add(&total, sum) % 13;
	if (!bpf_map_delete_elem(&hash, &key))
		sum ^= __builtin_bswap32(v);
	return sum;
}
char LICENSE[] SEC("license") = "GPL";
EOC

cat >main.c <<'EOC'
#include "cross.h"
#include <stdio.h>
int main(void)
{
	for (uint64_t i = 0; i < 200; i++)
		printf("%d\n", cross_cross_args(i * i, 0, 0, 0, 0, 0));
	printf("%llx %llx\n", (unsigned long long)cross_bss()->total,
	       (unsigned long long)cross_bss()->order);
	return 0;
}
EOC

includes="-I$INLAY_SOURCE -I$INLAY_SOURCE/include -I."
for machine in x86 arm64; do
	mkdir $machine
	"$CLANG" -target bpf -g -O2 -D__TARGET_ARCH_$machine -I/usr/include/x86_64-linux-gnu \
		-c cross.bpf.c -o $machine/cross.bpf.o
done
"$bpfcc" x86/cross.bpf.o -o cross.o
"$bpfcc" x86/cross.bpf.o -o cross.h
"$CLANG" $includes -O2 main.c cross.o "$INLAY_BUILD/lib/libinlay.a" -o x86/main
INLAY_DIR=$scratch x86/main >x86/out

for out in o h s; do
	"$bpfcc" --target=aarch64-linux-gnu arm64/cross.bpf.o -o cross.$out
done
file=$(readelf -h cross.o)
[[ $file == *AArch64* ]] || {
	echo "FAIL: not for aarch64: $file"
	exit 1
}
grep -q 'adrp' cross.s
for source in "$INLAY_SOURCE"/rt/*.c "$INLAY_SOURCE"/rt/*.S; do
	[ -e "$source" ] || continue
	"$CLANG" --target=aarch64-linux-gnu -D_GNU_SOURCE -DINLAY_VERSION='"0"' -std=gnu11 -O1 -w \
		-fno-builtin -fno-stack-protector -fno-strict-aliasing -ftls-model=initial-exec \
		-fvisibility=hidden $includes -isystem /usr/aarch64-linux-gnu/include \
		-c "$source" -o "arm64/$(basename "$source").o"
done
"$CLANG" --target=aarch64-linux-gnu $includes -isystem /usr/aarch64-linux-gnu/include -O2 -c main.c \
	-o main.o
aarch64-linux-gnu-gcc main.o cross.o arm64/*.[cS].o -o arm64/main
INLAY_DIR=$scratch qemu-aarch64 -L /usr/aarch64-linux-gnu arm64/main >arm64/out
cmp x86/out arm64/out || {
	diff x86/out arm64/out | head
	echo "FAIL: other results under qemu"
	exit 1
}
echo "$(wc -l <arm64/out) lines are equal"
