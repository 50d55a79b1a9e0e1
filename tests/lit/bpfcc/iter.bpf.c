/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_for() and bpf_repeat(): a counter in a register; the same results when run and interpreted. */
// RUN: %clang_bpf -mcpu=v3 -c %s -o %t.bpf.o
// RUN: %bpfcc --emit=asm %t.bpf.o -o %t.s && FileCheck %s < %t.s
// RUN: %clang_bpf -mcpu=v2 -c %s -o %t.v2.bpf.o && %bpfcc verify %t.v2.bpf.o
// RUN: %bpfcc verify -v %t.bpf.o:three_deep > %t.walk && FileCheck %s --check-prefix=WALK < %t.walk
#include <inlay/inlay.bpf.h>

__u64 sum;

SEC("uprobe/*:f")
int add_up(struct pt_regs *ctx)
{
	int n = (int)PT_REGS_PARM1(ctx), i;
	__u64 all = 0;

	bpf_for(i, 0, n)
		all += (__u64)i * i;
	sum = all;
	return 0;
}
// No call, and no iterator in memory.
// CHECK-LABEL: __inlay_prog_{{[0-9a-f]+}}_add_up:
// CHECK-NOT: {{call|rsp|rbp}}
// CHECK: {{j[a-z]+}} .L
// CHECK-NOT: {{call|rsp|rbp}}
// CHECK: ret

SEC("uprobe/*:f")
int count(struct pt_regs *ctx)
{
	bpf_repeat(1000)
		sum++;
	return 0;
}
// CHECK-LABEL: __inlay_prog_{{[0-9a-f]+}}_count:
// CHECK-NOT: call
// CHECK: ret

SEC("uprobe/*:f")
int three_deep(struct pt_regs *ctx)
{
	int n = (int)PT_REGS_PARM1(ctx), i, j, k;

	bpf_for(i, 0, n)
		bpf_for(j, 0, i)
			bpf_for(k, 0, j) {
				if (k == 77)
					break;
				sum += i * j + k;
			}
	return 0;
}
// Millions of rounds are few states.
// WALK: instructions, {{[0-9]?[0-9]?[0-9]}} walked

char LICENSE[] SEC("license") = "GPL";
