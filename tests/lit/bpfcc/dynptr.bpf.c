/* SPDX-License-Identifier: BSD-2-Clause */
/* Slices of a dynptr may be of a map's value, which others change: each access is made once. */
// RUN: %clang_bpf -c %s -o %t.o && %bpfcc -d=ir %t.o | FileCheck %s
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";
__u64 buffer[4];
__u64 table[16];

/* Attack: a place that is tested, loaded again, and used. */
// CHECK-LABEL: checked_once(
// CHECK-NOT: load i64
// CHECK: load volatile i64
// CHECK-NOT: load i64
// CHECK: load volatile i64
// CHECK-NOT: load
// CHECK: {{^}}}
SEC("uprobe/app:f")
int checked_once(void *ctx)
{
	struct bpf_dynptr ptr;
	__u64 *slice;

	(void)ctx;
	bpf_dynptr_from_mem(buffer, sizeof(buffer), 0, &ptr);
	slice = bpf_dynptr_data(&ptr, 8, 16);
	if (slice && slice[0] < 16)
		table[slice[0]] = slice[1];
	return 0;
}
