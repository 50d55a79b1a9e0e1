/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A callback that is used once is the body of its loop, and its context dissolves. A tail call is a jump,
 * also where nothing is optimised. No address of code is ever a value.
 */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s < %t.ll
// RUN: %bpfcc -O0 %t.bpf.o -o %t.s && FileCheck --check-prefix=ASM %s < %t.s
#include "probe.h"

MAP(array, BPF_MAP_TYPE_ARRAY, 16, __u32, __u64);
__u64 total;

static long add(__u32 i, void *sum)
{
	*(__u64 *)sum += (__u64)i * i;
	return 0;
}

/* CHECK-NOT:   __inlay_dispatch
 * CHECK-LABEL: define {{.*}}_once(
 * CHECK-NOT:   alloca
 * CHECK-NOT:   call
 * CHECK:       ret i64
 */
SEC("uprobe/f") int once(struct pt_regs *ctx)
{
	__u64 sum = ctx->di;

	bpf_loop(ctx->si, add, &sum, 0);
	return sum;
}

struct bpf_map;
static long count(struct bpf_map *map, __u32 *key, __u64 *value, void *max)
{
	if (*value > *(__u64 *)max)
		*(__u64 *)max = *value;
	return 0;
}

/* CHECK-LABEL: define {{.*}}_each(
 * CHECK-NOT:   alloca
 * CHECK:       load atomic i64, {{.*}} monotonic, align
 * CHECK-NOT:   call {{.*}}__inlay
 * CHECK:       ret i64
 */
SEC("uprobe/f") int each(struct pt_regs *ctx)
{
	__u64 max = 0;

	bpf_for_each_map_elem(&array, count, &max, 0);
	return max;
}

int next(struct pt_regs *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} progs SEC(".maps") = {.values = {[1] = (void *)&next}};

/* ASM-LABEL: {{^}}__inlay_tail_{{[0-9a-f]+}}_first.
 * ASM:       jmp __inlay_tail_{{[0-9a-f]+}}_next.
 */
SEC("uprobe/f") int first(struct pt_regs *ctx)
{
	total++;
	bpf_tail_call(ctx, &progs, ctx->di);
	return 1;
}

SEC("uprobe/f") int next(struct pt_regs *ctx)
{
	return ctx->si;
}
