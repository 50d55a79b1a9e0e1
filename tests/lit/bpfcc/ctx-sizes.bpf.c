/* SPDX-License-Identifier: BSD-2-Clause */
/* A helper's read of ctx becomes loads: of how much must be the same on all paths. */
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: not %bpfcc %t.bpf.o -o %t.ll 2>&1 | FileCheck %s
// RUN: %clang_bpf -DSECOND=8 -c %s -o %t.same.bpf.o
// RUN: %bpfcc %t.same.bpf.o -o %t.ll
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef SECOND
#define SECOND 16
#endif

SEC("uprobe/app:work")
__attribute__((naked)) int two_sizes(void *ctx)
{
	asm volatile("r3 = r1;"
		     "r6 = *(u64 *)(r1 + 112);"
		     "r1 = r10;"
		     "r1 += -16;"
		     "r2 = 8;"
		     "if r6 == 0 goto 1f;"
		     "r2 = %[second];"
		     "1: call %[read];"
		     "r0 = 0;"
		     "exit;"
		     : : [second] "i"(SECOND), [read] "i"(BPF_FUNC_probe_read_kernel));
}

char _license[] SEC("license") = "GPL";

// CHECK: error: bpf_probe_read_kernel of ctx needs one constant size on all paths
// CHECK: help: read one member at a time
