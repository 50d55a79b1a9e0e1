/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of another machine: its struct pt_regs decides. */
// RUN: %clang_bpf -D__TARGET_ARCH_arm64 -c %s -o %t.bpf.o
// RUN: %bpfcc --target=aarch64-linux-gnu -d %t.bpf.o | FileCheck %s
// RUN: not %bpfcc --target=x86_64-linux-gnu -d %t.bpf.o 2>&1 | FileCheck %s --check-prefix=X86
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct user_pt_regs {
	unsigned long long sp, regs[4];
} __attribute__((preserve_access_index));

unsigned long long out[3];

SEC("uprobe/f")
int f(struct user_pt_regs *ctx)
{
	out[0] = ctx->regs[2];
	out[1] = ctx->sp;
	return 0;
}
// CHECK: out[0] = ctx->regs[2]
// CHECK: *(u64 *)(r1 + 16)
// CHECK: out[1] = ctx->sp
// CHECK: *(u64 *)(r1 + 248)
// X86: error: CO-RE type "user_pt_regs" does not exist in a process
