/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that are left out: they need not be safe, nor have a section that Inlay can place. */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: not %bpfcc -d %t.bpf.o 2>&1 | FileCheck %s --check-prefix=OFFSET
// RUN: not %bpfcc -d --skip inside %t.bpf.o 2>&1 | FileCheck %s --check-prefix=UNSAFE
// RUN: %bpfcc -d --skip inside --skip 'bad_*' %t.bpf.o | FileCheck %s
// RUN: %bpfcc verify --skip inside --skip bad_one %t.bpf.o | FileCheck %s --check-prefix=VERIFY
// RUN: not %bpfcc -d --skip inside --skip bad %t.bpf.o 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not %bpfcc -d --skip helper %t.bpf.o 2>&1 | FileCheck %s --check-prefix=HELPER
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
} only_of_bad SEC(".maps");
int hits;

__attribute__((noinline)) int helper(int n)
{
	return n + hits;
}

SEC("uprobe/f+0x10")
int inside(void *ctx)
{
	hits++;
	return 0;
}

SEC("uprobe/f")
int bad_one(void *ctx)
{
	int key = 0, *value = bpf_map_lookup_elem(&only_of_bad, &key);

	*value = 1;
	return 0;
}

SEC("uprobe/f")
int good(void *ctx)
{
	hits = helper(1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
// OFFSET: error: an offset inside of a function is not a place that Inlay can probe
// UNSAFE: error: {{.*}}may be NULL
// UNSAFE: note: one refused program refuses the object, which has 2: --skip PROGRAM leaves one out (inlay-cc: -finlay-skip=PROGRAM)
// CHECK-NOT: {{(inside|bad_one|only_of_bad)}}
// CHECK: good:
// CHECK-NOT: {{(inside|bad_one|only_of_bad)}}
// VERIFY-NOT: {{(inside|bad_one)}}
// VERIFY: good{{.*}}ACCEPT
// VERIFY-NOT: {{(inside|bad_one)}}
// NONE: error: --skip bad: the object has no program of that name
// HELPER: error: --skip helper: the object has no program of that name
