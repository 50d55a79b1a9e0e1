/* SPDX-License-Identifier: BSD-2-Clause */
/* What a subprogram is given decides how it accesses it: of all its callers, as they are all known. */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s < %t.ll
#include "probe.h"

MAP(array, BPF_MAP_TYPE_ARRAY, 4, __u32, __u64);
__u64 total;

/* long enough not to be inlined */
#define LONG(p) \
	for (int i = 0; i < 12; i++) { \
		asm volatile("" : "+r"(p)); \
		*p += bpf_ktime_get_ns(); \
	}

/* CHECK-LABEL: define {{.*}}@__inlay_sub_{{[0-9a-f]+}}_of_map(
 * CHECK-NOT:   volatile
 * CHECK:       %[[P:[0-9]+]] = inttoptr i64 %1 to ptr
 * CHECK:       load atomic i64, ptr %[[P]] monotonic, align 8, !nosanitize
 * CHECK:       store atomic i64 %{{.*}}, ptr %[[P]] monotonic, align 8, !nosanitize
 * CHECK-NOT:   volatile
 * CHECK:       ret
 */
static __attribute__((noinline)) void of_map(__u64 *p)
{
	LONG(p)
}

/* CHECK-LABEL: define {{.*}}@__inlay_sub_{{[0-9a-f]+}}_of_stack(
 * CHECK-NOT:   volatile
 * CHECK:       %[[P:[0-9]+]] = inttoptr i64 %1 to ptr
 * CHECK:       load i64, ptr %[[P]], align
 * CHECK:       store i64 %{{.*}}, ptr %[[P]], align
 * CHECK:       ret
 */
static __attribute__((noinline)) void of_stack(__u64 *p)
{
	LONG(p)
}

SEC("uprobe/f") int p(struct pt_regs *ctx)
{
	__u64 local = ctx->di, *v;
	__u32 key = 1;

	v = bpf_map_lookup_elem(&array, &key);
	if (!v)
		return 0;
	of_map(v);
	of_map(&total);
	of_stack(&local);
	of_stack(&local);
	return local;
}
