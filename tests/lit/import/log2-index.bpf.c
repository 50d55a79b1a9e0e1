// SPDX-License-Identifier: BSD-2-Clause
// A histogram's slot is found by one instruction, and scaled by one: nothing is left of how LLVM counts
// zeros.
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.s && FileCheck %s < %t.s
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <inlay/inlay.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} slots SEC(".maps");

// CHECK-LABEL: __inlay_prog_{{[0-9a-f]+}}_histogram:
// CHECK:       bsrq
// CHECK-NOT:   xor
// CHECK:       incq {{.*}}(
// CHECK:       retq
SEC("uprobe/f") int histogram(struct pt_regs *ctx)
{
	__u32 slot = inlay_log2(PT_REGS_PARM1(ctx));
	__u64 *count = bpf_map_lookup_elem(&slots, &slot);

	if (count)
		++*count;
	return 0;
}
