// SPDX-License-Identifier: BSD-2-Clause
// 32-bit rotations in 64-bit registers (ISA v1) are rotations, around loops too; where the upper half of
// the register matters they are not.
// RUN: %clang_bpf -mcpu=v1 -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s < %t.ll
#include "probe.h"

__u32 out;

// CHECK-LABEL: define {{.*}}_mix(
// CHECK:       phi i32
// CHECK:       @llvm.fshl.i32(i32 %[[A:[^,]+]], i32 %[[A]], i32 7)
// CHECK-NOT:   lshr i64
// CHECK:       ret
SEC("uprobe/f") int mix(struct pt_regs *ctx)
{
	__u32 a = ctx->di, b = ctx->si;

	for (int i = 0; i < 1000; i++) {
		a += b;
		b ^= a;
		b = b << 7 | b >> 25;
	}
	out = a ^ b;
	return 0;
}

// CHECK-LABEL: define {{.*}}_wide(
// CHECK-NOT:   fshl.i32
// CHECK:       ret
SEC("uprobe/f") int wide(struct pt_regs *ctx)
{
	__u64 a = ctx->di;

	a = a << 7 | (a & 0xffffffff) >> 25;
	return a >> 30;
}
