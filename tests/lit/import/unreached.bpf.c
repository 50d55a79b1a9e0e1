/* SPDX-License-Identifier: BSD-2-Clause */
/* Code behind a constant that is frozen at build may hold anything; --set decides what is compiled. */
// RUN: %clang_bpf -I%S/Inputs -c %s -o %t.bpf.o
// RUN: %bpfcc %t.bpf.o -o %t.ll && FileCheck %s < %t.ll
// RUN: %bpfcc %t.bpf.o --set mode=1 -o %t.1.ll && FileCheck --check-prefix=ONE %s < %t.1.ll
// RUN: not %bpfcc %t.bpf.o --set mode=2 -o %t.2.ll 2>&1 | FileCheck --check-prefix=TWO %s
// RUN: not test -e %t.2.ll
#include "probe.h"

const volatile int mode = 0;
static long (*no_such_helper)(void) = (void *)60000;

/* CHECK-LABEL: define {{.*}}_p(
 * CHECK-NOT:   br
 * CHECK-NOT:   call
 * CHECK:       ret i64 7
 * ONE-LABEL:   define {{.*}}_p(
 * ONE:         call i64 @__inlay_{{uid_gid|get_current_uid_gid}}
 * ONE:         ret
 * TWO:         error: {{.*}}60000
 */
SEC("uprobe/f") int p(struct pt_regs *ctx)
{
	if (mode == 1)
		return bpf_get_current_uid_gid();
	if (mode == 2)
		return no_such_helper();
	return 7;
}
