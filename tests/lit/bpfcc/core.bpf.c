/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE: struct pt_regs has the layout of the target architecture, whatever the object's copy says; every
 * other type is absent, which is an answer for "exists" and an error for a read that can happen.
 */
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -c %s -o %t.bpf.o
// RUN: %bpfcc -d %t.bpf.o | FileCheck %s
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -DUNGUARDED -c %s -o %t.bad.bpf.o
// RUN: not %bpfcc -d %t.bad.bpf.o 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: %clang_bpf -DNO_MEMBER -c %s -o %t.member.bpf.o
// RUN: not %bpfcc -d %t.member.bpf.o 2>&1 | FileCheck %s --check-prefix=MEMBER
// RUN: %clang_bpf -D__TARGET_ARCH_x86 -DSIZE -c %s -o %t.size.bpf.o
// RUN: not %bpfcc -d %t.size.bpf.o 2>&1 | FileCheck %s --check-prefix=SIZE
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
/* a vmlinux.h of another kernel: other members in another order, unions as in 6.12 */
struct pt_regs {
	unsigned long dx, di, si;
	union {
		unsigned short cs;
		unsigned long csx;
	};
	signed char r15;
	unsigned long brand_new;
};
struct mm_struct {
	int pid;
	struct mm_struct *parent;
};
enum color { RED, GREEN };
#pragma clang attribute pop

unsigned long out[16];

SEC("uprobe/f")
int layout(struct pt_regs *ctx)
{
	out[0] = ctx->di;
	out[1] = ctx->cs;
	out[2] = ctx->dx;
	out[3] = bpf_core_field_size(ctx->si);
	out[4] = bpf_core_field_exists(ctx->si);
	out[5] = bpf_core_type_size(struct pt_regs);
	out[6] = bpf_core_type_exists(struct pt_regs);
	out[7] = bpf_core_field_exists(ctx->brand_new);
	out[8] = bpf_core_type_exists(struct mm_struct) + 2;
	out[9] = bpf_core_enum_value_exists(enum color, GREEN) + 3;
#ifdef SIZE
	out[11] = bpf_core_type_size(struct mm_struct) + 4;
#endif
#ifdef NO_MEMBER
	out[10] = ctx->brand_new;
#endif
	return 0;
}
// CHECK-LABEL: layout: 1 argument
// CHECK: out[0] = ctx->di
// CHECK: r{{[0-9]}} = *(u64 *)(r1 + 112)
// CHECK: out[1] = ctx->cs
// CHECK: r{{[0-9]}} = *(u16 *)(r1 + 136)
// CHECK: out[2] = ctx->dx
// CHECK: r{{[0-9]}} = *(u64 *)(r1 + 96)
// CHECK: [[R:r[0-9]]] = 8 ;
// CHECK: *(u64 *)(r2 + 24) = [[R]] ;
// CHECK: [[R:r[0-9]]] = 1 ;
// CHECK: *(u64 *)(r2 + 32) = [[R]] ;
// CHECK: [[R:r[0-9]]] = 168 ;
// CHECK: *(u64 *)(r2 + 40) = [[R]] ;
// CHECK: [[R:r[0-9]]] = 1 ;
// CHECK: *(u64 *)(r2 + 48) = [[R]] ;
// CHECK: [[R:r[0-9]]] = 0 ;
// CHECK: *(u64 *)(r2 + 56) = [[R]] ;
// CHECK: [[R:r[0-9]]] = 0 ;
// CHECK: [[R]] += 2 ;
// CHECK: *(u64 *)(r2 + 64) = [[R]] ;
// CHECK: [[R:r[0-9]]] = 0x0 ll ;
// CHECK: [[R]] += 3 ;
// CHECK: *(u64 *)(r2 + 72) = [[R]] ;
// SIZE: error: CO-RE type "mm_struct" does not exist in a process
// MEMBER: error: "struct pt_regs" of this architecture has no member "brand_new"
// MEMBER-NEXT: out[10] = ctx->brand_new;
// MEMBER: help: test for it first: bpf_core_field_exists()

SEC("uprobe/g")
int guarded(struct pt_regs *ctx)
{
	struct mm_struct *task = (void *)ctx->di;

#ifndef UNGUARDED
	if (bpf_core_field_exists(task->pid))
#endif
		out[15] = BPF_CORE_READ(task, parent, pid);
	return 0;
}
// CHECK-LABEL: guarded: 1 argument
// CHECK: never runs
// BAD: core.bpf.c:{{[0-9]+}}: error: CO-RE type "mm_struct" does not exist in a process: only struct pt_regs does
// BAD: section "uprobe/g", program "guarded", instruction {{[0-9]+}}: <does not exist>
