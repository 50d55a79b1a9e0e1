// SPDX-License-Identifier: BSD-2-Clause
// Computations of the highest bit's position become llvm.ctlz, however they are written, and only
// if they are right for every value.
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll
// RUN: FileCheck %s < %t.ll
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <inlay/inlay.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 in, out;

static __always_inline __u64 steps32(__u32 v, __u32 first)
{
	__u32 shift, r;

	r = (v > first) << 4;
	v >>= r;
	shift = (v > 0xff) << 3;
	v >>= shift;
	r |= shift;
	shift = (v > 0xf) << 2;
	v >>= shift;
	r |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	r |= shift;
	return r | v >> 1;
}

// CHECK-LABEL: define {{.*}}_a_inlay(
// CHECK: llvm.ctlz.i64
// CHECK-NOT: select
// CHECK: ret i64
SEC("uprobe/a")
int a_inlay(void *ctx)
{
	out = inlay_log2(in);
	return 0;
}

// CHECK-LABEL: define {{.*}}_b_word(
// CHECK: llvm.ctlz
// CHECK-NOT: select
// CHECK: ret i64
SEC("uprobe/a")
int b_word(void *ctx)
{
	out = steps32(in, 0xffff);
	return 0;
}

// The usual form for 64 bits: a branch on the upper half, and a ladder for each.
// CHECK-LABEL: define {{.*}}_c_halves(
// CHECK: llvm.ctlz.i64
// CHECK-NOT: select
// CHECK: ret i64
SEC("uprobe/a")
int c_halves(void *ctx)
{
	__u64 v = in;
	__u32 hi = v >> 32;

	out = hi ? steps32(hi, 0xffff) + 32 : steps32(v, 0xffff);
	return 0;
}

// CHECK-LABEL: define {{.*}}_d_offset(
// CHECK: llvm.ctlz
// CHECK-NOT: select
// CHECK: ret i64
SEC("uprobe/a")
int d_offset(void *ctx)
{
	out = inlay_log2(in) + 7;
	return 0;
}

// Off by one for 0xffff alone: not the position of the highest bit.
// CHECK-LABEL: define {{.*}}_e_wrong(
// CHECK-NOT: llvm.ctlz
// CHECK: ret i64
SEC("uprobe/a")
int e_wrong(void *ctx)
{
	out = steps32(in, 0xfffe);
	return 0;
}
