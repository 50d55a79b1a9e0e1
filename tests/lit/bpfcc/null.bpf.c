/* SPDX-License-Identifier: BSD-2-Clause */
/* A refusal says where: source line, object, section, program, instruction; what; and what to do. */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: not %bpfcc %t.bpf.o -o %t.o 2> %t.err
// RUN: FileCheck %s < %t.err
// RUN: test ! -e %t.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} counts SEC(".maps");

SEC("uprobe/app:work")
int count(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&counts, &key);

	*value += 1;
	return 0;
}
// CHECK: null.bpf.c:[[#@LINE - 3]]: error: the load goes through r0, a pointer that may be NULL
// CHECK-NEXT: [[#@LINE - 4]] | *value += 1;
// CHECK-NEXT: = {{.*}}null.bpf.c.tmp.bpf.o: section "uprobe/app:work", program "count", instruction {{[0-9]+}}: r1 = *(u64 *)(r0 + 0)
// CHECK-NEXT: = r0: NULL or a pointer to the value of map 'counts' (8 bytes)
// CHECK-NEXT: = help: test it first: if (!p) return 0;
// CHECK-NOT: error
