/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How accesses are made: maps and globals once, in place, unseen by sanitizers; the stack and ctx
 * plain, so that they dissolve; volatile where alignment is not proven.
 */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s < %t.ll
// RUN: sed 's/^\(attributes #[0-9]* = { nounwind\) }/\1 sanitize_address }/' %t.ll > %t.asan.ll
// RUN: opt -passes=asan -S %t.asan.ll | FileCheck --check-prefix=ASAN %s
#include "probe.h"

struct value {
	__u64 count, bytes[4];
	__u16 ports[3];
	char raw[66];
};
MAP(values, BPF_MAP_TYPE_HASH, 64, __u64, struct value);
MAP(array, BPF_MAP_TYPE_ARRAY, 64, __u32, __u64);
__u64 global, flags;
const volatile __u64 limit = 100;

/* CHECK-LABEL: define {{.*}}_alignment(
 * CHECK:       load atomic i16, ptr {{.*}} monotonic, align 2, !nosanitize
 * CHECK:       store atomic i16 {{.*}} monotonic, align 2, !nosanitize
 * CHECK:       load volatile i32, ptr {{.*}}, align 1, !nosanitize
 * CHECK:       store volatile i32 {{.*}}, align 1, !nosanitize
 */
SEC("uprobe/f") int alignment(struct pt_regs *ctx)
{
	struct value *v;
	__u64 key = 1;

	v = bpf_map_lookup_elem(&values, &key);
	if (!v)
		return 0;
	v->ports[1]++;
	*(__u32 *)(v->raw + (ctx->di & 31)) += 1;
	return 0;
}

/* An index is a multiple of the size: proven, also when clang scales it by shifts.
 * CHECK-LABEL: define {{.*}}_variable_index(
 * CHECK:       load atomic i64, {{.*}} monotonic, align 8, !nosanitize
 * CHECK:       store atomic i64 {{.*}} monotonic, align 8, !nosanitize
 * CHECK-NOT:   volatile
 * CHECK:       ret
 */
SEC("uprobe/f") int variable_index(struct pt_regs *ctx)
{
	__u64 key = 2;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (v)
		v->bytes[ctx->di & 3] += ctx->si;
	return 0;
}

/* A bound that was checked is not read again: one load, used twice.
 * CHECK-LABEL: define {{.*}}_read_once(
 * CHECK:       %[[N:.*]] = load atomic i64, {{.*}}__bss
 * CHECK-NOT:   load {{.*}}__bss
 * CHECK:       ret
 */
SEC("uprobe/f") int read_once(struct pt_regs *ctx)
{
	__u64 n = global;

	return n < 16 ? n * 3 : 0;
}

/* Written twice is written twice, read twice is read twice: somebody may look in between. A sanitizer
 * checks none of it (but ctx, in the last program, is memory of the target).
 * ASAN-LABEL:  define {{.*}}_every_access(
 * ASAN-NOT:    asan
 * ASAN:        ret
 * ASAN-LABEL:  define {{.*}}_folds(
 * ASAN:        __asan_report_load8
 * CHECK-LABEL: define {{.*}}_every_access(
 * CHECK-COUNT-3: load atomic i64, ptr {{.*}}__bss{{.*}} monotonic
 * CHECK-NOT:   load atomic
 * CHECK:       store atomic i64 1, ptr {{.*}}__bss
 * CHECK:       store atomic i64 0, ptr {{.*}}__bss
 * CHECK:       ret
 */
SEC("uprobe/f") int every_access(struct pt_regs *ctx)
{
	__u64 sum = *(volatile __u64 *)&global;

	sum += *(volatile __u64 *)&global;
	sum += *(volatile __u64 *)&global;
	*(volatile __u64 *)&flags = 1;
	*(volatile __u64 *)&flags = 0;
	return sum;
}

/* .rodata folds, the stack and ctx dissolve: what is left is the argument.
 * CHECK-LABEL: define {{.*}}_folds(
 * CHECK-NEXT:  entry:
 * CHECK-NEXT:  getelementptr i8, ptr %0, i64 112
 * CHECK-NEXT:  %[[DI:.*]] = load i64
 * CHECK-NEXT:  add i64 %[[DI]], 100
 * CHECK-NEXT:  and i64 {{.*}}, 4294967295
 * CHECK-NEXT:  ret
 */
SEC("uprobe/f") int folds(struct pt_regs *ctx)
{
	volatile __u64 on_stack[4] = {ctx->di, limit};

	return on_stack[0] + on_stack[1];
}

/* A pointer that was spilled is still known to be a map value.
 * CHECK-LABEL: define {{.*}}_spilled(
 * CHECK:       call {{.*}}__inlay_get_current_comm_v1
 * CHECK:       load atomic i64, {{.*}} monotonic, align 8, !nosanitize
 * CHECK:       store atomic i64 {{.*}} monotonic, align 8, !nosanitize
 * CHECK:       ret
 */
SEC("uprobe/f") int spilled(struct pt_regs *ctx)
{
	__u32 key = ctx->di;
	__u64 *v = bpf_map_lookup_elem(&array, &key);
	char comm[16];

	if (!v)
		return 0;
	asm volatile("" : : : "r6", "r7", "r8", "r9");
	bpf_get_current_comm(comm, sizeof(comm));
	*v += comm[0];
	return 0;
}
