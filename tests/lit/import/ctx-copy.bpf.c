// SPDX-License-Identifier: BSD-2-Clause
// bpf_probe_read_kernel() of a part of ctx, which is what BPF_CORE_READ(ctx, member) does, is a
// load: after inlining it is the argument. Elsewhere it is a call.
// RUN: %clang_bpf -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s < %t.ll
// RUN: %inlay_cc -O2 -finlay-probes=%t.bpf.o -S -x c %S/Inputs/ten-calls.target -o - \
// RUN:     | FileCheck --check-prefix=SITE %s
// RUN: %clang_bpf -DBAD_BOUNDS -c %s -o %t.bad.bpf.o
// RUN: not %bpfcc %t.bad.bpf.o -o %t.x.ll 2>&1 | FileCheck --check-prefix=BOUNDS %s
// RUN: %clang_bpf -DBAD_USER -c %s -o %t.user.bpf.o
// RUN: not %bpfcc %t.user.bpf.o -o %t.x.ll 2>&1 | FileCheck --check-prefix=USER %s
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* as a vmlinux.h has it, cut down: CO-RE finds where the member really is */
struct pt_regs {
	unsigned long di;
} __attribute__((preserve_access_index));

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 sum;

// CHECK-LABEL: define {{.*}}_on_work(
// CHECK-NOT: probe_read
// CHECK: ret i64
// SITE-LABEL: work:
// SITE: addq %rdi, __inlay_region_{{[0-9a-f]+}}__bss
// SITE-NOT: call
// SITE: retq
SEC("uprobe/work")
int on_work(struct pt_regs *ctx)
{
	sum += BPF_CORE_READ(ctx, di);
	return 0;
}

#ifdef BAD_BOUNDS
// BOUNDS: bpf_probe_read_kernel of 16 bytes at ctx+160 is outside of struct pt_regs
SEC("uprobe/work")
int bad(void *ctx)
{
	__u64 pair[2];

	bpf_probe_read_kernel(pair, 16, ctx + 160);
	sum += pair[0];
	return 0;
}
#endif

#ifdef BAD_USER
// USER: bpf_probe_read_user reads the target's memory, and {{.*}} is the program's ctx
SEC("uprobe/work")
int bad(void *ctx)
{
	bpf_probe_read_user(&sum, 8, ctx);
	return 0;
}
#endif
