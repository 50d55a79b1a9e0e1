/* SPDX-License-Identifier: BSD-2-Clause */
/* Function pointers as clang makes them, of subprograms and of helpers: callx. */
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %clang_bpf -O0 -g -c %s -o 0.bpf.o && %bpfcc verify 0.bpf.o | FileCheck %s
// RUN: %clang_bpf -O1 -g -c %s -o 1.bpf.o && %bpfcc verify 1.bpf.o | FileCheck %s
// RUN: %clang_bpf -O2 -g -c %s -o 2.bpf.o && %bpfcc verify 2.bpf.o | FileCheck %s
// CHECK: {{^}}chosen{{.*}}ACCEPT
// at -O2 both are known, and a direct call each; nothing is left of the dispatcher
// RUN: llvm-objdump -d 2.bpf.o | FileCheck %s --check-prefix=BPF
// BPF: callx
// RUN: %bpfcc -O2 2.bpf.o -o 2.s && FileCheck %s --check-prefix=ASM < 2.s
// ASM: __inlay_prog_{{[0-9a-f]+}}_chosen:
// ASM-NOT: {{call|jmp}}q *%
// ASM: retq
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static long (*const now)(void) = (void *)BPF_FUNC_ktime_get_ns;
static __attribute__((noinline)) int more(int a) { return a + 1; }
static __attribute__((noinline)) int twice(int a) { return a * 2; }

char LICENSE[] SEC("license") = "GPL";

SEC("uprobe/app:f")
int chosen(void *ctx)
{
	long time = now();
	int (*fn)(int) = (long)ctx & 1 ? more : twice;

	return fn((int)time);
}
