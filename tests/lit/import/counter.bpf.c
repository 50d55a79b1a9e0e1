/* SPDX-License-Identifier: BSD-2-Clause */
/* Golden assembly of counters: one read-modify-write on a link-time address, also in a loop that
 * never ends; per thread one initial-exec TLS load, a test, an add. */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.s && FileCheck %s < %t.s
// RUN: %bpfcc %t.bpf.o -O1 -o %t.1.s && FileCheck %s < %t.1.s
// RUN: %bpfcc %t.bpf.o -O3 -o %t.3.s && FileCheck %s < %t.3.s
#include "probe.h"

__u64 total, per_size[64];
__u32 small;
MAP(counts, BPF_MAP_TYPE_ARRAY, 64, __u32, __u64);
MAP(per_thread, BPF_MAP_TYPE_PERCPU_ARRAY, 4, __u32, __u64);

/* CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_in_global:
 * CHECK-NEXT:  incq __inlay_region_{{[0-9a-f]+}}__bss{{.*}}(%rip)
 * CHECK-NEXT:  xorl %eax, %eax
 * CHECK-NEXT:  retq
 */
SEC("uprobe/f") int in_global(struct pt_regs *ctx)
{
	total++;
	return 0;
}

/* CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_in_global_of_32_bits:
 * CHECK-NEXT:  addl $5, __inlay_region_{{[0-9a-f]+}}__bss{{.*}}(%rip)
 * CHECK-NEXT:  xorl %eax, %eax
 * CHECK-NEXT:  retq
 */
SEC("uprobe/f") int in_global_of_32_bits(struct pt_regs *ctx)
{
	small += 5;
	return 0;
}

/* CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_atomically:
 * CHECK-NEXT:  lock {{.*}}incq __inlay_region_{{[0-9a-f]+}}__bss{{.*}}(%rip)
 * CHECK-NEXT:  xorl %eax, %eax
 * CHECK-NEXT:  retq
 */
SEC("uprobe/f") int atomically(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&total, 1);
	return 0;
}

/* CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_in_array:
 * CHECK-NEXT:  incq __inlay_region_{{[0-9a-f]+}}_counts+24(%rip)
 * CHECK-NEXT:  xorl %eax, %eax
 * CHECK-NEXT:  retq
 */
SEC("uprobe/f") int in_array(struct pt_regs *ctx)
{
	__u32 key = 3;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);

	if (count)
		*count += 1;
	return 0;
}

/* A key of zero is what the cleared stack holds: it must fold as well.
 * CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_in_array_at_zero:
 * CHECK-NEXT:  incq __inlay_region_{{[0-9a-f]+}}_counts(%rip)
 * CHECK-NEXT:  xorl %eax, %eax
 * CHECK-NEXT:  retq
 */
SEC("uprobe/f") int in_array_at_zero(struct pt_regs *ctx)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);

	if (count)
		*count += 1;
	return 0;
}

/* CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_in_array_at_argument:
 * CHECK-NOT:   call
 * CHECK:       testl $-64, %eax
 * CHECK:       leaq __inlay_region_{{[0-9a-f]+}}_counts(%rip), %[[REGION:r..]]
 * CHECK-NEXT:  incq (%[[REGION]],%r{{..}},8)
 * CHECK-NOT:   call
 * CHECK:       retq
 */
SEC("uprobe/f") int in_array_at_argument(struct pt_regs *ctx)
{
	__u32 key = ctx->di;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);

	if (count)
		*count += 1;
	return 0;
}

/* CHECK-LABEL: {{^}}__inlay_prog_{{.*}}_per_thread_count:
 * CHECK:       movq __inlay_tls_{{[0-9a-f]+}}_per_thread@GOTTPOFF(%rip), %[[SLOT:r..]]
 * CHECK-NEXT:  movq %fs:(%[[SLOT]]), %[[SHARD:r..]]
 * CHECK-NEXT:  testq %[[SHARD]], %[[SHARD]]
 * CHECK-NEXT:  je
 * CHECK:       incq 8(%[[SHARD]])
 * CHECK:       retq
 */
SEC("uprobe/f") int per_thread_count(struct pt_regs *ctx)
{
	__u32 key = 1;
	__u64 *count = bpf_map_lookup_elem(&per_thread, &key);

	if (count)
		*count += 1;
	return 0;
}
